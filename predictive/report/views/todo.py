"""What to do: fit × interest, the capacity planner, tiers, stages, and the list of contacts at the top."""

from __future__ import annotations

from predictive.report.bars import Part, bar_chart, tier_chart
from predictive.report.blocks import Cell, Column, Figure, Key, Matrix, Panel, Planner, Section, Square, Table, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.findings import headline
from predictive.report.views.first import action_of, owner_of
from predictive.report.views.tables import heads, rows, table
from predictive.report.work import Contact, Work
from predictive.tables import STAGES, TIERS

MATRIX = (("high_fit", ("nurture", "pursue")), ("low_fit", ("disengage", "opportunistic")))


def todo_section(summary: Summary, say: Language) -> Section:
    """The whole section."""
    title = say("todo.title")
    if summary.work.everyone.contacts == 0:
        text = say("todo.nobody", headline=headline(summary, say))
        return Section("work", title, (), (Text(text),))
    panels = [_matrix(summary, say), *_planner(summary, say), _tiers(summary.work, say), _funnel(summary.work, say)]
    return Section("work", title, (*panels, _top(summary.work, say)))


def _matrix(summary: Summary, say: Language) -> Panel:
    work = summary.work
    if work.by_tier:
        why = summary.making.why_null
        said = [
            say("matrix.null_axis", axis=say(f"axis_word.{axis}"), why=translate(w, say)) for axis, w in why.items()
        ]
        return Panel(say("matrix.title_none"), (*map(Text, said), Text(say("matrix.none"), "soft small")))
    group = work.quadrants["pursue"]
    share = say.percent(group.contacts / work.everyone.contacts)
    fields = tuple((say(f"matrix.{name}"), tuple(_square(n, summary, say) for n in names)) for name, names in MATRIX)
    heads = (say("matrix.low_interest"), say("matrix.high_interest"))
    unknown = work.quadrants["unknown"].contacts
    more = f" {say('matrix.unknown', unknown)}" if unknown else ""
    matrix = Matrix(say("matrix.label"), say("axis.fit"), heads, fields)
    return Panel(
        say("matrix.title", group.contacts, share=share),
        (matrix, Text(say("matrix.note") + more, "soft small")),
    )


def _square(name: str, summary: Summary, say: Language) -> Square:
    group = summary.work.quadrants[name]
    expected = say("matrix.expected", expected=say.expected(group.expected), share=say.percent(group.probability))
    lines = (
        expected if group.contacts else "",
        say("matrix.who", owner=owner_of(name, summary, say), action=action_of(name, summary, say)),
    )
    told = tuple(line for line in lines if line)
    return Square(say(f"quadrant.{name}"), say.count(group.contacts), told, first=name == "pursue")


def _planner(summary: Summary, say: Language) -> list[Panel]:
    plan = summary.plan
    if plan is None:
        return []
    cells = []
    for step in plan.steps:
        interval = "–" if step.low is None else f"{say.count(step.low)}–{say.count(step.high)}"
        cells.append(
            [
                say.count(step.contacts),
                say.percent(step.cut_off),
                say.expected(step.expected),
                interval,
                say.expected(step.by_rules),
                say.percent(step.found),
                say.percent(step.found_by_rules),
            ]
        )
    names = ("contacts", "cut_off", "expected", "interval", "rules", "found", "found_rules")
    columns = heads(say, "planner", names)
    numbers = table("planner", say("planner.table"), columns, cells, folded=True, wide=True)
    step = plan.steps[plan.start]
    places = {"expected": say.expected(step.expected), "rules": say.expected(step.by_rules)}
    title = say("planner.title", step.contacts, within=say.duration(summary.making.horizon), **places)
    slider = Planner("planner", say("planner.ask"), plan.start, tuple(c.text for c in columns[1:]), numbers)
    return [Panel(title, (slider, Text(say("planner.note"), "soft small")))]


def _tiers(work: Work, say: Language) -> Panel:
    title = _tier_title(work, say)
    chart = tier_chart(tuple(work.tiers.values()), say)
    cells = [
        [say(f"tier.{n}"), say.percent(work.lowest[n]), say.count(g.contacts), say.expected(g.expected)]
        for n, g in work.tiers.items()
    ]
    columns = heads(say, "tiers", ("tier", "from", "contacts", "expected"))
    numbers = table("tiers", say("tiers.table"), columns, cells)
    keys = tuple(Key(kind, say(f"tiers.key_{kind}")) for kind in ("contacts", "closes"))
    blocks = (
        ()
        if chart is None
        else (Figure("tiers", title, chart, say("tiers.caption"), numbers, say("page.steps"), keys),)
    )
    return Panel(title, blocks, half=True)


def _tier_title(work: Work, say: Language) -> str:
    """How concentrated the expected closes are."""
    groups = [work.tiers[name] for name in TIERS[:2]]
    contacts, closes = sum(g.contacts for g in groups), sum(g.expected for g in groups)
    if contacts == 0 or closes == 0:
        return say("tiers.title_nobody" if contacts == 0 else "tiers.title_no_close")
    places = {"contacts": contacts / work.everyone.contacts, "closes": closes / work.everyone.expected}
    return say("tiers.title", **{name: say.percent(value) for name, value in places.items()})


def _funnel(work: Work, say: Language) -> Panel:
    everyone, bars, cells = work.everyone.contacts, [], []
    for reached in work.funnel:
        name, group, conversion = (
            say(f"stage.{reached.stage}"),
            work.stages[reached.stage],
            say.percent(reached.conversion),
        )
        text, label = say.count(reached.contacts), name
        hover = say("stages.hover", reached.contacts, stage=name, share=say.percent(reached.contacts / everyone))
        if reached.conversion is not None:
            label = say("stages.bar", stage=name, conversion=conversion)
        bars.append((label, [Part("contacts", reached.contacts / everyone, text, hover)]))
        counts = (say.count(group.contacts), say.count(reached.contacts), conversion, say.percent(group.probability))
        cells.append([name, *counts, say.expected(group.expected), say.count(group.top)])
    names = ("stage", "contacts", "reached", "conversion", "probability", "expected", "top")
    columns = heads(say, "stages", names)
    numbers = table("stages", say("stages.table"), columns, cells, folded=True, wide=True)
    chart, title = bar_chart(bars), _funnel_title(work, say)
    figures = (
        () if chart is None else (Figure("stages", title, chart, say("stages.caption"), numbers, say("page.steps")),)
    )
    return Panel(
        title, (*figures, Text(say("stages.overlooked", sum(work.stages[n].top for n in STAGES[:2])))), half=True
    )


def _funnel_title(work: Work, say: Language) -> str:
    """How many came as far as MQL, and of them as far as SQL."""
    mql, sql = (step for step in work.funnel if step.stage in ("MQL", "SQL"))
    share = say.percent(mql.contacts / work.everyone.contacts)
    everyone = say("unit.contact", work.everyone.contacts)
    return say(
        "stages.title", mql=say.count(mql.contacts), everyone=everyone, share=share, onward=say.percent(sql.conversion)
    )


def _top(work: Work, say: Language) -> Panel:
    if not work.top:
        return Panel(say("top.title_none"), ())
    note = Text(say("top.note"), "soft small")
    return Panel(say("top.title", len(work.top)), (note, contact_table("top", work.top, say)))


def contact_table(name: str, contacts: tuple[Contact, ...], say: Language) -> Table:
    """Contacts with their scores and reasons, by id: never a name or an address."""
    cells = []
    for c in contacts:
        decided = say("top.decided") if c.overridden else ""
        reasons = "; ".join(f"{say.factor(r.log_odds)} {translate(r.what, say)}" for r in c.reasons)
        cells.append(
            [
                Cell(c.contact_id),
                Cell(say.percent(c.probability), note=say(f"tier.{c.tier}"), strong=True),
                Cell(say(f"quadrant.{c.quadrant}"), note=decided),
                Cell(say.count(c.rule_score), note=say(f"stage.{c.stage}"), label=say("top.rules")),
                Cell(reasons or "–"),
            ]
        )
    heads = (("contact", ""), ("probability", "tier"), ("quadrant", ""), ("rule_score", "stage"), ("reasons", ""))
    columns = tuple(
        Column(say(f"top.column_{h}"), words=True, note=say(f"top.column_{n}") if n else "") for h, n in heads
    )
    return Table(f"{name}-table", say(f"{name}.table"), columns, rows(cells), list=True)
