"""One identity per person: which record lives on where several were merged, or a lead was converted.

Records are joined that became each other, over any number of steps and in circles; all but one of them end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from predictive.sources.joined import joined
from predictive.sources.origin import Connection

Merge = tuple[str, str]
"""A record that ended, and the one that it became."""


def survivors(merges: Iterable[Merge], deleted: Mapping[str, bool]) -> dict[str, str]:
    """For every record that takes part in a merge the one that lives on, itself included.

    `deleted` says of every record that has a row whether it is deleted. The one that lives on is where the merges end;
    of several, and in a circle, one that is not deleted, then the smallest id. Where they end in a record without a
    row, one that has a row lives on.

    >>> sorted(survivors([("a", "b"), ("b", "c")], {"a": True, "c": False}).items())
    [('a', 'c'), ('b', 'c'), ('c', 'c')]
    >>> survivors([("lead", "contact")], {"lead": False})["contact"]
    'lead'
    """
    pairs = [(old, new) for old, new in merges if old != new]
    ended = {old for old, _ in pairs}
    found: dict[str, str] = {}
    for group in joined(pairs):
        ends = group - ended or group

        def rank(id_: str, ends: set[str] = ends) -> tuple[int, int, str]:
            state = deleted.get(id_)
            place = 0 if id_ in ends and state is False else 1 if id_ in ends and state else 2 if state is False else 3
            return place, len(id_), id_

        last = min(group, key=rank)
        found.update(dict.fromkeys(group, last))
    return found


RECORDS = (("contact", "all_contacts", "id"), ("account", "all_accounts", "id"), ("deal", "all_deals", "deal_id"))


def find_identities(con: Connection) -> None:
    """Make the table `identity` (`object`, `id`, `survivor`, `gone`) of the view `merges` and the tables of records.

    `gone` is whether the survivor is deleted, and so the whole person.
    """
    con.execute("CREATE TABLE identity (object VARCHAR, id VARCHAR, survivor VARCHAR, gone BOOLEAN)")
    for object_, records, key in RECORDS:
        merges = con.execute(
            "SELECT DISTINCT merged, into_id FROM merges WHERE object = ? AND merged <> into_id", [object_]
        ).fetchall()
        ids = sorted({id_ for merge in merges for id_ in merge})
        states = con.execute(
            f"SELECT {key}, bool_and(deleted) FROM {records} WHERE NOT earlier AND {key} IN (SELECT unnest(?)) "
            "GROUP BY ALL",
            [ids],
        )
        deleted = dict(states.fetchall())
        found = survivors(merges, deleted)
        if found:
            gone = [deleted.get(survivor) is True for survivor in found.values()]
            con.execute(
                "INSERT INTO identity SELECT ?, unnest(?), unnest(?), unnest(?)",
                [object_, list(found), list(found.values()), gone],
            )
