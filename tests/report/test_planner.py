import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.report.evidence import read_evidence
from predictive.report.planner import closes_interval, level_error, plan

SCORES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=60)


def frame(rows):
    return pd.DataFrame(rows, columns=["probability", "rule_score"])


@pytest.fixture(scope="module")
def evidence(tiny_bundle):
    return read_evidence(tiny_bundle.report)


@given(rows=SCORES, wanted=st.integers(0, 100))
def test_the_plan_is_what_counting_down_the_lists_gives(evidence, rows, wanted):
    found = plan(frame(rows), evidence, wanted=wanted)
    assert found.steps[found.start].contacts == min(max(wanted, 1), len(rows))
    assert found.steps[-1].contacts == len(rows)
    ranked = sorted((p for p, _ in rows), reverse=True)
    for step in found.steps:
        listed = ranked[: step.contacts]
        assert step.cut_off == listed[-1]
        assert step.expected == pytest.approx(sum(listed))
        assert step.low <= step.high <= step.contacts
        assert step.by_rules == pytest.approx(by_rules(rows, step.contacts))


def by_rules(rows, n):
    """Closes among n contacts from the top of the rules' list, the mean over the order of those with equal points."""
    closes, left = 0.0, n
    for points in sorted({r for _, r in rows}, reverse=True):
        tied = [p for p, r in rows if r == points]
        taken = min(left, len(tied))
        closes += taken * sum(tied) / len(tied)
        left -= taken
    return closes


def test_the_interval_holds_what_comes_of_a_level_that_is_not_known():
    rng = np.random.default_rng(7)
    expected, level = 20.0, 0.2
    came = rng.poisson(expected * rng.gamma(1 / level**2, level**2, 20_000))
    low, high = closes_interval(expected, level, most=10**6)
    assert 0.95 <= np.mean((came >= low) & (came <= high)) < 0.97


def test_without_a_tested_level_there_is_no_interval(report):
    values = report["comparison"]["evaluations"]["model"]["values"]
    values["calibration_in_large"] = {"value": None, "low": None, "high": None}
    evidence = read_evidence(report)
    assert level_error(evidence) is None
    assert plan(frame([(0.5, 1)]), evidence, wanted=1).steps[0].low is None
