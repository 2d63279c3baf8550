"""Small histories as plain rows: made by hand or drawn by hypothesis, and turned into `Tables` of any engine."""

from dataclasses import dataclass, field, replace
from datetime import date

import narwhals as nw
import pyarrow as pa
from hypothesis import strategies as st

from predictive.clock import DAY, instant
from predictive.config import Config
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


@dataclass(frozen=True)
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

    def plus(self, **rows):
        """The same history with further rows at the end of some tables."""
        return replace(self, **{name: [*getattr(self, name), *more] for name, more in rows.items()})


def contact(contact_id="c1", created_at=0, **columns):
    return {"contact_id": contact_id, "created_at": created_at, **columns}


def did(contact_id="c1", t=0, type="page_view", detail=None, *, recorded=None):  # noqa: A002 - the column's name
    return {"contact_id": contact_id, "type": type, "t": t, "known": max(t, recorded or t), "detail": detail}


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
    return _tables(history, con.table)


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


# What hypothesis draws. Few ids and few distinct times, so that ties and window edges are common.
CONTACTS, ACCOUNTS = ("c1", "c2", "c3"), ("a1", "a2", "c1")  # an account may have the id of a contact
TYPES = ("page_view", "call", "Call", "form")
DETAILS = (None, "pricing", "Pricing", "/pricing/plans", "50%_off", "a::b", "it's")
WINDOWS = (7, 30, 90, 120, 365)
HALF_LIFE = 7
READABLE = {"12": 12.0, "9": 9.0, "-1.5": -1.5, "+2": 2.0, "1e3": 1000.0, ".5": 0.5, "3.": 3.0}
UNREADABLE = ("n/a", "", " 5", "1,000", "0x10", "nan", "inf", "1e", "٣", "7\n")
STATUSES = (None, "lead", "Partner", "OPTED_OUT", "opted out", "staff")


def offsets():
    """Times as distances from an as-of: the edges of windows and days to the microsecond, and anything between."""
    edges = [days * DAY + by for days in (0, 1, *WINDOWS) for by in (-1, 0, 1)]
    # After 21 half-lives a weight is exactly half of the last digit of the fixed point: how it is rounded shows.
    edges.append(21 * HALF_LIFE * DAY)
    return st.one_of(st.sampled_from(edges), st.integers(0, 400 * DAY))


@st.composite
def histories(draw, *, most=12, same_instant=False):
    """A history of three contacts and three accounts around `NIGHT`, looked at then or each at an instant of its own.

    Times lie on both sides of the as-ofs; an activity may be recorded long after it occurred.
    """
    own = st.just(NIGHT) if same_instant else st.sampled_from([NIGHT, NIGHT - 1, NIGHT - 8 * DAY, NIGHT + 90 * DAY])
    at_ = {c: draw(own) for c in CONTACTS}
    moment = st.one_of(
        st.builds(lambda c, by: at_[c] - by, st.sampled_from(CONTACTS), offsets()),
        st.builds(lambda c, by: at_[c] + by, st.sampled_from(CONTACTS), offsets()),
    )
    return History(
        contacts=[draw(_contact(c, at_[c])) for c in CONTACTS],
        accounts=[draw(_account(a)) for a in draw(st.sets(st.sampled_from(ACCOUNTS))) if a],
        activities=draw(st.lists(_activity(at_), max_size=most)),
        deals=draw(_deals(moment)),
        changes=draw(st.lists(_change(moment), max_size=most)),
        at=at_,
    )


@st.composite
def _contact(draw, contact_id, as_of):
    return contact(
        contact_id,
        as_of - draw(offsets()),
        account_id=draw(st.sampled_from([None, *ACCOUNTS])),
        job_title=draw(st.sampled_from([None, "CTO", "intern"])),
        lifecycle_stage=draw(st.sampled_from(STATUSES)),
        marketing_status=draw(st.sampled_from(STATUSES)),
        plan=draw(st.sampled_from([None, "free", "paid"])),
        seats=draw(st.sampled_from([None, 0.0, 2.5])),
        invoiced=draw(st.sampled_from([None, True, False])),
    )


@st.composite
def _account(draw, account_id):
    return {
        "account_id": account_id,
        "industry": draw(st.sampled_from([None, "software", "retail"])),
        "employees": draw(st.sampled_from([None, 10.0])),
        "region": draw(st.sampled_from([None, "north"])),
    }


@st.composite
def _activity(draw, at_):
    who = draw(st.sampled_from(CONTACTS))
    back = draw(offsets())
    t = at_[who] - (back if draw(st.integers(0, 4)) else -back)
    recorded = draw(st.sampled_from([None, None, None, t + DAY, at_[who], at_[who] + 1]))
    return did(who, t, draw(st.sampled_from(TYPES)), draw(st.sampled_from(DETAILS)), recorded=recorded)


@st.composite
def _deals(draw, moment):
    """Deals that may name a contact, several, only an account, or nobody; each row is unique by deal and contact."""
    rows = {}
    for deal_id in ("d1", "d2", "d3"):
        begun, closed = draw(st.none() | moment), draw(st.none() | moment)
        account_id, outcome = draw(st.sampled_from([None, *ACCOUNTS])), draw(st.sampled_from([True, True, False, None]))
        for who in draw(st.lists(st.sampled_from([None, None, *CONTACTS]), max_size=2, unique=True)):
            rows[deal_id, who] = {
                "deal_id": deal_id, "contact_id": who, "account_id": account_id, "created_at": begun,
                "closed_at": closed, "is_won": outcome,
            }  # fmt: skip
    return list(rows.values())


@st.composite
def _change(draw, moment):
    of = draw(st.sampled_from(["contact", "account"]))
    names = ["account_id", "lifecycle_stage", "marketing_status", "plan", "seats", "invoiced", "unheard_of"]
    attribute = draw(st.sampled_from(names if of == "contact" else ["industry", "employees", "region"]))
    values = {
        "account_id": st.sampled_from([None, *ACCOUNTS]),
        "lifecycle_stage": st.sampled_from(STATUSES),
        "marketing_status": st.sampled_from(STATUSES),
        "seats": st.sampled_from([None, *READABLE, *UNREADABLE]),
        "employees": st.sampled_from([None, *READABLE, *UNREADABLE]),
    }.get(attribute, st.sampled_from([None, "a", "b"]))
    who = draw(st.sampled_from(CONTACTS if of == "contact" else ACCOUNTS))
    return changed(who, attribute, draw(values), draw(moment), old=draw(values), of=of)


@st.composite
def futures(draw, history):
    """The same history as it might stand later: rows added after every as-of, today's tracked values changed, and
    all rows in another order.

    A change is added only to an attribute of an object that has an earlier row: a first row says by its `old_value`
    what held since creation, and makes an attribute one with a history, so it does speak of the past.
    """
    last = max(history.at.values())
    after = st.one_of(st.just(last + 1), st.integers(last + 1, last + 500 * DAY))
    activities = draw(st.lists(st.sampled_from(CONTACTS).flatmap(lambda c: _later(c, after, last)), max_size=5))
    deals = [{**d, "deal_id": f"new {d['deal_id']}"} for d in draw(_deals(after))]
    tracked = sorted({(c["object"], c["object_id"], c["attribute"]) for c in history.changes
                      if all(c["changed_at"] <= as_of for as_of in history.at.values())})  # fmt: skip
    more = []
    for of, who, attribute in draw(st.lists(st.sampled_from(tracked), max_size=5)) if tracked else []:
        value, old = draw(st.sampled_from(["a1", "staff", "99"])), draw(st.sampled_from([None, "a2", "partner", "1"]))
        more.append(changed(who, attribute, value, draw(after), old=old, of=of))
    later = history.plus(activities=activities, deals=deals, changes=more)
    later = replace(later, contacts=_today(draw, later, "contact"), accounts=_today(draw, later, "account"))
    return replace(later, **{name: draw(st.permutations(getattr(later, name))) for name in COLUMNS})


@st.composite
def _later(draw, who, after, last):
    """An activity that occurs after every as-of, or occurred before and is heard of after."""
    t = draw(after)
    if draw(st.booleans()):
        return did(who, last - draw(offsets()), draw(st.sampled_from(TYPES)), recorded=t)
    return did(who, t, draw(st.sampled_from((*TYPES, "new type"))), draw(st.sampled_from(DETAILS)))


def _today(draw, history, of):
    """The rows of contacts or accounts with other values of today in the attributes that have a history."""
    kinds = KINDS[of]
    known = {c["attribute"] for c in history.changes if c["object"] == of} & set(kinds)
    other = {"text": st.sampled_from([None, "a1", "staff"]), "number": st.just(-7.0), "boolean": st.just(True)}  # noqa: FBT003
    return [{**row, **{name: draw(other[kinds[name]]) for name in sorted(known)}} for row in getattr(history, f"{of}s")]
