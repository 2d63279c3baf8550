"""The first screen: how many, by whom, whether to trust it, what changed and what needs attention."""

from __future__ import annotations

from datetime import timedelta

from predictive.report.blocks import Card, Cards, Panel, Point, Points, Text, Tone, Verdict
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.attention import Attention, Weight, attention
from predictive.report.views.findings import trust
from predictive.report.work import Group
from predictive.tables import TIERS

SHOWN = 5
SOON = 48
"""Hours up to which a response time is told in hours."""
TONES: dict[Weight, Tone] = {"act": "no", "check": "care", "know": "soft"}
SIGNS = {"yes": "✓", "care": "▲", "no": "✕"}
NAMED = ("pursue", "nurture", "opportunistic", "disengage")


def kicker(summary: Summary, say: Language) -> str:
    """Which scores these are, and by which model."""
    night = summary.night
    if night is None:
        return say("kicker.unscored", model=summary.model_version)
    return say(
        "kicker.scored",
        as_of=say.moment(night.as_of),
        zone=summary.timezone,
        written=say.moment(night.scored_at),
        model=night.model_version,
    )


def cards(summary: Summary, say: Language) -> tuple[Cards, ...]:
    """Who works whom: by quadrant, or by tier where there are no quadrants; nothing where nobody was scored."""
    work = summary.work
    if work.everyone.contacts == 0:
        return ()
    if work.by_tier:
        found = [_card(work.tiers[n], say(f"tier.{n}"), say(f"tier_when.{n}"), say) for n in TIERS]
    else:
        shown = [n for n in (*NAMED, "unknown") if n in NAMED or work.quadrants[n].contacts]
        found = [_card(work.quadrants[n], owner_of(n, summary, say), _how(n, summary, say), say) for n in shown]
    return (Cards(say("cards.label"), tuple(found)),)


def trusted(summary: Summary, say: Language) -> Panel:
    """Whether the score can be trusted."""
    found = trust(summary, say)
    points = Points(tuple(Point(sentence) for sentence in found.why))
    return Panel(say("trust.ask"), (Verdict(found.answer, SIGNS[found.level], found.level), points), half=True)


def needs(summary: Summary, say: Language) -> Panel:
    """What needs attention, and what changed since the last time."""
    points = [_point(item, say) for item in attention(summary, say)]
    rest = tuple(points[SHOWN:])
    blocks = Points(tuple(points[:SHOWN]), rest, say("attention.more", len(rest)))
    nothing = () if points else (Text(say("attention.nothing")),)
    return Panel(say("attention.title"), (*nothing, blocks), half=True)


def changed(summary: Summary, say: Language) -> Panel | None:
    """What changed since the last time; None where it is the first."""
    found, night = summary.changes, summary.night
    if found is None or night is None:
        return None
    items = [say("changes.contacts", new=say.count(found.new), left=say.count(found.left))]
    moves = {move.name: move for move in found.quadrants}
    if not summary.work.by_tier:
        entered, left = moves["pursue"].entered, moves["pursue"].left
        items.append(say("changes.pursue", entered, left=say.count(left)))
    items.append(say("changes.tiers", risen=say.count(found.risen), fallen=say.count(found.fallen)))
    items.append(say("changes.expected", before=say.expected(found.expected_before), now=say.expected(found.expected)))
    if found.model_before is not None:
        items.append(say("changes.model", before=found.model_before, now=night.model_version))
    return Panel(say("changes.title"), (Points(tuple(Point(item) for item in items)),))


def _card(group: Group, who: str, how: str, say: Language) -> Card:
    note = say("cards.expected", expected=say.expected(group.expected))
    if group.probability is not None:
        note = say("cards.expected_share", expected=say.expected(group.expected), share=say.percent(group.probability))
    return Card(who, say.count(group.contacts), how, note)


def owner_of(quadrant: str, summary: Summary, say: Language) -> str:
    """Who works a quadrant, as configured."""
    owner = summary.actions[quadrant].owner
    return say(f"owner.{owner}") if say.has(f"owner.{owner}") else owner


def action_of(quadrant: str, summary: Summary, say: Language) -> str:
    """What is done with a quadrant and how soon, as configured."""
    found = summary.actions[quadrant]
    action = translate(found.action, say)
    if found.respond_within is None:
        return action
    hours, rest = divmod(found.respond_within, timedelta(hours=1))
    # "Within 24 hours" is meant by the clock, "within 1 day" may be tomorrow night.
    short = hours <= SOON and not rest
    within = say("unit.hour", hours) if short else say.duration(found.respond_within // timedelta(microseconds=1))
    return say("cards.within", action=action, within=within)


def _how(quadrant: str, summary: Summary, say: Language) -> str:
    return say("cards.how", quadrant=say(f"quadrant.{quadrant}"), action=action_of(quadrant, summary, say))


def _point(item: Attention, say: Language) -> Point:
    return Point(item.text, say(f"weight.{item.weight}"), TONES[item.weight])
