"""A small CRM whose closes are drawn beforehand, so that a test decides what its columns know of them."""

from dataclasses import dataclass, field, replace
from datetime import date

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.clock import DAY, instant
from predictive.config import Config
from predictive.leakage import audit
from predictive.tables import SCHEMAS, Tables

START, END = (instant(date(year, 1, 1), "UTC") for year in (2025, 2026))
TYPES = {"time": "BIGINT", "text": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN"}
BASE = {
    "contacts": {"contact_id": "text", "created_at": "time", "account_id": "text", "email": "text", "name": "text",
                 "job_title": "text", "country": "text", "source": "text", "lifecycle_stage": "text",
                 "marketing_status": "text", "tags": "text"},
    "accounts": {"account_id": "text", "created_at": "time", "company_name": "text", "industry": "text",
                 "employees": "number", "revenue": "number"},
    "activities": {"contact_id": "text", "type": "text", "t": "time", "known": "time", "value": "number",
                   "detail": "text"},
    "deals": {"deal_id": "text", "contact_id": "text", "account_id": "text", "created_at": "time", "closed_at": "time",
              "is_won": "boolean", "amount": "number"},
    "changes": {"object": "text", "object_id": "text", "attribute": "text", "value": "text", "old_value": "text",
                "changed_at": "time"},
    "overrides": {"contact_id": "text", "quadrant": "text", "tier": "text", "author": "text", "reason": "text",
                  "created_at": "time", "expires_at": "time"},
}  # fmt: skip


@dataclass(frozen=True)
class Crm:
    """Contacts c0, c1 … in order of creation; `won` and `closed` (microseconds; meaningless if not won) per contact.

    `names` replaces the ids. `attributes` of contacts and of accounts: name → values (None or NaN: not known). Rows of
    the other tables are frames.
    """

    created: np.ndarray
    won: np.ndarray
    closed: np.ndarray
    attributes: dict = field(default_factory=dict)
    of_accounts: dict = field(default_factory=dict)
    account: np.ndarray | None = None
    names: np.ndarray | None = None
    activities: pd.DataFrame | None = None
    changes: pd.DataFrame | None = None

    @property
    def ids(self):
        return (
            self.names
            if self.names is not None
            else np.array([f"c{i}" for i in range(len(self.created))], dtype=object)
        )

    def plus(self, **attributes):
        """The same CRM with further attributes of contacts."""
        return replace(self, attributes={**self.attributes, **attributes})


def crm(random, *, contacts=1_500, rate=0.1, odds=1.0):
    """A CRM of a year, closes within 20 days of creation; `odds` multiplies each contact's odds of closing."""
    created = np.sort(random.integers(START, END - 40 * DAY, contacts))
    chance = rate / (1 - rate) * odds
    won = random.random(contacts) < chance / (1 + chance)
    closed = created + random.integers(DAY // 24, 20 * DAY, contacts)
    return Crm(created, won, closed)


def honest(random, size, *, columns=12):
    """Attributes that know nothing: texts, numbers, booleans, with gaps, rare values and nearly unique ones."""
    made = {}
    for i in range(columns):
        gaps = random.random(size) < random.choice([0.0, 0.0, 0.3, 0.9])
        kind = i % 5
        if kind == 0:
            values = np.array([f"level {k}" for k in random.integers(0, random.integers(2, 12), size)], dtype=object)
        elif kind == 1:
            values = random.lognormal(3, 1, size).round(1).astype(object)
        elif kind == 2:
            values = (random.random(size) < random.choice([0.02, 0.5])).astype(object)
        elif kind == 3:
            values = np.array([f"rare {k}" for k in random.zipf(1.5, size) % 300], dtype=object)
        else:
            values = np.array([f"key {k}" for k in random.permutation(size)], dtype=object)
        made[f"honest_{i}"] = np.where(gaps, None, values)
    return made


def some(random, values, filled, share):
    """The values of a `share` of the contacts for which `filled` is true, None for the others."""
    return np.where(filled & (random.random(len(filled)) < share), values, None)


def tables(crm, con):
    """The CRM as `Tables` of DuckDB, in tables of `con`."""
    ids = crm.ids
    frames = {
        "contacts": pd.DataFrame({"contact_id": ids, "created_at": crm.created, **crm.attributes}),
        "deals": pd.DataFrame({"deal_id": ids, "contact_id": ids, "closed_at": crm.closed, "is_won": True})[crm.won],
    }
    if crm.account is not None:
        frames["contacts"]["account_id"] = crm.account
        size = int(pd.Series(crm.account).dropna().nunique())
        frames["accounts"] = pd.DataFrame({"account_id": [f"a{i}" for i in range(size)], **crm.of_accounts})
    frames |= {n: f for n in ("activities", "changes") if (f := getattr(crm, n)) is not None}
    kinds = {"contacts": _kinds(crm.attributes), "accounts": _kinds(crm.of_accounts)}
    for name in BASE:
        _create(con, name, frames.get(name), {**BASE[name], **kinds.get(name, {})})
    extra = {name: {k: v for k, v in mine.items() if k not in BASE[name]} for name, mine in kinds.items()}
    return Tables(**{name: nw.from_native(con.table(name)) for name in SCHEMAS}, attributes=extra)


def _create(con, name, frame, kinds):
    columns = ", ".join(f'"{c}" {TYPES[kind]}' for c, kind in kinds.items())
    con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
    if frame is not None and len(frame):
        con.register("_frame", frame)
        chosen = ", ".join(f'CAST("{c}" AS {TYPES[kinds[c]]})' for c in frame.columns)
        names = ", ".join(f'"{c}"' for c in frame.columns)
        con.execute(f"INSERT INTO {name} ({names}) SELECT {chosen} FROM _frame")
        con.unregister("_frame")


def _kinds(attributes):
    return {name: _kind([v for v in values if v is not None]) for name, values in attributes.items()}


def _kind(values):
    if values and all(isinstance(v, bool | np.bool_) for v in values):
        return "boolean"
    if values and all(isinstance(v, float | np.floating) for v in values):
        return "number"
    return "time" if values and all(isinstance(v, int | np.integer) for v in values) else "text"


def config(**changes):
    """A configuration for these tables: each contact is looked at once, a minute before anybody can have closed."""
    source = {"kind": "duckdb", "path": "unused", "tables": {n: {"table": n} for n in ("contacts", "deals")}}
    settings = {"horizon": "30d", "snapshots": {"at": "age", "days": [0]}, "observed_until": "2026-01-01"}
    return Config.model_validate({"source": source, **settings, **changes})


def audited(crm, con, **changes):
    """The suspects by their column."""
    return {s.column: s for s in audit(tables(crm, con), config(**changes), now=END)}


def confidences(crm, con, **changes):
    """The confidence of each suspect, by its column."""
    return {column: suspect.confidence for column, suspect in audited(crm, con, **changes).items()}
