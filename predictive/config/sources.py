"""Where the tables come from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from predictive.clock import format_duration, parse_duration
from predictive.config.base import Scalar, Strict, TableName
from predictive.config.secret import DatabaseUrl


def _overlap(value: Any) -> timedelta | int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"{value} is negative; write how many numbers to read again, 0 for none")
        return value
    return parse_duration(value)


Overlap = Annotated[
    timedelta | int,
    PlainValidator(_overlap),
    PlainSerializer(lambda value: value if isinstance(value, int) else format_duration(value)),
]


class Incremental(Strict):
    """Read only what is new: rows whose `column` of the source is at or after the newest kept, less the `overlap`.

    `column` is a time or a number that grows as rows come (when they were recorded, or a running id), and stays as it
    is. Where it moves when a row is altered (``updated_at``), `key` names the column that tells whose row it is.
    `overlap` is a length of time, or how many numbers; `store` is the file that keeps what was read.
    """

    column: str
    overlap: Overlap = timedelta(days=3)
    key: str | None = None
    store: Path = Path("activities.duckdb")


class TableSource(Strict):
    """Where one canonical table comes from: exactly one of `file`, `table` and `query`.

    `columns` maps canonical names to the names at the source; the source's other columns of contacts and accounts
    become attributes. `missing` lists the texts that mean "not known", beside the empty one.
    `scores` lists columns that hold what this package writes there; they are no attributes, and may be missing.
    """

    file: str | None = None
    table: str | None = None
    query: str | None = None
    columns: dict[str, str] = {}
    constants: dict[str, Scalar] = {}
    drop: list[str] = []
    keep: list[str] | None = None
    missing: list[str] = []
    incremental: Incremental | None = None
    scores: list[str] = []

    @model_validator(mode="after")
    def _one_origin(self) -> TableSource:
        if sum(x is not None for x in (self.file, self.table, self.query)) != 1:
            raise ValueError("give exactly one of file, table and query")
        if self.drop and self.keep is not None:
            raise ValueError("give drop or keep, not both")
        return self


class FilesSource(Strict):
    """CSV and Parquet files below `path`. `files` names more of them for use in a table's `query`."""

    kind: Literal["files"]
    path: Path
    files: dict[str, str] = {}
    tables: dict[TableName, TableSource]

    @model_validator(mode="after")
    def _no_database_tables(self) -> FilesSource:
        wrong = [name for name, table in self.tables.items() if table.table is not None]
        if wrong:
            raise ValueError(f"{wrong[0]}: a source of kind files takes file or query, not table")
        return self


class DuckdbSource(Strict):
    """Tables of a DuckDB database file."""

    kind: Literal["duckdb"]
    path: Path
    tables: dict[TableName, TableSource]

    @model_validator(mode="after")
    def _no_files(self) -> DuckdbSource:
        wrong = [name for name, table in self.tables.items() if table.file is not None]
        if wrong:
            raise ValueError(f"{wrong[0]}: a source of kind duckdb takes table or query, not file")
        return self


class DatabaseSource(Strict):
    """Tables of a database by its URL, which comes from the environment where it holds a password.

    ``postgresql://`` is read through ADBC, ``sqlite:///`` and ``duckdb:///`` as files, any other by SQLAlchemy.
    """

    kind: Literal["database"]
    url: DatabaseUrl
    tables: dict[TableName, TableSource]

    @model_validator(mode="after")
    def _no_files(self) -> DatabaseSource:
        wrong = [name for name, table in self.tables.items() if table.file is not None]
        if wrong:
            raise ValueError(f"{wrong[0]}: a source of kind database takes table or query, not file")
        return self


class SparkSource(Strict):
    """Tables of a Spark session, as its catalog or Spark SQL names them; `file` is a Parquet file or folder."""

    kind: Literal["spark"]
    tables: dict[TableName, TableSource]

    @model_validator(mode="after")
    def _whole(self) -> SparkSource:
        wrong = [name for name, table in self.tables.items() if table.incremental is not None]
        if wrong:
            raise ValueError(f"{wrong[0]}: a source of kind spark is read where it is; leave incremental out")
        return self


class CrmSource(Strict):
    """A CRM at `path` or `url`, exactly one of them. Which table is what is known; nothing else is configured.

    `path` is a folder or zip archive of files, or a DuckDB file; `url` a database that a loader such as Fivetran lands
    the CRM in; `schema` is needed only where several of its schemas hold equally much. `scores` lists fields of
    contacts that hold what this package writes there, by label or name: they are no attributes. The columns of the sink
    are among them without being listed.
    """

    kind: Literal["hubspot", "salesforce"]
    path: Path | None = None
    url: DatabaseUrl | None = None
    schema_: str | None = Field(default=None, alias="schema")
    scores: list[str] = []

    @model_validator(mode="after")
    def _one_place(self) -> CrmSource:
        if (self.path is None) == (self.url is None):
            raise ValueError("give exactly one of path (files, a DuckDB file) and url (a database)")
        return self

    @property
    def tables(self) -> dict[TableName, TableSource]:
        """The canonical tables that a CRM fills."""
        return CRM_TABLES

    @property
    def where(self) -> str:
        """The key and what it says, for messages."""
        return f"source.url: {self.url}" if self.path is None else f"source.path: {self.path}"


class HubspotSource(CrmSource):
    """A HubSpot account: what Fivetran lands of it, or what it exports."""

    kind: Literal["hubspot"]


class SalesforceSource(CrmSource):
    """A Salesforce org: what Fivetran lands of it, or its Data Export."""

    kind: Literal["salesforce"]


CRM_TABLES: dict[TableName, TableSource] = {
    "contacts": TableSource(table="contacts"),
    "accounts": TableSource(table="accounts"),
    "activities": TableSource(table="activities"),
    "deals": TableSource(table="deals"),
    "changes": TableSource(table="changes"),
}

Source = Annotated[
    FilesSource | DuckdbSource | DatabaseSource | HubspotSource | SalesforceSource | SparkSource,
    Field(discriminator="kind"),
]
