import hashlib
import importlib
from collections import Counter
from dataclasses import replace
from datetime import date
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY, calendar, instant
from predictive.errors import DataError
from predictive.features import catalog
from predictive.features.build import features_at
from predictive.features.deals import wins
from predictive.features.examples import examples, share_to_keep
from predictive.model.thinned import LUCK, WEIGHT, in_sample, weight_of
from predictive.splits import decide
from tests.features.cases import FEATURES
from tests.features.histories import (
    NIGHT,
    History,
    at,
    by_contact,
    changed,
    config,
    contact,
    did,
    histories,
    make,
    parted,
    tables,
    won,
)
from tests.features.reference import attribute, count, touch
from tests.features.then import contact_then, label, seen, why_not

FEW = [
    count((), 30),
    touch("last"),
    attribute("plan"),
    attribute("seats", kind="number"),
    attribute("industry", "accounts"),
]
SOME = [
    f for f in FEATURES
    if f.name in {
        "any_count_30d", "page_view[pricing]_count_90d", "active_days_7d", "call_or_form_days_30d", "call_days_since",
        "first_touch_age_days", "any_intensity_7d", "any_trend", "last_touch", "any_value_30d",
        "call_or_form_value_mean_365d",
        "any_streak", "any_overdue", "breadth_90d", "record_changes_90d", "plan_changes", "days_in_lifecycle_stage",
        "colleagues_people", "colleagues_bought", "colleagues_active_90d", "colleagues_count_90d", "entry_month",
        "completeness", "record_age_days", "plan", "seats", "account_id", "account_industry",
    }
]  # fmt: skip
NAMES = [f.name for f in SOME]
assert len(NAMES) == 28
FIRST, LAST = NIGHT - 20 * DAY, NIGHT
ONE_WEEK = NIGHT - 6 * DAY
LEAD = ["contact_id", "as_of", "label", "deal_id", "closed_at", "cluster"]


def rows(frame):
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def as_ofs(history, settings_, first=FIRST, last=LAST):
    """Every pass of training: who exists, and as of when."""
    if hasattr(settings_.snapshots, "days"):
        passes = [
            {c["contact_id"]: c["created_at"] + d * DAY for c in history.contacts} for d in settings_.snapshots.days
        ]
    else:
        instants = calendar(first, last, settings_.snapshots.every, settings_.timezone)
        passes = [{c["contact_id"]: at for c in history.contacts if c["created_at"] <= at} for at in instants]
    return [{c: at for c, at in looked_at.items() if first <= at <= last} for looked_at in passes]


def expected(history, settings_):
    found, why = [], Counter()
    for looked_at in as_ofs(history, settings_):
        then = replace(history, at=looked_at)
        for c, as_of in looked_at.items():
            reason = why_not(then, c, settings_.eligibility, training=True)
            if reason is not None:
                why[reason] += 1
                continue
            account = contact_then(then, c, as_of)["account_id"]
            cluster = f"contact {c}" if account is None else f"account {account}"
            lead = {"contact_id": c, "as_of": as_of, "cluster": cluster}
            values = {feature.name: value(seen(then, c)) for feature, value in FEW}
            found.append(lead | label(then, c, settings_.eligibility.account_deals, settings_.horizon_micros) | values)
    return sorted(found, key=lambda row: (row["as_of"], row["contact_id"])), dict(why)


@settings(max_examples=5, deadline=None)
@given(histories(same_instant=True), st.sampled_from([{"every": "week"}, {"at": "age", "days": [0, 7, 90]}]))
def test_examples_equal_the_reference_on_any_history(con, history, snapshots):
    settings_ = config(snapshots=snapshots, timezone="Europe/Madrid", horizon="10d")
    found = examples(tables(history, con), settings_, [f for f, _ in FEW], first=FIRST, last=LAST)
    wanted, why = expected(history, settings_)
    assert rows(found.frame) == wanted
    assert found.not_eligible == why
    assert list(found.frame) == [*LEAD, *(f.name for f, _ in FEW)]
    outline = examples(tables(history, con), settings_, (), first=FIRST, last=LAST)
    assert outline.not_eligible == why
    pd.testing.assert_frame_equal(outline.frame, found.frame[LEAD])


def madrid(year, month, day):
    return instant(date(year, month, day), "Europe/Madrid")


@pytest.mark.parametrize(
    ("snapshots", "first", "last"),
    [
        ({"every": "week"}, madrid(2026, 3, 16), madrid(2026, 4, 6)),  # the clocks go forward on 29 March
        ({"every": "week"}, madrid(2026, 10, 12), madrid(2026, 11, 2)),  # and back on 25 October
        ({"every": "month"}, madrid(2026, 2, 1), madrid(2026, 5, 1)),
        ({"every": "month"}, madrid(2026, 9, 1), madrid(2026, 12, 1)),
        ({"at": "age", "days": [0, 7, 30, 90]}, NIGHT - 20 * DAY, NIGHT + 20 * DAY),
    ],
    ids=["weeks of March", "weeks of October", "months of spring", "months of autumn", "ages"],
)
@settings(max_examples=1, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_features_of_many_as_ofs_at_once_are_those_of_each_alone_bit_for_bit(con, snapshots, first, last, seed):
    """Whole days are added up once for all as-ofs; midnights on both sides of a change of the clocks share no days."""
    settings_ = config(
        snapshots=snapshots, timezone="Europe/Madrid", horizon="10d", eligibility={"customers": "include"}
    )
    instants = [NIGHT] if "days" in snapshots else calendar(first, last, snapshots["every"], "Europe/Madrid")
    rng = Random(seed)  # noqa: S311 - seeded, for tests
    history = make(rng, contacts=30, instants=instants)
    tables_ = tables(history, con)
    found = examples(tables_, settings_, SOME, first=first, last=last).frame
    looked_at = {(r["contact_id"], r["as_of"]) for r in rows(found)}
    assert looked_at >= {(c, t) for look in as_ofs(history, settings_, first, last) for c, t in look.items()} - {
        (c, t)
        for look in as_ofs(history, settings_, first, last)
        for c, t in look.items()
        if why_not(replace(history, at=look), c, settings_.eligibility, training=True) is not None
    }
    together = {(r["contact_id"], r["as_of"]): r for r in rows(found[["contact_id", "as_of", *NAMES]])}
    for look in as_ofs(history, settings_, first, last):
        then = replace(history, at={c: t for c, t in look.items() if (c, t) in looked_at})
        alone = by_contact(features_at(tables_, at(then, "duckdb", con), SOME, won=wins(tables_, settings_)))
        expected = {c: {n: alone[c][n] for n in NAMES} for c in then.at}
        assert {c: {n: together[c, t][n] for n in NAMES} for c, t in then.at.items()} == expected


def in_parts(history, con, settings_, *, activities=100, contacts=20):
    """The examples of a history whose tables are cut into parts of so few rows, and how many parts there were."""
    # The package has a function of the module's name.
    arrange = importlib.import_module("predictive.sources.arrange")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrange, "ACTIVITIES_PER_PART", activities)
        patch.setattr(arrange, "CONTACTS_PER_PART", contacts)
        cut_up = parted(history, con)
    return examples(cut_up, settings_, SOME, first=ONE_WEEK, last=LAST), cut_up.parts


@settings(max_examples=2, deadline=None)
@given(histories(same_instant=True), st.sampled_from(["all", "most_active"]))
def test_tables_in_parts_give_the_same_examples_exactly(con, history, account_deals):
    settings_ = config(snapshots={"every": "week"}, horizon="10d", eligibility={"account_deals": account_deals})
    whole = examples(tables(history, con), settings_, SOME, first=ONE_WEEK, last=LAST)
    found, parts = in_parts(history, con, settings_)
    assert parts > 1 or len(history.contacts) <= 20
    assert repr(rows(found.frame)) == repr(rows(whole.frame))
    assert found.not_eligible == whole.not_eligible


def test_thinned_examples_are_some_of_all_with_every_close_and_weights_that_put_the_others_back(con):
    settings_ = config(snapshots={"every": "week"}, horizon="10d")
    history = make(Random(5), contacts=60, instants=[NIGHT])  # noqa: S311 - seeded, for tests
    deals = [won(closed_at=NIGHT - DAY, contact_id=c["contact_id"], deal_id=c["contact_id"]) for c in history.contacts]
    history = replace(history, deals=deals[:30])
    features = [f for f, _ in FEW]
    every = examples(tables(history, con), settings_, features, first=FIRST, last=LAST)
    thin = examples(tables(history, con), settings_, features, first=FIRST, last=LAST, share=0.4)
    assert thin.not_eligible == every.not_eligible
    luck = [
        int.from_bytes(hashlib.md5(f"{row.contact_id} {row.as_of}".encode()).digest()[8:], "little") / 2**64  # noqa: S324 - no secret
        for row in every.frame.itertuples()
    ]
    closed, lucky = every.frame["label"] == 1, np.array(luck) < 0.4
    assert closed.any()
    assert (closed & ~lucky).any()
    assert 0.2 < lucky.mean() < 0.6
    wanted = every.frame[closed | lucky].reset_index(drop=True)
    pd.testing.assert_frame_equal(thin.frame.drop(columns=[WEIGHT, LUCK]), wanted)
    assert in_sample(thin.frame).tolist() == lucky[closed | lucky].tolist()
    assert weight_of(thin.frame).tolist() == [1.0 if y else 2.5 for y in wanted["label"]]


def test_the_share_to_keep_is_of_all_pairs_of_contact_and_as_of(con):
    history = make(Random(5), contacts=300, instants=[NIGHT])  # noqa: S311 - seeded, for tests
    settings_ = config(snapshots={"every": "week"}, horizon="10d", model={"examples": 1_000})
    days = config(snapshots={"at": "age", "days": list(range(0, 60, 5))}, model={"examples": 1_000})
    for chosen in (settings_, days):
        pairs = sum(map(len, as_ofs(history, chosen, FIRST - 100 * DAY, LAST)))
        share = share_to_keep(tables(history, con), chosen, FIRST - 100 * DAY, LAST)
        assert share == min(1.0, 1_000 / pairs)
    assert share < 1


@pytest.mark.parametrize("today", [None, "elsewhere"])
def test_a_colleague_who_left_the_account_is_found_in_the_parts_too(con, today):
    """Of each of many accounts one contact has since left, to another account or to none; each was active before."""
    ids, moved = range(20), NIGHT + DAY
    history = History(
        contacts=[
            row
            for i in ids
            for row in (
                contact(f"stays {i}", NIGHT - 99 * DAY, account_id=f"a{i}"),
                contact(f"leaves {i}", NIGHT - 99 * DAY, account_id=today),
            )
        ],
        changes=[changed(f"stays {i}", "account_id", f"a{i}", NIGHT - 99 * DAY) for i in ids]
        + [changed(f"leaves {i}", "account_id", today, moved, old=f"a{i}") for i in ids],
        activities=[did(f"leaves {i}", NIGHT - 30 * DAY) for i in ids],
    )
    settings_ = config(snapshots={"every": "week"})
    found, parts = in_parts(history, con, settings_)
    assert parts > 1
    staying = found.frame[found.frame["contact_id"].str.startswith("stays")]
    assert staying["colleagues_people"].tolist() == [1] * len(staying)
    assert staying["colleagues_count_90d"].tolist() == [1] * len(staying)


@pytest.mark.parametrize("deals", [[], [won(closed_at=0, contact_id="c1")]], ids=["nobody there", "all customers"])
def test_where_nobody_is_eligible_there_are_columns_without_rows_and_one_clear_error(con, deals):
    created = 0 if deals else LAST + 1
    history = History(contacts=[contact(created_at=created)], deals=deals)
    settings_ = config(snapshots={"every": "week"})
    found = examples(tables(history, con), settings_, [catalog.record_age()], first=FIRST, last=LAST)
    assert (list(found.frame), len(found.frame)) == ([*LEAD, "record_age_days"], 0)
    assert found.not_eligible == ({"already closed": 3} if deals else {})
    with pytest.raises(DataError, match="Eligible examples: 0"):
        decide(found.frame, settings_, LAST)


def test_without_any_snapshot_in_the_time_there_are_columns_without_rows(con):
    found = examples(tables(History(contacts=[contact()]), con), config(), (), first=NIGHT, last=NIGHT + DAY)
    assert (list(found.frame), len(found.frame)) == (LEAD, 0)


def test_an_account_and_a_contact_of_one_id_are_two_clusters_and_the_account_is_that_of_then(con):
    history = History(
        contacts=[contact("x", account_id="y"), contact("z", account_id="x")],
        changes=[changed("z", "account_id", "x", NIGHT - 30 * DAY), changed("z", "account_id", "q", NIGHT)],
    )
    found = examples(tables(history, con), config(snapshots={"every": "week"}), (), first=FIRST, last=LAST)
    assert set(zip(found.frame["contact_id"], found.frame["cluster"], strict=True)) == {
        ("x", "contact x"),
        ("z", "account x"),
    }


def test_progress_counts_examples(con):
    said = []
    history = History(contacts=[contact(f"c{i}") for i in range(3)])
    examples(
        tables(history, con), config(snapshots={"every": "week"}), (), first=FIRST, last=LAST, progress=said.append
    )
    assert said == ["examples: 3", "examples: 6", "examples: 9"]


def test_the_order_of_passes_leaves_examples_ordered_by_as_of_and_contact(con):
    history = History(contacts=[contact("b", FIRST), contact("a", FIRST + DAY), contact("c", FIRST)])
    found = examples(
        tables(history, con), config(snapshots={"at": "age", "days": [7, 0]}), (), first=FIRST, last=LAST
    ).frame
    pd.testing.assert_frame_equal(found, found.sort_values(["as_of", "contact_id"], ignore_index=True))
    assert found["contact_id"].tolist() == ["b", "c", "a"] * 2
