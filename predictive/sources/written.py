"""What this package writes into a CRM must not come back as something that the CRM knows."""

from __future__ import annotations

from collections.abc import Sequence

from predictive.sources.mapping import is_score
from predictive.sources.origin import Connection
from predictive.tables import Note


def drop_changes(con: Connection, changes: str, scores: Sequence[str]) -> tuple[Note, ...]:
    """Take the changes of contacts in columns that hold `scores` out of the table `changes` (an SQL name).

    A column that scores are written to changes every night. Counted among the changes of a contact, the score of last
    night would be an input of the next.
    """
    query = f"SELECT DISTINCT attribute FROM {changes} WHERE object = 'contact' ORDER BY 1"  # noqa: S608 - a quoted name
    names = [name for (name,) in con.execute(query).fetchall() if is_score(name, scores)]
    if not names:
        return ()
    gone = f"DELETE FROM {changes} WHERE object = 'contact' AND attribute IN (SELECT unnest(?))"  # noqa: S608 - a quoted name
    ((count,),) = con.execute(gone, [names]).fetchall()
    text = f"{count:,} row{'s' if count > 1 else ''} of columns that scores are written to: left out"
    return (Note("changes", text, count, tuple(names[:5])),)
