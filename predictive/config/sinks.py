"""When scores are made, and where they go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from predictive.config.base import Duration, Instant, Strict
from predictive.config.secret import DatabaseUrl, SecretUrl


class ScoreChoice(Strict):
    """The as-of of a scoring run: last `midnight`, `latest` (the newest time in the tables), or a date."""

    as_of: Literal["midnight", "latest"] | Instant = "midnight"


class Breaker(Strict):
    """How far tonight may be from last night before nothing is written; null leaves a bound out.

    `rows`, `probability` and `tier` bound a ratio of tonight to last night, or of last night to tonight: rows scored,
    mean probability, and the share of each tier that has at least 1 % and 20 contacts. `filled` bounds the fall of the
    share of contacts for whom an input has a value, `unseen` the rise of the share whose category the model does not
    know. `age` is how old the newest activity may become from one night to the next, and `fewest` how few contacts may
    be scored, the first night too.
    """

    rows: Annotated[float, Field(gt=1)] | None = 1.25
    probability: Annotated[float, Field(gt=1)] | None = 1.5
    tier: Annotated[float, Field(gt=1)] | None = 2.0
    filled: Annotated[float, Field(gt=0, le=1)] | None = 0.2
    unseen: Annotated[float, Field(gt=0, le=1)] | None = 0.2
    age: Duration | None = timedelta(days=7)
    fewest: Annotated[int, Field(ge=0)] | None = None


class TablesSink(Strict):
    """What sinks into tables of a database have in common.

    Without `columns`, `table` is the score table, with `table_history` and `table_runs` beside it. With `columns`
    (names of scores to names of columns), `table` is the contact table that has or gets these columns, `key` its column
    with the contact's id, and the score tables are `table_scores`, `table_scores_history` and `table_scores_runs`.

    `left` says what becomes of contacts that are scored no longer: `cleared` takes their scores away, `kept` leaves
    them, `marked` leaves them and writes since when into the column that `columns` gives for `left_at`. The score table
    itself says it in its column `left_at`.
    """

    table: str = "contact_scores"
    columns: dict[str, str] = {}
    key: str | None = None
    create_columns: bool = False
    left: Literal["cleared", "kept", "marked"] = "cleared"

    @model_validator(mode="after")
    def _whole(self) -> TablesSink:
        check_columns(self.columns, left=self.left)
        if self.columns and (self.key is None or "table" not in self.model_fields_set):
            raise ValueError("columns of the contact table need its name and its key: table: contacts, key: id")
        if not self.columns and (self.key is not None or self.create_columns):
            raise ValueError("key and create_columns are for scores in the contact table; give columns too, or neither")
        if self.columns and self.left == "marked" and "left_at" not in self.columns:
            raise ValueError("left: marked needs a column to mark in: columns: {left_at: NAME}")
        return self


class DuckdbSink(TablesSink):
    """Scores into tables of a DuckDB file."""

    kind: Literal["duckdb"]
    path: Path


class SqliteSink(TablesSink):
    """Scores into tables of a SQLite file. A run waits for another's lock for at most `wait` seconds."""

    kind: Literal["sqlite"]
    path: Path
    wait: Annotated[float, Field(ge=0)] = 30


class PostgresqlSink(TablesSink):
    """Scores into tables of a PostgreSQL database, whose `url` holds a password: write ``${DATABASE_URL}``.

    A run waits for another's lock for at most `wait` seconds.
    """

    kind: Literal["postgresql"]
    url: DatabaseUrl
    wait: Annotated[float, Field(ge=0)] = 30

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, value: SecretUrl) -> SecretUrl:
        if value.scheme not in ("postgresql", "postgres"):
            raise ValueError(
                "is not the URL of a PostgreSQL database; write ${DATABASE_URL} and set that variable to "
                "postgresql://user:password@host:5432/database, with percent signs for what URLs do not take"
            )
        return value


class FileSink(Strict):
    """Scores into a file, with the history in a folder beside it.

    With `format`, a csv is written for the import tool of a CRM: the record's id first, then a column per field of
    `columns` (names of scores to names of fields; the usual ones by default). The scores themselves are then in
    `NAME_scores.csv` beside it. `only_changed` writes only contacts whose scores differ from those of the last file.
    `left` says what is written for contacts that are scored no longer: empty cells, nothing, or since when.
    """

    kind: Literal["parquet", "csv"]
    path: Path
    format: Literal["hubspot", "salesforce"] | None = None
    columns: dict[str, str] = {}
    only_changed: bool = False
    left: Literal["cleared", "kept", "marked"] = "cleared"

    @model_validator(mode="after")
    def _whole(self) -> FileSink:
        check_columns(self.columns, left=self.left)
        if self.format is None and (self.columns or self.only_changed or self.left != "cleared"):
            raise ValueError("columns, only_changed and left are for files with a format (hubspot or salesforce)")
        if self.format is not None and self.kind != "csv":
            raise ValueError(f"format: {self.format} is written as csv; write kind: csv")
        if self.columns and self.left == "marked" and "left_at" not in self.columns:
            raise ValueError("left: marked needs a field to mark in: columns: {left_at: NAME}")
        return self


class SparkSink(Strict):
    """Scores into the Spark catalog: the views `table` and `table`_history, and the tables that they look into."""

    kind: Literal["spark"]
    table: str = "contact_scores"


def check_columns(columns: dict[str, str], *, left: str) -> None:
    """Raise ValueError where `columns` names no score, or one column twice."""
    if not columns:
        return
    from predictive.errors import nearest
    from predictive.tables import SCORES  # takes seconds, which commands that only print help must not

    known = [*(name for name in SCORES.columns if name != "contact_id"), *(["left_at"] if left == "marked" else [])]
    for name in columns:
        if name not in known:
            raise ValueError(f"columns: {name!r} is no column of scores; {nearest(name, known)}")
    names = [name.casefold() for name in columns.values()]
    twice = [name for name in columns.values() if names.count(name.casefold()) > 1]
    if twice:
        raise ValueError(f"columns: {twice[0]!r} is named twice; every score needs a column of its own")


Sink = Annotated[DuckdbSink | SqliteSink | PostgresqlSink | FileSink | SparkSink, Field(discriminator="kind")]
