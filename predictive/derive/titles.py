"""What a job title says: seniority, function, and the part its holder plays in a purchase.

The words are English, Spanish, Polish and Portuguese, with the commonest German and French ones; see ``words/``.
"""

from __future__ import annotations

from typing import Final, Literal

from predictive.derive.lexicon import lexicon
from predictive.derive.ranks import PERSONAL_ASSISTANT, Seniority, rank
from predictive.derive.title_text import phrases

Function = Literal[
    "sales", "marketing", "engineering", "it", "product", "finance", "operations", "human resources", "legal",
    "procurement", "customer service", "research", "education", "health", "administration", "general management",
    "other",
]  # fmt: skip
BuyingRole = Literal["buyer", "influencer", "end user"]

_SIGNS: Final = frozenset({"founder or owner", "c-level", "vp", "director", "head"})


def seniority(title: str) -> Seniority | None:
    """The rank in a job title; None for no title, or one that was left ("former CEO", "retired").

    A title that says no rank is "individual". Assistants of a department, trainees, students and juniors are "entry";
    secretaries and assistants of somebody are "individual". Account, community and office managers manage no people.

    >>> seniority("Co-founder & CEO"), seniority("Assistant to the CEO"), seniority("Zastępczyni dyrektora")
    ('founder or owner', 'individual', 'director')
    """
    parts = phrases(title)
    return rank(parts).seniority if parts else None


def job_function(title: str) -> Function | None:
    """What the job is about; "other" where the title does not say it in known words; None for no title.

    >>> job_function("Head of Product Marketing"), job_function("Kierowniczka działu kadr"), job_function("Pianist")
    ('marketing', 'human resources', 'other')
    """
    parts = phrases(title)
    if not parts:
        return None
    text = " ".join(parts)
    found = lexicon("function", "strong").first(text) or lexicon("function", "weak").first(text)
    if found is None and rank(parts) == PERSONAL_ASSISTANT:
        found = "administration"
    return found or lexicon("function", "last").first(text) or "other"  # type: ignore[return-value]


def buying_role(title: str) -> BuyingRole | None:
    """Who the holder of the title is in a purchase; None for no title.

    ``buyer`` signs or buys: owners, c-level, vice presidents, directors, heads, and procurement. ``influencer``
    evaluates: managers, architects, consultants, engineers, technical leads. ``end user`` is everybody else.

    >>> [buying_role(t) for t in ("CFO", "Compradora", "Solutions Architect", "Nurse")]
    ['buyer', 'buyer', 'influencer', 'end user']
    """
    parts = phrases(title)
    if not parts:
        return None
    held = rank(parts)
    if held.seniority in _SIGNS:
        return "buyer"
    if held.seniority in ("entry", None) or held.assists:
        return "end user"
    if job_function(title) == "procurement":
        return "buyer"
    evaluates = held.seniority == "manager" or lexicon("function", "roles").first(" ".join(parts)) is not None
    return "influencer" if evaluates else "end user"
