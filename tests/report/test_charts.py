import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.evaluation.reliability import Bin
from predictive.report.bars import SHOWN, driver_chart, tier_chart
from predictive.report.charts import gain_chart, reliability_chart
from predictive.report.evidence import Point, read_evidence
from predictive.report.geometry import WIDTH, Scale
from predictive.report.language import load_language
from predictive.report.summary import Driver
from predictive.report.work import Group

SHARES = st.floats(0, 1)
ENGLISH = load_language("en")


@st.composite
def bins(draw):
    low, actual, high = sorted(draw(st.tuples(SHARES, SHARES, SHARES)))
    n = draw(st.integers(1, 10**6))
    return Bin(draw(SHARES), actual, low, high, n, draw(st.integers(0, n)))


@given(st.lists(bins(), min_size=1, max_size=10))
def test_every_mark_lies_in_the_frame_and_above_the_diagonal_where_more_closed_than_predicted(found):
    curve = [Point(b.predicted, b.actual, b.low, b.high) for b in found]
    chart = reliability_chart(found, curve, ENGLISH)
    x, y = chart.x.scale, chart.y.scale
    for b, mark in zip(found, chart.marks, strict=True):
        assert x.start <= mark.x <= x.end
        assert y.end <= mark.high <= mark.y <= mark.low <= y.start
        on_diagonal = y(b.predicted)
        assert (mark.y < on_diagonal - 0.1) <= (b.actual > b.predicted) <= (mark.y <= on_diagonal)


@given(st.floats(1e-3, 1), st.sampled_from([0.5, 1.0]))
def test_ticks_begin_at_zero_do_not_crowd_and_stay_on_the_axis(most, power):
    scale = Scale(most, 50, 400, power)
    places = sorted(scale(share) for share in scale.marks())
    assert places[0] == 50
    assert places[-1] <= 400
    assert all(b - a >= 24 for a, b in pairwise(places))


def test_gain_lines_run_from_nothing_worked_to_everything_found(report):
    chart = gain_chart(read_evidence(report), ENGLISH)
    x, y = chart.x.scale, chart.y.scale
    assert [line.name for line in chart.lines] == ["model", "logistic", "rules"]
    for line in chart.lines:
        numbers = [float(x) for x in re.findall(r"[\d.]+", line.path)]
        assert numbers[:2] == [x.start, y.start]
        assert numbers[-2:] == [x.end, y.end]
    model, rules = (dict(re.findall(r"([\d.]+) ([\d.]+)", line.path)) for line in (chart.lines[0], chart.lines[2]))
    assert float(model[f"{chart.guide:g}"]) == y(0.5) < float(rules[f"{chart.guide:g}"]) == y(0.3)


def test_bars_are_as_long_as_their_shares():
    groups = [Group("high", 25, 3.0, 0, 0, 0), Group("low", 75, 1.0, 0, 0, 0)]
    assert [(b.kind, b.width, b.text.replace("\u00a0", " ")) for b in tier_chart(groups, ENGLISH).bars] == [
        ("contacts", 82.5, "25 %"), ("closes", 247.5, "75 %"), ("contacts", 247.5, "75 %"), ("closes", 82.5, "25 %"),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.text(min_size=1, max_size=200), st.just(0.0) | st.floats(1e-6, 20)), max_size=30))
def test_bars_of_any_features_neither_overlap_nor_leave_the_chart(drivers):
    ordered = sorted(drivers, key=lambda d: -d[1])
    chart = driver_chart([Driver("name", text, "fit", mean) for text, mean in ordered], ENGLISH)
    if chart is None:
        assert sum(mean for _, mean in ordered) == 0
        return
    assert len(chart.bars) <= SHOWN
    assert all(0 < bar.width <= WIDTH for bar in chart.bars)
    ends = [bar.top + 14 for bar in chart.bars]
    starts = [min(word.y - 14 for word in bar.label) for bar in chart.bars]
    assert all(start >= end for start, end in zip(starts[1:], ends, strict=False))
    assert ends[-1] <= chart.height


@pytest.mark.parametrize(
    "nothing",
    [
        reliability_chart([], [], ENGLISH),
        tier_chart([Group("low", 0, 0.0, 0, 0, 0)], ENGLISH),
        driver_chart([], ENGLISH),
    ],
)
def test_there_is_no_chart_of_nothing(nothing):
    assert nothing is None
