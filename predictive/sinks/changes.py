"""What a night changes: staged scores against those kept, and the scores of any night out of the history.

The history holds changes only. The scores of a night are, per contact, its last row that is not `past` nor `undone`, of
that night or an earlier one, and none if that row marks the end. A contact has one such row per night, model version
and kind of run, past or not: a run for a past night never alters what the history says about the scores people saw.
"""

from __future__ import annotations

from typing import Any

from predictive.sinks.contract import HISTORY_COLUMNS, KEPT_COLUMNS, SCORE_COLUMNS, STAMPS, Difference
from predictive.sinks.database import Database, bind, differs, fill, listed, mismatch, quote
from predictive.sinks.runs import RUN, named
from predictive.tables import TIERS

CHANGES, BASE, NIGHT, UNDONE = "predictive_changes", "predictive_base", "predictive_night", "predictive_undone"
"""Temporary tables: what changes, what it is compared with where that is no table already, the night, undone runs."""
TURNS = "predictive_turns"
"""Temporary table: what changes in the membership of lists, see :mod:`predictive.sinks.membership`."""

CHANGE_COLUMNS = {**HISTORY_COLUMNS, "change": "VARCHAR"}
"""The columns of :data:`CHANGES`; `change` is new, changed or left."""

NIGHT_COLUMNS = {name: SCORE_COLUMNS[name] for name in ("run_id", "as_of", "scored_at", "model_version")}
COMPARED = tuple(name for name in SCORE_COLUMNS if name not in (*STAMPS, "contact_id"))


def set_night(con: Any, db: Database, stamps: dict[str, Any]) -> None:
    """Hand the values of a night to the database."""
    bind(con, db, NIGHT, NIGHT_COLUMNS, [stamps])


def rebuild_past(db: Database, history: str) -> str:
    """Build the scores of the night of :func:`set_night` from the history, in the table that is returned.

    What past runs of the same night and model wrote stands over what was current then.
    """
    night = quote(NIGHT)
    which = f"""EXISTS (SELECT 1 FROM {night} AS n WHERE
        (NOT h.past AND h.undone IS NOT TRUE AND h.night <= n.as_of)
        OR (h.past AND h.night = n.as_of AND h.model_version = n.model_version))"""  # noqa: S608 - quoted names
    return _rebuild(db, history, which, keep_left=False)


def rebuild_run(con: Any, db: Database, history: str, undone: list[str], *, keep_left: bool) -> str:
    """Build the score table as it was after a run that knew nothing of the `undone` runs; its name is returned."""
    others = bind(con, db, UNDONE, {"run_id": "VARCHAR"}, named(undone))
    which = f"NOT h.past AND h.run_id NOT IN (SELECT u.run_id FROM {others} AS u)"  # noqa: S608 - quoted names
    return _rebuild(db, history, which, keep_left=keep_left)


def _rebuild(db: Database, history: str, which: str, *, keep_left: bool) -> str:
    """The last row with a score of each contact; if a later row marks the end, only to be kept, with its night."""
    query = f"""
        SELECT {listed(SCORE_COLUMNS)}, CASE WHEN last_probability IS NULL THEN last_night END AS left_at FROM (
            SELECT h.*, first_value(h.probability) OVER w AS last_probability,
                first_value(h.night) OVER w AS last_night, row_number() OVER (
                    PARTITION BY h.contact_id ORDER BY CASE WHEN h.probability IS NULL THEN 1 ELSE 0 END,
                    h.past DESC, h.night DESC, h.scored_at DESC
                ) AS place
            FROM {history} AS h WHERE {which}
            WINDOW w AS (PARTITION BY h.contact_id ORDER BY h.past DESC, h.night DESC, h.scored_at DESC)
        ) AS r
        WHERE place = 1 AND probability IS NOT NULL {"" if keep_left else "AND last_probability IS NOT NULL"}
        """  # noqa: S608 - quoted names
    return fill(db, BASE, KEPT_COLUMNS, query)


def check_staged(con: Any, staged: str) -> None:
    """Raise ValueError where the staged table breaks the contract."""
    found = {row[0]: row[1] for row in con.execute(f"DESCRIBE {quote(staged)}").fetchall()}
    wrong = mismatch(found, SCORE_COLUMNS, older=False)
    if wrong is not None:
        raise ValueError(f"the staged table {staged} {wrong}")


def compare(
    db: Database, staged: str, base: str, *, past: bool, columns: tuple[str, ...] = COMPARED, without_row: int = 0
) -> Difference:
    """Fill :data:`CHANGES` with what turns `base` into `staged`, and count it; rows of `base` may have left before.

    Both are named as statements name them. `columns` are those in which rows are compared.
    """
    base = f"(SELECT * FROM {base} AS k WHERE k.left_at IS NULL)"  # noqa: S608 - quoted names
    _find_changes(db, staged, base, past=past, columns=columns)
    changes = quote(CHANGES)
    by_change = dict(db.rows(f"SELECT change, count(*) FROM {changes} AS c GROUP BY change"))  # noqa: S608 - a constant
    new, changed, left = (by_change.get(change, 0) for change in ("new", "changed", "left"))
    rows = db.rows(f"SELECT count(*) FROM {staged} AS s")[0][0]  # noqa: S608 - a quoted name
    return Difference(
        rows=rows,
        new=new,
        changed=changed,
        unchanged=rows - new - changed,
        left=left,
        by_tier=_by_tier(db, staged, base),
        past=past,
        without_row=without_row,
    )


def _find_changes(db: Database, staged: str, base: str, *, past: bool, columns: tuple[str, ...]) -> None:
    # A contact that left has nothing staged: its row is empty but for the contact and the stamps.
    given = {name: f"n.{quote(name)}" for name in NIGHT_COLUMNS} | {"contact_id": "b.contact_id"}
    cells = ", ".join(
        f"coalesce(s.{quote(name)}, {given[name]})" if name in given else f"s.{quote(name)}" for name in SCORE_COLUMNS
    )
    query = f"""
        SELECT {cells}, n.as_of, {"TRUE" if past else "FALSE"}, FALSE,
            CASE WHEN s.contact_id IS NULL THEN 'left' WHEN b.contact_id IS NULL THEN 'new' ELSE 'changed' END
        FROM {staged} AS s FULL JOIN {base} AS b ON s.contact_id = b.contact_id CROSS JOIN {quote(NIGHT)} AS n
        WHERE s.contact_id IS NULL OR b.contact_id IS NULL OR {differs(columns, "s", "b")}
        """  # noqa: S608 - quoted names
    fill(db, CHANGES, CHANGE_COLUMNS, query)


def _by_tier(db: Database, staged: str, base: str) -> tuple[tuple[str, int, int, int], ...]:
    sides = (base, staged, f"(SELECT * FROM {quote(CHANGES)} AS x WHERE change <> 'left')")  # noqa: S608 - a constant
    counted = (dict(db.rows(f"SELECT tier, count(*) FROM {side} AS t GROUP BY tier")) for side in sides)  # noqa: S608 - quoted names
    before, after, changed = counted
    return tuple((tier, before.get(tier, 0), after.get(tier, 0), changed.get(tier, 0)) for tier in TIERS)


def apply(db: Database, current: str, history: str, *, past: bool, keep_left: bool) -> None:
    """Carry :data:`CHANGES` over to the score table and the history."""
    changes = quote(CHANGES)
    if not past:
        _replace(db, current, changes, keep_left=keep_left)
    db.execute(
        f"DELETE FROM {history} WHERE undone IS NOT TRUE AND {'past' if past else 'NOT past'}"  # noqa: S608 - quoted names
        f" AND night = (SELECT n.as_of FROM {quote(NIGHT)} AS n)"
        f" AND model_version = (SELECT n.model_version FROM {quote(NIGHT)} AS n)"
        f" AND contact_id IN (SELECT c.contact_id FROM {changes} AS c)"
    )
    columns = listed(HISTORY_COLUMNS)
    db.execute(f"INSERT INTO {history} ({columns}) SELECT {columns} FROM {changes} AS c")  # noqa: S608 - quoted names


def _replace(db: Database, current: str, changes: str, *, keep_left: bool) -> None:
    """Carry the changes over to the score table; rows go and come again.

    For a million rows PostgreSQL takes 11 s for that, 17 s for MERGE and 22 s for UPDATE, which go through the table in
    the order of the changes.
    """
    stay = " WHERE c.change <> 'left'"
    if keep_left:
        gone = f"SELECT c.contact_id FROM {changes} AS c WHERE c.change = 'left'"  # noqa: S608 - a constant
        night = f"(SELECT n.as_of FROM {quote(NIGHT)} AS n)"  # noqa: S608 - a constant
        db.execute(f"UPDATE {current} SET left_at = {night} WHERE contact_id IN ({gone})")  # noqa: S608 - quoted names
    else:
        db.execute(f"DELETE FROM {current} WHERE left_at IS NOT NULL")  # noqa: S608 - quoted names
    those = f"SELECT c.contact_id FROM {changes} AS c{stay if keep_left else ''}"  # noqa: S608 - a constant
    db.execute(f"DELETE FROM {current} WHERE contact_id IN ({those})")  # noqa: S608 - quoted names
    columns = listed(SCORE_COLUMNS)
    db.execute(f"INSERT INTO {current} ({columns}) SELECT {columns} FROM {changes} AS c{stay}")  # noqa: S608 - quoted names


def put_back(db: Database, current: str, history: str, target: str) -> None:
    """Make the score table equal the table `target`, and mark in the history what is :data:`UNDONE`."""
    wrong = f"b.contact_id IS NULL OR {differs(tuple(KEPT_COLUMNS), 'b', 'k')}"
    those = (
        f"SELECT k.contact_id FROM {current} AS k LEFT JOIN {target} AS b ON b.contact_id = k.contact_id WHERE {wrong}"  # noqa: S608 - quoted names
    )
    db.execute(f"DELETE FROM {current} WHERE contact_id IN ({those})")  # noqa: S608 - quoted names
    db.execute(
        f"INSERT INTO {current} ({listed(KEPT_COLUMNS)}) SELECT {listed(KEPT_COLUMNS, 'b.')} FROM {target} AS b"  # noqa: S608 - quoted names
        f" LEFT JOIN {current} AS k ON k.contact_id = b.contact_id WHERE k.contact_id IS NULL"
    )
    undone = f"run_id IN (SELECT u.run_id FROM {quote(UNDONE)} AS u)"  # noqa: S608 - a constant
    for mark, which in (("TRUE", undone), ("FALSE", f"NOT {undone}")):
        db.execute(f"UPDATE {history} SET undone = {mark} WHERE NOT past AND {which} AND undone IS NOT {mark}")  # noqa: S608 - quoted names


def drop_temporary(db: Database) -> None:
    """Leave nothing behind."""
    for name in (CHANGES, BASE, NIGHT, UNDONE, TURNS, RUN):
        db.drop(name)
