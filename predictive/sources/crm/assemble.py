"""Canonical tables of the queries over raw ones: one identity per person, and every row used or counted."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from predictive.sources.crm.spec import Spec
from predictive.sources.origin import Connection, Relation, first, quote
from predictive.tables import SCHEMAS, Note

EXAMPLES = 5
PARTS = {"contacts": "contact", "accounts": "account"}


@dataclass(frozen=True)
class Mapped:
    """A canonical table as mapped: every row that can be used, and notes on those that cannot."""

    rows: Relation
    notes: tuple[Note, ...]


def records(con: Connection, spec: Spec, table: str, landed: AbstractSet[str]) -> Mapped:
    """Contacts or accounts: of merged records the one that lives on, since the first of them was created.

    Where it has no value, it has the latest of those that it was made of. `landed` are the columns of the raw tables;
    those without any value, today or in the history, are left out.
    """
    object_ = PARTS[table]
    view = con.table(f"all_{table}")
    given = [name for name in view.columns if name in SCHEMAS[table].columns and name != "created_at"]
    further = [name for name in view.columns if name not in (*SCHEMAS[table].columns, "deleted", "earlier")]
    kept, notes = _attributes(spec, object_, further, landed)
    con.execute(_records(table, object_, [*given, *kept]))
    rows = con.table(f"mapped_{table}")
    usable = _usable(rows)
    empty = _empty(con, usable, object_, kept)
    blank = [name for name in empty if name in landed]
    if blank:
        notes.append(Note(table, f"{len(blank):,} columns without any value", len(blank), tuple(blank[:EXAMPLES])))
    filled = ", ".join(quote(name) for name in usable.columns if name not in empty)
    return Mapped(usable.project(filled), (*notes, *left_out(rows, f"'{table}'", f"{object_}_id")))


def _records(table: str, object_: str, values: Sequence[str]) -> str:
    """SQL that makes the table of all records, each with why it is left out, if it is."""
    latest = ", ".join(f"any_value({quote(v)} ORDER BY moment(created_at) DESC) AS {quote(v)}" for v in values)
    both = ", ".join(f"coalesce(r.{quote(v)}, parts.{quote(v)}) AS {quote(v)}" for v in values)
    timeless = "WHEN created_at IS NULL THEN 'without a readable time of creation: left out'"
    return f"""
        CREATE TABLE mapped_{table} AS
        WITH parts AS (
            SELECT survivor, arg_min(created_at, moment(created_at)) AS first, {latest}
            FROM all_{table} r JOIN identity USING (id) WHERE object = '{object_}' AND NOT earlier GROUP BY survivor
        )
        SELECT r.id AS {object_}_id, coalesce(parts.first, r.created_at) AS created_at, {both},
            CASE
                WHEN earlier THEN 'that are not the current version of their record: left out'
                WHEN i.survivor <> r.id AND i.gone THEN 'merged into a record that was deleted: left out'
                WHEN i.survivor <> r.id THEN 'merged or converted into another, which has what was known of them'
                WHEN deleted THEN 'deleted: left out'
                WHEN r.id IS NULL THEN 'without an id: left out'
                {timeless if table == "contacts" else ""}
            END AS left_out
        FROM all_{table} r
        LEFT JOIN (SELECT * FROM identity WHERE object = '{object_}') i ON i.id = r.id
        LEFT JOIN parts ON parts.survivor = r.id
    """


def _attributes(
    spec: Spec, object_: str, columns: Sequence[str], landed: AbstractSet[str]
) -> tuple[list[str], list[Note]]:
    """The further columns that may become features, and a note per reason why others never do."""
    never: dict[str, list[str]] = {}
    kept = []
    for name in columns:
        why = spec.why_never(object_, name)
        if why is None:
            kept.append(name)
        elif name in landed:
            never.setdefault(why, []).append(name)
    return kept, [
        Note(f"{object_}s", f"never features, {why}: {', '.join(sorted(names))}", len(names))
        for why, names in never.items()
    ]


def _empty(con: Connection, rows: Relation, object_: str, names: Sequence[str]) -> list[str]:
    """Columns without a value, which wide CRMs have by the hundred, and without a history."""
    if not names:
        return []
    counts = first(rows.aggregate(", ".join(f"count({quote(name)})" for name in names)))
    found = con.execute("SELECT DISTINCT attribute FROM raw_changes WHERE object = ?", [object_]).fetchall()
    past = {attribute for (attribute,) in found}
    return [name for name, count in zip(names, counts, strict=True) if not count and name not in past]


def activities(con: Connection) -> Mapped:
    """Activities of whoever lives on; what several merged contacts did together counts once."""
    con.execute("""
        CREATE TABLE mapped_activities AS
        SELECT all_activities.*, coalesce(i.survivor, person) AS contact_id, i.survivor IS NOT NULL AS is_merged
        FROM all_activities LEFT JOIN (SELECT * FROM identity WHERE object = 'contact') i ON i.id = person
    """)
    con.execute("""
        CREATE VIEW placed_activities AS
        SELECT * EXCLUDE (left_out), left_out AS why, 1 AS place FROM mapped_activities WHERE NOT is_merged
        UNION ALL
        SELECT * EXCLUDE (left_out), left_out, row_number() OVER (
            PARTITION BY source, example, type, contact_id, left_out IS NULL ORDER BY occurred_at, person
        ) FROM mapped_activities WHERE is_merged
    """)
    rows = con.sql("""
        SELECT * EXCLUDE (why, place), CASE
            WHEN why IS NOT NULL THEN why
            WHEN person IS NULL THEN 'without a contact'
            WHEN occurred_at IS NULL THEN 'without a readable time'
            WHEN type IS NULL THEN 'of no kind'
            WHEN place > 1 THEN 'of two contacts that were merged into one: counted once'
        END AS left_out
        FROM placed_activities
    """)
    usable = _usable(rows).project("contact_id, occurred_at, type, recorded_at, value, detail")
    return Mapped(usable, left_out(rows, "source", "example"))


def deals(con: Connection) -> Mapped:
    """Deals, a row per contact; a deal with no contact has one row with its account."""
    con.execute("""
        CREATE TABLE mapped_deals AS
        SELECT all_deals.*, CASE
            WHEN earlier THEN 'that are not the current version of their record: left out'
            WHEN i.survivor <> deal_id THEN 'merged into another deal, which has their contacts'
            WHEN deleted THEN 'deleted: left out'
            WHEN deal_id IS NULL THEN 'without an id: left out'
        END AS left_out
        FROM all_deals LEFT JOIN (SELECT * FROM identity WHERE object = 'deal') i ON i.id = deal_id
    """)
    rows = con.table("mapped_deals")
    kept = rows.filter("left_out IS NULL")
    notes = [*left_out(rows, "'deals'", "deal_id"), *left_out(kept, "'deals'", "deal_id", "remark")]
    notes += [*_pair(con, "contact"), *_pair(con, "account"), *_several(con)]
    usable = con.sql("""
        SELECT deal.deal_id, contact.contact_id, account.account_id, deal.created_at, deal.closed_at, deal.is_won,
            deal.amount
        FROM (SELECT * FROM mapped_deals WHERE left_out IS NULL) deal
        LEFT JOIN (SELECT DISTINCT deal_id, contact_id FROM paired_contact) contact ON contact.deal_id = deal.deal_id
        LEFT JOIN (
            SELECT deal_id, arg_min(account_id, concat(place, account_id)) AS account_id
            FROM paired_account GROUP BY deal_id
        ) account ON account.deal_id = deal.deal_id
    """)
    return Mapped(usable, tuple(notes))


def _pair(con: Connection, side: str) -> tuple[Note, ...]:
    """Make the table of which contacts or accounts deals are of, all of them under the identity that lives on."""
    con.execute(f"""
        CREATE TABLE paired_{side} AS
        SELECT pair.* EXCLUDE (deal_id, {side}_id), coalesce(d.survivor, deal_id) AS deal_id,
            coalesce(i.survivor, {side}_id) AS {side}_id,
            CASE
                WHEN deal_id NOT IN (SELECT deal_id FROM all_deals WHERE deal_id IS NOT NULL)
                    THEN 'of deals that the table of deals does not have'
            END AS left_out
        FROM deal_{side}s pair
        LEFT JOIN (SELECT * FROM identity WHERE object = 'deal') d ON d.id = deal_id
        LEFT JOIN (SELECT * FROM identity WHERE object = '{side}') i ON i.id = {side}_id
        WHERE deal_id IS NOT NULL AND {side}_id IS NOT NULL
    """)
    return left_out(con.table(f"paired_{side}"), "source", "deal_id")


def _several(con: Connection) -> tuple[Note, ...]:
    """Deals with more than one account, of which the table of deals can name one."""
    several = con.sql("""
        SELECT deal_id, 'with more than one account: the first is named' AS left_out FROM paired_account
        WHERE deal_id IN (SELECT deal_id FROM mapped_deals WHERE left_out IS NULL)
        GROUP BY deal_id HAVING count(DISTINCT account_id) > 1
    """)
    return left_out(several, "'deals'", "deal_id")


def left_out(rows: Relation, where: str, example: str, column: str = "left_out") -> tuple[Note, ...]:
    """A note per table and reason: how many rows, and examples. `where` and `example` are SQL."""
    counted = rows.filter(f"{column} IS NOT NULL").aggregate(
        f"{where} AS place, {column} AS why, count(*) AS rows, min(DISTINCT {example}, {EXAMPLES}) AS examples",
        f"{where}, {column}",
    )
    found = counted.order("place, why").fetchall()
    return tuple(
        Note(place, f"{count:,} row{'s' if count > 1 else ''} {why}", count, tuple(examples or ()))
        for place, why, count, examples in found
    )


def _usable(rows: Relation) -> Relation:
    names = ", ".join(quote(name) for name in rows.columns if name != "left_out")
    return rows.filter("left_out IS NULL").project(names)
