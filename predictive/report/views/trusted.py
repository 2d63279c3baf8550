"""Can it be trusted: predicted against actual closes, gain, rules against model, and where it fails."""

from __future__ import annotations

from predictive.audit import Line
from predictive.report.blocks import Block, Cell, Column, Figure, Panel, Point, Points, Section, Table, Text
from predictive.report.charts import gain_chart, reliability_chart
from predictive.report.evidence import COMPETITORS, OPPONENTS, Estimate, Evidence, Measured, outcome
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Group, Summary
from predictive.report.views.tables import heads, table

WORKED = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
PLACES = {"log_loss": 3, "brier": 4, "roc_auc": 3, "average_precision": 3, "lift_at_10": 2, "calibration_in_large": 2}
VERSUS = {"calibration_in_large": 1.0, "lift_at_10": 1.0, "roc_auc": 0.5}
LUCK = 0.05


def trusted_section(summary: Summary, say: Language) -> Section:
    """The whole section."""
    found, making = summary.evidence, summary.making
    intro = say(
        "trusted.intro",
        day=say.day(making.test_from),
        examples=say("unit.example", found.n),
        closed=say.count(found.labelled),
        share=say.percent(found.base_rate),
        deals=say("unit.won_deal", found.closes),
    )
    panels = [_reliability(found, say), _gain(found, say), *_audited(summary, say), _compared(found, say)]
    groups = [Panel(_groups_title(summary.groups, say), _groups(summary.groups, say))] if summary.groups else []
    return Section("trust", say("trusted.title"), (*panels, *groups), (Text(intro),))


def _reliability(found: Evidence, say: Language) -> Panel:
    bins, title = found.bins["model"], _reliability_title(found, say)
    chart = reliability_chart(bins, found.curve, say)
    if chart is None:
        return Panel(title, (), half=True)
    cells = [
        [
            say.percent(b.predicted),
            say.percent(b.actual),
            say.percent_range(b.low, b.high),
            say.count(b.n),
            say.count(b.closes),
        ]
        for b in reversed(bins)
    ]
    columns = heads(say, "reliability", ("predicted", "closed", "interval", "examples", "deals"))
    numbers = table("reliability", say("reliability.table"), columns, cells, folded=True)
    return Panel(
        title, (Figure("reliability", title, chart, say("reliability.caption"), numbers, say("page.steps")),), half=True
    )


def _reliability_title(found: Evidence, say: Language) -> str:
    """How many groups closed as often as predicted."""
    bins = found.bins["model"]
    if not bins:
        return say("reliability.none")
    more = sum(not b.as_predicted and b.actual > b.predicted for b in bins)
    less = sum(not b.as_predicted and b.actual < b.predicted for b in bins)
    right = len(bins) - more - less
    if right == len(bins):
        return say("reliability.right", right)
    parts = [say(f"reliability.{name}", n) for name, n in (("more", more), ("less", less)) if n]
    return say("reliability.some", right, groups=say("unit.group", len(bins)), others=say.listed(parts))


def _gain(found: Evidence, say: Language) -> Panel:
    chart, title = gain_chart(found, say), _gain_title(found, say)
    if chart is None:
        return Panel(title, (), half=True)
    cells = []
    for share in WORKED:
        values = [found.found_at(name, share) for name in COMPETITORS]
        lift = None if values[0] is None else values[0] / share
        cells.append([say.percent(share), *map(say.percent, values), f"×{say.number(lift, 1)}"])
    first, last = heads(say, "gain", ("worked", "lift"))
    columns = (first, *(Column(say(f"competitor.{n}")) for n in COMPETITORS), last)
    numbers = table("gain", say("gain.table"), columns, cells, folded=True)
    return Panel(title, (Figure("gain", title, chart, say("gain.caption"), numbers, say("page.steps")),), half=True)


def _gain_title(found: Evidence, say: Language) -> str:
    """What the top fifth of each list holds."""
    shares = {name: found.found_at(name, 0.2) for name in ("model", "rules")}
    if shares["model"] is None:
        return say("gain.none")
    places = {name: say.percent(value) for name, value in shares.items()}
    if found.rules_are_blind:
        return say("gain.title_alone", share=say.percent(0.2), model=places["model"])
    return say("gain.title", share=say.percent(0.2), **places)


def _audited(summary: Summary, say: Language) -> list[Panel]:
    """Past scores against what happened: the audit. Says plainly where there is nothing to say yet."""
    audit = summary.examined.audit
    if audit is None:
        why = [Text(text) for text in summary.examined.why_not] or [Text(say("audit.not_examined"))]
        return [Panel(say("audit.title_none"), tuple(why))]
    left = [say("audit.left_out", n, why=translate(why, say)) for why, n in audit.left_out.items()]
    if not audit.lines:
        text = say("audit.nothing_matured", audit.waiting, within=say.duration(summary.making.horizon))
        return [Panel(say("audit.title_none"), (Text(text), *(Text(t, "soft small") for t in left)))]
    lines = {by: [line for line in audit.lines if line.by == by] for by in ("all", "month", "tier", "band", "model")}
    (everything,) = lines["all"]
    blocks: list[Block] = [_count_table(by, lines[by], say) for by in ("month", "tier", "band") if lines[by]]
    note = say("audit.note", waiting=say("unit.score", audit.waiting))
    notes = (Text(" ".join((note, *left)), "soft small"),)
    return [Panel(_audit_title(everything, say), (*blocks, *notes))]


def _audit_title(line: Line, say: Language) -> str:
    key = "audit.title_luck" if line.count.luck >= LUCK else "audit.title_off"
    return say(key, line.count.n, predicted=say.count(line.count.predicted), closed=say.count(line.count.actual))


def _count_table(by: str, lines: list[Line], say: Language) -> Table:
    cells = []
    for line in lines:
        c = line.count
        name = say.month(line.name) if by == "month" else say(f"tier.{line.name}") if by == "tier" else line.name
        interval = say.number_range(_finite(c.ratio.low), _finite(c.ratio.high))
        verdict = say("luck.possible" if c.luck >= LUCK else "luck.unlikely")
        cells.append([name, say.count(c.n), say.number(c.predicted, 1), say.count(c.actual), interval, verdict])
    columns = heads(say, "audit", (by, "scores", "predicted", "closed", "ratio", "luck"), words=["luck"])
    return table(f"audit-{by}", say(f"audit.table_{by}"), columns, cells, folded=by != "month", wide=True)


def _compared(found: Evidence, say: Language) -> Panel:
    verdicts = Points(tuple(Point(_verdict(found, opponent, say)) for opponent in OPPONENTS))
    columns = (
        Column(say("compared.metric"), words=True),
        *(Column(say(f"competitor.{name}")) for name in COMPETITORS),
        *(Column(say(f"compared.against_{name}"), words=True) for name in OPPONENTS),
    )
    cells = [_metric_row(measured, say) for measured in found.metrics]
    numbers = table("compared", say("compared.table"), columns, cells, wide=True)
    return Panel(say("compared.title"), (verdicts, numbers, Text(say("compared.note"), "soft small")))


def _verdict(found: Evidence, opponent: str, say: Language) -> str:
    """How the model did against an opponent on log loss, with the interval of the difference."""
    gap = found.metric("log_loss").advantages[opponent]
    ends = (gap.low, gap.high)
    if gap.value is not None and gap.value < 0 and None not in ends:
        ends = (-ends[1], -ends[0])  # type: ignore[operator]
    return say(
        f"compared.verdict_{outcome(gap)}",
        opponent=say(f"compared.opponent_{opponent}"),
        gap=say.number(None if gap.value is None else abs(gap.value), 4),
        interval=say("compared.interval", low=say.number(ends[0], 4), high=say.number(ends[1], 4)),
        closes=say("unit.close", found.closes),
    )


def _metric_row(measured: Measured, say: Language) -> list[Cell]:
    name, places = measured.name, PLACES[measured.name]
    cells = [Cell(say(f"metric.{name}"), note=say(f"metric_meaning.{name}"))]
    for competitor in COMPETITORS:
        value: Estimate = measured.values[competitor]
        interval = say.number_range(value.low, value.high, places, versus=VERSUS.get(name))
        cells.append(Cell(say.number(value.value, places), note=interval))
    return cells + [Cell(say(f"outcome.{outcome(measured.advantages[opponent])}")) for opponent in OPPONENTS]


def _groups_title(groups: tuple[Group, ...], say: Language) -> str:
    """Where predictions and closes differ by more than luck."""
    off = [f"{_by(g, say)} {_level(g)}" for g in groups if g.off]
    if not off:
        return say("groups.none_off")
    return say("groups.some_off", len(off), groups=", ".join(off[:3]) + (", …" if len(off) > 3 else ""))


def _groups(groups: tuple[Group, ...], say: Language) -> tuple[Block, ...]:
    cells = []
    for g in groups:
        note = say("groups.sensitive") if g.sensitive else ""
        verdict = Cell(say("groups.is_off"), strong=True) if g.off else Cell(say("luck.explains"))
        cells.append(
            [
                Cell(f"{_by(g, say)}: {_level(g)}", note=note),
                Cell(say.count(g.examples)),
                Cell(say.number(g.predicted, 1)),
                Cell(say.count(g.actual)),
                Cell(say.number_range(g.low, g.high)),
                Cell(say.percent(g.listed)),
                verdict,
            ]
        )
    names = ("group", "examples", "predicted", "closed", "ratio", "listed", "verdict")
    columns = heads(say, "groups", names, words=["verdict"])
    numbers = table("groups", say("groups.table"), columns, cells, folded=True, wide=True)
    return numbers, Text(say("groups.note"), "soft small")


def _by(group: Group, say: Language) -> str:
    return say("groups.month") if group.by == "month" else group.by


def _level(group: Group) -> str:
    """Levels of numbers are numbered for their order; the number is not for people."""
    return group.level.partition(": ")[2] or group.level


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
