"""What the numbers say, in sentences: the headline, who works whom, and whether to trust the score."""

from __future__ import annotations

from dataclasses import dataclass

from predictive.actions import Action
from predictive.report.evidence import FEW_CLOSES, Evidence, Level
from predictive.report.summary import Summary
from predictive.report.words import GAP, count, duration, expected, many, number_range, percent, percent_range
from predictive.report.work import Group, Work
from predictive.tables import TIERS

WHO = {"pursue": "Sales", "nurture": "Marketing", "opportunistic": "A rep", "disengage": "Nobody", "unknown": "By tier"}
WHEN = {
    "very high": "work these first",
    "high": "then these",
    "medium": "as time allows",
    "low": "last, or not at all",
}
RULES_LEAD = {
    "ahead": "It came out ahead of the manual rules, but that could be luck.",
    "level": "It is no better and no worse than the manual rules.",
    "behind": "It came out behind the manual rules, which could be luck.",
    "worse": "The manual rules beat it on the same contacts: keep working by the rules.",
    "unknown": "It could not be compared with the manual rules: there are too few closes.",
}


@dataclass(frozen=True)
class Card:
    """One group to work: its name, who works it and how, how many they are and how many of them will close."""

    name: str
    who: str
    how: str
    group: Group


@dataclass(frozen=True)
class Trust:
    """Whether to work by the score: the level, the answer in a few words, and why, the weightiest sentence first."""

    level: Level
    answer: str
    why: tuple[str, ...]


def headline(summary: Summary) -> str:
    """How many contacts to work this week."""
    work = summary.work
    if work.everyone.contacts == 0:
        return "Nothing has been scored yet" if summary.night is None else "The last run scored nobody"
    to_work = _to_work(work)
    place = "in the two highest tiers" if work.by_tier else "to pursue this week"
    return f"{count(to_work.contacts)} of {many(work.everyone.contacts, 'contact')} {place}"


def what_they_hold(summary: Summary) -> str | None:
    """What working those contacts would bring; None where nobody was scored."""
    work = summary.work
    if work.everyone.contacts == 0:
        return None
    to_work, within = _to_work(work), duration(summary.making.horizon)
    if to_work.contacts == 0:
        return f"The model expects {expected(work.everyone.expected)} closes within {within}, none of them there."
    return (
        f"They hold {expected(to_work.expected)} of the {expected(work.everyone.expected)} closes that the model "
        f"expects within {within}."
    )


def cards(work: Work, actions: dict[str, Action]) -> tuple[Card, ...]:
    """Who works whom: by quadrant, or by tier where there are no quadrants."""
    if work.by_tier:
        return tuple(Card(name, f"Tier {name}", WHEN[name].capitalize(), work.tiers[name]) for name in TIERS)
    shown = [name for name in actions if name != "unknown" or work.quadrants[name].contacts > 0]
    titles = {name: f"{name.capitalize()}: {actions[name].in_words}" for name in shown}
    return tuple(Card(name, WHO[name], titles[name], work.quadrants[name]) for name in shown)


def trust(summary: Summary) -> Trust:
    """Whether the test part speaks for the score."""
    found = summary.evidence
    answers: dict[Level, str] = {
        "yes": "Yes: the test found nothing against it",
        "care": "With care: it helps, but read this first" if found.ranks else "With care",
        "no": "Not yet: the test does not support working by it",
    }
    facts = [_highest(found, duration(summary.making.horizon)), _in_the_large(found)]
    why = [*_against(found), *(facts if found.off_by is None else reversed(facts)), _for(found)]
    return Trust(found.level, answers[found.level], tuple(s for s in why if s is not None))


def _to_work(work: Work) -> Group:
    """The contacts that the headline counts."""
    if not work.by_tier:
        return work.quadrants["pursue"]
    groups = [work.tiers[name] for name in TIERS[:2]]
    return Group(
        "to work", *(sum(getattr(g, part) for g in groups) for part in ("contacts", "expected", "top", "open_deals"))
    )


def _against(found: Evidence) -> list[str]:
    """What speaks against the model comes first."""
    said = []
    if found.closes < FEW_CLOSES:
        said.append(
            f"The test holds only {many(found.closes, 'close')}; under {FEW_CLOSES} nothing about the score can be "
            "called tested."
        )
    elif not found.ranks:
        said.append("It does not tell contacts that close from those that do not, beyond luck.")
    if found.outcomes["rules"] in RULES_LEAD:
        said.append(RULES_LEAD[found.outcomes["rules"]])
    if found.outcomes["logistic"] == "worse":
        said.append(
            "A plain logistic regression beat it on the same contacts. It was not swapped in, because a recipe chosen "
            "on the test could no longer be judged by it."
        )
    if found.rules_are_blind:
        said.append("No rule tells these contacts apart, so that the rules are no hurdle: beating them proves little.")
    return said


def _highest(found: Evidence, within: str) -> str | None:
    """What became of the group that is worked first."""
    if not found.bins["model"]:
        return None
    b = found.bins["model"][-1]
    return (
        f"Of the {count(b.n)} test scores of about {percent(b.predicted)}, the highest, {percent(b.actual)} closed "
        f"within {within} (95{GAP}% interval {percent_range(b.low, b.high)})."
    )


def _in_the_large(found: Evidence) -> str | None:
    """Predicted against actual closes over all."""
    value = found.calibration
    if value.value is None:
        return None
    verdict = {
        None: "a difference that luck explains",
        "too many": "it expects too many",
        "too few": "it expects too few",
    }[found.off_by]
    interval = number_range(value.low, value.high, versus=1)
    return (
        f"Over all {count(found.n)} test scores it expected {count(value.value * found.labelled)} to close and "
        f"{count(found.labelled)} did: {verdict} (ratio {value.value:.2f}, 95{GAP}% interval {interval})."
    )


def _for(found: Evidence) -> str | None:
    """What speaks for the model comes last."""
    if found.outcomes["rules"] != "better":
        return None
    shares = [found.found_at(name, 0.2) for name in ("model", "rules")]
    return (
        f"It beats the manual rules on the same contacts: the top fifth of its list holds {percent(shares[0])} of the "
        f"closes, the top fifth of theirs {percent(shares[1])}."
    )
