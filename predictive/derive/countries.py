"""Countries from the ways that people and forms write them, as ISO 3166-1 alpha-2 codes.

Names in English, Spanish, Polish, Portuguese, German and French and the alpha-3 codes come from Babel (Unicode CLDR);
spellings that CLDR does not list from ``words/countries.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from predictive.derive.text import fold

LANGUAGES: Final = ("en", "es", "pl", "pt", "pt_PT", "de", "fr")
_NOT_COUNTRIES: Final = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
"""Two-letter codes of CLDR that ISO 3166-1 does not have, but for XK (Kosovo), which everybody uses."""

_SHORTEST_TYPO: Final = 6
_LONGEST_NAME: Final = 60

_BETWEEN = re.compile(r"[()\[\],;/|\n]| - | – ")


def country(text: str) -> str | None:
    """The alpha-2 code of the country that a text names, None where it names none or several.

    Case, accents and punctuation do not matter, and two swapped letters are forgiven ("Germnay"). A text
    may name the country twice ("Spain (ES)") but nothing else: towns are not looked up.

    >>> [country(t) for t in ("U.S.A.", "españa ", "Republic of Poland", "NLD", "Untied States", "Madrid")]
    ['US', 'ES', 'PL', 'NL', 'US', None]
    """
    whole = _code(text)
    if whole is not None:
        return whole
    parts = [part for part in _BETWEEN.split(text) if fold(part)]
    codes = {_code(part) for part in parts}
    if len(parts) > 1:
        return codes.pop() if len(codes) == 1 else None
    return _swapped(fold(text))


def _code(text: str) -> str | None:
    folded = fold(text)
    exact, loose, lists = _names(), _loose_names(), _lists()
    if folded in exact:
        return exact[folded]
    return loose.get(_without(folded, lists["links"])) or loose.get(
        _without(folded, lists["links"] | lists["official"])
    )


def _swapped(folded: str) -> str | None:
    """The country whose name this is but for two swapped neighbouring letters; shorter names are too alike."""
    if not _SHORTEST_TYPO <= len(folded) <= _LONGEST_NAME:
        return None
    swaps = (f"{folded[:i]}{folded[i + 1]}{folded[i]}{folded[i + 2 :]}" for i in range(len(folded) - 1))
    codes = {code for code in map(_names().get, swaps) if code is not None}
    return codes.pop() if len(codes) == 1 else None


@cache
def _names() -> dict[str, str]:
    """Folded name or code → alpha-2; the own spellings win over Babel's."""
    from babel.core import get_global

    names = {fold(name): code for code, name in _babel()}
    names |= {code.lower(): code for code, _ in _babel()}
    isos = set(names.values())
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(codes) == 1 and codes[0] in isos:
            names.setdefault(alias.lower(), codes[0])
    spellings: dict[str, str] = _lists()["spellings"]
    return names | spellings


@cache
def _loose_names() -> dict[str, str]:
    """The names without articles and conjunctions."""
    return {_without(name, _lists()["links"]): code for name, code in _names().items() if " " in name or len(name) > 3}


def _babel() -> Iterator[tuple[str, str]]:
    from babel import Locale

    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES:
                yield code, name


@cache
def _lists() -> dict[str, Any]:
    text = (resources.files("predictive.derive") / "words" / "countries.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    spellings = {fold(name): code for code, some in loaded["spellings"].items() for name in some}
    words = {key: frozenset(fold(word) for word in loaded[key]) for key in ("links", "official")}
    return {"spellings": spellings, **words}


def _without(folded: str, words: frozenset[str]) -> str:
    return " ".join(word for word in folded.split() if word not in words)
