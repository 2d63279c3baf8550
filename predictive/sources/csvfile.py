"""CSV files: separator, quote and encoding are detected; the lines of rows and of faults are found.

DuckDB reads the rows. Python's reader is asked only for the header, and for line numbers once something is wrong,
since DuckDB counts a row with line breaks inside quotes as one line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

SEPARATORS = ",;\t|"
SAMPLE = 1 << 20
BLOCK = 1 << 23
PLAUSIBLE = 0.1
"""Up to this much mess (of charset-normalizer, 0 to 1) a text is taken for Windows-1252; Greek or Chinese show more."""
BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Dialect:
    """How a CSV file separates and quotes its fields; a quote inside quotes is doubled."""

    separator: str
    quote: str


def as_utf8(path: Path, folder: Path) -> tuple[Path, str | None]:
    """The file itself if it is UTF-8 (with or without BOM), else a UTF-8 copy in `folder`, and its encoding.

    Raises `ValueError` when no encoding fits.
    """
    encoding = _encoding(path)
    if encoding is None:
        return path, None
    copy = folder / f"{len(list(folder.iterdir()))}.csv"
    try:
        with path.open(encoding=encoding, newline="") as source, copy.open("w", encoding="utf-8", newline="") as target:
            while block := source.read(BLOCK):
                target.write(block)
    except UnicodeError:
        raise ValueError("its text is in no encoding that could be recognised; save it as UTF-8") from None
    return copy, encoding


def _encoding(path: Path) -> str | None:
    """The encoding of a file that is not UTF-8; None if it is."""
    with path.open("rb") as file:
        head = file.read(4096)
        for bom, name in BOMS.items():
            if head.startswith(bom):
                return name
        if head.count(0) > len(head) // 4:
            return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        block = head
        try:
            while block:
                decoder.decode(block)
                block = file.read(BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _legacy(block)
    return None


def _legacy(block: bytes) -> str:
    """The likeliest encoding of a text that is not Unicode.

    Windows-1252, the commonest by far, is preferred wherever it makes sense: on short texts others win by chance.
    """
    from charset_normalizer import from_bytes

    western = from_bytes(block[:SAMPLE], cp_isolation=["cp1252"]).best()
    if western is not None and western.chaos <= PLAUSIBLE:
        return "cp1252"
    best = from_bytes(block[:SAMPLE]).best()
    return "utf-8" if best is None else best.encoding


def detect(path: Path) -> Dialect:
    """The separator and quote of a UTF-8 file, from its first megabyte.

    The separator is the one that cuts all rows into the same number of fields, the more the likelier; a file in which
    none does has a fault, which reading it will name.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(SAMPLE)
    if len(sample) == SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    quote = _quote(sample)
    scores = []
    for separator in SEPARATORS:
        widths = [len(row) for row in _rows(io.StringIO(sample, newline=""), Dialect(separator, quote)) if row]
        head = widths[0] if widths else 1
        scores.append((head > 1 and len(set(widths)) == 1, head, -SEPARATORS.index(separator), separator))
    return Dialect(max(scores)[-1], quote)


def _quote(sample: str) -> str:
    """The quote that wraps more of the fields; the double one in doubt."""
    field = r"(?:^|[,;\t|])Q[^Q\r\n]*Q(?=[,;\t|\r\n]|$)"
    wrapped = {q: len(re.findall(field.replace("Q", q), sample, re.MULTILINE)) for q in "\"'"}
    return "'" if wrapped["'"] > wrapped['"'] else '"'


def _rows(lines: Iterable[str], dialect: Dialect) -> list[list[str]]:
    """The rows of a sample, as far as they can be read."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(csv.reader(lines, delimiter=dialect.separator, quotechar=dialect.quote, strict=True))
    return rows


def header(path: Path, dialect: Dialect) -> list[str]:
    """The names in the first line. Raises `ValueError` when there are none, or one stands there twice."""
    first = next((row for _, row in _walk(path, dialect)), [])
    names = [name.strip() or f"column {i}" for i, name in enumerate(first, 1)]
    if not "".join(first).strip():
        raise ValueError("its first line holds no column names")
    folded = [name.casefold() for name in names]
    twice = [name for i, name in enumerate(names) if folded[i] in folded[:i]]
    if twice:
        raise ValueError(f"two columns are named {twice[0]!r} (case aside); rename one")
    return names


def read(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], columns: Sequence[str], dialect: Dialect
) -> duckdb.DuckDBPyRelation:
    """The rows of UTF-8 files with these columns, all as text."""
    return con.read_csv(
        [str(path) for path in paths],
        header=True,
        sep=dialect.separator,
        quotechar=dialect.quote,
        escapechar=dialect.quote,
        columns=dict.fromkeys(columns, "VARCHAR"),
        auto_detect=False,
    )


def line_of(path: Path, dialect: Dialect, row: int) -> int | None:
    """The line of the file that the row with this number (from 1, header and empty lines not counted) starts on."""
    try:
        for number, (line, _) in enumerate(_walk(path, dialect)):
            if number == row:
                return line
    except csv.Error:
        return None
    return None


def fault(path: Path, dialect: Dialect, width: int) -> str | None:
    """The first thing that makes a file no table: a row of another width, or a quote that never ends."""
    line = 1
    try:
        for number, (line, row) in enumerate(_walk(path, dialect)):
            if len(row) != width:
                return f"row {number:,}, line {line:,} of the file, has {len(row)} fields; the header has {width}"
    except csv.Error as error:
        return f"cannot be read beyond the row on line {line:,} of the file ({error}); a quote may not be closed"
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if 0 < head.count(b"\r\n") < head.count(b"\n"):
        return "mixes two kinds of line ends; save it with one"
    return None


def _walk(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty with the line that it starts on, the header first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=dialect.separator, quotechar=dialect.quote, strict=True)
        before = 0
        for row in reader:
            if row:
                yield before + 1, row
            before = reader.line_num
