"""When scores are made, and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from predictive.config.base import Instant, Strict


class ScoreChoice(Strict):
    """The as-of of a scoring run: last `midnight`, `latest` (the newest time in the tables), or a date."""

    as_of: Literal["midnight", "latest"] | Instant = "midnight"


class DuckdbSink(Strict):
    """Scores into tables of a DuckDB file: `table`, `table_history` and `table_runs`."""

    kind: Literal["duckdb"]
    path: Path
    table: str = "contact_scores"


class FileSink(Strict):
    """Scores into a file, with the history in a folder beside it."""

    kind: Literal["parquet", "csv"]
    path: Path


class SparkSink(Strict):
    """Scores into tables of the Spark catalog: the view `table`, and beside it `table`_history and `table`_runs."""

    kind: Literal["spark"]
    table: str = "contact_scores"


Sink = Annotated[DuckdbSink | FileSink | SparkSink, Field(discriminator="kind")]
