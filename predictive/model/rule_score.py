"""The points of the manual rules as a feature that a model may read: a module of its own, for scoring loads little."""

from __future__ import annotations

from predictive.features.catalog import Feature
from predictive.features.expression import Attribute

RULE_SCORE = Feature(
    "rule_score", "points of the manual rules", "context", "rule score", "rule score", Attribute("rule_score")
)
