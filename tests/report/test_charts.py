import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.report.charts import WIDTH, Scale, driver_chart, gain_chart, reliability_chart, tier_chart
from predictive.report.evidence import Bin, read_evidence
from predictive.report.summary import Driver
from predictive.report.work import Group

SHARES = st.floats(0, 1)


@st.composite
def bins(draw):
    low, actual, high = sorted(draw(st.tuples(SHARES, SHARES, SHARES)))
    n = draw(st.integers(1, 10**6))
    return Bin(draw(SHARES), actual, low, high, n, draw(st.integers(0, n)))


@given(st.lists(bins(), min_size=1, max_size=10))
def test_every_mark_lies_in_the_frame_and_above_the_diagonal_where_more_closed_than_predicted(found):
    chart = reliability_chart(found)
    for b, mark in zip(found, chart.marks, strict=True):
        assert chart.x.start <= mark.x <= chart.x.end
        assert chart.y.end <= mark.high <= mark.y <= mark.low <= chart.y.start
        on_diagonal = chart.y(b.predicted)
        assert (mark.y < on_diagonal - 0.1) <= (b.actual > b.predicted) <= (mark.y <= on_diagonal)


@given(st.floats(1e-3, 1), st.sampled_from([0.5, 1.0]))
def test_ticks_begin_at_zero_do_not_crowd_and_stay_on_the_axis(most, power):
    ticks = Scale(most, 50, 400, power).ticks()
    places = sorted(tick.at for tick in ticks)
    assert places[0] == 50
    assert places[-1] <= 400
    assert all(b - a >= 24 for a, b in pairwise(places))
    assert all(abs(Scale(most, 50, 400, power)(float(t.text) / 100) - t.at) < 0.11 for t in ticks)


def test_gain_lines_run_from_nothing_worked_to_everything_found(report):
    chart = gain_chart(read_evidence(report))
    assert [line.name for line in chart.lines] == ["model", "logistic", "rules"]
    for line in chart.lines:
        numbers = [float(x) for x in re.findall(r"[\d.]+", line.path)]
        assert numbers[:2] == [chart.x.start, chart.y.start]
        assert numbers[-2:] == [chart.x.end, chart.y.end]
    model, rules = (dict(re.findall(r"([\d.]+) ([\d.]+)", line.path)) for line in (chart.lines[0], chart.lines[2]))
    assert float(model[f"{chart.guide:g}"]) == chart.y(0.5) < float(rules[f"{chart.guide:g}"]) == chart.y(0.3)


def test_bars_are_as_long_as_their_shares():
    groups = [Group("high", 25, 3.0, 0, 0), Group("low", 75, 1.0, 0, 0)]
    assert [(b.kind, b.width, b.text.replace("\u00a0", " ")) for b in tier_chart(groups).bars] == [
        ("contacts", 87.5, "25 %"), ("closes", 262.5, "75 %"), ("contacts", 262.5, "75 %"), ("closes", 87.5, "25 %"),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.text(min_size=1, max_size=200), st.just(0.0) | st.floats(1e-6, 20)), max_size=30))
def test_bars_of_any_features_neither_overlap_nor_leave_the_chart(drivers):
    ordered = sorted(drivers, key=lambda d: -d[1])
    chart = driver_chart([Driver("name", text, "fit", mean) for text, mean in ordered])
    if chart is None:
        assert sum(mean for _, mean in ordered) == 0
        return
    assert len(chart.bars) <= 12
    assert all(0 < bar.width <= WIDTH for bar in chart.bars)
    ends = [bar.top + 14 for bar in chart.bars]
    assert all(bar.start >= end for bar, end in zip(chart.bars[1:], ends, strict=False))
    assert ends[-1] <= chart.height


@pytest.mark.parametrize("nothing", [reliability_chart([]), tier_chart([Group("low", 0, 0.0, 0, 0)]), driver_chart([])])
def test_there_is_no_chart_of_nothing(nothing):
    assert nothing is None
