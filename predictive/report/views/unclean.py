"""What of the state of the database needs attention: the worst of each kind, and only beyond a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from predictive.hygiene import Hygiene
from predictive.hygiene.decay import QUOTED
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.hygiene import defect
from predictive.tables import Note

Weight = Literal["act", "check", "know"]
QUOTED_MOST = 0.3
"""The upper end of what people quote as the yearly decay: a database that surely ages faster is told."""
KNOWN = 0.5
SURPLUS = 0.01
"""The share of contacts that may be too many before it is told."""
STUCK = 0.1
"""By definition one in ten is stuck where nothing has changed; more of those in a stage than this is told."""


@dataclass(frozen=True)
class Attention:
    """One thing to act on, to check, or to know."""

    weight: Weight
    text: str


def unclean(summary: Summary, say: Language) -> list[Attention]:
    """The worst of the hygiene; nothing where it was not examined."""
    found = summary.examined.hygiene
    if found is None or found.contacts == 0:
        return []
    return [*_stale(found, say), *_thin(found, say), *_defects(found, say), *_idle(found, say)]


def _stale(found: Hygiene, say: Language) -> list[Attention]:
    whole = found.decay[-1] if found.decay else None
    if whole is None or whole.low is None or whole.low <= QUOTED_MOST:
        return []
    interval = say.percent_range(whole.low, whole.high)
    text = say(
        "attention.aged", share=say.percent(whole.share), interval=interval, quoted=QUOTED.replace(" ", "\u00a0")
    )
    return [Attention("check", text)]


def _thin(found: Hygiene, say: Language) -> list[Attention]:
    """Contacts of whom little is known, and those that are there twice."""
    out = []
    if found.known / found.contacts < KNOWN:
        places = {"share": say.percent(found.known / found.contacts), "means": translate(found.known_means, say)}
        out.append(Attention("check", say("attention.unknown_contacts", **places)))
    surplus = max((d.surplus for d in found.duplicates), default=0)
    if surplus / found.contacts >= SURPLUS:
        share = say.percent(surplus / found.contacts)
        out.append(Attention("check", say("attention.surplus", surplus, share=share)))
    return out


def _defects(found: Hygiene, say: Language) -> list[Attention]:
    kinds: tuple[tuple[str, Sequence[Note]], ...] = (
        ("attention.impossible", found.impossible),
        ("attention.contradiction", found.contradictions),
    )
    worst = [(key, max(notes, key=lambda note: note.count)) for key, notes in kinds if notes]
    return [Attention("check", say(key, worst=defect(note, say))) for key, note in worst]


def _idle(found: Hygiene, say: Language) -> list[Attention]:
    """Contacts that nobody moves on, and those that need not be paid for."""
    out, late = [], [s for s in found.stuck if s.in_stage and s.contacts / s.in_stage > STUCK]
    if late:
        out.append(Attention("know", say("attention.stuck", sum(s.contacts for s in late))))
    if found.marketing:
        whole = found.marketing[-1]
        text = say("attention.unpaid", whole.contacts, expected=say.expected(whole.expected))
        out.append(Attention("know", text))
    return out
