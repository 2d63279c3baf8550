import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from predictive.clock import DAY, from_micros, parse_instant, to_micros
from predictive.config import DuckdbSink
from predictive.history import drift_of
from predictive.learning import learn, prepare
from predictive.model.drift import corrected, follow
from predictive.model.scoring import log_odds
from predictive.quadrants import quadrant, tier
from predictive.serve import score
from predictive.sinks import open_sink

pytest_plugins = ["tests.trained"]

NIGHTS = ["2025-09-01", "2025-10-01", "2025-11-01", "2025-12-06"]


def micros(text):
    return to_micros(parse_instant(f"{text}T00:00:00+00:00"))


@pytest.fixture(scope="module")
def nights(tiny, opened, tmp_path_factory):
    """A model of September 2025, and the sink that three more months of nights wrote to."""
    folder = tmp_path_factory.mktemp("nights")
    path = tiny(folder, snapshots={"every": "month"})
    with opened(path) as (config, con, tables, _):
        early = config.model_copy(update={"observed_until": parse_instant(NIGHTS[0])})
        bundle = learn(prepare(tables, early, now=micros(NIGHTS[0])), early, now=micros(NIGHTS[0])).bundle
        sink = open_sink(DuckdbSink(kind="duckdb", path=folder / "nights.duckdb"))
        scored = []
        for text in NIGHTS:
            night = micros(text)
            scored.append(score(con, tables, config, bundle, sink, now=night + DAY // 4, as_of=night, force=True))
        yield config, con, tables, bundle, sink, scored


@pytest.fixture(scope="module")
def drift(nights):
    """The drift by a night, from a history."""
    config, con, tables, bundle, _, _ = nights

    def find(history, *, night=NIGHTS[-1], bundle=bundle):
        return drift_of(con, tables, config, bundle, history, night=micros(night), now=micros(night))

    return find


def written(sink, night):
    history = sink.read_history()
    rows = history[(history["night"] == pd.Timestamp(night, tz="UTC")) & history["probability"].notna()]
    return rows.reset_index(drop=True)


def outcomes(rows, folder):
    """The slow, obvious way: look for a won deal in the 30 days after each score."""
    deals = pd.read_csv(folder / "deals.csv", parse_dates=["closed_at"]).set_index("contact_id")
    closed = rows["contact_id"].map(deals["closed_at"]).dt.tz_localize("UTC")
    inside = (closed > rows["as_of"]) & (closed <= rows["as_of"] + pd.Timedelta(days=30))
    return pd.DataFrame(
        {
            "contact_id": rows["contact_id"],
            "as_of": rows["as_of"].astype("datetime64[us, UTC]").astype("int64"),
            "log_odds": log_odds(rows["uncorrected"].to_numpy()),
            "label": inside.astype(int),
            "deal_id": rows["contact_id"].where(inside),
        }
    )


def test_a_night_is_corrected_by_the_scores_that_have_matured_by_then(nights):
    config, _, _, bundle, sink, scored = nights
    assert [s.hindsight for s in scored] == [False] * 4
    assert scored[0].drift.startswith("no drift correction")
    first = written(sink, NIGHTS[0])
    np.testing.assert_array_equal(first["probability"], first["uncorrected"])
    past = pd.concat([written(sink, night) for night in NIGHTS[:3]], ignore_index=True)
    expected = follow(outcomes(past, config.source.path), bundle.horizon)
    found = written(sink, NIGHTS[3])
    shift = expected.at(np.array([micros(NIGHTS[3])]))
    assert abs(shift[0]) > 0.01
    np.testing.assert_allclose(
        found["probability"], corrected(found["uncorrected"].to_numpy(), np.repeat(shift, len(found)))
    )
    assert f"from {expected.closes[-1]} matured closes" in scored[3].drift


def test_tiers_stand_still_and_the_cuts_of_the_axes_move_along(nights):
    _, _, _, bundle, sink, _ = nights
    found = written(sink, NIGHTS[3])
    shift = np.repeat(log_odds(found["probability"].to_numpy()[:1]) - log_odds(found["uncorrected"].to_numpy()[:1]), 2)
    moved = corrected(np.array([bundle.cuts.fit, bundle.cuts.interest]), shift)
    cuts = replace(bundle.cuts, fit=moved[0], interest=moved[1])
    assert (found["quadrant"] == quadrant(found["fit"].to_numpy(), found["interest"].to_numpy(), cuts)).all()
    assert (found["tier"] == tier(found["probability"].to_numpy(), bundle.cuts)).all()


def test_the_level_among_the_reasons_holds_the_correction(nights):
    _, _, _, _, sink, _ = nights
    found = written(sink, NIGHTS[3])
    for _, row in found.head(20).iterrows():
        parts = map(float, re.findall(r"\(([+-]\d+\.\d\d)\)", row["reasons"]))
        assert sum(parts) == pytest.approx(float(log_odds(np.array([row["probability"]]))[0]), abs=0.05)


def test_no_night_knows_what_matures_after_it(nights, drift):
    history, night = nights[4].read_history(), "2025-11-05"
    known = history[history["night"] <= pd.Timestamp(night, tz="UTC") - pd.Timedelta(days=30)]
    at = np.array([micros(night)])
    assert drift(history, night=night).at(at)[0] != 0
    np.testing.assert_array_equal(drift(history, night=night).at(at), drift(known).at(at))
    assert drift(history, night=night).times.max() <= at


@pytest.mark.parametrize(
    "spoil",
    [
        lambda h: h.assign(scored_at=h["scored_at"] + pd.Timedelta(days=3)),
        lambda h: h.assign(scored_at=h["scored_at"] - pd.Timedelta(days=1)),
        lambda h: h.assign(model_version="another"),
        lambda h: h.assign(contact_id=h["contact_id"] + "x"),
        lambda h: h.head(0),
    ],
    ids=["written too late", "written before its as-of", "of another model", "of a contact that is gone", "empty"],
)
def test_what_says_nothing_about_this_models_level_does_not_count(nights, drift, spoil):
    history = nights[4].read_history()
    assert len(drift(history).times) == 3
    assert len(drift(spoil(history)).times) == 0


def test_what_the_model_learned_from_does_not_count(nights, drift):
    _, _, _, bundle, sink, _ = nights
    report = bundle.report | {"shipped": bundle.report["shipped"] | {"known_until": "2025-10-15T00:00:00Z"}}
    found = drift(sink.read_history(), bundle=replace(bundle, report=report))
    assert [f"{from_micros(int(t)):%Y-%m-%d}" for t in found.times] == ["2025-12-01"]


def test_an_outcome_that_nobody_could_have_recorded_yet_is_not_taken_for_none(nights):
    config, con, tables, bundle, sink, _ = nights
    frozen = config.model_copy(update={"observed_until": parse_instant("2025-11-15")})
    late = drift_of(con, tables, frozen, bundle, sink.read_history(), night=micros(NIGHTS[-1]), now=micros(NIGHTS[-1]))
    assert len(late.times) == 2


def test_what_was_pending_at_the_training_counts_once_it_is_over(nights, drift):
    _, _, _, bundle, sink, _ = nights
    ids = written(sink, NIGHTS[0])["contact_id"].tail(200)
    rest = pd.DataFrame({"contact_id": ids, "as_of": micros("2025-08-25"), "log_odds": -5.0})
    waiting = replace(bundle, pending=rest)
    assert len(drift(sink.read_history(), bundle=waiting).times) == 4
    alone = drift(sink.read_history().head(0), bundle=waiting)
    assert f"{from_micros(int(alone.times[0])):%Y-%m-%d}" == "2025-09-24"
    assert alone.closes[0] > 0
    assert alone.shifts[0] > 0, "more closed than one in 150"
    assert not len(drift(sink.read_history().head(0), bundle=waiting, night="2025-09-23").times)
