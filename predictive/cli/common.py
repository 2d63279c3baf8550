"""What commands share: opening a configuration and its tables, printing, progress, times on the command line."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictive.clock import instant, parse_instant
from predictive.errors import ConfigError

if TYPE_CHECKING:
    from predictive.config import Config, Sink
    from predictive.tables import Tables


MODELS = "bundle folder, name of a bundle, version or run in MLflow, models:/NAME@ALIAS, or champion"
"""What may be given where a model is named."""


@dataclass(frozen=True)
class Session:
    """An open configuration: `con` is the working database in which `tables` live; `now` is in microseconds."""

    config: Config
    con: Any
    tables: Tables
    now: int


@contextmanager
def opened(path: str, *, refresh: bool = False, now: int | None = None) -> Iterator[Session]:
    """Load a configuration and read its tables into a working database that goes with the block.

    `refresh` reads anew what is otherwise read incrementally; `now` is the present in microseconds (default: it is).
    """
    from predictive.config_file import load_config
    from predictive.sources import read_tables
    from predictive.store import open_engine

    config = load_config(path)
    at = time.time_ns() // 1_000 if now is None else now
    progress("reading tables")
    with open_engine(config) as con:
        yield Session(config, con, read_tables(config, con, now=at, refresh=refresh), at)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The positional CONFIG of nearly every command."""
    parser.add_argument("config", metavar="CONFIG", help="configuration file, such as configs/demo.yaml")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`: one JSON object on standard output, and nothing else there."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output, nothing else")


def add_as_of(parser: argparse.ArgumentParser) -> None:
    """`--as-of TIME`."""
    parser.add_argument("--as-of", metavar="TIME", help="date or time to score at, or latest (default: as configured)")


def parse_as_of(text: str | None, config: Config, tables: Tables, now: int) -> int | None:
    """Microseconds of `--as-of`; None where it was not given."""
    from predictive.splits import newest

    if text is None:
        return None
    if text == "latest":
        return max(newest(tables, now).values())
    try:
        return instant(parse_instant(text), config.timezone)
    except ValueError as error:
        raise ConfigError(f"--as-of: {error}, or latest") from None


def progress(text: str) -> None:
    """Say what is going on, on a terminal; silent in a pipe or a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def end_progress() -> None:
    """Clear the line that :func:`progress` wrote."""
    progress("")


def say(text: str = "") -> None:
    """A line on standard output."""
    end_progress()
    print(text)  # noqa: T201 - the command line talks to people


def say_json(value: dict[str, Any]) -> None:
    """The one JSON object of `--json`."""
    say(json.dumps(value, indent=2, allow_nan=False, default=str))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned, the first to the left and the others to the right; the first row is the heading.

    >>> print(table([["", "log loss"], ["model", "0.28"]]))
           log loss
    model      0.28
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def place(sink: Sink) -> str:
    """Where scores go, as a person would say it; never a password."""
    from predictive.config import FileSink, PostgresqlSink, SparkSink
    from predictive.sinks.postgresql import PostgresServer

    if isinstance(sink, SparkSink):
        return f"the Spark table {sink.table}"
    if isinstance(sink, FileSink):
        return shorten(sink.path)
    where = PostgresServer(sink.url, "").place if isinstance(sink, PostgresqlSink) else shorten(sink.path)
    return f"{where}, table {sink.table}"


def shorten(path: Path) -> str:
    """A path as a person would type it: relative to where they are, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
