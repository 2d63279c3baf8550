import json
import re

import numpy as np
import pandas as pd
import pytest

from predictive.errors import DataError, NotEligibleError
from predictive.explain import explain
from predictive.model.bundle import load_bundle
from predictive.serve import night_of
from predictive.sinks import open_sink
from predictive.tonight import verdicts

pytest_plugins = ["tests.trained"]


@pytest.fixture(scope="module")
def session(demo, opened):
    with opened(demo.config) as (config, con, tables, now):
        yield config, con, tables, load_bundle(demo.bundle), night_of(config, tables, now=now, as_of=None)


@pytest.fixture(scope="module")
def written(session):
    return open_sink(session[0].sink).read_current().set_index("contact_id")


@pytest.fixture(scope="module")
def told(session, written):
    """The explanations of the best, the worst and a few others."""
    config, con, tables, bundle, night = session
    ranked = written.sort_values("probability").index
    return {i: explain(con, tables, config, bundle, i, night=night) for i in ranked[[0, 700, -2, -1]]}


def test_the_numbers_are_the_written_ones(told, written):
    for contact, found in told.items():
        row = written.loc[contact]
        for name, value in found.scores.items():
            assert value == row[name] or (value is None and pd.isna(row[name])), name
        assert set(found.scores) == set(written.columns) - {"as_of", "scored_at", "model_version", "run_id"}
        assert found.as_of == "2026-06-30T00:00:00Z"


def test_the_rules_alone_give_a_quadrant_beside_the_model(told):
    for found in told.values():
        high = found.scores["rule_fit"] >= 10, found.scores["rule_interest"] >= 20
        quadrants = {(True, True): "pursue", (True, False): "nurture", (False, True): "opportunistic"}
        assert found.rule_quadrant == quadrants.get(high, "disengage")
        assert any(line.endswith(f"by the rules alone {found.rule_quadrant}") for line in found.lines())


def test_reasons_and_level_sum_to_the_log_odds_of_the_probability(told):
    for found in told.values():
        assert sum(part for _, part in found.reasons) + found.level == pytest.approx(found.log_odds, abs=1e-9)
        assert 1 / (1 + np.exp(-found.log_odds)) == pytest.approx(found.scores["probability"], rel=1e-9)
        strength = [abs(part) for _, part in found.reasons]
        assert strength == sorted(strength, reverse=True)


def test_what_is_printed_sums_up_too(told):
    for found in told.values():
        lines = found.lines()
        start = lines.index("why the probability is what it is (log-odds)") + 1
        numbers = [float(line.split()[0]) for line in lines[start:]]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.005 * len(numbers))
        assert lines[-1].endswith(f"in sum, which is {found.scores['probability']:.2%}")


def test_rule_points_set_by_set_make_the_rule_score(told, session):
    bundle = session[3]
    fired = 0
    for found in told.values():
        assert [(s.name, s.points) for s in found.rules.sets] == [(r.name, r.points) for r in bundle.rules.sets]
        assert not found.rules.caps
        points = sum(s.given for s in found.rules.sets)
        assert points == found.scores["rule_total"]
        assert found.scores["rule_score"] == min(max(np.floor(points + 0.5), 0), 100)
        lines = found.lines()
        rules = lines[: next(i for i, line in enumerate(lines) if line.startswith("why the probability"))]
        shown = [line for line in rules if re.match(r"  [ +-]{1,6}[\d.]+  ", line)]
        assert len(shown) == sum(s.fired for s in found.rules.sets)
        fired += len(shown)
    assert fired > 3


def test_the_words_of_the_written_reasons_are_those_of_the_explanation(told, written):
    for contact, found in told.items():
        strongest, part = found.reasons[0]
        assert f"{strongest} ({part:+.2f})" in written.loc[contact, "reasons"]


def test_an_explanation_is_plain_values(told):
    for found in told.values():
        assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["contact_id"] == found.contact_id


def test_a_contact_that_is_not_scored_is_told_why(session, demo, run):
    config, con, tables, bundle, night = session
    out = verdicts(tables, config, night).dropna(subset="why").drop_duplicates("why")
    assert set(out["why"]) == set(demo.scoring.json["not_eligible"])
    for contact, why in zip(out["contact_id"], out["why"], strict=True):
        with pytest.raises(NotEligibleError, match=f"^{contact} is not scored as of 2026-06-30T00:00:00Z: {why}$"):
            explain(con, tables, config, bundle, contact, night=night)
    refused = run("explain", demo.config, out["contact_id"].iloc[0])
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"error: {out['contact_id'].iloc[0]} is not scored as of")


def test_an_unknown_contact_is_answered_with_the_nearest_ids(session, demo, run):
    config, con, tables, bundle, night = session
    with pytest.raises(DataError, match=r"there is no contact 'C9000042'; did you mean \"C\d{7}\" or "):
        explain(con, tables, config, bundle, "C9000042", night=night)
    refused = run("explain", demo.config, "nobody", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "error: there is no contact 'nobody'; " in refused.err


def test_the_command_tells_the_same_at_another_time(demo, run, session):
    config, con, tables, bundle, _ = session
    contact = "C0000001"
    found = explain(con, tables, config, bundle, contact, night=1_772_323_200_000_000)
    shown = run("explain", demo.config, contact, "--as-of", "2026-03-01")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == found.lines()
    assert shown.out.startswith(f"{contact}, as of 2026-03-01T00:00:00Z")
