from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.actions import quadrant_of
from predictive.config import CapacityChoice, Config, Grid, Quadrants
from predictive.errors import ModelError
from predictive.quadrants import cell, cuts_at, cuts_of, quadrant, tier
from predictive.spread import spread_of
from predictive.tables import TIERS

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


PROBABILITIES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)
LINES = st.lists(st.floats(0.001, 0.999), min_size=3, max_size=3, unique=True).map(sorted)


def configured(**quadrants):
    tables = {"contacts": {"file": "c.csv"}, "deals": {"file": "d.csv"}}
    source = {"kind": "files", "path": Path(), "tables": tables}
    return Config(source=source, quadrants=quadrants, capacity=CapacityChoice(per_week=37))


@given(PROBABILITIES, LINES, LINES)
def test_every_cell_collapses_to_the_quadrant(axes, fits, interests):
    fit, interest = np.array(axes).T
    # Contacts that lie exactly on a line are where a mistake would show.
    fit, interest = np.r_[fit, fits], np.r_[interest, interests]
    cuts = replace(
        cuts_at(0.03), fit=fits[1], interest=interests[1],
        fit_grid=(fits[2], fits[0]), interest_grid=(interests[2], interests[0]),
    )  # fmt: skip
    cells = cell(fit, interest, cuts)
    assert [quadrant_of(c) for c in cells] == quadrant(fit, interest, cuts).tolist()


@given(PROBABILITIES, LINES)
def test_a_better_contact_is_never_in_a_worse_cell(axes, lines):
    fit, interest = np.sort(np.array(axes), axis=0).T
    grid = (lines[2], lines[0])
    cells = cell(
        fit, interest, replace(cuts_at(0.1), fit=lines[1], interest=lines[1], fit_grid=grid, interest_grid=grid)
    )
    assert [c[0] for c in cells] == sorted((c[0] for c in cells), reverse=True)
    assert [c[1] for c in cells] == sorted((c[1] for c in cells), reverse=True)


def test_without_a_grid_or_an_axis_there_is_no_cell():
    axes = np.array([0.1, np.nan]), np.array([0.1, 0.1])
    assert cell(*axes, CUTS).tolist() == [None, None]
    grid = replace(CUTS, fit_grid=(0.05, 0.01), interest_grid=(0.05, 0.01))
    assert cell(*axes, grid).tolist() == ["A1", None]


def test_by_lift_each_axis_is_cut_at_its_multiple_of_the_base_rate():
    found = cuts_of(CUTS, None, configured(by="lift", fit=2, grid={"fit": [4, 0.5], "interest": [3, 0.5]}))
    assert (found.fit, found.interest) == pytest.approx((0.06, 0.03))
    assert found.fit_grid == pytest.approx((0.12, 0.015))
    assert found.interest_grid == pytest.approx((0.09, 0.015))
    assert found.tiers == CUTS.tiers
    assert cuts_of(CUTS, None, configured()) == CUTS


@pytest.mark.parametrize("contacts", [1, 10, 999, 1_001, 30_000])
def test_by_share_that_share_of_the_contacts_is_high(contacts):
    random = np.random.default_rng(contacts)
    fit, interest = random.beta(1, 20, (2, contacts))
    grid = {"fit": [0.02, 0.6], "interest": [0.01, 0.9]}
    cuts = cuts_of(CUTS, spread_of(fit, interest), configured(by="share", fit=0.1, interest=0.3, grid=grid))
    for values, cut, share in ((fit, cuts.fit, 0.1), (interest, cuts.interest, 0.3), (fit, cuts.fit_grid[1], 0.6)):
        assert abs((values > cut).sum() - share * contacts) <= max(0.5, 0.01 * share * contacts)


def test_contacts_of_a_sample_stand_for_those_that_were_left_out():
    random = np.random.default_rng(3)
    fit, interest = random.beta(1, 20, (2, 40_000))
    drawn = random.random(40_000) < 0.25
    whole, some = spread_of(fit, interest), spread_of(fit[drawn], interest[drawn], each=40_000 / drawn.sum())
    assert some.contacts == whole.contacts
    for wanted in (100, 1_000, 10_000):
        assert some.cut("both", contacts=wanted) == pytest.approx(whole.cut("both", contacts=wanted), rel=0.06)
    assert spread_of(fit, interest, each=1.0) == whole


@given(st.integers(1, 400), st.integers(0, 9))
def test_by_capacity_pursue_holds_as_many_as_can_be_worked_and_never_more(contacts, seed):
    random = np.random.default_rng(seed)
    fit, interest = random.beta(1, 20, (2, contacts)).round(3)  # rounded, so that some tie
    cuts = cuts_of(CUTS, spread_of(fit, interest), configured(by="capacity"))
    pursue = (quadrant(fit, interest, cuts) == "pursue").sum()
    assert pursue <= 37
    tied = (np.minimum(fit, interest) == cuts.fit).sum()
    assert pursue + tied >= min(37, contacts)
    assert cuts.fit == cuts.interest


def test_shares_of_a_bundle_that_kept_no_scores_ask_for_a_training():
    with pytest.raises(ModelError, match=r"it was trained before they were kept\. Train again, or cut by lift$"):
        cuts_of(CUTS, None, configured(by="share", fit=0.1, interest=0.1))


def test_an_axis_that_is_null_has_no_cut_and_its_contacts_stay_unknown():
    fit, interest = np.array([np.nan, np.nan]), np.array([0.1, 0.2])
    cuts = cuts_of(CUTS, spread_of(fit, interest), configured(by="share", fit=0.5, interest=0.5))
    assert quadrant(fit, interest, cuts).tolist() == ["unknown", "unknown"]
    assert cuts.interest == 0.1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"by": "share", "fit": 0.2}, "by: share needs fit and interest"),
        ({"by": "share", "fit": 0.2, "interest": 20}, "each a share of contacts between 0 and 1"),
        ({"by": "capacity", "fit": 1}, "by: capacity finds the cuts itself; leave fit out"),
        ({"grid": {"fit": [2, 1.5], "interest": [2, 0.5]}}, "grid.fit: the first line lies above the cut 1"),
        (
            {"by": "share", "fit": 0.2, "interest": 0.2, "grid": {"fit": [0.5, 0.1], "interest": [0.1, 0.5]}},
            "grid.fit: shares grow outwards",
        ),
        ({"actions": {"persue": {"owner": "sales"}}}, "'persue' is no quadrant or cell; did you mean \"pursue\"?"),
        ({"actions": {"A1": {"owner": "sales"}}}, "actions.A1: a cell needs a grid"),
    ],
)
def test_cuts_that_make_no_sense_are_refused(given, said):
    with pytest.raises(ValueError, match=said.replace(".", r"\.").replace("?", r"\?")):
        Quadrants.model_validate(given)


def test_the_lines_of_a_grid_never_cross_the_cut():
    """Shares that fall on one value of an axis with few of them."""
    fit = np.repeat([0.01, 0.02], 50)
    grid = Grid(fit=(0.1, 0.9), interest=(0.1, 0.9))
    cuts = cuts_of(CUTS, spread_of(fit, fit), configured(by="share", fit=0.2, interest=0.2, grid=grid.model_dump()))
    assert [quadrant_of(c) for c in cell(fit, fit, cuts)] == quadrant(fit, fit, cuts).tolist()
