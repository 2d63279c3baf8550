"""The parts of the page for those who want to know exactly: the comparison and the recipes, in words."""

from __future__ import annotations

from dataclasses import dataclass

from predictive.report.evidence import COMPETITORS, Evidence, Measured, Outcome, outcome
from predictive.report.summary import Recipe
from predictive.report.words import GAP, many, number, number_range

METRIC_WORDS = {
    "log_loss": ("Log loss", "how far probabilities are from what happened; lower is better", 3),
    "brier": ("Brier score", "mean squared error of the probabilities; lower is better", 4),
    "roc_auc": ("ROC-AUC", "how often a contact that closes ranks above one that does not; 0.5 is chance", 3),
    "average_precision": (
        "Average precision",
        "share of closes at the top, averaged over cut-offs; higher is better",
        3,
    ),
    "lift_at_10": ("Lift in the top decile", "close rate of the top tenth against everybody’s; 1 is chance", 2),
    "calibration_in_large": ("Calibration in the large", "predicted over actual closes; 1 is right", 2),
}
OUTCOME_WORDS: dict[Outcome, str] = {
    "better": "better",
    "ahead": "ahead, could be luck",
    "level": "level",
    "behind": "behind, could be luck",
    "worse": "worse",
    "unknown": "not known",
}


@dataclass(frozen=True)
class Cell:
    """A value and its interval, as text."""

    value: str
    interval: str


@dataclass(frozen=True)
class MetricRow:
    """A row of the comparison: what the metric is, each competitor's cell, and how the model did against the others."""

    label: str
    meaning: str
    cells: dict[str, Cell]
    outcomes: dict[str, str]


def metric_rows(found: Evidence) -> tuple[MetricRow, ...]:
    """The comparison table."""
    return tuple(_row(measured) for measured in found.metrics)


def in_words(recipe: Recipe | None) -> str:
    """How a probability is made.

    >>> in_words(Recipe(0.0, 80, 0.03, "none", 1.0, 0.0, 0.0, None))
    'a logistic regression (penalty 0.03), as it comes'
    """
    if recipe is None:
        return "null: not made"
    trees, linear = (
        f"boosted trees (LightGBM, {many(recipe.rounds, 'round')})",
        f"a logistic regression (penalty {recipe.strength:g})",
    )
    if recipe.weight == 0:
        blend = linear
    elif recipe.weight == 1:
        blend = trees
    else:
        blend = f"{recipe.weight:.0%} {trees} and {1 - recipe.weight:.0%} {linear}".replace("%", f"{GAP}%")
    bend = f" and bend {number(recipe.bend)}" if recipe.bend else ""
    numbers = f"slope {recipe.slope:.2f} and shift {number(recipe.shift)}{bend}"
    plain = recipe.calibration == "none"
    calibrated = "as it comes" if plain else f"calibrated ({recipe.calibration}) with {numbers}"
    tested = ""
    if recipe.auc is not None:
        tested = f"; ROC-AUC on later folds of the training part {recipe.auc[0]:.2f} ± {2 * recipe.auc[1]:.2f}"
    return f"{blend}, {calibrated}{tested}"


def _row(measured: Measured) -> MetricRow:
    label, meaning, places = METRIC_WORDS[measured.name]
    versus = {"calibration_in_large": 1.0, "lift_at_10": 1.0, "roc_auc": 0.5}.get(measured.name)
    cells = {}
    for name in COMPETITORS:
        found = measured.values[name]
        cells[name] = Cell(number(found.value, places), number_range(found.low, found.high, places, versus=versus))
    outcomes = {name: OUTCOME_WORDS[outcome(advantage)] for name, advantage in measured.advantages.items()}
    return MetricRow(label, meaning, cells, outcomes)
