import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.quadrants import ACTIONS, cuts_at, quadrant, tier
from predictive.tables import QUADRANTS, TIERS

CUTS = cuts_at(0.03)
ABOVE, BELOW = np.nextafter(0.03, 1), np.nextafter(0.03, 0)


@pytest.mark.parametrize(
    ("fit", "interest", "name"),
    [
        (ABOVE, ABOVE, "pursue"),
        (ABOVE, 0.03, "nurture"),
        (0.03, ABOVE, "opportunistic"),
        (0.03, 0.03, "disengage"),
        (np.nan, ABOVE, "unknown"),
        (ABOVE, np.nan, "unknown"),
        (np.nan, np.nan, "unknown"),
        (0.0, 1.0, "opportunistic"),
    ],
)
def test_high_is_strictly_above_the_base_rate_and_a_missing_axis_is_unknown(fit, interest, name):
    assert quadrant(np.array([fit]), np.array([interest]), CUTS).tolist() == [name]


@pytest.mark.parametrize(
    ("probability", "name"),
    [(1.0, "very high"), (0.12, "very high"), (np.nextafter(0.12, 0), "high"), (0.06, "high"),
     (np.nextafter(0.06, 0), "medium"), (0.03, "medium"), (BELOW, "low"), (0.0, "low")],
)  # fmt: skip
def test_a_tier_begins_at_four_two_and_one_times_the_base_rate(probability, name):
    assert tier(np.array([probability]), CUTS).tolist() == [name]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0.001, 0.5))
def test_a_higher_probability_is_never_in_a_lower_tier(probabilities, base_rate):
    found = tier(np.sort(probabilities), cuts_at(base_rate))
    ranks = [TIERS.index(name) for name in found]
    assert ranks == sorted(ranks, reverse=True)


def test_every_quadrant_has_an_action():
    assert set(ACTIONS) == set(QUADRANTS)
