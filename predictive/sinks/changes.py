"""What a night changes: staged scores against those kept, and the scores of any night out of the history.

The history holds changes only. The scores of a night are, per contact, its last row that is not `past`, of that night
or an earlier one, and none if that row marks the end. A contact has one row per night, model version and kind of run,
past or not: a run for a past night never alters what the history says about the scores that people saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from predictive.sinks.contract import RUN_COLUMNS, SCORE_COLUMNS, STAMPS, Difference, Night
from predictive.tables import TIERS

CHANGES = '"predictive_changes"'
"""Temporary table with :data:`~predictive.sinks.contract.HISTORY_COLUMNS` and `change`: new, changed or left."""

BASE = '"predictive_base"'
"""Temporary table with the scores that a night is compared with, where they are not a table already."""

COMPARED = tuple(name for name in SCORE_COLUMNS if name not in (*STAMPS, "contact_id"))


def quote(name: str) -> str:
    """An SQL identifier.

    >>> print(quote('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


def listed(columns: dict[str, str], prefix: str = "") -> str:
    """Columns as SQL names them, each after `prefix`.

    >>> listed({"run_id": "VARCHAR", "rows": "BIGINT"}, "r.")
    'r."run_id", r."rows"'
    """
    return ", ".join(prefix + quote(name) for name in columns)


def definition(columns: dict[str, str]) -> str:
    """Columns with their types, as CREATE TABLE wants them.

    >>> definition({"rows": "BIGINT"})
    '"rows" BIGINT'
    """
    return ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())


def mismatch(found: Mapping[str, str | None], wanted: dict[str, str]) -> str | None:
    """What is wrong with columns that were found, if anything; the type None is any type.

    >>> mismatch({"run_id": "INTEGER"}, {"run_id": "VARCHAR"})
    'has a column "run_id" of type INTEGER, not VARCHAR'
    """
    for name, kind in wanted.items():
        if name not in found:
            return f'has no column "{name}" ({kind})'
        if found[name] not in (None, kind):
            return f'has a column "{name}" of type {found[name]}, not {kind}'
    further = [name for name in found if name not in wanted]
    return f'has a further column "{further[0]}"' if further else None


def is_past(con: Any, runs: str, night: Night) -> bool:
    """Whether the night lies before the newest one that is current."""
    newest = con.execute(f"SELECT max(as_of) FROM {runs} WHERE NOT past").fetchall()[0][0]  # noqa: S608 - a quoted name
    return newest is not None and night.stamps["as_of"] < newest


def rebuild(con: Any, history: str, night: Night) -> str:
    """Build the scores of a night from the history, into the temporary table that is returned.

    What past runs of the same night and model wrote stands over what was current then.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {BASE} AS
        WITH newest AS (
            SELECT * FROM {history}
            WHERE (NOT past AND night <= $as_of) OR (past AND night = $as_of AND model_version = $model_version)
            QUALIFY 1 = row_number() OVER (PARTITION BY contact_id ORDER BY past DESC, night DESC, scored_at DESC)
        )
        SELECT {listed(SCORE_COLUMNS)} FROM newest WHERE probability IS NOT NULL
        """,  # noqa: S608 - quoted names; values are bound
        {name: night.stamps[name] for name in ("as_of", "model_version")},
    )
    return BASE


def compare(con: Any, staged: str, base: str, night: Night, *, past: bool) -> Difference:
    """Fill :data:`CHANGES` with what turns `base` into the table `staged`, and count it; `base` is a quoted name."""
    wrong = mismatch({row[0]: row[1] for row in con.execute(f"DESCRIBE {quote(staged)}").fetchall()}, SCORE_COLUMNS)
    if wrong is not None:
        raise ValueError(f"the staged table {staged} {wrong}")
    _find_changes(con, quote(staged), base, night, past=past)
    by_change = dict(con.execute(f"SELECT change, count(*) FROM {CHANGES} GROUP BY change").fetchall())  # noqa: S608 - a constant
    new, changed, left = (by_change.get(change, 0) for change in ("new", "changed", "left"))
    rows = con.execute(f"SELECT count(*) FROM {quote(staged)}").fetchall()[0][0]  # noqa: S608 - a quoted name
    return Difference(
        rows=rows,
        new=new,
        changed=changed,
        unchanged=rows - new - changed,
        left=left,
        by_tier=_by_tier(con, quote(staged), base),
        past=past,
    )


def _find_changes(con: Any, staged: str, base: str, night: Night, *, past: bool) -> None:
    # A contact that left has nothing staged: its row is empty but for the contact and the stamps.
    given = {name: f"${name}" for name in night.stamps} | {"contact_id": "b.contact_id"}
    columns = ", ".join(
        f"coalesce(s.{quote(name)}, {given[name]}) AS {quote(name)}" if name in given else f"s.{quote(name)}"
        for name in SCORE_COLUMNS
    )
    differs = " OR ".join(f"s.{quote(name)} IS DISTINCT FROM b.{quote(name)}" for name in COMPARED)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {CHANGES} AS
        SELECT {columns}, $as_of::TIMESTAMP AS night, $past::BOOLEAN AS past,
            CASE WHEN s.contact_id IS NULL THEN 'left' WHEN b.contact_id IS NULL THEN 'new' ELSE 'changed' END AS change
        FROM {staged} AS s FULL JOIN {base} AS b ON s.contact_id = b.contact_id
        WHERE s.contact_id IS NULL OR b.contact_id IS NULL OR {differs}
        """,  # noqa: S608 - quoted names; values are bound
        {**night.stamps, "past": past},
    )


def _by_tier(con: Any, staged: str, base: str) -> tuple[tuple[str, int, int, int], ...]:
    counts = con.execute(
        f"""
        SELECT tier, count(*) FILTER (side = 0), count(*) FILTER (side = 1), count(*) FILTER (side = 2) FROM (
            SELECT tier, 0 AS side FROM {base} UNION ALL SELECT tier, 1 FROM {staged}
            UNION ALL SELECT tier, 2 FROM {CHANGES} WHERE change <> 'left'
        ) GROUP BY tier
        """  # noqa: S608 - quoted names
    ).fetchall()
    found = {tier: (before, after, changed) for tier, before, after, changed in counts}
    return tuple((tier, *found.get(tier, (0, 0, 0))) for tier in TIERS)


def run_row(con: Any, runs: str, night: Night, difference: Difference) -> dict[str, Any] | None:
    """The row that the night adds to `runs`; none when it repeats a night that stands there and changes nothing."""
    stamps = night.stamps
    known = con.execute(
        f"SELECT run_id FROM {runs} WHERE as_of = $1 AND model_version = $2 LIMIT 1",  # noqa: S608 - a quoted name
        [stamps["as_of"], stamps["model_version"]],
    ).fetchall()
    if known and difference.written == 0:
        return None
    counts = {name: getattr(difference, name) for name in ("rows", "new", "changed", "left", "past")}
    return {**stamps, "eligible": night.eligible, **counts}


def insert_run(con: Any, runs: str, row: dict[str, Any]) -> None:
    """Add a row of :func:`run_row` to `runs`."""
    marks = ", ".join(f"${name}" for name in RUN_COLUMNS)
    con.execute(f"INSERT INTO {runs} ({listed(RUN_COLUMNS)}) VALUES ({marks})", row)  # noqa: S608 - a quoted name


def drop_temporary(con: Any) -> None:
    """Leave nothing behind in `con`."""
    for name in (CHANGES, BASE):
        con.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
