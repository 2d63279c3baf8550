"""The activity store: sorted by contact once, and cut into parts that can be worked on one after another.

Measured on 20 million activities under 2 GB: one query over everything spills. Features of one as-of took 14.4 s in
parts of 2.5 million, 13.5 s of 5 million (fewer queries to plan), 18.9 s of 10 million (which spill again).
"""

from __future__ import annotations

from math import ceil

from predictive.sources.joined import joined
from predictive.sources.origin import Connection
from predictive.tables import PART

ACTIVITIES_PER_PART, CONTACTS_PER_PART = 5_000_000, 400_000
# All columns, so that equal rows lie side by side and two reads are equal byte for byte.
ORDER = "contact_id, t, type, known, value, detail"
ARRANGED = f'"{PART}", {ORDER}'


def arrange(con: Connection, target: dict[str, str]) -> int:
    """Sort the activities by contact, in parts where they are many; how many parts.

    `target` are the SQL names of the tables. With several parts activities get the column
    :data:`~predictive.tables.PART` too.
    """
    activities = target["activities"]
    parts = divide(con, target, count(con, activities))
    rows = activities if parts == 1 else f"({placed(activities, target['contacts'])})"
    _replace(con, activities, f"SELECT * FROM {rows} ORDER BY {ORDER if parts == 1 else ARRANGED}")
    return parts


def divide(con: Connection, target: dict[str, str], activities: int, *, before: int | None = None) -> int:
    """Give contacts the column :data:`~predictive.tables.PART` where they or `activities` are many; how many parts.

    Contacts who ever shared an account come into the same part, so that what colleagues did is found there. There
    are as many as `before` while that is not far off: who is in which part then stays.
    """
    contacts = target["contacts"]
    parts = max(ceil(activities / ACTIVITIES_PER_PART), ceil(count(con, contacts) / CONTACTS_PER_PART), 1)
    if before is not None and parts / 1.25 <= before <= parts * 2:
        parts = before
    if parts == 1:
        return 1
    _find_roots(con, target)
    key = "coalesce('account ' || coalesce(root, ever.account_id), 'contact ' || c.contact_id)"
    _replace(
        con,
        contacts,
        f'SELECT c.*, CAST(hash({key}) % {parts} AS INTEGER) AS "{PART}" FROM {contacts} AS c '
        # Of the accounts of a contact any will do: they have one root. Today's may be none.
        f"LEFT JOIN (SELECT contact_id, min(account_id) AS account_id FROM ({_ever(target)}) GROUP BY contact_id) ever "
        f"ON ever.contact_id = c.contact_id LEFT JOIN _roots ON _roots.account_id = ever.account_id "
        f'ORDER BY "{PART}", c.contact_id',
    )
    con.execute("DROP TABLE _roots")
    return parts


def placed(activities: str, contacts: str) -> str:
    """The query for activities with the part of their contact."""
    # Those of unknown contacts are noted elsewhere; nothing reads them, so any part will do.
    return (
        f'SELECT a.*, coalesce(c."{PART}", 0) AS "{PART}" FROM {activities} AS a '
        f"LEFT JOIN {contacts} AS c USING (contact_id)"
    )


def _find_roots(con: Connection, target: dict[str, str]) -> None:
    """A table `_roots` (`account_id`, `root`) of the accounts that are joined by contacts who moved between them."""
    moved = f"""
        SELECT list(DISTINCT account_id ORDER BY account_id) FROM ({_ever(target)})
        WHERE account_id IS NOT NULL GROUP BY contact_id HAVING count(DISTINCT account_id) > 1
    """
    groups = joined(accounts for (accounts,) in con.execute(moved).fetchall())
    pairs = [(account, min(group)) for group in groups for account in group]
    con.execute("CREATE OR REPLACE TEMP TABLE _roots (account_id VARCHAR, root VARCHAR)")
    if pairs:
        con.execute(
            "INSERT INTO _roots SELECT unnest(?), unnest(?)", [[a for a, _ in pairs], [found for _, found in pairs]]
        )


def _ever(target: dict[str, str]) -> str:
    """The query for every account that a contact belongs or ever belonged to."""
    return f"""
        SELECT contact_id, account_id FROM {target["contacts"]}
        UNION SELECT object_id, unnest([value, old_value]) FROM {target["changes"]}
        WHERE object = 'contact' AND attribute = 'account_id'
    """


def count(con: Connection, table: str) -> int:
    """The rows of a table."""
    ((rows,),) = con.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(rows)


def _replace(con: Connection, table: str, query: str) -> None:
    """Make a table anew from a query that may read it, in the order of the query."""
    con.execute(f"CREATE OR REPLACE TABLE {table} AS {query}")
