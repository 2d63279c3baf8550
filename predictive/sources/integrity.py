"""What tables say about each other: rows that point nowhere, happen in the wrong order, or lie in the future.

None of it stops the work; all of it is counted, and the note says what becomes of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from predictive.clock import iso
from predictive.sources.origin import Connection, first
from predictive.tables import Note

EXAMPLES = 5


@dataclass(frozen=True)
class Check:
    """A query for rows that a person should know of, one `example` id each, and what is said of them.

    `where` names the table. `text` follows the number of rows.
    """

    where: str
    text: str
    query: str


UNKNOWN_ACTIVITIES = Check(
    "activities",
    "of contacts that the table contacts does not have: left out",
    "SELECT contact_id AS example FROM activities WHERE contact_id NOT IN (SELECT contact_id FROM contacts)",
)
LEAVE_OUT = "DELETE FROM activities WHERE contact_id NOT IN (SELECT contact_id FROM contacts)"

CHECKS = (
    Check(
        "activities",
        "equal to another in every column: kept, and counted more than once",
        # Equal rows lie side by side, see arrange.ORDER; a window without order reads the table as it lies.
        """SELECT contact_id AS example FROM (
            SELECT *, lag((contact_id, t, type, known, value, detail)) OVER () AS before FROM activities
        ) WHERE before IS NOT DISTINCT FROM (contact_id, t, type, known, value, detail)""",
    ),
    Check(
        "contacts",
        "with an account_id that the table accounts does not have: their account's attributes are missing",
        """SELECT contact_id AS example FROM contacts WHERE account_id IS NOT NULL
            AND account_id NOT IN (SELECT account_id FROM accounts) AND EXISTS (SELECT * FROM accounts)""",
    ),
    Check(
        "deals",
        "of contacts that the table contacts does not have: kept, but label nobody",
        "SELECT deal_id AS example FROM deals WHERE contact_id NOT IN (SELECT contact_id FROM contacts)",
    ),
    Check(
        "deals",
        "without a contact, and with no account or one that no contact has: kept, but label nobody",
        """SELECT deal_id AS example FROM deals WHERE contact_id IS NULL AND (account_id IS NULL
            OR account_id NOT IN (SELECT account_id FROM contacts WHERE account_id IS NOT NULL))""",
    ),
    Check(
        "deals",
        "closed before their contact was created: kept; whoever was won by then is a customer from day one",
        """SELECT deal_id AS example FROM deals JOIN contacts USING (contact_id)
            WHERE deals.closed_at < contacts.created_at AND is_won IS NOT NULL""",
    ),
    Check(
        "deals",
        "with closed_at but without is_won: count as open",
        "SELECT deal_id AS example FROM deals WHERE closed_at IS NOT NULL AND is_won IS NULL",
    ),
    Check(
        "deals",
        "with is_won but without closed_at: count as open, since nobody knows when they closed",
        "SELECT deal_id AS example FROM deals WHERE is_won AND closed_at IS NULL",
    ),
    Check(
        "changes",
        "of contacts or accounts that their table does not have: say nothing about anybody",
        """SELECT object_id AS example FROM changes WHERE
            (object = 'contact' AND object_id NOT IN (SELECT contact_id FROM contacts))
            OR (object = 'account' AND object_id NOT IN (SELECT account_id FROM accounts))""",
    ),
    Check(
        "overrides",
        "of contacts that the table contacts does not have: without effect",
        "SELECT contact_id AS example FROM overrides WHERE contact_id NOT IN (SELECT contact_id FROM contacts)",
    ),
    Check(
        "overrides",
        "that expire before they are created, or at that instant: without effect; check which of the two is wrong",
        "SELECT contact_id AS example FROM overrides WHERE expires_at <= created_at",
    ),
    Check(
        "overrides",
        "with neither a quadrant nor a tier: without effect; give one of the two",
        "SELECT contact_id AS example FROM overrides WHERE quadrant IS NULL AND tier IS NULL",
    ),
)
FUTURE = {
    "contacts": "SELECT contact_id AS example FROM contacts WHERE created_at > $now",
    "accounts": "SELECT account_id AS example FROM accounts WHERE created_at > $now",
    "activities": "SELECT contact_id AS example FROM activities WHERE known > $now",
    "deals": "SELECT deal_id AS example FROM deals WHERE created_at > $now OR closed_at > $now",
    "changes": "SELECT object_id AS example FROM changes WHERE changed_at > $now",
    "overrides": "SELECT contact_id AS example FROM overrides WHERE created_at > $now",
}


def check(con: Connection, *, now: int) -> tuple[Note, ...]:
    """Compare the canonical tables of `con` with each other and with `now` (microseconds); what was found, as notes.

    Activities of unknown contacts are deleted; every other row stays.
    """
    left_out = _note(con, UNKNOWN_ACTIVITIES, {})
    if left_out:
        con.execute(LEAVE_OUT)
    late = f"with a time after now ({iso(now)}): kept, but not visible at any as-of before that time"
    future = [Check(table, late, query) for table, query in FUTURE.items()]
    found = [_note(con, one, {}) for one in CHECKS] + [_note(con, one, {"now": now}) for one in future]
    return tuple(note for notes in (left_out, *found) for note in notes)


def _note(con: Connection, one: Check, values: dict[str, int]) -> tuple[Note, ...]:
    rows = con.sql(one.query, params=values) if values else con.sql(one.query)
    count, examples = first(rows.aggregate(f"count(*), min(DISTINCT example, {EXAMPLES})"))
    if not count:
        return ()
    return (Note(one.where, f"{count:,} row{'s' if count > 1 else ''} {one.text}", count, tuple(examples or ())),)
