"""How fit and interest are spread over the newest contacts of a training: what shares and capacity are read off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

EXACT = 1_000
"""So many of the highest values are kept one by one; below, one in so many per cent of the rank."""
STEP = 1.01
AXES = ("fit", "interest", "both")


@dataclass(frozen=True)
class Spread:
    """The values of `contacts` contacts at some `ranks` (1 is the highest), before drift correction.

    `both` is the lower of fit and interest: who is high on both axes at a cut is who has it above the cut. An axis that
    is null is None.
    """

    contacts: int
    ranks: tuple[int, ...]
    fit: tuple[float, ...] | None
    interest: tuple[float, ...] | None
    both: tuple[float, ...] | None

    def cut(self, axis: str, *, contacts: int | None = None, share: float | None = None) -> float:
        """Where a number or share of contacts has `axis` (fit, interest or both) strictly above; fewer where some tie.

        Exact for the highest 1,000, within 1 % of the rank below. 0 where there are no more contacts than wanted, NaN
        where the axis is null.
        """
        wanted = round((share or 0.0) * self.contacts) if contacts is None else contacts
        values: tuple[float, ...] | None = getattr(self, axis)
        if values is None:
            return float("nan")
        if wanted >= self.contacts:
            return 0.0
        return float(np.interp(wanted + 1, self.ranks, values))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the bundle."""
        lists = {axis: None if (v := getattr(self, axis)) is None else list(v) for axis in AXES}
        return {"contacts": self.contacts, "ranks": list(self.ranks), **lists}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Spread:
        """The inverse of :meth:`to_json`."""
        lists = {axis: None if value[axis] is None else tuple(value[axis]) for axis in AXES}
        return cls(value["contacts"], tuple(value["ranks"]), **lists)


def spread_of(fit: np.ndarray, interest: np.ndarray, *, each: float = 1.0) -> Spread:
    """Keep the spread of contacts, (n,) each; NaN is an axis that is null. Each stands for so many (at least 1).

    >>> found = spread_of(np.array([0.1, 0.4, 0.3, 0.2]), np.array([0.5, 0.1, 0.6, 0.2]))
    >>> found.cut("fit", share=0.5), found.cut("both", contacts=1)
    (0.2, 0.2)
    """
    n = len(fit)
    ranks = _ranks(n)
    values = {"fit": fit, "interest": interest, "both": np.minimum(fit, interest)}
    lists = {axis: None if np.isnan(v).any() or n == 0 else _at(v, ranks) for axis, v in values.items()}
    stands = np.round((ranks - 0.5) * each + 0.5).astype(np.int64)
    return Spread(round(n * each), tuple(stands.tolist()), **lists)


def _ranks(n: int) -> np.ndarray:
    """1, 2, … 1,000, then ever wider steps to n."""
    found = list(range(1, min(n, EXACT) + 1))
    while found and found[-1] < n:
        found.append(min(n, int(found[-1] * STEP) + 1))
    return np.array(found, dtype=np.int64)


def _at(values: np.ndarray, ranks: np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in np.sort(values)[::-1][ranks - 1])
