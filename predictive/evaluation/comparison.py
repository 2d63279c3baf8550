"""Competitors on the same examples and the same resamples: who is better, by how much, and whether it could be luck.

The score of one resample goes up and down for all competitors together; taking differences within each resample removes
what they share, so paired intervals are narrower than those of the competitors suggest (Efron & Tibshirani 1993).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from predictive.evaluation.clusters import encode
from predictive.evaluation.intervals import (
    REPLICATES,
    Estimate,
    Evaluation,
    Matrix,
    estimates,
    evaluation,
    measurer,
    plain,
    resampled,
    settled,
)
from predictive.evaluation.metrics import METRICS
from predictive.evaluation.tally import as_weights, rank

NAMES = {
    "model": "the model",
    "logistic": "the logistic regression",
    "rules": "the rules",
    "champion": "the champion",
}
"""What sentences call the competitors of a training; others go by their own names."""
FEW = 20
"""Closes below which an interval is known to be too narrow."""
WORDS = {"lower": "lower by", "higher": "higher by", "one": "nearer to 1 by", "zero": "nearer to 0 by"}


@dataclass(frozen=True)
class Comparison:
    """Competitors measured on the same examples.

    `evaluations` holds one :class:`~predictive.evaluation.intervals.Evaluation` per competitor. `advantages[a, b]` says
    for each metric how much better a is than b, with a paired 95 % interval: **above 0 favours a, whichever way the
    metric points**. It is the difference of the values, a - b where higher is better and b - a where lower is, and of
    their distances from 1 (or 0) where that is best. Every ordered pair is there.
    """

    baseline: str
    evaluations: dict[str, Evaluation]
    advantages: dict[tuple[str, str], dict[str, Estimate]]

    def verdict(self, name_a: str, name_b: str, metric: str = "log_loss") -> str:
        """One sentence: which of two won on a metric, by how much, with the interval, and whether that could be luck.

        Raises:
            ValueError: There is no such competitor or metric.
        """
        if (name_a, name_b) not in self.advantages or metric not in METRICS:
            raise ValueError(
                f"no comparison of {name_a!r} and {name_b!r} on {metric!r}; competitors: "
                f"{', '.join(self.evaluations)}; metrics: {', '.join(METRICS)}"
            )
        winner, loser = name_a, name_b
        if self.advantages[name_a, name_b][metric].value < 0:
            winner, loser = name_b, name_a
        return _sentence(winner, loser, metric, self.advantages[winner, loser][metric], self.evaluations[winner])

    def as_dict(self) -> dict[str, Any]:
        """JSON-safe: `advantages` holds, by the name of each other competitor, how much better the baseline is."""
        advantages = {b: values for (a, b), values in self.advantages.items() if a == self.baseline}
        return {
            "baseline": self.baseline,
            "evaluations": {name: found.as_dict() for name, found in self.evaluations.items()},
            "advantages": plain({b: {m: asdict(v) for m, v in found.items()} for b, found in advantages.items()}),
        }


def compare(
    labels: ArrayLike,
    competitors: Mapping[str, ArrayLike],
    *,
    groups: ArrayLike,
    seed: int,
    baseline: str = "model",
    replicates: int = REPLICATES,
    weights: ArrayLike | None = None,
    closes: int | None = None,
    n_jobs: int = -1,
) -> Comparison:
    """Measure competitors on the same resamples, and every pair of them against each other.

    `competitors` holds probabilities (n,) by name, such as ``{"model": p, "logistic": q, "rules": r}``; `baseline` is
    the one whose advantages :meth:`Comparison.as_dict` shows. Everything else is as for
    :func:`~predictive.evaluation.intervals.evaluate`, which finds the same evaluations under the same seed.

    Raises:
        ValueError: The baseline is no competitor, or arrays are not as `evaluate` needs them.

    >>> found = compare([0, 1] * 50, {"model": [0.1, 0.3] * 50, "rules": [0.3, 0.3] * 50}, groups=range(100), seed=7)
    >>> found.verdict("model", "rules")  # doctest: +ELLIPSIS
    'The model beat the rules on log loss, lower by 0.126 (95 % interval 0.1... to 0.15..., 50 closes); luck is ...'
    """
    if baseline not in competitors:
        raise ValueError(f"the baseline {baseline!r} is not among the competitors: {', '.join(competitors)}")
    rankings = {name: rank(labels, p) for name, p in competitors.items()}
    w = as_weights(weights, len(rankings[baseline].order))
    codes = encode(groups, len(w))

    measure = {name: measurer(ranking, w) for name, ranking in rankings.items()}
    draws = resampled(
        lambda x: np.concatenate([of_one(x) for of_one in measure.values()]),
        codes=codes,
        seed=seed,
        replicates=replicates,
        weights=w,
        n_jobs=n_jobs,
    )
    parts = dict(zip(rankings, np.split(draws, len(rankings), axis=1), strict=True))
    values = {name: settled(measure[name](w), parts[name])[np.newaxis] for name in rankings}
    return Comparison(
        baseline=baseline,
        evaluations={
            name: evaluation(ranking, parts[name], codes=codes, weights=w, closes=closes)
            for name, ranking in rankings.items()
        },
        advantages={
            (a, b): estimates(_advantage(values[a], values[b])[0], _advantage(parts[a], parts[b]))
            for a, b in permutations(rankings, 2)
        },
    )


def _advantage(a: Matrix, b: Matrix) -> Matrix:
    """How much better a is than b, metric by metric; of the last three columns, noise adds up either way."""
    metrics = enumerate(METRICS.values())
    better = [metric.merit(a[:, column]) - metric.merit(b[:, column]) for column, metric in metrics]
    return np.stack([*better, a[:, -3] + b[:, -3], a[:, -2] + b[:, -2], b[:, -1] - a[:, -1]], axis=1)


def _sentence(winner: str, loser: str, metric: str, gap: Estimate, found: Evaluation) -> str:
    """The verdict once it is known who is ahead, so that `gap` is at least 0 or NaN."""
    first, second, on = NAMES.get(winner, winner), NAMES.get(loser, loser), METRICS[metric].label
    first = first[0].upper() + first[1:] if winner in NAMES else first
    closes = f"{found.closes:,} close{'' if found.closes == 1 else 's'}"
    if found.closes == 0 or math.isnan(gap.value):
        return f"{first} and {second} cannot be compared on {on}: {closes} among {found.n:,} examples."
    places = _places(gap)
    ahead = f"{WORDS[METRICS[metric].better]} {gap.value:.{places}f}"
    if math.isnan(gap.low):
        return f"{first} came out ahead of {second} on {on}, {ahead}; it could be luck: {closes} and no interval."
    low, high = (round(bound, places) + 0.0 for bound in (gap.low, gap.high))  # a rounded -0.0 reads as 0
    interval = f"(95 % interval {low:.{places}f} to {high:.{places}f}, {closes})"
    if gap.value == 0:
        either = ": either may be better" if gap.low < gap.high else ""
        return f"{first} and {second} came out level on {on} {interval}{either}."
    if gap.low > 0:
        rough = f", but with under {FEW} closes it is too narrow" if found.closes < FEW else ""
        return (
            f"{first} beat {second} on {on}, {ahead} {interval}; luck is unlikely, as the interval is above 0{rough}."
        )
    # Percentiles of a skewed number may even lie wholly on the other side of it.
    why = "spans 0" if gap.high >= 0 else "favours the other"
    return f"{first} came out ahead of {second} on {on}, {ahead} {interval}; it could be luck, as the interval {why}."


def _places(gap: Estimate) -> int:
    """Decimals that show the interval's width (or, without one, the value) to two digits."""
    width = gap.high - gap.low
    size = width if width > 0 else abs(gap.value)
    return min(10, max(2, 1 - math.floor(math.log10(size)))) if size > 0 else 2
