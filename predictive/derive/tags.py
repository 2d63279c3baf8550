"""Tags by kind: what one is to the company, where one is, what one's business is, and where one came from."""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal

from predictive.derive.countries import country
from predictive.derive.lexicon import lexicon
from predictive.derive.text import fold

TagKind = Literal["relationship", "place", "industry", "source", "other"]

_ORDER: Final[tuple[TagKind, ...]] = ("source", "relationship", "place", "industry")
_BETWEEN = re.compile(r"[;,|\n\r]")
_PREFIX = re.compile(r"^([^:/=]{1,30})[:/=](.+)$", re.DOTALL)
_AROUND = " \t\"'[]#"
_SHORTEST_COUNTRY = 4
"""Shorter tags are rarely codes of countries: IT, HR, PR and AI are trades."""


def split_tags(text: str) -> tuple[str, ...]:
    """The tags in a text, each once, in order: between ``; , |`` and line ends, or the strings of a JSON list.

    A leading ``#`` is not part of a tag. Tags that differ only in case are one, as first written.

    >>> split_tags('["VIP", "place:Lisboa"]'), split_tags("#partner; Webinar 2024|PARTNER")
    (('VIP', 'place:Lisboa'), ('partner', 'Webinar 2024'))
    """
    listed = _json_list(text)
    parts = _BETWEEN.split(text) if listed is None else [str(part) for part in listed if isinstance(part, str | int)]
    tags = [" ".join(part.strip(_AROUND).split()) for part in parts]
    once: dict[str, str] = {}
    for tag in tags:
        once.setdefault(tag.casefold(), tag)
    return tuple(tag for tag in once.values() if tag)


def tag_kind(tag: str) -> TagKind:
    """The kind of one tag: by its prefix ("industry/machinery"), else by the words in it; else "other".

    A tag with words of several kinds is the first of source, relationship, place and industry.

    >>> [tag_kind(t) for t in ("place:anywhere", "Proveedor", "targi 2024", "Portugal", "maquinaria", "VIP")]
    ['place', 'relationship', 'source', 'place', 'industry', 'other']
    """
    prefixed = _PREFIX.match(tag[:300])
    if prefixed is not None:
        said = lexicon("tags", "prefixes").whole(fold(prefixed[1]))
        if said is not None:
            return said  # type: ignore[return-value]  # the sections of the list are the kinds
    folded = fold(tag[:300])
    found: set[str] = {hit.meaning for hit in lexicon("tags", "kinds").find(folded)}
    if len(folded) >= _SHORTEST_COUNTRY and country(tag[:300]) is not None:
        found.add("place")
    return next((kind for kind in _ORDER if kind in found), "other")


def tags_of_kind(text: str, kind: TagKind) -> str | None:
    """The tags of one kind in a text, sorted without regard to case, joined by ``"; "``; None where there are none.

    >>> tags_of_kind("webinar; cliente; Feria Madrid", "source")
    'Feria Madrid; webinar'
    """
    tags = sorted((tag for tag in split_tags(text) if tag_kind(tag) == kind), key=lambda t: (t.casefold(), t))
    return "; ".join(tags) or None


def _json_list(text: str) -> list[Any] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, list) else None
