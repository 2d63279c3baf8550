"""Titles of charts and tables: each states what the numbers below it show."""

from __future__ import annotations

from dataclasses import dataclass

from predictive.report.evidence import Evidence
from predictive.report.summary import Summary
from predictive.report.words import GAP, many, percent
from predictive.report.work import Work
from predictive.tables import STAGES, TIERS

SIDES = {"fit": "who contacts are", "interest": "what contacts did", "context": "the state of the record"}


@dataclass(frozen=True)
class Side:
    """A side of the evidence: its share of all movement of the score, its features, and the strongest of them."""

    name: str
    words: str
    share: float
    features: int
    strongest: str


def reliability_title(found: Evidence) -> str:
    """How many groups closed as often as predicted."""
    bins = found.bins["model"]
    if not bins:
        return "There are too few test contacts to compare predictions with what happened"
    more = sum(not b.as_predicted and b.actual > b.predicted for b in bins)
    less = sum(not b.as_predicted and b.actual < b.predicted for b in bins)
    right = len(bins) - more - less
    if right == len(bins):
        return "Contacts closed as often as predicted" + (f", in all {len(bins)} groups" if len(bins) > 1 else "")
    parts = [f"{n} closed {how} often" for n, how in ((more, "more"), (less, "less")) if n]
    return f"In {right} of {many(len(bins), 'group')} contacts closed as often as predicted; {' and '.join(parts)}"


def gain_title(found: Evidence) -> str:
    """What the top fifth of each list holds."""
    shares = {name: found.found_at(name, 0.2) for name in ("model", "rules")}
    if shares["model"] is None:
        return "No close in the test, so no list can be said to find closes first"
    rules = f"; of the rules’ list, {percent(shares['rules'])}" if not found.rules_are_blind else ""
    return f"The top 20{GAP}% of the model’s list holds {percent(shares['model'])} of the closes{rules}"


def matrix_title(work: Work) -> str:
    """How large the corner to pursue is."""
    group = work.quadrants["pursue"]
    share = percent(group.contacts / work.everyone.contacts)
    return f"{many(group.contacts, 'contact')} ({share}) {'is' if group.contacts == 1 else 'are'} high on both axes"


def tier_title(work: Work) -> str:
    """How concentrated the expected closes are."""
    groups = [work.tiers[name] for name in TIERS[:2]]
    contacts, closes = sum(g.contacts for g in groups), sum(g.expected for g in groups)
    if contacts == 0 or closes == 0:
        return "Nobody is in the two highest tiers" if contacts == 0 else "No close is expected"
    return (
        f"The two highest tiers are {percent(contacts / work.everyone.contacts)} of the contacts and hold "
        f"{percent(closes / work.everyone.expected)} of the expected closes"
    )


def stage_title(work: Work) -> str:
    """Where rules and model disagree most usefully."""
    overlooked = sum(work.stages[name].top for name in STAGES[:2])
    if overlooked == 0:
        return "Nobody in the two highest tiers is below MQL by the rules"
    verb = "is" if overlooked == 1 else "are"
    return f"{many(overlooked, 'contact')} that the rules place below MQL {verb} in the model’s two highest tiers"


def top_title(work: Work) -> str:
    """Who is on the list, and how many of them sales knows already."""
    listed, busy = len(work.top), sum(c.stage == "opportunity" for c in work.top)
    whom = "The contact" if listed == 1 else f"The {listed} contacts"
    those = "all" if busy == listed > 1 else "it" if listed == 1 else str(busy)
    deals = "" if busy == 0 else f": {those} already {'has' if busy == 1 else 'have'} an open deal"
    return f"{whom} with the highest probability{deals}"


def drivers_title(summary: Summary) -> str:
    """Which features move the score most."""
    names = [f"“{d.description}”" for d in summary.drivers[:3] if d.mean > 0]
    if not names:
        return "Nothing moves the score: everybody’s is the same"
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} {'moves' if len(names) == 1 else 'move'} the score most"


def groups_title(summary: Summary) -> str:
    """Where predictions and closes differ by more than luck."""
    off = [f"{g.by} {g.level}" for g in summary.groups if g.off]
    if not off:
        return "In no segment or month do predicted and actual closes differ by more than luck"
    named = ", ".join(off[:3]) + (", …" if len(off) > 3 else "")
    where = "group" if len(off) == 1 else "groups"
    return f"Predicted and actual closes differ by more than luck in {len(off)} {where}: {named}"


def sides(summary: Summary) -> tuple[Side, ...]:
    """What each side contributes, the one that moves the score most first; empty where nothing moves it."""
    total = sum(d.mean for d in summary.drivers)
    rows = []
    for side, words in SIDES.items():
        mine = [d for d in summary.drivers if d.side == side]
        if mine and total > 0:
            rows.append(Side(side, words, sum(d.mean for d in mine) / total, len(mine), mine[0].description))
    return tuple(sorted(rows, key=lambda row: -row.share))
