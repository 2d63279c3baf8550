"""What people did: decisions against the model, answers in time, and the holdout."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.audit.holdout import effects
from predictive.audit.overrides import look_at_overrides, own_quadrants
from predictive.audit.touched import touched_in_time
from predictive.clock import to_micros
from predictive.config_file import load_config
from predictive.model.drift import corrected
from predictive.quadrants import cuts_at, quadrant
from predictive.sinks import Night, open_sink
from predictive.sources import read_tables
from predictive.store import open_store
from tests.sinks.conftest import Nights

START = pd.Timestamp("2026-01-10", tz="UTC")
OBSERVED = START + timedelta(days=60)
DEALS = {"won": 12, "late": 40, "soon": 5, "moved": 9}
CALLS = [("won", 1.3), ("late", 2.5), ("quick", 1.2), ("early", 0.5), ("mailed", 1.2), ("held", 1.1)]


class Timely(Nights):
    """Nights that are written three hours after their as-of."""

    def night(self, day, *, version="v1", eligible=0):
        as_of = (START + timedelta(days=day)).to_pydatetime()
        self.runs += 1
        return Night(f"run{self.runs}", as_of, as_of + timedelta(hours=3), version, eligible)


@pytest.fixture
def nights():
    made = Timely()
    yield made
    made.con.close()


@pytest.fixture
def crm(tmp_path):
    """A configuration, its working database and tables: contacts of the tests, calls and closes some days after."""
    ids = ["won", "late", "soon", "moved", "quick", "early", "mailed", "held", "none", "old"]
    contacts = pd.DataFrame({"contact_id": ids, "created_at": "2025-06-01"})
    contacts.to_csv(tmp_path / "contacts.csv", index=False)
    at = {i: START + timedelta(days=d) for i, d in DEALS.items()}
    deals = pd.DataFrame({"deal_id": list(at), "contact_id": list(at), "closed_at": list(at.values()), "is_won": True})
    deals.to_csv(tmp_path / "deals.csv", index=False)
    kinds = ["email_open" if i == "mailed" else "Sales call" for i, _ in CALLS]
    when = [START + timedelta(days=d) for _, d in CALLS]
    calls = pd.DataFrame({"contact_id": [i for i, _ in CALLS], "occurred_at": when, "type": kinds})
    calls.to_csv(tmp_path / "activities.csv", index=False)
    tables = {name: {"file": f"{name}.csv"} for name in ("contacts", "deals", "activities")}
    settings = {"source": {"kind": "files", "path": ".", "tables": tables}, "horizon": "30d"}
    settings |= {"sink": {"kind": "duckdb", "path": "scores.duckdb"}}
    (tmp_path / "crm.yaml").write_text(yaml.safe_dump(settings))
    config = load_config(tmp_path / "crm.yaml")
    with open_store() as con:
        yield config, con, read_tables(config, con, now=to_micros(OBSERVED))


def touched(crm, sink, observed=OBSERVED):
    config, con, tables = crm
    return touched_in_time(con, tables, config, sink.read_history(), observed=to_micros(observed))


IN, OUT = {"quadrant": "pursue"}, {"quadrant": "nurture"}
ENTER = ("won", "late", "quick", "early", "mailed", "none")


def test_a_touch_counts_from_the_night_of_entry_to_the_deadline_and_only_from_sales(crm, nights):
    sink = open_sink(crm[0].sink)
    nights.write(sink, 0, dict.fromkeys((*ENTER, "held"), OUT) | {"old": IN})
    nights.write(sink, 1, dict.fromkeys((*ENTER, "old"), IN) | {"held": IN | {"holdout": True}})
    found = touched(crm, sink)
    # Day 1 at midnight and 3 hours, and 24 hours to answer: to day 2.125. "late" was called at 2.5, "early" at 0.5.
    assert (found.types, found.entered, found.in_time) == (("Sales call",), 6, 2)
    assert found.share == pytest.approx((1 / 3, 0.0968, 0.7000), abs=1e-4)  # Wilson, of 2 in 6
    assert (found.touched.n, found.touched.closed) == (2, 1)  # "won"
    assert (found.untouched.n, found.untouched.closed) == (4, 0)  # "late" closed 39 days after: beyond the horizon
    assert (found.waiting, found.late) == (0, 0)
    one_day = START + timedelta(days=1, hours=20)
    before = touched(crm, sink, observed=one_day)
    assert (before.entered, before.share, before.waiting) == (0, None, 6)
    assert touched(crm, sink, observed=START + timedelta(days=20)).touched.n == 0  # not matured


def test_a_score_written_long_after_its_night_could_not_be_answered(crm):
    late = Nights()  # of November 2026, written 99 days after
    sink = open_sink(crm[0].sink)
    late.write(sink, 0, {"won": OUT})
    late.write(sink, 1, {"won": IN})
    found = touched(crm, sink, observed=START + timedelta(days=900))
    assert (found.entered, found.late, found.share) == (0, 1, None)
    late.con.close()


ANN = "ann until 2026-02-01: asked for a call until 2027-01-01: really"


def test_decisions_are_held_against_what_the_model_had_said(crm, nights):
    config, con, tables = crm
    sink = open_sink(config.sink)
    axes = {"fit": 0.01, "interest": 0.5}
    nights.write(sink, 0, {"soon": axes | {"quadrant": "opportunistic"}, "none": axes, "moved": axes})
    nights.write(
        sink, 1,
        {
            "soon": axes | IN | {"override": ANN, "probability": 0.25},
            "none": axes | IN | {"override": "ben until 2027-01-01: a hunch", "cell": "D4"},
            "moved": axes | OUT | {"override": "ann until 2027-01-01: retires", "model_version": "gone"},
        },
    )  # fmt: skip
    nights.write(sink, 2, {"soon": axes | IN | {"override": ANN, "probability": 0.9}, "none": axes, "moved": axes})
    bundles = {"v1": type("Kept", (), {"cuts": cuts_at(0.03), "spread": None})()}
    found = look_at_overrides(
        con, tables, config, sink.read_history(),
        observed=to_micros(OBSERVED), now=to_micros(OBSERVED), bundle_of=bundles.get,
    )  # fmt: skip
    assert (found.decisions, found.waiting) == (3, 0)
    told = [(a.author, a.decisions, a.in_force, a.expired) for a in found.authors]
    assert told == [("ann", 2, 1, 1), ("ben", 1, 1, 0)]
    # The first night of a decision counts; a cell says how it was; without the bundle nobody knows.
    decided = {(d.own, d.decided): (d.predicted, d.result.n, d.result.closed) for d in found.decided}
    assert decided == {
        ("opportunistic", "pursue"): (0.25, 1, 1),
        ("disengage", "pursue"): (0.1, 1, 0),
        ("not known", "nurture"): (0.1, 1, 1),
    }
    young = look_at_overrides(
        con, tables, config, sink.read_history(),
        observed=to_micros(START + timedelta(days=20)), now=to_micros(OBSERVED), bundle_of=bundles.get,
    )  # fmt: skip
    assert (young.decisions, young.waiting, young.decided) == (3, 3, ())


def test_the_models_own_quadrant_is_that_before_drift_correction(crm):
    random = np.random.default_rng(7)
    probability, fit, interest = random.beta(1, 20, (3, 500))
    shift = np.repeat([0.0, 0.8, -1.3, 0.2, 2.0], 100)
    rows = pd.DataFrame(
        {
            "probability": corrected(probability, shift), "uncorrected": probability, "cell": None,
            "fit": corrected(fit, shift), "interest": corrected(interest, shift), "model_version": "v1",
        }
    )  # fmt: skip
    kept = type("Kept", (), {"cuts": cuts_at(0.03), "spread": None})()
    found = own_quadrants(rows, crm[0], {"v1": kept}.get)
    assert found.tolist() == quadrant(fit, interest, cuts_at(0.03)).tolist()
    assert (quadrant(rows["fit"].to_numpy(), rows["interest"].to_numpy(), cuts_at(0.03)) != found).any()


def simulated(effect, seed):
    random = np.random.default_rng(seed)
    n = 8_000
    held = random.random(n) < 0.3
    label = random.random(n) < np.where(held, 0.05, 0.05 + effect)
    ids = [f"c{i}" for i in range(n)]
    place = random.choice(["pursue", "nurture"], n)
    return pd.DataFrame(
        {"contact_id": ids, "as_of": 0, "label": label.astype(int), "cluster": ids, "quadrant": place, "holdout": held}
    )


def test_the_effect_of_the_actions_is_found_where_there_is_one_and_not_where_there_is_none():
    everybody, chosen = effects(simulated(0.04, 1))
    assert (everybody.among, chosen.among) == ("all", "pursue")
    assert everybody.difference.low < 0.04 < everybody.difference.high
    assert everybody.in_words.endswith("luck is unlikely")
    found = [effects(simulated(0.0, seed))[0].difference for seed in range(40)]
    assert sum(e.low <= 0 <= e.high for e in found) >= 35


def test_without_a_holdout_there_is_no_effect_and_a_contact_counts_once():
    frame = simulated(0.04, 1)
    assert effects(frame.assign(holdout=False)) == ()
    twice = pd.concat([frame, frame.assign(as_of=1, label=1)])
    assert effects(twice) == effects(frame)
