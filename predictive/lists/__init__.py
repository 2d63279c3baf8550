"""Lists: who is on them tonight, since when, and who left.

Active lists are filters that every scoring run evaluates; static ones keep their members; tags are active lists of what
contacts did, named ``#form``. Membership is written with the scores, with the nights of entry and exit::

    scores ──► evaluate (who is on which list tonight) ──► the sink (what changed, see predictive.sinks.membership)
"""

from __future__ import annotations


def why_none(kind: str) -> str:
    """What to say of a `kind` of sink that keeps no lists.

    >>> why_none("spark")
    'no list and no tag is kept: there is no place for them in a sink of kind spark yet'
    """
    return f"no list and no tag is kept: there is no place for them in a sink of kind {kind} yet"
