"""What the test part says about the score: the numbers behind "is it to be trusted?"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from predictive.evaluation.reliability import Bin

COMPETITORS = ("model", "logistic", "rules")
OPPONENTS = ("rules", "logistic")
METRICS = (
    "log_loss",
    "brier",
    "roc_auc",
    "average_precision",
    "lift_at_10",
    "calibration_in_large",
)
FEW_CLOSES = 20
"""Closes below which a test says too little: its intervals are known to be too narrow."""
Outcome = Literal["better", "ahead", "level", "behind", "worse", "unknown"]
Level = Literal["yes", "care", "no"]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Point:
    """A point of the calibration curve, and between which shares luck alone would put it (95 %)."""

    predicted: float
    actual: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """One metric: each competitor's value, and how much better the model is than each opponent (above 0: better)."""

    name: str
    values: dict[str, Estimate]
    advantages: dict[str, Estimate]


@dataclass(frozen=True)
class Evidence:
    """The test part: `n` examples (a contact at an as-of), `labelled` of them closed, by `closes` distinct won deals.

    `outcomes` says how the model did against each opponent on log loss; `gain` holds per competitor the points (share
    of contacts worked from the top, share of closes found), `curve` the model's calibration curve. `rules_are_blind`:
    every test example has the same rule score.
    """

    n: int
    closes: int
    labelled: float
    base_rate: float
    metrics: tuple[Measured, ...]
    bins: dict[str, tuple[Bin, ...]]
    curve: tuple[Point, ...]
    gain: dict[str, tuple[tuple[float, float], ...]]
    outcomes: dict[str, Outcome]
    rules_are_blind: bool

    def metric(self, name: str) -> Measured:
        """One of :data:`METRICS`, by name."""
        return next(m for m in self.metrics if m.name == name)

    @property
    def calibration(self) -> Estimate:
        """Predicted over actual closes of the model; 1 is right."""
        return self.metric("calibration_in_large").values["model"]

    @property
    def off_by(self) -> Literal["too many", "too few"] | None:
        """Whether the model predicts too many or too few closes over all; None where luck would explain it."""
        low, high = self.calibration.low, self.calibration.high
        if low is None or high is None or low <= 1 <= high:
            return None
        return "too many" if low > 1 else "too few"

    @property
    def ranks(self) -> bool:
        """Whether the model tells contacts that close from those that do not, beyond luck."""
        low = self.metric("roc_auc").values["model"].low
        return low is not None and low > 0.5

    @property
    def level(self) -> Level:
        """``no``: do not work by this score yet; ``care``: something is off; ``yes``: nothing speaks against it."""
        if self.closes < FEW_CLOSES or not self.ranks or self.outcomes["rules"] == "worse":
            return "no"
        sound = self.off_by is None and self.outcomes["logistic"] != "worse"
        return "yes" if sound and self.outcomes["rules"] == "better" else "care"

    def found_at(self, name: str, share: float) -> float | None:
        """The share of closes among the top `share` (a whole percentage) of a competitor's list."""
        return next((found for worked, found in self.gain[name] if abs(worked - share) < 1e-9), None)


def read_evidence(report: dict[str, Any]) -> Evidence:
    """The evidence in a bundle's report."""
    compared, reliability = report["comparison"], report["reliability"]
    model = compared["evaluations"]["model"]
    metrics = tuple(_measured(name, compared) for name in METRICS)
    against = metrics[METRICS.index("log_loss")].advantages
    return Evidence(
        n=model["n"],
        closes=model["closes"],
        labelled=model["base_rate"] * model["n"],
        base_rate=model["base_rate"],
        metrics=metrics,
        bins={name: tuple(Bin(**b) for b in reliability[name]) for name in COMPETITORS},
        curve=tuple(Point(**point) for point in report.get("corp", {}).get("model", ())),
        gain={name: tuple((x, y) for x, y in report["gain"][name]) for name in COMPETITORS},
        outcomes={name: outcome(against[name]) for name in OPPONENTS},
        rules_are_blind=metrics[METRICS.index("roc_auc")].values["rules"] == Estimate(0.5, 0.5, 0.5),
    )


def outcome(advantage: Estimate) -> Outcome:
    """How the model did, from its advantage: better or worse where luck is unlikely, else ahead, behind or level.

    >>> outcome(Estimate(0.02, 0.01, 0.03)), outcome(Estimate(0.02, -0.01, 0.03)), outcome(Estimate(-0.02, -0.03, 0))
    ('better', 'ahead', 'behind')
    """
    if advantage.value is None:
        return "unknown"
    if advantage.value == 0:
        return "level"
    if advantage.value > 0:
        return "better" if advantage.low is not None and advantage.low > 0 else "ahead"
    return "worse" if advantage.high is not None and advantage.high < 0 else "behind"


def _measured(name: str, compared: dict[str, Any]) -> Measured:
    return Measured(
        name=name,
        values={c: Estimate(**compared["evaluations"][c]["values"][name]) for c in COMPETITORS},
        advantages={c: Estimate(**compared["advantages"][c][name]) for c in OPPONENTS},
    )
