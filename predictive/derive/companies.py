"""What kind of organisation an account is, from its name."""

from __future__ import annotations

from typing import Final, Literal

from predictive.derive.lexicon import lexicon
from predictive.derive.text import fold

CompanyType = Literal["government", "health", "education", "nonprofit", "agency or consultancy", "company"]
TYPES: Final[tuple[CompanyType, ...]] = (
    "government", "health", "education", "nonprofit", "agency or consultancy", "company",
)  # fmt: skip
"""In the order in which they win where a name says several: "University Hospital" is health."""


def company_type(name: str, industry: str | None = None) -> CompanyType | None:
    """The type of an organisation from the words and the legal form in its name; None where they say nothing.

    `industry`, where given, decides only for names that say nothing, or only a legal form. "company" means a name with
    a legal form or a word of business: many companies carry neither, and are None.

    >>> [company_type(n) for n in ("Ayuntamiento de Soria", "Szpital Miejski", "Acme Consulting", "Foo sp. z o.o.")]
    ['government', 'health', 'agency or consultancy', 'company']
    >>> company_type("Acme"), company_type("Acme", "Higher education")
    (None, 'education')
    """
    said = _said(fold(name[:300]))
    if said in (None, "company") and industry is not None:
        by_industry = lexicon("company_industry", "words").first(fold(industry[:300]))
        return by_industry or said  # type: ignore[return-value]
    return said


def _said(folded: str) -> CompanyType | None:
    found = {hit.meaning for hit in lexicon("company", "words").find(folded)}
    first = next((kind for kind in TYPES if kind in found), None)
    if first is not None:
        return first
    return "company" if any(h.end == len(folded) for h in lexicon("company", "forms").find(folded)) else None
