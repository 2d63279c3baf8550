"""Word lists: the YAML files of ``words/``, compiled when they are first used.

A list maps what is meant to phrases, by language; the language is for the reader only. A phrase is matched as whole
words after :func:`predictive.derive.text.fold`; ``*`` at either end of a word stands for any letters (``vertrieb*``),
a ``*`` alone for one whole word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from predictive.derive.text import fold


@dataclass(frozen=True)
class Hit:
    """A phrase of a list found in a folded text, from `start` to `end` (characters)."""

    meaning: str
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """One compiled list. Of the phrases that match at a place the one with most words, then most letters, wins."""

    pattern: re.Pattern[str]
    meanings: tuple[str, ...]

    def find(self, folded: str) -> tuple[Hit, ...]:
        """All phrases in a folded text, from left to right, not overlapping."""
        found = self.pattern.finditer(folded)
        return tuple(Hit(self.meanings[(m.lastindex or 1) - 1], m.start(), m.end()) for m in found)

    def first(self, folded: str) -> str | None:
        """The meaning of the first phrase in a folded text; None without one."""
        return next((hit.meaning for hit in self.find(folded)), None)


def compiled(phrases: dict[str, Iterable[str]]) -> Lexicon:
    """The lexicon of meaning → phrases.

    >>> compiled({"vp": ["vice president"], "head": ["*leiter"], "c-level": ["president"]}).find("vice president")
    (Hit(meaning='vp', start=0, end=14),)
    """
    each = {folded_phrase(p): meaning for meaning, some in phrases.items() for p in some}
    ordered = sorted(each, key=lambda p: (-len(p.split()), -len(p.replace("*", "")), p))
    alternatives = "|".join(f"({_as_pattern(p)})" for p in ordered)
    return Lexicon(re.compile(rf"(?<![^ ])(?:{alternatives})(?![^ ])"), tuple(each[p] for p in ordered))


def folded_phrase(phrase: str) -> str:
    """A phrase as it is matched, its stars kept.

    >>> folded_phrase("Współwłaściciel*")
    'wspolwlasciciel*'
    """
    return fold(phrase)


@cache
def words(file: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """The list in ``words/<file>.yaml``: section → meaning → phrases of all languages."""
    text = (resources.files("predictive.derive") / "words" / f"{file}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, dict[str, list[str]]]] = yaml.safe_load(text)
    return {
        section: {
            meaning: tuple(p for some in by_language.values() for p in some) for meaning, by_language in m.items()
        }
        for section, m in loaded.items()
    }


@cache
def lexicon(file: str, section: str) -> Lexicon:
    """A section of a word list, compiled."""
    return compiled(dict(words(file)[section]))


def _as_pattern(phrase: str) -> str:
    return " ".join(r"\w+" if w == "*" else re.escape(w).replace(r"\*", r"\w*") for w in phrase.split())
