"""What the numbers say, in sentences: the headline, and whether to trust the score."""

from __future__ import annotations

from dataclasses import dataclass

from predictive.report.evidence import FEW_CLOSES, Evidence, Level
from predictive.report.language import Language
from predictive.report.summary import Summary
from predictive.report.views.audited import came

FEWEST_IN_BAND = 20
"""Closes that a band must hold, predicted or come, before it is held up as evidence."""


@dataclass(frozen=True)
class Trust:
    """Whether to work by the score: the level, the answer in a few words, and why, the weightiest sentence first."""

    level: Level
    answer: str
    why: tuple[str, ...]


def headline(summary: Summary, say: Language) -> str:
    """How many contacts to work this week."""
    work = summary.work
    if work.everyone.contacts == 0:
        return say("headline.unscored" if summary.night is None else "headline.nobody")
    everyone = say("unit.contact", work.everyone.contacts)
    return say("headline.tiers" if work.by_tier else "headline.pursue", work.to_work.contacts, everyone=everyone)


def what_they_hold(summary: Summary, say: Language) -> str | None:
    """What working those contacts would bring, and as many as can be worked; None where nobody was scored."""
    work = summary.work
    if work.everyone.contacts == 0:
        return None
    places = {"all": say.expected(work.everyone.expected), "within": say.duration(summary.making.horizon)}
    if work.to_work.contacts == 0:
        return say("lead.none", **places)
    held = say("lead.hold", theirs=say.expected(work.to_work.expected), **places)
    plan, capacity = summary.plan, summary.capacity
    if plan is None or capacity is None or capacity >= work.to_work.contacts:
        return held
    return f"{held} {say('lead.capacity', capacity, theirs=say.expected(plan.steps[plan.start].expected))}"


def trust(summary: Summary, say: Language) -> Trust:
    """Whether the evidence speaks for the score; the sentence about what came true leads where nothing is wrong."""
    found, audit = summary.evidence, summary.examined.audit
    level: Level = "care" if found.level == "yes" and audit is not None and audit.broken else found.level
    answer = "care_audit" if level != found.level else "care_ranks" if level == "care" and found.ranks else level
    facts = [_came_true(summary, say) or _highest(summary, say), _in_the_large(found, say)]
    why = [*_against(found, say), *(facts if found.off_by is None else reversed(facts)), _for(found, say)]
    return Trust(level, say(f"trust.{answer}"), tuple(s for s in why if s is not None))


def _against(found: Evidence, say: Language) -> list[str]:
    """What speaks against the model comes first."""
    said = []
    if found.closes < FEW_CLOSES:
        said.append(say("trust.few_closes", found.closes, fewest=say.count(FEW_CLOSES)))
    elif not found.ranks:
        said.append(say("trust.no_ranking"))
    if found.outcomes["rules"] != "better":
        said.append(say(f"trust.rules_{found.outcomes['rules']}"))
    if found.outcomes["logistic"] == "worse":
        said.append(say("trust.logistic_worse"))
    if found.rules_are_blind:
        said.append(say("trust.rules_blind"))
    return said


def _came_true(summary: Summary, say: Language) -> str | None:
    """What became of scores that people saw; None where too few of them have matured."""
    audit = summary.examined.audit
    lines = () if audit is None else audit.lines
    # A band that was to bring closes and did not is evidence too.
    bands = [x for x in lines if x.by == "band" and max(x.count.closes, x.count.predicted) >= FEWEST_IN_BAND]
    if not bands:
        return None
    count, (low, high) = bands[-1].count, came(bands[-1])
    interval = say.percent_range(low / count.n, 1.0 if high is None else min(high / count.n, 1.0))
    closed = say.percent(count.actual / count.n)
    return say("trust.came_true", count.n, band=bands[-1].name, closed=closed, interval=interval)


def _highest(summary: Summary, say: Language) -> str | None:
    """What became of the group of the test that is worked first."""
    bins = summary.evidence.bins["model"]
    if not bins:
        return None
    b = bins[-1]
    return say(
        "trust.highest",
        b.n,
        predicted=say.percent(b.predicted),
        closed=say.percent(b.actual),
        within=say.duration(summary.making.horizon),
        interval=say.percent_range(b.low, b.high),
    )


def _in_the_large(found: Evidence, say: Language) -> str | None:
    """Predicted against actual closes over all."""
    value = found.calibration
    if value.value is None:
        return None
    return say(
        "trust.in_the_large",
        found.n,
        expected=say.count(value.value * found.labelled),
        closed=say.count(found.labelled),
        verdict=say(f"trust.off_{'not' if found.off_by is None else found.off_by.replace(' ', '_')}"),
        ratio=say.number(value.value),
        interval=say.number_range(value.low, value.high, versus=1),
    )


def _for(found: Evidence, say: Language) -> str | None:
    """What speaks for the model comes last."""
    if found.outcomes["rules"] != "better":
        return None
    shares = [say.percent(found.found_at(name, 0.2)) for name in ("model", "rules")]
    return say("trust.beats_rules", model=shares[0], rules=shares[1])
