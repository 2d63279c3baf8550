"""Text as the word lists see it: lower case, without accents, words separated by one space."""

from __future__ import annotations

import re
import unicodedata

_UNDECOMPOSED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i"})
_DOTTED = re.compile(r"\b(?:\w\.){2,}\w?")
_LETTER_PAIR = re.compile(r"\b([a-z]) ?[&+] ?([a-z])\b")
_OTHER = re.compile(r"[^\w*]+|_")


def unaccented(text: str) -> str:
    """The text in lower case and without accents; everything else stays.

    >>> unaccented("Właściciel, Straße, Sócia")
    'wlasciciel, strasse, socia'
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_UNDECOMPOSED)


def fold(text: str) -> str:
    """The words of a text: unaccented, without punctuation; abbreviations such as ``C.E.O.`` and ``R & D`` are a word.

    >>> fold("  V.P., R&D – Côte d'Azur "), fold("director's office")
    ('vp randd cote d azur', 'director office')
    """
    plain = _DOTTED.sub(lambda m: m[0].replace(".", ""), unaccented(text).replace("’", "'"))
    plain = _LETTER_PAIR.sub(r"\1and\2", re.sub(r"'s\b", "", plain))
    return _OTHER.sub(" ", plain).strip()
