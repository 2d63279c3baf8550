"""Are the probabilities right? In the large, as intercept and slope of the log-odds, and bin by bin."""

from __future__ import annotations

import numpy as np

from predictive.evaluation.tally import Tally, Vector, running

BINS = 10
NEWTON_STEPS = 100
HALVINGS = 60


def calibration_in_large(tally: Tally) -> float:
    """Mean probability divided by the actual rate: 1 is best, 2 promises twice what comes; NaN without closes."""
    closes = float(tally.closes.sum())
    return float((tally.total * tally.probabilities).sum()) / closes if closes > 0 else np.nan


def calibration_intercept(tally: Tally) -> float:
    """The shift of all log-odds that makes predicted equal actual closes; 0 is best, above 0 too few were predicted.

    The slope is held at 1 (Cox 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al. 2019,
    doi:10.1186/s12916-019-1466-7): :func:`calibration_in_large` said in log-odds. NaN with one class.
    """
    closes, others = float(tally.closes.sum()), float(tally.others.sum())
    if not (closes > 0 and others > 0):
        return np.nan
    # Log-odds lie within ±35, so the shift lies within ±35 of the base rate's own; the sum rises with the shift.
    odds = np.exp(tally.logits)
    low, high = -110.0, 110.0
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        p = odds / (odds + np.exp(-shift))
        expected = tally.total * p
        excess, bend = float(expected.sum()) - closes, float((expected * (1 - p)).sum())
        low, high = (low, shift) if excess > 0 else (shift, high)
        step = shift - excess / bend if bend > 0 else np.nan
        new = step if low < step < high else (low + high) / 2
        if abs(new - shift) < 1e-12 * max(1.0, abs(new)):
            return new
        shift = new
    return shift


def calibration_slope(tally: Tally) -> float:
    """The slope b of the maximum-likelihood fit logit P(close) = a + b · logit(probability); 1 is best.

    Below 1 the probabilities are too extreme, above 1 too timid, at 0 they say nothing (Cox 1958,
    doi:10.1093/biomet/45.3-4.562). Clipped like :func:`log_loss`. NaN where no finite maximum exists: one class, or
    probabilities that separate the classes (Albert & Anderson 1984, doi:10.1093/biomet/71.1.1).
    """
    logits = tally.logits
    of_closes, of_others = logits[tally.closes > 0], logits[tally.others > 0]
    if len(of_closes) == 0 or len(of_others) == 0:
        return np.nan
    # Sorted from the highest, so the ends are the extremes; overlap must be more than one shared value.
    if of_closes[-1] >= of_others[0] or of_others[-1] >= of_closes[0]:
        return np.nan
    return _logistic_slope(logits, tally.closes, tally.others)


def calibration_error(tally: Tally) -> float:
    """Expected calibration error: mean |mean probability - actual rate| over ten bins of equal weight; 0 is best.

    Each bin holds a tenth of the ranked list; tied examples are shared between bins in proportion (equal counts: Nguyen
    & O'Connor 2015, doi:10.18653/v1/D15-1182). It is never negative, so noise alone makes it positive, and more so in
    smaller samples.
    """
    return float(np.abs(bin_excess(tally)).sum())


def bin_excess(tally: Tally) -> Vector:
    """Predicted minus actual closes in each bin of :func:`calibration_error`, per example of the sample: (10,)."""
    total = running(tally.total)
    if not total[-1] > 0:
        return np.full(BINS, np.nan)
    excess = running(tally.total * tally.probabilities - tally.closes)
    at_cuts = np.interp(np.linspace(0, total[-1], BINS + 1), total, excess)
    return np.asarray(np.diff(at_cuts) / total[-1], dtype=np.float64)


def calibration_error_debiased(tally: Tally) -> float:
    """Root mean squared gap of the ten bins of :func:`calibration_error`, less what noise alone would add; 0 is best.

    The noise of a bin with rate r and weight n is r (1 - r) / (n - 1) (Bröcker 2012, doi:10.1007/s00382-011-1191-1;
    Kumar, Liang & Ma 2019, arXiv:1909.10155), as if examples were independent and each counted once.
    :func:`~predictive.evaluation.intervals.evaluate` puts the noise of whole clusters in its place. Where noise
    explains everything it is 0; NaN where a bin holds no more than one example.
    """
    total, closes = running(tally.total), running(tally.closes)
    each = total[-1] / BINS
    if not each > 1:
        return np.nan
    rates = np.diff(np.interp(np.linspace(0, total[-1], BINS + 1), total, closes)) / each
    noise = (rates * (1 - rates) / (each - 1)).mean()
    return float(np.sqrt(max(rms_gap(tally) ** 2 - noise, 0.0)))


def rms_gap(tally: Tally) -> float:
    """Root mean squared (mean probability - actual rate) of the bins of :func:`bin_excess`, noise and all."""
    return float(np.sqrt(BINS * (bin_excess(tally) ** 2).sum()))


def _logistic_slope(x: Vector, closes: Vector, others: Vector) -> float:
    """The slope on `x` of a logistic regression of `closes` against `others`, by Newton's method with halved steps.

    The caller has made sure that a finite maximum exists; NaN if rounding keeps it from being reached all the same.
    """
    total = closes + others
    mean = (total * x).sum() / total.sum()
    scale = float(np.sqrt((total * (x - mean) ** 2).sum() / total.sum()))
    z = (x - mean) / scale
    at = np.array([np.log(closes.sum() / others.sum()), 0.0])
    height = _log_likelihood(at, z, closes, others)
    for _ in range(NEWTON_STEPS):
        step, promise = _newton_step(at, z, closes, others)
        if not np.isfinite(step).all():
            return np.nan
        if np.abs(step).max() < 1e-9 * max(1.0, abs(at[1])):
            return float(at[1] + step[1]) / scale
        for fraction in 0.5 ** np.arange(HALVINGS):
            new = _log_likelihood(at + fraction * step, z, closes, others)
            # Concave, so some fraction keeps a part of what the gradient promises (Armijo's rule). Near the top there
            # is only rounding left to gain, and a full step is right.
            if new >= height + 0.1 * fraction * promise - 1e-10 * abs(height):
                break
        at, height = at + fraction * step, new
    return np.nan


def _log_likelihood(at: Vector, z: Vector, closes: Vector, others: Vector) -> float:
    logit = at[0] + at[1] * z
    tail = np.log1p(np.exp(-np.abs(logit)))
    return -float((closes * (np.maximum(-logit, 0) + tail) + others * (np.maximum(logit, 0) + tail)).sum())


def _newton_step(at: Vector, z: Vector, closes: Vector, others: Vector) -> tuple[Vector, float]:
    """The step to the maximum of the local quadratic, and gradient × step; not finite where no curvature is left."""
    logit = at[0] + at[1] * z
    small = np.exp(-np.abs(logit))
    large, small = 1 / (1 + small), small / (1 + small)
    # Both sides from the small tail, since 1 - p has no digits left where p is near 1.
    p, q = np.where(logit > 0, large, small), np.where(logit > 0, small, large)
    residual, curvature = closes * q - others * p, (closes + others) * p * q
    bend = float(curvature.sum())
    # Around the mean under the curvature the two directions do not mix, which keeps digits that a determinant loses.
    middle = float((curvature * z).sum()) / bend if bend > 0 else np.nan
    spread = float((curvature * (z - middle) ** 2).sum())
    if not spread > 0:
        return np.full(2, np.nan), np.nan
    level, tilt = float(residual.sum()), float((residual * (z - middle)).sum())
    slope = tilt / spread
    return np.array([level / bend - middle * slope, slope]), level**2 / bend + tilt * slope
