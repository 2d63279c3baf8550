"""Sentences that a bundle or a score holds in English, in another language.

What training says of columns, features and reasons is stored as English text. The part ``phrases`` of a catalogue holds
the templates of such texts: the English one is what is matched, that of the other language what is said. What no
template knows stays as it is: names of columns, types and levels are the company's own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from predictive.report.language import Language, load_language

PREFIX = "phrases."
PLACE = re.compile(r"\\\{(\w+)\\\}")
ENGLISH = "en"


def translate(text: str, language: Language) -> str:
    """A stored text in a language.

    >>> spanish = load_language("es")
    >>> translate("page view: how many in the last 30 days", spanish)
    'page view: cuántas veces en los últimos 30 días'
    >>> translate("account industry", spanish)
    'account industry'
    """
    if language.code == ENGLISH:
        return text
    for key, pattern in _patterns().items():
        match = pattern.fullmatch(text)
        if match is not None:
            places = {name: translate(value, language) for name, value in match.groupdict().items()}
            return str(language.texts[key].format(**places))
    return text


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Per key what matches the English text; templates with more fixed letters come first."""
    texts: Mapping[str, Any] = {k: v for k, v in load_language(ENGLISH).texts.items() if k.startswith(PREFIX)}
    ordered = sorted(texts.items(), key=lambda item: -len(re.sub(r"\{\w+\}", "", item[1])))
    return {key: re.compile(_as_pattern(text), re.DOTALL) for key, text in ordered}


def _as_pattern(text: str) -> str:
    """A template as a pattern: numbers match numbers, other places anything."""
    return PLACE.sub(
        lambda m: rf"(?P<{m[1]}>[\d.,]+)" if m[1].startswith("n") else rf"(?P<{m[1]}>.+?)", re.escape(text)
    )
