"""Ids that belong together: accounts joined by who moved between them, records joined by merges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def joined(sets: Iterable[Sequence[str]]) -> list[set[str]]:
    """The given sets of ids, those that share an id made one; in the order in which their ids first come up.

    >>> joined([("a", "b"), ("c", "d"), ("b", "e")]) == [{"a", "b", "e"}, {"c", "d"}]
    True
    """
    parent: dict[str, str] = {}

    def root(id_: str) -> str:
        while parent.setdefault(id_, id_) != id_:
            parent[id_] = parent[parent[id_]]
            id_ = parent[id_]
        return id_

    for first, *others in sets:
        top = root(first)
        for other in others:
            parent[root(other)] = top
    found: dict[str, set[str]] = {}
    for id_ in list(parent):
        found.setdefault(root(id_), set()).add(id_)
    return list(found.values())
