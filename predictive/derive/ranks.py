"""The rank that a job title says, whatever the job: who leads, who assists, who learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from predictive.derive.lexicon import Hit, lexicon

Seniority = Literal["founder or owner", "c-level", "vp", "director", "head", "manager", "senior", "individual", "entry"]
RANKS: Final[tuple[Seniority, ...]] = (
    "founder or owner", "c-level", "vp", "director", "head", "manager", "entry", "senior", "individual",
)  # fmt: skip
"""The strongest claim first: of the parts of a title ("Co-founder & CEO") the first in this order is its rank."""

LEADING: Final = RANKS[:6]
_AFTER_ITS_NOUN = frozenset({"asistente", "auxiliar", "assistente", "adjunto", "adjunta"})


@dataclass(frozen=True)
class Rank:
    """The rank of a phrase, and whether the phrase is of an assistant or secretary.

    `seniority` is None where it was left ("former CEO").
    """

    seniority: Seniority | None
    assists: bool = False


PERSONAL_ASSISTANT: Final = Rank("individual", assists=True)
"""Who helps somebody who leads: a secretary, not the assistant of a department."""


def rank(phrases: tuple[str, ...]) -> Rank:
    """The rank of a title, from its folded phrases (:func:`predictive.derive.title_text.phrases`).

    >>> rank(("executive assistant", "ceo")), rank(("cofounder and ceo",)).seniority
    (Rank(seniority='individual', assists=True), 'founder or owner')
    """
    each = [_rank(phrase) for phrase in phrases]
    if each[0].assists:
        return each[0]
    held = [r for r in each if r.seniority is not None]
    return min(held, key=lambda r: RANKS.index(r.seniority or "individual"), default=Rank(None))


def _rank(phrase: str) -> Rank:
    # A partner, alone, owns part of a firm; a business partner or a channel partner manager does not.
    if lexicon("seniority", "whole").whole(phrase) is not None:
        return Rank("founder or owner")
    hits = [h for h in lexicon("seniority", "ranks").find(phrase) if not _subordinate(phrase, h)]
    if any(h.meaning == "former" for h in hits):
        return Rank(None)
    leading = [h for h in hits if h.meaning in LEADING]
    helping = next((h for h in hits if h.meaning.endswith("assistant")), None)
    if helping is not None and not _only_qualifies(phrase, helping, leading):
        return Rank(_of_an_assistant(phrase, helping), assists=True)
    best = min((RANKS.index(h.meaning) for h in leading), default=len(RANKS))
    meanings = {h.meaning for h in hits}
    if "entry" in meanings and best >= RANKS.index("manager"):
        return Rank("entry")
    if best < len(RANKS):
        return Rank(RANKS[best])
    return Rank("senior" if "senior" in meanings else "individual")


def _subordinate(phrase: str, hit: Hit) -> bool:
    """Whether the words before make the rank somebody else's: "chofer del director", "adjunta a la directora"."""
    if hit.meaning == "no rank" or hit.start == 0:
        return False
    before = lexicon("seniority", "subordinate").find(phrase[: hit.start - 1])
    return bool(before) and before[-1].end == hit.start - 1


def _only_qualifies(phrase: str, helping: Hit, leading: list[Hit]) -> bool:
    """Whether the word assistant only qualifies a rank: "assistant store manager", "gerente auxiliar"."""
    if phrase[helping.start : helping.end] in _AFTER_ITS_NOUN and any(h.end <= helping.start for h in leading):
        return True
    between = lexicon("seniority", "subordinate")
    return helping.meaning == "assistant" and any(
        h.start > helping.end and not between.find(phrase[helping.end + 1 : h.start]) for h in leading
    )


def _of_an_assistant(phrase: str, helping: Hit) -> Seniority:
    """Assistants of a department start a career; secretaries and assistants of those who lead do not."""
    # Of "assistant to the CEO" only "assistant" is left.
    others = f"{phrase[: helping.start]} {phrase[helping.end :]}"
    personal = helping.meaning == "personal assistant" or phrase == "assistant"
    return "individual" if personal or lexicon("seniority", "helps").find(" ".join(others.split())) else "entry"
