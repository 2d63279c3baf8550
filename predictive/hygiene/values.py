"""Values that are missing or impossible, and lifecycle stages that contradict the deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import narwhals as nw

from predictive.clock import DAY, to_micros
from predictive.config import Config
from predictive.derive import DERIVED
from predictive.engines import Frame
from predictive.features.attributes import account_kinds, contact_kinds
from predictive.features.deals import wins
from predictive.hygiene.words import found, note
from predictive.tables import Note, Tables

EARLIEST = to_micros(datetime(1990, 1, 1, tzinfo=UTC))
"""No CRM is older."""
LATEST = 3_650 * DAY
"""Plans further ahead than this are typing errors."""
MOST_EMPLOYEES = 5_000_000
ADDRESS = r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"
BOUGHT = ("customer", "evangelist", "former customer", "churned", "churned customer", "client")
"""Lifecycle stages of those who have bought, in lower case."""


@dataclass(frozen=True)
class Missing:
    """How many rows of a table have no value in a column."""

    table: str
    column: str
    count: int
    share: float


def find_missing(tables: Tables) -> tuple[Missing, ...]:
    """Every stated column of contacts and accounts, the emptiest first; tables without rows say nothing."""
    made = {d.name for d in DERIVED}
    columns = {
        "contacts": ["email", "name", *contact_kinds(tables)],
        "accounts": ["company_name", *account_kinds(tables)],
    }
    out = []
    for table, names in columns.items():
        nulls = [nw.col(n).is_null().cast(nw.Int64).sum().alias(n) for n in names]
        row: Any = getattr(tables, table).select(nw.len().alias("::rows"), *nulls).collect()
        rows = int(row["::rows"][0])
        if rows:
            out += [Missing(table, n, int(row[n][0]), int(row[n][0]) / rows) for n in names if n not in made]
    return tuple(sorted(out, key=lambda m: (-m.share, m.table, m.column)))


def find_impossible(tables: Tables, *, now: int) -> tuple[Note, ...]:
    """What cannot be, counted: times, amounts and addresses. `now` is in microseconds."""
    return found([*_of_records(tables, now), *_of_activities(tables, now), *_of_deals(tables, now)])


def _of_records(tables: Tables, now: int) -> list[Note | None]:
    out = []
    for table, key in (("contacts", "contact_id"), ("accounts", "account_id")):
        rows: Frame = getattr(tables, table)
        out += [
            note(rows.filter(nw.col("created_at") > now), key, table, "created in the future"),
            note(rows.filter(nw.col("created_at") < EARLIEST), key, table, "created before 1990"),
        ]
    no_address = ~nw.col("email").is_null() & ~nw.col("email").str.strip_chars().str.contains(ADDRESS)
    size, text = nw.col("employees"), f"with more than {MOST_EMPLOYEES:,} employees"
    return [
        *out,
        note(tables.contacts.filter(no_address), "contact_id", "contacts.email", "that are no address"),
        note(tables.accounts.filter(size <= 0), "account_id", "accounts.employees", "with no employees or fewer"),
        note(tables.accounts.filter(size > MOST_EMPLOYEES), "account_id", "accounts.employees", text),
        note(tables.accounts.filter(nw.col("revenue") < 0), "account_id", "accounts.revenue", "below zero"),
    ]


def _of_activities(tables: Tables, now: int) -> list[Note | None]:
    created = tables.contacts.select("contact_id", "created_at")
    early = tables.activities.join(created, on="contact_id", how="inner").filter(nw.col("t") < nw.col("created_at"))
    rows, key = tables.activities, "contact_id"
    return [
        note(rows.filter(nw.col("t") > now), key, "activities", "in the future"),
        note(rows.filter(nw.col("t") < EARLIEST), key, "activities", "before 1990"),
        note(early, key, "activities", "before their contact was created (visits are, where a CRM links them later)"),
    ]


def _of_deals(tables: Tables, now: int) -> list[Note | None]:
    # A deal has a row for each of its contacts.
    deals = tables.deals.select("deal_id", "created_at", "closed_at", "is_won", "amount").unique()
    begun, closed, key = nw.col("created_at"), nw.col("closed_at"), "deal_id"
    absurd = (begun < EARLIEST) | (closed < EARLIEST) | (begun > now + LATEST) | (closed > now + LATEST)
    future = (begun > now) | (~nw.col("is_won").is_null() & (closed > now))
    return [
        note(deals.filter(closed < begun), key, "deals", "closed before they were created"),
        note(deals.filter(future), key, "deals", "created or closed in the future"),
        note(deals.filter(absurd), key, "deals", "with a date before 1990 or over ten years ahead"),
        note(deals.filter(nw.col("amount") < 0), key, "deals.amount", "below zero"),
        note(deals.filter(nw.col("is_won") & closed.is_null()), key, "deals", "won at no known time"),
    ]


def find_contradictions(tables: Tables, config: Config, night: int) -> tuple[Note, ...]:
    """Lifecycle stages that say something else than the deals, as of a night."""
    contacts = tables.contacts.filter(nw.col("created_at") <= night).select("contact_id", "lifecycle_stage")
    contacts = contacts.filter(~nw.col("lifecycle_stage").is_null())
    stage = nw.col("lifecycle_stage").str.to_lowercase().str.replace_all(r"[_\s-]+", " ").str.strip_chars()
    won = wins(tables, config).filter(nw.col("closed_at") <= night).select("contact_id").unique()
    says = contacts.with_columns(bought=stage.is_in(BOUGHT), opportunity=stage == "opportunity")
    any_deal = _with_deals(tables, night)
    customers, others = says.filter("bought"), says.filter(~nw.col("bought"))
    asking = says.filter("opportunity").join(any_deal, on="contact_id", how="anti")
    checks = [
        (customers.join(won, on="contact_id", how="anti"), "customers without a won deal"),
        (others.join(won, on="contact_id", how="semi"), "with a won deal that are not customers"),
        (asking, "opportunities without a deal"),
    ]
    return found(note(rows, "contact_id", "contacts.lifecycle_stage", text) for rows, text in checks)


def _with_deals(tables: Tables, night: int) -> Frame:
    """Contacts with a deal of their own or of their account, begun by the night or at no known time."""
    deals = tables.deals.filter(nw.col("created_at").is_null() | (nw.col("created_at") <= night))
    own = deals.filter(~nw.col("contact_id").is_null()).select("contact_id")
    accounts = deals.filter(~nw.col("account_id").is_null()).select("account_id").unique()
    return nw.concat([own, tables.contacts.join(accounts, on="account_id", how="semi").select("contact_id")]).unique()
