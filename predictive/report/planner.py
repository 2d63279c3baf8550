"""The capacity planner: for every number of contacts that can be worked, the cut-off and the closes to be expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.report.evidence import Evidence

ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""What the steps of the slider are, times a power of ten: a tenth to a third apart, as many as a person can aim at."""
SURE = 0.95
WIDTHS = 2 * 1.959964


@dataclass(frozen=True)
class Step:
    """The `contacts` with the highest probabilities: where the list ends, and the closes among them.

    `low` and `high` are the ends of the 95 % interval of the closes, None where the test does not say how far the
    level may be off. `by_rules` closes are expected of as many contacts from the top of the rules' list, by the same
    probabilities. `found` and `found_by_rules` are the shares of the closes in the test that as long a part of either
    list held; None without closes.
    """

    contacts: int
    cut_off: float
    expected: float
    low: int | None
    high: int | None
    by_rules: float
    found: float | None
    found_by_rules: float | None


@dataclass(frozen=True)
class Plan:
    """Steps from one contact to all; `start` is the position of the number that is configured, or to be worked now."""

    start: int
    steps: tuple[Step, ...]


def plan(scores: pd.DataFrame, evidence: Evidence, *, wanted: int) -> Plan | None:
    """The plan for the current scores; None without any. `wanted` contacts are a step of their own."""
    if scores.empty:
        return None
    probability = scores["probability"].to_numpy(dtype=np.float64)
    ranked = -np.sort(-probability)
    expected = np.cumsum(ranked)
    of_rules = _by_points(probability, scores["rule_score"].to_numpy(dtype=np.float64))
    level = level_error(evidence)
    counts = steps(len(scores), wanted)
    found = []
    for n in counts:
        low, high = (None, None) if level is None else closes_interval(float(expected[n - 1]), level, most=n)
        shares = [_at(evidence, name, n / len(scores)) for name in ("model", "rules")]
        by_rules = float(np.interp(n, *of_rules))
        found.append(Step(n, float(ranked[n - 1]), float(expected[n - 1]), low, high, by_rules, *shares))
    return Plan(counts.index(min(max(wanted, 1), len(scores))), tuple(found))


def steps(everyone: int, wanted: int) -> list[int]:
    """Round numbers up to `everyone`, with that number and `wanted` among them.

    >>> steps(7, 100), steps(31, 17)
    ([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 17, 20, 25, 30, 31])
    """
    powers = [10**e for e in range(len(str(everyone)))]
    found = {round(m * power) for power in powers for m in ROUND}
    return sorted({n for n in found if n < everyone} | {everyone, min(max(wanted, 1), everyone)})


def level_error(evidence: Evidence) -> float | None:
    """The standard error of the log of predicted over actual closes in the test; None where it is not known."""
    ratio = evidence.calibration
    if ratio.low is None or ratio.high is None or ratio.low <= 0:
        return None
    return float(np.log(ratio.high / ratio.low) / WIDTHS)


def closes_interval(expected: float, level: float, *, most: int) -> tuple[int, int]:
    """The 95 % interval of a number of closes whose expectation is itself only known up to a factor.

    Closes are Poisson around a level that is gamma distributed with mean `expected` and relative standard deviation
    `level`, which makes them negative binomial (Greenwood & Yule 1920, doi:10.2307/2341080). A sum of unequal chances
    varies less than a Poisson number, so that the interval is rather too wide; it ends at `most`.

    >>> closes_interval(10.0, 0.0, most=100), closes_interval(10.0, 0.3, most=100)
    ((4, 17), (3, 20))
    """
    from scipy.stats import nbinom, poisson

    tail, spread = (1 - SURE) / 2, level**2
    closes = poisson(expected) if spread * expected < 1e-9 else nbinom(1 / spread, 1 / (1 + spread * expected))
    return min(int(closes.ppf(tail)), most), min(int(closes.ppf(1 - tail)), most)


def _by_points(probability: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Contacts and expected closes from the top of the rules' list on; equal points come in proportion."""
    by_points = pd.DataFrame({"points": points, "p": probability}).groupby("points")["p"].agg(["size", "sum"])
    from_top = by_points.sort_index(ascending=False).cumsum()
    contacts, closes = (np.concatenate([[0.0], from_top[name].to_numpy(dtype=float)]) for name in ("size", "sum"))
    return contacts, closes


def _at(evidence: Evidence, name: str, share: float) -> float | None:
    """The share of the closes in the test that the top `share` of a list held, between the points of the gain curve."""
    points = evidence.gain[name]
    if not points:
        return None
    worked, found = np.array(points).T
    return float(np.interp(share, worked, found))
