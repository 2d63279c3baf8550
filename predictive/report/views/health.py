"""How healthy is the data: freshness, drift, fill rates, leakage, and groups that no model sees."""

from __future__ import annotations

from predictive.report.blocks import Block, Cell, Panel, Point, Points, Section, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.tables import heads, table

MOVED, STABLE = 0.25, 0.1
SHOWN = 15
BETRAYS = "betrays the outcome"


def health_section(summary: Summary, say: Language) -> Section:
    """The whole section."""
    panels = (_fresh(summary, say), _drift(summary, say), _filled(summary, say), _leaks(summary, say))
    return Section("health", say("health.title"), (*panels, _sensitive(summary, say)))


def _fresh(summary: Summary, say: Language) -> Panel:
    fresh = summary.examined.fresh
    if not fresh:
        return Panel(say("fresh.title_none"), (Text(say("fresh.none")),), half=True)
    newest = max(f.newest for f in fresh)
    cells = [
        [f.table, say.day(f.newest), say("unit.day", max((summary.made_at - f.newest).days, 0))]
        for f in sorted(fresh, key=lambda f: f.newest)
    ]
    columns = heads(say, "fresh", ("table", "newest", "age"), words=["newest"])
    numbers = table("fresh", say("fresh.table"), columns, cells)
    return Panel(say("fresh.title", day=say.day(newest)), (numbers,), half=True)


def _drift(summary: Summary, say: Language) -> Panel:
    audit = summary.examined.audit
    if audit is None or audit.inputs.unknown is not None:
        why = say("drift.none") if audit is None else str(audit.inputs.unknown)
        return Panel(say("drift.title_none"), (Text(why),), half=True)
    shifts = audit.inputs.shifts
    moved = [s for s in shifts if s.psi > max(MOVED, s.noise)]
    words_of = {d.name: translate(d.description, say) for d in summary.drivers}
    cells = [[words_of.get(s.name, s.name), say.number(s.psi), _moved(s.psi, s.noise, say)] for s in shifts[:SHOWN]]
    columns = heads(say, "drift", ("input", "index", "verdict"), words=["verdict"])
    numbers = table("drift", say("drift.table"), columns, cells, folded=True)
    title = say("drift.title" if moved else "drift.title_stable", len(moved), all=say.count(len(shifts)))
    return Panel(title, (numbers, Text(say("drift.note"), "soft small")), half=True)


def _moved(psi: float, noise: float, say: Language) -> str:
    if psi <= noise:
        return say("drift.luck")
    return say("drift.moved" if psi > MOVED else "drift.stable" if psi < STABLE else "drift.some")


def _filled(summary: Summary, say: Language) -> Panel:
    filled = summary.examined.filled
    if not filled:
        return Panel(say("filled.title_none"), (Text(say("filled.none")),), half=True)
    half = sum(f.share < 0.5 for f in filled)
    cells = [[f.name, f.table, say.percent(f.share), say.count(f.rows - f.known)] for f in filled]
    columns = heads(say, "filled", ("name", "table", "share", "missing"), words=["table"])
    numbers = table("filled", say("filled.table"), columns, cells, folded=True)
    title = say("filled.title" if half else "filled.title_full", half, all=say.count(len(filled)))
    return Panel(title, (numbers,), half=True)


def _leaks(summary: Summary, say: Language) -> Panel:
    """Columns that betray the outcome: what training left out, and what it only warned of."""
    making = summary.making
    out = [f"{name}: {translate(why, say)}" for name, why in making.left_out.items() if why.startswith(BETRAYS)]
    warned = [translate(note, say) for note in making.notes if "betray the outcome" in note]
    blocks: list[Block] = [Points(tuple(Point(text) for text in (*out, *warned)))] if out or warned else []
    key = "leaks.title" if out or warned else "leaks.title_none"
    return Panel(say(key, len(out) + len(warned)), (*blocks, Text(say("leaks.note"), "soft small")), half=True)


def _sensitive(summary: Summary, say: Language) -> Panel:
    """Whether groups that no model sees are treated alike."""
    groups = [g for g in summary.groups if g.sensitive]
    if not groups:
        return Panel(say("sensitive.title_none"), (Text(say("sensitive.none")),))
    off = sum(g.off for g in groups)
    cells = [
        [
            Cell(f"{g.by}: {g.level}"),
            Cell(say.count(g.examples)),
            Cell(say.number(g.predicted, 1)),
            Cell(say.count(g.actual)),
            Cell(say.number_range(g.low, g.high)),
            Cell(say.percent(g.listed)),
        ]
        for g in groups
    ]
    columns = heads(say, "groups", ("group", "examples", "predicted", "closed", "ratio", "listed"))
    numbers = table("sensitive", say("sensitive.table"), columns, cells, wide=True)
    title = say("sensitive.title" if off else "sensitive.title_even", off)
    return Panel(title, (numbers, Text(say("sensitive.note"), "soft small")))
