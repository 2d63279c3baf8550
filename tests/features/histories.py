"""Small histories as plain rows: made by hand or drawn by hypothesis, and turned into `Tables` of any engine."""

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

import narwhals as nw
import pyarrow as pa
from hypothesis import note
from hypothesis import strategies as st

from predictive.clock import DAY, instant
from predictive.config import Config
from predictive.sources.arrange import arrange
from predictive.store import keeper
from predictive.tables import Tables

NIGHT = instant(date(2026, 3, 29), "Europe/Madrid")
"""The midnight before the clocks go forward: the day that follows has 23 hours."""
TEXT, TIME, NUMBER, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()
COLUMNS = {
    "contacts": {
        "contact_id": TEXT, "created_at": TIME, "account_id": TEXT, "email": TEXT, "name": TEXT, "job_title": TEXT,
        "country": TEXT, "source": TEXT, "lifecycle_stage": TEXT, "marketing_status": TEXT, "tags": TEXT,
        "plan": TEXT, "seats": NUMBER, "invoiced": TRUTH,
    },
    "accounts": {
        "account_id": TEXT, "created_at": TIME, "company_name": TEXT, "industry": TEXT, "employees": NUMBER,
        "revenue": NUMBER, "region": TEXT,
    },
    "activities": {"contact_id": TEXT, "type": TEXT, "t": TIME, "known": TIME, "value": NUMBER, "detail": TEXT},
    "deals": {
        "deal_id": TEXT, "contact_id": TEXT, "account_id": TEXT, "created_at": TIME, "closed_at": TIME,
        "is_won": TRUTH, "amount": NUMBER,
    },
    "changes": {
        "object": TEXT, "object_id": TEXT, "attribute": TEXT, "value": TEXT, "old_value": TEXT, "changed_at": TIME,
    },
    "overrides": {
        "contact_id": TEXT, "quadrant": TEXT, "tier": TEXT, "author": TEXT, "reason": TEXT, "created_at": TIME,
        "expires_at": TIME,
    },
}  # fmt: skip
ATTRIBUTES = {
    "contacts": {"plan": "text", "seats": "number", "invoiced": "boolean"},
    "accounts": {"region": "text"},
}
KINDS = {
    "contact": {"account_id": "text", "job_title": "text", "country": "text", "source": "text",
                "lifecycle_stage": "text", "marketing_status": "text", "tags": "text", **ATTRIBUTES["contacts"]},
    "account": {"industry": "text", "employees": "number", "revenue": "number", **ATTRIBUTES["accounts"]},
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class History:
    """The rows of the canonical tables, each a dict in which a missing column is None; and who is looked at when."""

    contacts: list = field(default_factory=list)
    accounts: list = field(default_factory=list)
    activities: list = field(default_factory=list)
    deals: list = field(default_factory=list)
    changes: list = field(default_factory=list)
    overrides: list = field(default_factory=list)
    at: dict = field(default_factory=dict)
    attributes: dict = field(default_factory=lambda: ATTRIBUTES)

    def __repr__(self):
        return f"<History of {len(self.contacts)} contacts>"

    def plus(self, **rows):
        """The same history with further rows at the end of some tables."""
        return replace(self, **{name: [*getattr(self, name), *more] for name, more in rows.items()})


def contact(contact_id="c1", created_at=0, **columns):
    return {"contact_id": contact_id, "created_at": created_at, **columns}


def did(contact_id="c1", t=0, type="page_view", detail=None, *, recorded=None, value=None):  # noqa: A002 - the column's name
    known = t if recorded is None else max(t, recorded)
    return {"contact_id": contact_id, "type": type, "t": t, "known": known, "detail": detail, "value": value}


def won(deal_id="d1", closed_at=0, **columns):
    return {"deal_id": deal_id, "closed_at": closed_at, "is_won": True, **columns}


def changed(object_id, attribute, value, at, *, old=None, of="contact"):
    return {
        "object": of, "object_id": object_id, "attribute": attribute, "value": value, "old_value": old,
        "changed_at": at,
    }  # fmt: skip


def tables(history, con=None):
    """The history as `Tables` of DuckDB, in tables of `con`."""
    for name in COLUMNS:
        con.register("_rows", _arrow(history, name))
        con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM _rows")
    con.unregister("_rows")
    return replace(_tables(history, con.table), keep=keeper(con))


def parted(history, con):
    """Like :func:`tables`, with contacts and activities arranged in parts where they are many."""
    whole = tables(history, con)
    parts = arrange(con, {name: f'"{name}"' for name in COLUMNS})
    return replace(_tables(history, con.table), keep=whole.keep, parts=parts)


def polars_tables(history):
    import polars as pl

    return _tables(history, lambda name: pl.from_arrow(_arrow(history, name)).lazy())


def pandas_tables(history):
    import pandas as pd

    return _tables(history, lambda name: _arrow(history, name).to_pandas(types_mapper=pd.ArrowDtype))


def at(history, engine, con=None):
    """`history.at` as the frame of `contact_id` and `as_of` that goes with the tables of an engine."""
    rows = pa.table(
        {"contact_id": pa.array(list(history.at), TEXT), "as_of": pa.array(list(history.at.values()), TIME)}
    )
    if engine == "duckdb":
        con.register("_rows", rows)
        con.execute("CREATE OR REPLACE TABLE looked_at AS FROM _rows")
        con.unregister("_rows")
        return nw.from_native(con.table("looked_at"))
    if engine == "polars":
        import polars as pl

        return nw.from_native(pl.from_arrow(rows).lazy())
    import pandas as pd

    return nw.from_native(rows.to_pandas(types_mapper=pd.ArrowDtype)).lazy()


def _arrow(history, name):
    rows, columns = getattr(history, name), {**COLUMNS[name]}
    for extra, kind in history.attributes.get(name, {}).items():
        columns[extra] = {"text": TEXT, "number": NUMBER, "boolean": TRUTH, "time": TIME}[kind]
    return pa.table({c: pa.array([r.get(c) for r in rows], type_) for c, type_ in columns.items()})


def _tables(history, native):
    frames = {name: nw.from_native(native(name)).lazy() for name in COLUMNS}
    return Tables(**frames, attributes=history.attributes)


def collected(frame, *key):
    """The rows of a lazy frame as dicts, None for what is missing, in the order of `key`."""
    native = frame.collect(backend="pandas").to_native()
    rows = native.astype(object).where(native.notna(), None).to_dict("records")
    return sorted(rows, key=lambda row: [row[k] for k in key])


def by_contact(frame):
    """The rows of a frame with one row per contact, by contact."""
    rows = collected(frame, "contact_id")
    assert len({r["contact_id"] for r in rows}) == len(rows), "a contact has more than one row"
    return {row.pop("contact_id"): row for row in rows}


def config(**changes):
    """A configuration for tables that are already there."""
    source = {"kind": "duckdb", "path": "unused", "tables": {n: {"table": n} for n in ("contacts", "deals")}}
    return Config.model_validate({"source": source, **changes})


# What random histories are made of. Few ids and few distinct times, so that ties and window edges are common.
ACCOUNTS = ("a1", "a2", "c1")  # an account may have the id of a contact
TYPES = ("page_view", "call", "Call", "form")
DETAILS = (None, "pricing", "Pricing", "/pricing/v1.0", "50%_off", "a::b", "it's")
VALUES = (
    None,
    0.0,
    -0.0,
    -2.25,
    1.5,
    3.0,
    0.00005,
    -0.00005,
    1e-9,
    1e10,
    2e10,
    1e300,
    -1e300,
    *map(float, ("nan", "inf", "-inf")),
)
WINDOWS = (7, 14, 30, 42, 49, 90, 120, 365)
HALF_LIFE = 7
READABLE = {"12": 12.0, "9": 9.0, "-1.5": -1.5, "+2": 2.0, "1e3": 1000.0, ".5": 0.5, "3.": 3.0}
NUMBERS = (None, *READABLE, "n/a", "", " 5", "1,000", "0x10", "nan", "inf", "1e", "1e400", "٣", "7\n")
STATUSES = (None, "lead", "Partner", "OPTED_OUT", "opted out", "staff", "Non_Marketing")
TRACKED = {
    "contact": {
        "account_id": (None, *ACCOUNTS), "lifecycle_stage": STATUSES, "marketing_status": STATUSES,
        "plan": (None, "a", "b"), "seats": NUMBERS, "invoiced": (None, "true", "false"), "unheard_of": ("x",),
    },
    "account": {"industry": (None, "a", "b"), "employees": NUMBERS, "region": (None, "a")},
}  # fmt: skip
# After 21 half-lives a weight is exactly half of the last digit of the fixed point: how it is rounded shows.
EDGES = [21 * HALF_LIFE * DAY, *(days * DAY + by for days in (0, 1, *WINDOWS) for by in (-1, 0, 1))]


@st.composite
def histories(draw, **options):
    """A random history of some contacts, see :func:`make`."""
    rng, contacts = _drawn(draw)
    return make(rng, contacts=contacts, **options)


@st.composite
def pairs(draw):
    """A random history, and the same one as it may stand later, see :func:`add_future`."""
    rng, contacts = _drawn(draw)
    history = make(rng, contacts=contacts)
    return history, add_future(rng, history)


def _drawn(draw):
    """What makes a history: a failure shrinks to few contacts, and names the seed of their rows.

    The queries take the same time however many contacts there are: few histories of many contacts show most.
    """
    seed, contacts = draw(st.integers(0, 2**32)), draw(st.integers(8, 40))
    note(f"make(Random({seed}), contacts={contacts})")
    return Random(seed), contacts  # noqa: S311 - seeded, for tests


def make(rng, *, contacts=8, same_instant=False, instants=None):
    """A history of some contacts and three accounts around `NIGHT`, looked at then or each at an instant of its own.

    Times lie on both sides of the as-ofs; an activity may be recorded long after it occurred, and several may share
    an instant. Contacts move between accounts where `account_id` has a history.
    """
    ids = [f"c{i}" for i in range(1, contacts + 1)]
    if instants is None:
        instants = [NIGHT] if same_instant else [NIGHT, NIGHT, NIGHT - 1, NIGHT - 8 * DAY, NIGHT + 90 * DAY]
    at_ = {c: rng.choice(instants) for c in ids}
    # Some attributes have a history and others have none.
    tracked = {of: [n for n in names if rng.randint(0, 1)] for of, names in TRACKED.items()}
    people = [_contact(rng, c, at_[c]) for c in ids]
    made = {c["contact_id"]: c["created_at"] for c in people}
    return History(
        contacts=people,
        accounts=[_account(rng, a) for a in ACCOUNTS if rng.randint(0, 3)],
        activities=[row for _ in range(rng.randint(0, 4 * contacts)) for row in _activities(rng, at_)],
        deals=[row for i in range(rng.randint(0, contacts)) for row in _deal(rng, f"d{i}", at_)],
        changes=[row for _ in range(rng.randint(0, 5 * contacts)) for row in _change(rng, tracked, at_, made=made)],
        at=at_,
    )


def _back(rng):
    """A distance in time: the edges of windows and days to the microsecond, or anything between."""
    return rng.choice(EDGES) if rng.randint(0, 3) else rng.randint(0, 400 * DAY)


def _moment(rng, at_):
    """An instant before or, as often, after somebody's as-of."""
    return rng.choice(list(at_.values())) + rng.choice([-1, 1]) * _back(rng)


def _contact(rng, contact_id, as_of):
    return contact(
        contact_id,
        as_of - _back(rng),
        account_id=rng.choice([None, *ACCOUNTS]),
        job_title=rng.choice([None, "CTO", "intern"]),
        lifecycle_stage=rng.choice([None, "lead", *STATUSES]),
        marketing_status=rng.choice([None, "lead", *STATUSES]),
        plan=rng.choice([None, "free", "paid"]),
        seats=rng.choice([None, 0.0, 2.5]),
        invoiced=rng.choice([None, True, False]),
    )


def _account(rng, account_id):
    return {
        "account_id": account_id,
        "industry": rng.choice([None, "software", "retail"]),
        "employees": rng.choice([None, 10.0]),
        "region": rng.choice([None, "north"]),
    }


def _activities(rng, at_):
    """One activity, or now and then several at one instant."""
    who = rng.choice(list(at_))
    t = at_[who] - _back(rng) * rng.choice([1, 1, 1, 1, -1])
    several = rng.choice([1] * 9 + [7])
    return [_activity(rng, who, t, at_[who]) for _ in range(several)]


def _activity(rng, who, t, as_of):
    recorded = rng.choice([None] * 5 + [t + 1, t + DAY, as_of - DAY, as_of - 1, as_of, as_of + 1])
    return did(who, t, rng.choice(TYPES), rng.choice(DETAILS), recorded=recorded, value=rng.choice(VALUES))


def _deal(rng, deal_id, at_, *, moment=_moment):
    """The rows of a deal that may name a contact, several, only an account, or nobody."""
    deal = {
        "deal_id": deal_id,
        "account_id": rng.choice([None, *ACCOUNTS]),
        "created_at": rng.choice([None, moment(rng, at_)]),
        "closed_at": rng.choice([None, *[moment(rng, at_)] * 3]),
        "is_won": rng.choice([True, True, False, None]),
    }
    who = {rng.choice([None, None, *at_]) for _ in range(rng.choice([1, 1, 2]))}
    return [{**deal, "contact_id": c} for c in sorted(who, key=str)]


def _change(rng, tracked, at_, *, moment=_moment, made=None):
    """A change at any time, or (with `made`, when contacts were created) about the creation of a contact."""
    of = rng.choice(["contact", "contact", "account"])
    if not tracked[of]:
        return []
    name, who = rng.choice(tracked[of]), rng.choice(list(at_) if of == "contact" else ACCOUNTS)
    value, old = (rng.choice(TRACKED[of][name]) for _ in range(2))
    at_creation = made is not None and who in made and of == "contact" and rng.randint(0, 3) == 0
    when = made[who] + rng.choice([-1, 0, 0, 1]) if at_creation else moment(rng, at_)
    return [changed(who, name, value, when, old=old, of=of)]


def add_future(rng, history):
    """The same history as it may stand later: rows added after every as-of, new contacts among them, today's tracked
    values changed, and all rows in another order.

    A change is added only to an attribute of an object that has an earlier row: a first row says by its `old_value`
    what held since creation, and makes an attribute one with a history, so it does speak of the past.
    """

    def moment(rng, at_):
        return max(at_.values()) + 1 + rng.choice([0, _back(rng) + 1])

    before = min(history.at.values())
    known = {(c["object"], c["object_id"], c["attribute"]) for c in history.changes if c["changed_at"] <= before}
    changes = [
        change
        for _ in range(30)
        for change in _change(rng, {k: list(v) for k, v in TRACKED.items()}, history.at, moment=moment)
    ]
    later = history.plus(
        activities=[_later(rng, history.at, moment) for _ in range(rng.randint(0, 30))],
        deals=[row for i in range(rng.randint(0, 10)) for row in _deal(rng, f"new {i}", history.at, moment=moment)],
        changes=[c for c in changes if (c["object"], c["object_id"], c["attribute"]) in known],
        contacts=[
            contact(f"new {i}", moment(rng, history.at), account_id=rng.choice(ACCOUNTS))
            for i in range(rng.randint(0, 2))
        ],
    )
    later = replace(later, contacts=_today(rng, later, "contact"), accounts=_today(rng, later, "account"))
    return replace(later, **{n: rng.sample(rows, len(rows)) for n in COLUMNS for rows in [getattr(later, n)]})


def _later(rng, at_, moment):
    """An activity that occurs after every as-of, or occurred before and is heard of after."""
    who, t = rng.choice(list(at_)), moment(rng, at_)
    if rng.randint(0, 1):
        occurred = at_[who] - _back(rng)
        return did(who, occurred, rng.choice(TYPES), rng.choice(DETAILS), recorded=t, value=rng.choice(VALUES))
    return did(who, t, rng.choice((*TYPES, "new type")), rng.choice(DETAILS), value=rng.choice(VALUES))


def _today(rng, history, of):
    """The rows of contacts or accounts with other values of today in the attributes that have a history."""
    names = sorted({c["attribute"] for c in history.changes if c["object"] == of} & set(KINDS[of]))
    other = {"text": [None, "a1", "staff"], "number": [-7.0], "boolean": [True]}
    return [{**row, **{n: rng.choice(other[KINDS[of][n]]) for n in names}} for row in getattr(history, f"{of}s")]
