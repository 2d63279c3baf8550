"""The holdout: a stable, random share of contacts outside the actions, so that one can tell what the actions do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

SALT = b"predictive holdout: never change this"
"""Goes into every hash, so that no other sampling by contact id picks the same contacts."""


def held_out(contact_ids: Iterable[str], share: float) -> np.ndarray:
    """Whether each contact is in the holdout, (n,) boolean.

    A contact's place is a hash of its id alone: it never changes, and a larger share keeps all members of a smaller.

    >>> ids = [f"C{i}" for i in range(10_000)]
    >>> int(held_out(ids, 0.05).sum()), bool((held_out(ids, 0.05) <= held_out(ids, 0.1)).all())
    (531, True)
    """
    if share == 0:
        return np.zeros(len(list(contact_ids)), dtype=bool)
    places = (hashlib.blake2b(str(i).encode(), digest_size=8, key=SALT).digest() for i in contact_ids)
    limit = int(share * 2**64)
    return np.array([int.from_bytes(place, "big") < limit for place in places], dtype=bool)
