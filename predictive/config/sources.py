"""Where the tables come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from predictive.config.base import Scalar, Strict, TableName


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


Source = Annotated[FilesSource | DuckdbSource, Field(discriminator="kind")]
