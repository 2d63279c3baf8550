import math
import re
from collections import Counter
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY, instant
from predictive.config import Config
from predictive.demo import generate
from predictive.features.choose_behaviour import grouped
from predictive.hygiene import examine, proposals
from predictive.hygiene.decay import measure_decay
from predictive.hygiene.duplicates import every_duplicate, find_duplicates
from predictive.hygiene.stuck import find_stuck
from predictive.sources import read_tables
from predictive.store import open_store
from tests.features.histories import NIGHT, History, changed, contact, did, tables, won

YEAR = 365 * DAY
OLD = NIGHT - 3 * YEAR
SCORES = ["contact_id", "probability", "quadrant", "tier", "stage"]


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def config(**settings_):
    source = {"kind": "files", "path": ".", "tables": {"contacts": {"file": "c.csv"}, "deals": {"file": "d.csv"}}}
    return Config.model_validate({"source": source, **settings_})


def examined(con, history, scores=None, **settings_):
    return examine(tables(history, con), config(**settings_), NIGHT, scores=scores)


def said(notes):
    return {f"{n.where}: {n.text}": n.examples for n in notes}


def test_planted_defects_are_counted_exactly(con):
    found = examined(
        con,
        History(
            contacts=[
                contact("C1", OLD, email="a@b.example"),
                contact("C2", NIGHT + 1, email="a@b"),
                contact("C3", -30 * YEAR, email="nobody"),
            ],
            accounts=[
                {"account_id": "A1", "employees": 0.0, "revenue": -1.0},
                {"account_id": "A2", "employees": -5.0, "revenue": 0.0},
                {"account_id": "A3", "employees": 9e9, "created_at": NIGHT + 1},
            ],
            activities=[did("C1", OLD - 1), did("C1", OLD - 2), did("C1", OLD), did("C1", NIGHT + 1), did("C3", -1)],
            deals=[
                won("D1", OLD, contact_id="C1", created_at=OLD + 1, amount=-1.0),
                won("D1", OLD, contact_id="C3", created_at=OLD + 1, amount=-1.0),
                won("D2", NIGHT + 1, contact_id="C3", created_at=OLD),
                won("D3", None, contact_id="C3", created_at=OLD),
                {"deal_id": "D4", "contact_id": "C1", "created_at": -30 * YEAR, "closed_at": NIGHT + 1},
                {"deal_id": "D5", "contact_id": "C1", "created_at": OLD, "closed_at": NIGHT + 11 * YEAR},
            ],
        ),
    )
    before = "before their contact was created (visits are, where a CRM links them later)"
    assert said(found.impossible) == {
        "contacts: 1 created in the future": ("C2",),
        "contacts: 1 created before 1990": ("C3",),
        "accounts: 1 created in the future": ("A3",),
        "contacts.email: 2 that are no address": ("C2", "C3"),
        "accounts.employees: 2 with no employees or fewer": ("A1", "A2"),
        "accounts.employees: 1 with more than 5,000,000 employees": ("A3",),
        "accounts.revenue: 1 below zero": ("A1",),
        "activities: 1 in the future": ("C1",),
        "activities: 1 before 1990": ("C3",),
        f"activities: 2 {before}": ("C1",),
        "deals: 1 closed before they were created": ("D1",),
        "deals: 1 created or closed in the future": ("D2",),
        "deals: 2 with a date before 1990 or over ten years ahead": ("D4", "D5"),
        "deals.amount: 1 below zero": ("D1",),
        "deals: 1 won at no known time": ("D3",),
    }


def test_stages_against_the_deals_are_counted_exactly(con):
    stages = {"C1": "Customer", "C2": "customer", "C3": "lead", "C4": "opportunity", "C5": "opportunity", "C6": None,
              "C7": "evangelist", "C8": "lead"}  # fmt: skip
    history = History(
        contacts=[
            contact(i, OLD, lifecycle_stage=s, account_id="A1" if i == "C5" else None) for i, s in stages.items()
        ],
        deals=[won(f"D{i}", OLD, contact_id=f"C{i}") for i in (1, 3, 6, 7)]
        + [won("D8", NIGHT + 1, contact_id="C8"), {"deal_id": "D9", "account_id": "A1", "created_at": OLD}],
    )
    assert said(examined(con, history).contradictions) == {
        "contacts.lifecycle_stage: 1 customers without a won deal": ("C2",),
        "contacts.lifecycle_stage: 1 with a won deal that are not customers": ("C3",),
        "contacts.lifecycle_stage: 1 opportunities without a deal": ("C4",),
    }


def test_who_is_known_could_buy_and_is_inactive(con):
    whole = {"email": "a@b.example", "job_title": "CTO", "country": "ES", "account_id": "A1"}
    history = History(
        contacts=[
            contact("C1", OLD, **whole),
            contact("C2", OLD, **{**whole, "email": None}),
            contact("C3", OLD, **{**whole, "country": None, "account_id": None}),
            contact("C4", NIGHT - DAY, **whole, marketing_status="opted out"),
            contact("C5", NIGHT + 1, **whole),
        ],
        accounts=[{"account_id": "A1", "industry": "retail"}],
        activities=[did("C1", NIGHT - YEAR), did("C2", NIGHT - YEAR + 1)],
        deals=[won("D1", OLD, contact_id="C2")],
    )
    found = examined(con, history)
    assert (found.contacts, found.known, found.could_buy, found.inactive) == (4, 2, 2, 2)
    assert found.known_means == "an e-mail address and at least 2 of job title, country, account industry"
    assert found.not_eligible == {"already closed": 1, "marketing status says it is not to be marketed to": 1}
    missing = {f"{m.table}.{m.column}": m.count for m in found.missing}
    assert missing["contacts.email"] == 1
    assert missing["contacts.source"] == 5
    assert missing["accounts.industry"] == 0


def slow_address(text):
    text = text.strip().lower().removeprefix("mailto:")
    local, _, domain = text.partition("@")
    local = local.split("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        return local.replace(".", "") + "@gmail.com"
    return f"{local}@{domain}"


ADDRESSES = st.builds(
    "{}{}{}@{}".format,
    st.sampled_from(["ana", "a.na", "ANA", " ana"]),
    st.sampled_from(["", ".", ".b"]),
    st.sampled_from(["", "+", "+news", "+a+b"]),
    st.sampled_from(["gmail.com", "GoogleMail.com", "notgmail.com", "firm.example", "gmail.com.example"]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.none() | ADDRESSES, max_size=12))
def test_duplicate_addresses_are_those_of_a_slow_reference(con, addresses):
    history = History(contacts=[contact(f"C{i:02}", email=a) for i, a in enumerate(addresses)])
    keys = [None if a is None else slow_address(a) for a in addresses]
    counts = Counter(k for k in keys if k is not None)
    groups = {}
    for i, key in enumerate(keys):
        if key is not None and counts[key] > 1:
            groups.setdefault(key, []).append(f"C{i:02}")
    found = find_duplicates(tables(history, con))[0]
    assert found.by == "e-mail"
    assert list(found.examples) == sorted(map(tuple, groups.values()))
    assert (found.groups, found.contacts) == (len(groups), sum(map(len, groups.values())))
    assert found.surplus == found.contacts - found.groups


def test_the_same_name_at_the_same_company_is_a_candidate_however_both_are_spelt(con):
    history = History(
        contacts=[
            contact("C1", name="José  García", account_id="A1"),
            contact("C2", name="jose garcia", account_id="A2"),
            contact("C3", name="Jose Garcia", account_id="A3"),
            contact("C4", name="Jose Garcia"),
            contact("C5", name="Jose Garcia", account_id="A4"),
            contact("C6", name="JOSE-GARCIA", account_id="A4"),
            contact("C7", name="–", account_id="A4"),
            contact("C8", name="?", account_id="A4"),
        ],
        accounts=[
            {"account_id": "A1", "company_name": "Acme, S.A."},
            {"account_id": "A2", "company_name": "ACME GmbH"},
            {"account_id": "A3", "company_name": "Acme Works Ltd"},
        ],
    )
    rows = every_duplicate(tables(history, con))
    assert rows.to_dict("list") == {
        "by": ["name and company"] * 4,
        "group": ["C1", "C1", "C5", "C5"],
        "contact_id": ["C1", "C2", "C5", "C6"],
    }


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(100, 2_000),
            st.none() | st.integers(0, 2_000),
            st.none() | st.integers(0, 2_000),
            st.sampled_from(["A1", "A2", None]),
        ),
        min_size=8,
        max_size=12,
    )
)
def test_decay_is_that_of_a_slow_reference(con, people):
    """Each was created some days ago, and perhaps bounced, and perhaps changed jobs, some days ago."""
    ago = lambda days: NIGHT - days * DAY  # noqa: E731 - shorter so
    contacts, did_, moved, expected = [], [did("C99", ago(1_500))], [], {"bounce": [], "title": [], "any": []}
    starts = {"bounce": 1_500, "title": max([1_999, *(m for _, _, m, _ in people if m is not None)])}
    for i, (created, bounced, title, account) in enumerate(people):
        contacts.append(contact(f"C{i}", ago(created), account_id=account))
        if bounced is not None:
            did_.append(did(f"C{i}", ago(bounced), "bounce"))
            starts["bounce"] = max(starts["bounce"], bounced)
        if title is not None:
            moved.append(changed(f"C{i}", "job_title", "b", ago(title), old="a"))
    moved.append(changed("C99", "job_title", "A ", ago(1_999), old="a"))
    starts["any"] = min(starts.values())
    for created, bounced, title, _ in people:
        for what, events in (("bounce", [bounced]), ("title", [title]), ("any", [bounced, title])):
            event = max((e for e in events if e is not None), default=None)
            begin = min(created, starts[what])
            if event is None or event < begin:
                expected[what].append((event is not None, (begin - (event or 0)) / 365.25))
    history = History(contacts=contacts, activities=did_, changes=moved)
    if not any(b is not None for _, b, _, _ in people):
        assert measure_decay(tables(history, con), NIGHT)[0].unknown == "no activity type is a bounce"
        return
    found = measure_decay(tables(history, con), NIGHT)
    assert found[2].unknown == "account_id has no history in changes"
    for decay, what in ((found[0], "bounce"), (found[1], "title"), (found[3], "any")):
        events, years = sum(e for e, _ in expected[what]), sum(t for _, t in expected[what])
        assert decay.events == events
        assert decay.years == pytest.approx(years)
        if years >= 10:
            assert decay.share == pytest.approx(1 - math.exp(-events / years))
            assert decay.low <= decay.share <= decay.high
        else:
            assert decay.share is None


def test_the_interval_of_decay_covers_the_rate_that_made_it(con):
    rng, covered = np.random.default_rng(5), 0
    for _ in range(10):
        gone = rng.exponential(365.25 / 0.3, 200)
        history = History(
            contacts=[contact(f"C{i}", NIGHT - 800 * DAY) for i in range(200)],
            activities=[did("C0", NIGHT - 801 * DAY)]
            + [did(f"C{i}", NIGHT - int((800 - d) * DAY), "bounce") for i, d in enumerate(gone) if d < 800],
        )
        found = measure_decay(tables(history, con), NIGHT)[0]
        covered += found.low <= 1 - math.exp(-0.3) <= found.high
        assert found.high - found.low < 0.15
    assert covered >= 8


def test_stuck_are_those_beyond_nine_in_ten_of_those_who_moved_on(con):
    history = History(
        contacts=[contact(f"C{i:02}", OLD) for i in range(40)],
        changes=[changed(f"C{i:02}", "lifecycle_stage", "lead", NIGHT - 100 * DAY) for i in range(30)]
        + [changed(f"C{i:02}", "lifecycle_stage", "customer", NIGHT - (100 - i) * DAY) for i in range(1, 22)]
        + [changed(f"C{i:02}", "lifecycle_stage", "lead", NIGHT - DAY) for i in range(22, 24)]
        + [changed(f"C{i:02}", "lifecycle_stage", "lead", NIGHT - 5 * DAY) for i in range(30, 40)]
        + [changed("C39", "lifecycle_stage", "customer", NIGHT + DAY)],
    )
    (found,) = find_stuck(tables(history, con), NIGHT)
    assert (found.stage, found.moved_on, found.days) == ("lead", 21, 19.0)
    assert (found.in_stage, found.contacts) == (19, 9)
    assert found.examples == ("C00", "C22", "C23", "C24", "C25")


def test_what_was_before_the_first_change_counts_from_creation(con):
    moved = [changed(f"C{i:02}", "lifecycle_stage", "lead", NIGHT - DAY, old="subscriber") for i in range(20)]
    history = History(contacts=[contact(f"C{i:02}", NIGHT - (i + 2) * DAY) for i in range(20)], changes=moved)
    (found,) = find_stuck(tables(history, con), NIGHT)
    assert (found.stage, found.moved_on, found.contacts) == ("subscriber", 20, 0)
    assert found.days == pytest.approx(np.quantile(np.arange(1, 21), 0.9))
    assert find_stuck(tables(History(contacts=[contact()]), con), NIGHT) == ()


def test_whom_not_to_pay_for_and_what_it_would_cost(con):
    ids = {
        "C1": ({"lifecycle_stage": "partner"}, None),
        "C2": ({}, (0.3, "pursue", "very high", "SQL")),
        "C3": ({}, (0.2, "disengage", "low", "prospect")),
        "C4": ({}, (0.01, "nurture", "low", "prospect")),
        "C5": ({}, (0.02, "disengage", "low", "prospect")),
        "C6": ({}, (0.02, "disengage", "low", "opportunity")),
        "C7": ({"marketing_status": "non-marketing"}, None),
        "C8": ({}, (0.9, "pursue", "very high", "SQL")),
        "C9": ({}, (0.04, "disengage", "low", "prospect")),
    }
    history = History(
        contacts=[contact(i, OLD, account_id="A1" if i in ("C5", "C9") else None, **c) for i, (c, _) in ids.items()],
        activities=[
            did("C2", NIGHT - 9, "hard bounce"),
            did("C2", NIGHT - 8, "page_view"),
            did("C3", NIGHT - 9, "unsubscribe"),
            did("C5", NIGHT - 8, "unsubscribe"),
            did("C5", NIGHT - 7, "form_submission"),
            did("C8", NIGHT - 9, "hard bounce"),
            did("C8", NIGHT - 8, "email_open"),
            did("C9", NIGHT - 8, "page_view"),
        ],
        deals=[won("D1", NIGHT + 1, contact_id="C6", created_at=OLD)],
    )
    scores = pd.DataFrame([(i, *s) for i, (_, s) in ids.items() if s is not None], columns=SCORES)
    told = proposals(tables(history, con), config(), NIGHT, scores).set_index("contact_id")["reason"].to_dict()
    assert told == {
        "C1": "staff or partner",
        "C2": "bounced",
        "C3": "opted out",
        "C4": "nothing for a year, and unlikely to close",
        "C5": "low fit and low interest",
        "C9": "low fit and low interest",
    }
    found = {p.reason: p for p in examined(con, history, scores).marketing}
    assert (found["staff or partner"].contacts, found["staff or partner"].unscored) == (1, 1)
    assert found["low fit and low interest"].expected == pytest.approx(0.06)
    total = found["all of these"]
    assert (total.contacts, total.unscored) == (6, 1)
    assert total.expected == pytest.approx(0.57)
    assert total.low <= total.expected <= total.high
    assert examined(con, history).marketing == ()


def test_the_demo_holds_what_its_tables_hold(tmp_path):
    """Counted again from the demo's own tables, by hand."""
    made = generate(contacts=900, seed=4, out=tmp_path)
    source = {"kind": "duckdb", "path": str(made.database)}
    names = ("contacts", "accounts", "activities", "deals", "changes")
    config_ = Config.model_validate({"source": {**source, "tables": {n: {"table": n} for n in names}}})
    night = instant(date(2026, 6, 30), "UTC")
    with open_store() as con_:
        found = examine(read_tables(config_, con_, now=night), config_, night)
    with duckdb.connect(str(made.database)) as con_:
        people, firms, done = (con_.table(n).df() for n in ("contacts", "accounts", "activities"))
    assert found.contacts == len(people) == 900
    nobody = int((firms["employees"] <= 0).sum())
    assert nobody > 0
    assert [n.count for n in found.impossible if n.where == "accounts.employees"] == [nobody]
    joined = people.merge(firms, on="account_id", how="left")
    words = joined[["job_title", "country", "source", "industry", "employees"]].notna().sum(axis=1)
    assert found.known == int((joined["email"].notna() & (words >= 3)).sum())
    bounced = done[done["type"] == "bounce"]["contact_id"].nunique()
    assert found.decay[0].events == bounced > 0
    missing = {f"{m.table}.{m.column}": m.count for m in found.missing}
    assert missing["contacts.email"] == people["email"].isna().sum() > 0
    assert "contacts.seniority" not in missing
    key = [
        (re.sub(r"\W+", " ", n).lower(), re.sub(r" (Ltd|Inc|GmbH|SA|BV|LLC)$", "", c).lower())
        for n, c in joined.loc[joined["account_id"].notna(), ["name", "company_name"]].to_numpy()
    ]
    double = [n for n in Counter(key).values() if n > 1]
    assert (found.duplicates[1].groups, found.duplicates[1].contacts) == (len(double), sum(double))
    assert grouped(sorted(done["type"].unique()), config_.features.groups)["negative"][0] == "bounce"
    addresses = set(people["email"].dropna()) | set(people["name"].dropna())
    assert not any(a in repr(found) for a in addresses)
