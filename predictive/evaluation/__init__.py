"""How good probabilities are, with intervals, and which of the model, the logistic regression and the rules is best."""

from predictive.evaluation.comparison import Comparison, compare
from predictive.evaluation.corp import Point, corp_curve
from predictive.evaluation.intervals import Estimate, Evaluation, evaluate
from predictive.evaluation.metrics import METRICS, Metric, gain_curve
from predictive.evaluation.reliability import Bin, reliability, wilson

__all__ = [
    "METRICS",
    "Bin",
    "Comparison",
    "Estimate",
    "Evaluation",
    "Metric",
    "Point",
    "compare",
    "corp_curve",
    "evaluate",
    "gain_curve",
    "reliability",
    "wilson",
]
