"""The manual score: sets of conditions with positive or negative points, as marketing and sales agreed them.

A set applies when all of its conditions hold (AND); sets add up (OR). Conditions compile to the features of
:mod:`predictive.features.catalog`, so that rules are cut at as-of by the same code as the model's features.
"""

from predictive.rules.compiling import condition_features, conditions_hold
from predictive.rules.conditions import Condition
from predictive.rules.language import Cap, Decay, Lifecycle, QuadrantCuts, Repeat, Rules, RuleSet, Stages
from predictive.rules.reading import all_kinds, applicable, load_rules, misfits, rules_for
from predictive.rules.scoring import RuleScore, rule_features, rule_quadrant, score_rules, stage

__all__ = [
    "Cap",
    "Condition",
    "Decay",
    "Lifecycle",
    "QuadrantCuts",
    "Repeat",
    "RuleScore",
    "RuleSet",
    "Rules",
    "Stages",
    "all_kinds",
    "applicable",
    "condition_features",
    "conditions_hold",
    "load_rules",
    "misfits",
    "rule_features",
    "rule_quadrant",
    "rules_for",
    "score_rules",
    "stage",
]
