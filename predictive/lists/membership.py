"""What a night changes in the membership of lists, and where it is kept: beside the scores.

A row is one stay: `list`, `contact_id`, `entered_at`, `left_at` (missing while it lasts). Both times are as-ofs of
nights. Writing a night again replaces what that night said; a night older than the newest is never written.
"""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from predictive.sinks.database import listed, quote

LIST_COLUMNS: dict[str, str] = {
    "list": "VARCHAR",
    "contact_id": "VARCHAR",
    "entered_at": "TIMESTAMP",
    "left_at": "TIMESTAMP",
}
"""The columns of membership and their DuckDB types; times are naive UTC."""

GONE, COME = '"list_gone"', '"list_come"'
"""Temporary tables of :data:`LIST_COLUMNS`: rows to delete, and rows to insert in their place."""


class Memberships(Protocol):
    """Where membership is kept."""

    def read(self) -> pd.DataFrame:
        """Every stay in :data:`LIST_COLUMNS`, by list, contact and time; times are UTC."""

    def update(self, con: Any, members: str, night: Any) -> int:
        """Make the table `members` of `con` (`list`, `contact_id`) the membership of a night (naive UTC).

        All or nothing. Returns how many rows were written or taken out.
        """

    def take_back(self, con: Any, night: Any) -> int:
        """Take back what nights after `night` (naive UTC) did to the membership, as a rollback does to the scores.

        All or nothing. Returns how many rows were written or taken out.
        """


def find_changes(con: Any, kept: str, members: str, night: Any) -> int:
    """Fill :data:`GONE` and :data:`COME` with what turns `kept` (a quoted name) into the membership of a night.

    Returns how many rows both have. Nothing changes for a night before the newest that `kept` knows of.
    """
    newest = con.execute(f"SELECT max(greatest(entered_at, coalesce(left_at, entered_at))) FROM {kept}").fetchall()  # noqa: S608 - a quoted name
    past = newest[0][0] is not None and night < newest[0][0]
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE "list_live" AS SELECT {listed(LIST_COLUMNS)} FROM {kept}
            WHERE NOT $past AND (left_at IS NULL OR left_at = $night OR entered_at = $night)
        """,  # noqa: S608 - quoted names; values are bound
        {"past": past, "night": night},
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE "list_then" AS
        SELECT l.list, l.contact_id, l.entered_at,
            CASE WHEN m.contact_id IS NULL THEN $night::TIMESTAMP END AS left_at
        FROM "list_live" AS l LEFT JOIN {quote(members)} AS m ON l.list = m.list AND l.contact_id = m.contact_id
        WHERE l.entered_at < $night
        UNION ALL
        SELECT m.list, m.contact_id, $night::TIMESTAMP, NULL FROM {quote(members)} AS m
        ANTI JOIN (SELECT list, contact_id FROM "list_live" WHERE entered_at < $night) AS l
            ON l.list = m.list AND l.contact_id = m.contact_id
        WHERE NOT $past
        """,  # noqa: S608 - quoted names; values are bound
        {"past": past, "night": night},
    )
    for name, ours, theirs in ((GONE, "list_live", "list_then"), (COME, "list_then", "list_live")):
        con.execute(f'CREATE OR REPLACE TEMP TABLE {name} AS FROM "{ours}" EXCEPT FROM "{theirs}"')
    return int(con.execute(f"SELECT (SELECT count(*) FROM {GONE}) + (SELECT count(*) FROM {COME})").fetchall()[0][0])  # noqa: S608 - constants


def find_later(con: Any, kept: str, night: Any) -> int:
    """Fill :data:`GONE` and :data:`COME` with what takes back all nights of `kept` (a quoted name) after a night.

    Returns how many rows both have.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {GONE} AS
        SELECT {listed(LIST_COLUMNS)} FROM {kept} WHERE entered_at > $night OR left_at > $night
        """,  # noqa: S608 - quoted names; values are bound
        {"night": night},
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {COME} AS
        SELECT list, contact_id, entered_at, NULL::TIMESTAMP AS left_at FROM {GONE} WHERE entered_at <= $night
        """,  # noqa: S608 - constants; values are bound
        {"night": night},
    )
    return int(con.execute(f"SELECT (SELECT count(*) FROM {GONE}) + (SELECT count(*) FROM {COME})").fetchall()[0][0])  # noqa: S608 - constants


def apply_changes(con: Any, kept: str) -> None:
    """Carry :data:`GONE` and :data:`COME` over to `kept`, a table (quoted name) that `con` can write to."""
    same = " AND ".join(f"t.{name} = g.{name}" for name in ("list", "contact_id", "entered_at"))
    con.execute(f"DELETE FROM {kept} AS t USING {GONE} AS g WHERE {same}")  # noqa: S608 - quoted names
    con.execute(f"INSERT INTO {kept} ({listed(LIST_COLUMNS)}) SELECT {listed(LIST_COLUMNS)} FROM {COME}")  # noqa: S608 - quoted names


def drop_changes(con: Any) -> None:
    """Leave nothing behind in `con`."""
    for name in (GONE, COME, '"list_live"', '"list_then"'):
        con.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
