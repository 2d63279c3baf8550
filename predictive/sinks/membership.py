"""Who is on which list, since when and until when: kept beside the scores, and changed in the same transaction.

A row is one stay: `list`, `contact_id`, `entered_at`, `left_at` (missing while it lasts). Both times are as-ofs of
nights. Writing a night again replaces what that night said; a night older than the newest is never written.

The night is that of :func:`predictive.sinks.changes.set_night`. Of a million contacts with the usual tags five million
stays go on; only what a night changes in them is sent to the database.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from predictive.sinks.changes import NIGHT, TURNS
from predictive.sinks.database import Database, quote
from predictive.sinks.rows import arrow_types

LIST_COLUMNS: dict[str, str] = {
    "list": "VARCHAR",
    "contact_id": "VARCHAR",
    "entered_at": "TIMESTAMP",
    "left_at": "TIMESTAMP",
}
"""The columns of membership and their DuckDB types; times are naive UTC."""

LIVE_COLUMNS = {"list": "VARCHAR", "contact_id": "VARCHAR", "state": "BIGINT"}
LASTS, ENDED_NOW, BEGAN_NOW = range(3)
"""States of a stay that the night may change: it began earlier and goes on, ended in this night, began in it."""

TURN_COLUMNS = {"on_list": "VARCHAR", "who": "VARCHAR", "turn": "VARCHAR"}
"""The columns of what changes, and which turn it takes. A contact is on several lists and no key of a row here, so its
column has another name than where it is one."""

_NIGHT = f"(SELECT n.as_of FROM {quote(NIGHT)} AS n)"  # noqa: S608 - a constant


def update(con: Any, db: Database, kept: str, members: str) -> int:
    """Make `members`, a table of `con` (`list`, `contact_id`), the membership of the night.

    `kept` is the table of :data:`LIST_COLUMNS` as statements of `db` name it. Returns how many stays change: 0 for a
    night that is repeated, and for one before the newest that `kept` knows of.
    """
    if db.rows(f"SELECT 1 FROM {kept} AS k WHERE k.entered_at > {_NIGHT} OR k.left_at > {_NIGHT} LIMIT 1"):  # noqa: S608 - quoted names
        return 0
    counts = _find_turns(con, _live(db, kept), members)
    if counts:
        turns = db.stage(con, TURNS, TURN_COLUMNS)
        for turn, statement in _statements(kept, turns).items():
            if turn in counts:
                db.execute(statement)
    return sum(counts.values())


def take_back(db: Database, kept: str) -> int:
    """Take back what later nights than the night did to the membership; how many stays that changes."""
    entered, left = f"entered_at > {_NIGHT}", f"left_at > {_NIGHT}"
    ((later,),) = db.rows(f"SELECT count(*) FROM {kept} AS k WHERE {entered} OR {left}")  # noqa: S608 - quoted names
    if later:
        db.execute(f"DELETE FROM {kept} WHERE {entered}")  # noqa: S608 - quoted names
        db.execute(f"UPDATE {kept} SET left_at = NULL WHERE {left}")  # noqa: S608 - quoted names
    return int(later)


def _live(db: Database, kept: str) -> Any:
    """The stays that the night may change, as an Arrow table of :data:`LIVE_COLUMNS`."""
    state = (
        f"CASE WHEN k.entered_at = {_NIGHT} THEN {BEGAN_NOW} WHEN k.left_at IS NULL THEN {LASTS} ELSE {ENDED_NOW} END"
    )
    query = f"""
        SELECT k.list, k.contact_id, CAST({state} AS {db.types["BIGINT"]}) AS state FROM {kept} AS k
        WHERE k.left_at IS NULL OR k.left_at = {_NIGHT}
        """  # noqa: S608 - quoted names
    return db.read(query, LIVE_COLUMNS)


def _find_turns(con: Any, live: Any, members: str) -> dict[str, int]:
    """Fill :data:`TURNS` with what turns the stays into the membership; how many take each turn."""
    con.register("_live", live)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {quote(TURNS)} AS
        SELECT coalesce(l.list, m.list) AS on_list, coalesce(l.contact_id, m.contact_id) AS who,
            CASE WHEN l.state IS NULL THEN 'came' WHEN l.state = {LASTS} THEN 'left'
                WHEN l.state = {ENDED_NOW} THEN 'stayed' ELSE 'never came' END AS turn
        FROM _live AS l FULL JOIN {quote(members)} AS m ON l.list = m.list AND l.contact_id = m.contact_id
        WHERE l.state IS NULL OR (m.contact_id IS NULL) <> (l.state = {ENDED_NOW})
        """  # noqa: S608 - quoted names
    )
    con.unregister("_live")
    return dict(con.execute(f"SELECT turn, count(*) FROM {quote(TURNS)} GROUP BY turn").fetchall())  # noqa: S608 - a constant


def _statements(kept: str, turns: str) -> dict[str, str]:
    """What to do for each turn."""

    def who(turn: str) -> str:
        return f"(list, contact_id) IN (SELECT g.on_list, g.who FROM {turns} AS g WHERE g.turn = '{turn}')"  # noqa: S608 - quoted names

    return {
        "never came": f"DELETE FROM {kept} WHERE entered_at = {_NIGHT} AND {who('never came')}",  # noqa: S608 - likewise
        "stayed": f"UPDATE {kept} SET left_at = NULL WHERE left_at = {_NIGHT} AND {who('stayed')}",  # noqa: S608 - likewise
        "left": f"UPDATE {kept} SET left_at = {_NIGHT} WHERE left_at IS NULL AND {who('left')}",  # noqa: S608 - likewise
        "came": f"INSERT INTO {kept} (list, contact_id, entered_at)"  # noqa: S608 - likewise
        f" SELECT g.on_list, g.who, {_NIGHT} FROM {turns} AS g WHERE g.turn = 'came'",
    }


def stays_of(rows: Any | None) -> pd.DataFrame:
    """Rows of :data:`LIST_COLUMNS` (None for none) as people read them: by list, contact and time; times are UTC."""
    schema = pa.schema([(name, arrow_types()[kind]) for name, kind in LIST_COLUMNS.items()])
    found: pd.DataFrame = (schema.empty_table() if rows is None else rows).to_pandas()
    frame = found.sort_values(["list", "contact_id", "entered_at"], ignore_index=True)
    times = {name: frame[name].astype("datetime64[us]").dt.tz_localize("UTC") for name in ("entered_at", "left_at")}
    return frame.astype({"list": "str", "contact_id": "str"}).assign(**times)
