"""Word lists: the YAML files of ``words/``, compiled when they are first used.

A list maps what is meant to phrases, by language; the language is for the reader only. A phrase is matched as whole
words after :func:`predictive.derive.text.fold`; ``*`` at either end of a word stands for any letters (``vertrieb*``),
a ``*`` alone for one whole word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from predictive.derive.text import fold

_WORD = re.compile(r"[^ ]+")


@dataclass(frozen=True)
class Hit:
    """A phrase of a list found in a folded text, from `start` to `end` (characters)."""

    meaning: str
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """One compiled list: phrases as they are, and those with a ``*`` as patterns by their number of words."""

    exact: dict[str, str]
    patterns: dict[int, tuple[tuple[re.Pattern[str], str], ...]]
    longest: int

    def find(self, folded: str) -> tuple[Hit, ...]:
        """All phrases in a folded text, from left to right, not overlapping.

        Of the phrases that match at a place the one with most words, then most letters, wins.
        """
        found: list[Hit] = []
        starts = [m.start() for m in _WORD.finditer(folded)]
        ends = [m.end() for m in _WORD.finditer(folded)]
        at = 0
        while at < len(starts):
            last, meaning = self._longest(folded, starts[at], ends[at : at + self.longest])
            if meaning is not None:
                found.append(Hit(meaning, starts[at], ends[at + last]))
            at += last + 1
        return tuple(found)

    def first(self, folded: str) -> str | None:
        """The meaning of the first phrase in a folded text; None without one."""
        return next((hit.meaning for hit in self.find(folded)), None)

    def whole(self, folded: str) -> str | None:
        """The meaning of a phrase that is all of a folded text; None where none is."""
        hits = self.find(folded)
        return hits[0].meaning if hits and (hits[0].start, hits[0].end) == (0, len(folded)) else None

    def _longest(self, folded: str, start: int, ends: list[int]) -> tuple[int, str | None]:
        """How many words follow the first in the longest phrase from `start`, and what the phrase means."""
        for last in reversed(range(len(ends))):
            phrase = folded[start : ends[last]]
            if phrase in self.exact:
                return last, self.exact[phrase]
            for pattern, meaning in self.patterns.get(last + 1, ()):
                if pattern.fullmatch(phrase):
                    return last, meaning
        return 0, None


def compiled(phrases: Mapping[str, Iterable[str]]) -> Lexicon:
    """The lexicon of meaning → phrases.

    >>> compiled({"vp": ["vice president"], "head": ["*leiter"], "c-level": ["president"]}).find("vice president")
    (Hit(meaning='vp', start=0, end=14),)
    """
    each = {fold(p): meaning for meaning, some in phrases.items() for p in some}
    starred = sorted((p for p in each if "*" in p), key=lambda p: (-len(p), p))
    counts = {p: len(p.split()) for p in each}
    by_count = {n: tuple((_pattern(p), each[p]) for p in starred if counts[p] == n) for n in set(counts.values())}
    return Lexicon({p: m for p, m in each.items() if "*" not in p}, by_count, max(counts.values()))


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
    return compiled(words(file)[section])


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(" ".join(r"\w+" if w == "*" else re.escape(w).replace(r"\*", r"\w*") for w in phrase.split()))
