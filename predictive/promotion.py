"""Promotion: a challenger becomes the champion if it is no worse than it and calibrated, or if somebody says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from predictive.config import Promotion
from predictive.contest import Contest


@dataclass(frozen=True)
class Check:
    """One thing that a challenger must show: whether it `passed`, and a sentence with the numbers."""

    passed: bool
    text: str


def checks(found: Contest, challenger: str, champion: str, bounds: Promotion) -> tuple[Check, ...]:
    """Whether the challenger is better or equal within the margin, and calibrated, on what neither had learned from.

    Better or equal: the paired 95 % interval of how much lower its log loss is stays above minus the margin, which is a
    share of the champion's log loss: a test of non-inferiority (Piaggio et al. 2012, doi:10.1001/jama.2012.87802).
    """
    values = {name: e.values for name, e in found.comparison.evaluations.items()}
    gap = found.comparison.advantages[challenger, champion]["log_loss"]
    margin = bounds.margin * values[champion]["log_loss"].value
    # Written so that NaN, where nothing could be told, does not pass.
    passed = gap.low >= -margin
    text = (
        f"log loss {values[challenger]['log_loss'].value:.4f} against the champion's "
        f"{values[champion]['log_loss'].value:.4f}: an advantage of {gap.value:+.4f} (95 % interval {gap.low:+.4f} to "
        f"{gap.high:+.4f}), which must stay above {-margin:+.4f}"
    )
    own = found.comparison.evaluations[challenger].as_dict()["values"]
    return (Check(bool(passed), text), *calibrated(own, bounds))


def calibrated(values: dict[str, dict[str, Any]], bounds: Promotion) -> tuple[Check, ...]:
    """Whether an evaluation's `values` (as plain values) speak against calibration, in the large and in its slope.

    Each passes where its 95 % interval reaches into 1 / (1 + c) to 1 + c, c being the bound: what is shown to be wrong
    by more is refused.
    """
    low, high = 1 / (1 + bounds.calibration), 1 + bounds.calibration
    found = []
    for name, label in (("calibration_in_large", "predicted over actual closes"), ("calibration_slope", "slope")):
        value = values[name]
        if value["low"] is None:
            found.append(Check(passed=False, text=f"{label}: too few closes to tell"))
            continue
        passed = value["low"] <= high and value["high"] >= low
        interval = f"(95 % interval {value['low']:.2f} to {value['high']:.2f})"
        where = "reaches" if passed else "lies outside"
        found.append(Check(passed, f"{label} {value['value']:.2f} {interval} {where} {low:.2f} to {high:.2f}"))
    return tuple(found)
