"""A sparse scorecard: few conditions, whole points, signs that make sense.

Terms are added one by one, each time the one that says most beyond those that are in (a score test, with variances of
whole clusters: Rao 1948; White 1982), while it is worth it and there are ten closes for each (Peduzzi and others 1996,
doi:10.1016/S0895-4356(96)00236-3). The weights of a logistic regression on them, none of which may change its sign,
become points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from predictive.closerates.evidence import Floats
from predictive.evaluation.clusters import Codes, encode, likeness
from predictive.model.folds import closes
from predictive.model.logistic import expit, fit_logistic
from predictive.model.partial import offset_of
from predictive.suggest.candidates import Chosen, Term

MOST_SETS, FEWEST_SETS, CLOSES_PER_SET = 20, 2, 10
WORTH = 2.58
"""Standard errors by which a further term must be ahead: one in a hundred by luck."""
STRENGTH = 10.0
"""Of the weights: scikit-learn's C, so that few closes give no extreme points."""
TOP, MOST_POINTS = 0.995, 50
"""The share of contacts whose points stay below 100; and the most that one set can give. It may take up to 100."""
MOST = 0.5
"""A set that takes points holds for no more than this share."""
LIKE = 2
"""Levels of one attribute whose points differ by no more become one set."""
MOST_ROWS = 200_000
"""More examples of contacts that did not close would take longer and say the same."""


@dataclass(frozen=True)
class Line:
    """One set of a suggestion: a term and its points."""

    term: Term
    points: int


def scorecard(known: pd.DataFrame, found: Sequence[Chosen], *, seed: int) -> tuple[Line, ...]:
    """The lines of a scorecard on the examples `known` (`label`, `offset`, `cluster`, `deal_id`, features).

    Empty where no term raises the chance of a close, since nobody would get points.
    """
    if not found or known["label"].nunique() < 2:
        return ()
    rows = thinned(known, seed=seed)
    columns = np.column_stack([c.term.mask(rows) for c in found]).astype(np.float64)
    signs = np.array([c.sign for c in found], dtype=float)
    most = int(np.clip(closes(known) // CLOSES_PER_SET, FEWEST_SETS, MOST_SETS))
    problem = _Problem(
        columns * signs,
        rows["label"].to_numpy(dtype=float),
        offset_of(rows) + _level(len(known), known["label"].sum(), len(rows)),
        encode(rows["cluster"].to_numpy(), len(rows)),
    )
    chosen, weights = _select(problem, most)
    turned = [_turned(found[i].term, float(w * signs[i]), rows) for i, w in zip(chosen, weights, strict=True)]
    lines = _merged(_to_points(turned, rows))
    return _sorted(lines) if any(line.points > 0 for line in lines) else ()


def points(lines: Sequence[Line], frame: pd.DataFrame) -> np.ndarray:
    """The score of each row, 0 to 100, int64 (n,), as the rules would give it."""
    total = np.zeros(len(frame), dtype=np.int64)
    for line in lines:
        total += line.points * line.term.mask(frame)
    return np.clip(total, 0, 100)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Columns (n, m), each turned so that it can only raise the log-odds; label, offset and cluster codes (n,)."""

    columns: Floats
    label: Floats
    offset: Floats
    codes: Codes

    def fit(self, chosen: Sequence[int]) -> tuple[float, Floats]:
        """Intercept and weights of these columns, none negative."""
        design = self.columns[:, list(chosen)]
        up = np.ones(len(chosen))
        return fit_logistic(design, self.label, self.offset, strength=STRENGTH, signs=up)

    def gains(self, chosen: Sequence[int], intercept: float, weights: Floats) -> Floats:
        """How many standard errors each column (m,) would be above 0 if it were added."""
        p = expit(self.offset + intercept + self.columns[:, list(chosen)] @ weights)
        spread = p * (1 - p)
        inside = np.column_stack([np.ones(len(p)), self.columns[:, list(chosen)]])
        # What the columns that are in explain of the others must not count again.
        weighted = inside * spread[:, np.newaxis]
        share = np.linalg.lstsq(inside.T @ weighted, weighted.T @ self.columns, rcond=None)[0]
        apart = self.columns - inside @ share
        order = np.argsort(self.codes, kind="stable")
        starts = np.flatnonzero(np.diff(self.codes[order], prepend=-1))

        def of_clusters(parts: Floats) -> Floats:
            return np.asarray((np.add.reduceat(parts[order], starts, axis=0) ** 2).sum(axis=0))

        residual = (self.label - p)[:, np.newaxis]
        parts = apart * np.sqrt(spread)[:, np.newaxis]
        alone, together = (parts**2).sum(axis=0), of_clusters(parts)
        expected = alone + likeness(self.label, p, self.codes) * np.maximum(together - alone, 0.0)
        # Where nobody closed there is hardly any variance to see, and what is expected counts.
        error = np.sqrt(np.maximum(of_clusters(apart * residual), expected))
        return np.asarray(
            np.divide((apart * residual).sum(axis=0), error, out=np.zeros_like(error), where=error > 1e-9)
        )


def _select(problem: _Problem, most: int) -> tuple[list[int], Floats]:
    """The columns that are worth it, one after another, and their weights."""
    chosen: list[int] = []
    intercept, weights = problem.fit(chosen)
    while len(chosen) < most:
        gains = problem.gains(chosen, intercept, weights)
        gains[chosen] = -np.inf
        best = int(np.argmax(gains))
        if gains[best] < WORTH:
            break
        chosen.append(best)
        intercept, weights = problem.fit(chosen)
        # What became superfluous with a better column makes room.
        kept = [i for i, w in zip(chosen, weights, strict=True) if w > 1e-6]
        if len(kept) < len(chosen):
            if best not in kept:
                break
            chosen = kept
            intercept, weights = problem.fit(chosen)
    return chosen, weights


def _turned(term: Term, weight: float, rows: pd.DataFrame) -> tuple[Term, float]:
    """A term that takes from most, as one that gives to the rest: a score below 0 cannot tell anybody apart."""
    if weight > 0 or term.mask(rows).mean() <= MOST:
        return term, weight
    other = term.turned(rows)
    return (term, weight) if other is None else (other, -weight)


def _to_points(weighted: Sequence[tuple[Term, float]], rows: pd.DataFrame) -> list[Line]:
    """Whole points: the best contacts come near 100, and no set gives more than half the scale."""
    largest = max((w for _, w in weighted), default=0.0)
    if not largest > 0:
        return []
    raw = sum((w * term.mask(rows) for term, w in weighted), np.zeros(len(rows)))
    scale = min(100 / max(float(np.quantile(raw, TOP)), largest), MOST_POINTS / largest)
    points = [max(round(w * scale), -100) for _, w in weighted]
    return [Line(term, p) for (term, _), p in zip(weighted, points, strict=True) if p != 0]


def _merged(lines: Sequence[Line]) -> list[Line]:
    """Levels of one attribute with nearly the same points, as one set."""
    out: list[Line] = []
    for line in lines:
        like = next((i for i, other in enumerate(out) if _alike(line, other)), None)
        if like is None:
            out.append(line)
            continue
        other = out[like]
        levels = (*_levels(other.term), *_levels(line.term))
        term = replace(other.term, value=tuple(sorted(levels)))
        count = len(levels)
        out[like] = Line(term, round((other.points * (count - 1) + line.points) / count))
    return out


def _alike(a: Line, b: Line) -> bool:
    levels = a.term.way == b.term.way == "one_of" and a.term.feature == b.term.feature
    return levels and a.points * b.points > 0 and abs(a.points - b.points) <= LIKE


def _levels(term: Term) -> tuple[str, ...]:
    return term.value if isinstance(term.value, tuple) else ()


def _sorted(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Who they are first, then what they did; the most points first."""
    return tuple(sorted(lines, key=lambda x: (x.term.feature.attribute is None, -x.points, x.term.in_words())))


def thinned(known: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """All examples that closed, and as many others as there is time for."""
    if len(known) <= MOST_ROWS:
        return known.reset_index(drop=True)
    random = np.random.default_rng(seed)
    closed = np.flatnonzero(known["label"].to_numpy() == 1)
    others = np.flatnonzero(known["label"].to_numpy() == 0)
    kept = random.choice(others, min(len(others), max(MOST_ROWS - len(closed), len(closed))), replace=False)
    return known.iloc[np.sort(np.concatenate([closed, kept]))].reset_index(drop=True)


def _level(rows: int, closed: float, kept: int) -> float:
    """What thinning adds to the log-odds of everybody (King and Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868)."""
    return float(np.log((rows - closed) / (kept - closed)))
