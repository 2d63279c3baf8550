"""What was done about the scores: touched in time, what the actions add, and people's decisions against the model."""

from __future__ import annotations

from predictive.audit.holdout import Effect
from predictive.audit.outcome import Audit
from predictive.audit.touched import Touched
from predictive.evaluation.closed import Closed
from predictive.report.blocks import Block, Panel, Text
from predictive.report.language import Language
from predictive.report.summary import Summary
from predictive.report.views.audited import count_table
from predictive.report.views.tables import heads, table


def acted_panels(summary: Summary, say: Language) -> tuple[Panel, ...]:
    """The three panels; each says plainly where there is nothing to say yet."""
    audit = summary.examined.audit
    return (_holdout(summary, say), _touched(audit, say), _overrides(audit, say))


def _touched(audit: Audit | None, say: Language) -> Panel:
    found = None if audit is None else audit.touched
    if found is None or found.share is None:
        return Panel(say("touched.title_none"), (Text(_why_untold(found, say)),), half=True)
    share, low, high = found.share
    places = {"share": say.percent(share), "entered": say.count(found.entered), "types": say.listed(found.types)}
    told = say("touched.told", found.in_time, interval=say.percent_range(low, high), **places)
    cells = [[say(f"touched.{name}"), *_rate(getattr(found, name), say)] for name in ("touched", "untouched")]
    columns = heads(say, "touched", ("who", "contacts", "closed", "rate", "interval"))
    numbers = table("touched", say("touched.table"), columns, cells)
    left = [say(f"touched.{name}", n) for name, n in (("waiting", found.waiting), ("late", found.late)) if n]
    note = Text(" ".join((say("touched.note"), *left)), "soft small")
    return Panel(say("touched.title", share=places["share"]), (Text(told), numbers, note), half=True)


def _why_untold(found: Touched | None, say: Language) -> str:
    if found is None:
        return say("acted.not_examined")
    if not found.types:
        return say("touched.no_types")
    return say("touched.none", found.waiting) if found.waiting else say("touched.nobody")


def _overrides(audit: Audit | None, say: Language) -> Panel:
    """By the model's view and the person's; who decided is not told."""
    found = None if audit is None else audit.overrides
    if found is None or found.decisions == 0:
        text = say("acted.not_examined" if found is None else "overrides.none")
        return Panel(say("overrides.title_none"), (Text(text),), half=True)
    told = say("overrides.told", found.decisions, people=say("unit.person", len(found.authors)))
    waiting = [Text(say("overrides.waiting", found.waiting), "soft small")] if found.waiting else []
    if not found.decided:
        return Panel(say("overrides.title", found.decisions), (Text(told), *waiting), half=True)
    cells = [
        [
            say("overrides.from_to", own=_quadrant(d.own, say), decided=_quadrant(d.decided, say)),
            say.count(d.result.n),
            say.expected(d.predicted),
            say.count(d.result.closed),
            say.percent_range(d.result.low, d.result.high),
        ]
        for d in found.decided
    ]
    columns = heads(say, "overrides", ("decided", "contacts", "predicted", "closed", "interval"))
    numbers = table("overrides", say("overrides.table"), columns, cells)
    return Panel(say("overrides.title", found.decisions), (Text(told), numbers, *waiting), half=True)


def _quadrant(name: str, say: Language) -> str:
    return say(f"quadrant.{name}") if say.has(f"quadrant.{name}") else say("overrides.not_known")


def _holdout(summary: Summary, say: Language) -> Panel:
    audit = summary.examined.audit
    effects = () if audit is None else audit.effects
    if audit is None or not effects:
        text = say("acted.not_examined") if audit is None else _no_effects(summary, say)
        # The panel of the audit before it is as narrow where it has no lines.
        return Panel(say("holdout.title_none"), (Text(text),), half=audit is None or not audit.lines)
    cells = [_effect(effect, say) for effect in effects]
    columns = heads(say, "holdout", ("among", "others", "holdout", "difference", "verdict"), words=["verdict"])
    blocks: list[Block] = [table("holdout", say("holdout.table"), columns, cells, wide=True)]
    lines = [line for line in audit.lines if line.by == "holdout"]
    blocks += [count_table("holdout", lines, say)] if lines else []
    return Panel(_holdout_title(effects[0], say), (*blocks, Text(say("holdout.note"), "soft small")))


def _no_effects(summary: Summary, say: Language) -> str:
    """Why there are none: no holdout, or no outcome in it yet."""
    if summary.holdout == 0:
        return say("holdout.none")
    return say("holdout.waiting", summary.work.everyone.held_out, share=say.percent(summary.holdout))


def _holdout_title(effect: Effect, say: Language) -> str:
    """What the actions add among all contacts."""
    if not (effect.others.n and effect.holdout.n):
        return say("holdout.title_empty")
    key = "holdout.title_luck" if _luck(effect) else "holdout.title"
    return say(key, points=_points(effect.difference.value, say), interval=_interval(effect, say))


def _effect(effect: Effect, say: Language) -> list[str]:
    rates = [f"{say.percent(c.rate)} ({say.percent_range(c.low, c.high)})" if c.n else "–" for c in _sides(effect)]
    if not all(c.n for c in _sides(effect)):
        return [say(f"holdout.{effect.among}"), *rates, "–", say("holdout.nothing")]
    gap = f"{_points(effect.difference.value, say)} ({_interval(effect, say)})"
    return [say(f"holdout.{effect.among}"), *rates, gap, say("luck.possible" if _luck(effect) else "luck.unlikely")]


def _sides(effect: Effect) -> tuple[Closed, Closed]:
    return effect.others, effect.holdout


def _luck(effect: Effect) -> bool:
    return effect.difference.low <= 0 <= effect.difference.high


def _interval(effect: Effect, say: Language) -> str:
    ends = (_points(end, say) for end in (effect.difference.low, effect.difference.high))
    return say("compared.interval", **dict(zip(("low", "high"), ends, strict=True)))


def _points(share: float, say: Language) -> str:
    """A difference of shares in percentage points, with its sign."""
    return ("+" if share > 0 else "") + say.number(100 * share, 1)


def _rate(found: Closed, say: Language) -> list[str]:
    rate, interval = ("–", "–") if not found.n else (say.percent(found.rate), say.percent_range(found.low, found.high))
    return [say.count(found.n), say.count(found.closed), rate, interval]
