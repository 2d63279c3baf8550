"""What needs a person's attention, in order of weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictive.report.summary import Summary
from predictive.report.words import count, day, duration, many, percent

Weight = Literal["act", "check", "know"]
ORDER: tuple[Weight, ...] = ("act", "check", "know")
OLD_DAYS = 180
"""A model that knows no outcome newer than this, counted from its scores, may describe a market that is gone."""
TOO_GOOD = 0.95
"""A ROC-AUC from which a leak is likelier than a good model."""
LATE_DAYS = 2
"""Scores of live data that are older than this are late: a night was missed."""
SHIFTED = 2.0
"""How many times the training base rate, up or down, the mean score may be before somebody should look."""


@dataclass(frozen=True)
class Attention:
    """One thing to act on, to check, or to know."""

    weight: Weight
    text: str


def attention(summary: Summary) -> tuple[Attention, ...]:
    """Everything that needs attention, the weightiest first."""
    found = [*_scoring(summary), *_axes(summary), *_training(summary), *_people(summary)]
    return tuple(sorted(found, key=lambda a: ORDER.index(a.weight)))


def _scoring(summary: Summary) -> list[Attention]:
    if summary.night is None:
        return [
            Attention(
                "act", "Nothing has been scored yet. To score every eligible contact, type: predictive score CONFIG"
            )
        ]
    found = []
    if summary.work.everyone.contacts == 0:
        text = "The last run scored nobody: no contact is eligible. To see why, type: predictive check CONFIG"
        found.append(Attention("act", text))
    others = [version for version in summary.work.models if version != summary.model_version]
    if others:
        text = (
            f"The scores are by the model {', '.join(others)}; the evidence on this page is of {summary.model_version}."
        )
        found.append(Attention("act", text))
    age = (summary.made_at - summary.night.as_of).days
    if age > LATE_DAYS:
        late = (
            f"The scores are as of {day(summary.night.as_of, summary.timezone)}, {count(age)} days before this report"
        )
        late += ": a nightly run is missing." if summary.live else ", as configured (score.as_of)."
        found.append(Attention("act" if summary.live else "know", late))
    known = summary.making.observed_until
    if (summary.night.as_of - known).days > OLD_DAYS:
        text = f"The model knows no outcome after {day(known, summary.timezone)}: train again on newer data."
        found.append(Attention("check", text))
    return found + _shift(summary)


def _shift(summary: Summary) -> list[Attention]:
    """Whether the scored contacts look like those that the model learned from."""
    mean, base = summary.work.everyone.probability, summary.making.shipped.base_rate
    if mean is None or base == 0 or 1 / SHIFTED <= mean / base <= SHIFTED:
        return []
    text = (
        f"The mean score is {percent(mean)}, but {percent(base)} of the training examples closed. Either business has "
        "changed, or a column is filled in later or otherwise than it was in training: compare the first bars under "
        "“Why” with what is known of a contact today."
    )
    return [Attention("check", text)]


def _axes(summary: Summary) -> list[Attention]:
    why = summary.making.why_null
    found = [Attention("check", f"There is no {axis} axis: {reason}.") for axis, reason in why.items()]
    if why:
        found[-1] = Attention("check", f"{found[-1].text} Contacts have no quadrant; work them by tier.")
    return found


def _training(summary: Summary) -> list[Attention]:
    making = summary.making
    # Axes that are null are told with their reasons already.
    said = [
        text
        for text in making.said
        if not any(text == f"the {a} axis is null: {w}" for a, w in making.why_null.items())
    ]
    found = [Attention("check", f"{text[0].upper()}{text[1:]}.") for text in said if text]
    found += [Attention("check", f"{text}.") for text in _merged(making.notes)]
    auc = summary.evidence.metric("roc_auc").values["model"].value
    if auc is not None and auc > TOO_GOOD:
        text = (
            f"The model ranks suspiciously well (ROC-AUC {auc:.2f}). Look for a column that is filled in after a close "
            "and exclude it (features.exclude)."
        )
        found.insert(0, Attention("check", text))
    if making.immature:
        text = (
            f"{many(making.immature, 'example')} of the training period had not been observed for "
            f"{duration(making.horizon)} when the test began; they count as far as they were seen, not as failures."
        )
        found.append(Attention("know", text))
    if making.left_out:
        columns = many(len(making.left_out), "column")
        found.append(Attention("know", f"{columns} of the data did not reach the model; “How it was made” says why."))
    return found


def _people(summary: Summary) -> list[Attention]:
    work, found = summary.work, []
    if work.overridden:
        verb = "carries" if work.overridden == 1 else "carry"
        whom = many(work.overridden, "contact")
        text = f"{whom} {verb} a person’s decision on quadrant or tier; probabilities are untouched."
        found.append(Attention("know", text))
    busy = work.quadrants["pursue"].open_deals
    if busy:
        has = "has" if busy == 1 else "have"
        text = f"{count(busy)} of the contacts to pursue already {has} an open deal, so sales may be at work on them."
        found.append(Attention("know", text))
    return found


def _merged(notes: tuple[str, ...]) -> list[str]:
    """Notes that say the same of several columns, as one.

    >>> _merged(("contacts.a: has no history", "deals: 3 rows", "contacts.b: has no history"))
    ['contacts.a, contacts.b: has no history', 'deals: 3 rows']
    """
    places: dict[str, list[str]] = {}
    for note in notes:
        where, _, what = note.partition(": ")
        places.setdefault(what, []).append(where)
    return [": ".join(filter(None, (", ".join(where), what))) for what, where in places.items()]
