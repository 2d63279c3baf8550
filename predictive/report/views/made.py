"""How it was made: a model card, what the score is not, and the words."""

from __future__ import annotations

from predictive.report.blocks import Facts, Panel, Point, Points, Section
from predictive.report.language import Language
from predictive.report.making import Extent, Recipe
from predictive.report.phrases import translate
from predictive.report.summary import Summary

LIMITS = ("groups", "covers", "refitted", "intervals", "causes", "deals")
WORDS = ("probability", "axes", "tier", "quadrant", "rules", "base_rate", "interval", "odds")


def made_section(summary: Summary, say: Language) -> Section:
    """The whole section."""
    card = Panel(say("made.card"), (Facts(_card(summary, say)),))
    places = {
        "within": say.duration(summary.making.horizon),
        "day": say.day(summary.making.test_from),
        "until": say.day(summary.making.observed_until),
        "share": say.percent(0.2),
    }
    limits = Points(tuple(Point(say(f"limits.{name}", **places)) for name in LIMITS))
    words = Facts(tuple((say(f"words.{name}"), (say(f"words.{name}_means", **places),)) for name in WORDS))
    panels = (card, Panel(say("limits.title"), (limits,)), Panel(say("words.title"), (words,)))
    return Section("made", say("made.title"), panels)


def _card(summary: Summary, say: Language) -> tuple[tuple[str, tuple[str, ...]], ...]:
    made, evidence = summary.making, summary.evidence
    within = say.duration(made.horizon)
    none = (say("made.none"),)
    tested = say(
        "made.tested_on",
        evidence.n,
        day=say.day(made.test_from),
        closes=say("unit.close", evidence.closes),
        until=say.day(made.observed_until),
    )
    eligible = tuple(f"{say('unit.example', n)}: {translate(why, say)}" for why, n in made.not_eligible.items())
    left_out = tuple(f"{column}: {translate(why, say)}" for column, why in made.left_out.items())
    cuts = [say("made.cut", tier=say(f"tier.{n}"), share=say.percent(p)) for n, p in summary.work.lowest.items()]
    features = say("made.features", made.features, hash=made.feature_hash[:12])
    return (
        (say("made.predicts"), (say("made.predicts_means", within=within),)),
        (say("made.model"), (say("made.trained", model=summary.model_version, at=say.moment(made.created)),)),
        (say("made.learned_test"), (_extent(made.judged, say),)),
        (say("made.tested"), (tested,)),
        (say("made.learned_scores"), (_extent(made.shipped, say),)),
        (say("made.not_eligible"), eligible or none),
        (say("made.immature"), (say("made.immature_means", made.immature, within=within),)),
        (say("made.features_term"), (features,)),
        (say("made.left_out"), left_out or none),
        *((say(f"axis.{name}"), (_recipe(name, summary, say),)) for name in made.recipes),
        (say("made.thresholds"), tuple(cuts)),
        (say("made.rules"), (say("made.rules_means", hash=made.rules_hash, sets=say.count(made.rule_sets)),)),
        (say("made.versions"), (say.listed([f"{name} {version}" for name, version in made.versions.items()]),)),
    )


def _extent(extent: Extent, say: Language) -> str:
    return say(
        "made.extent",
        extent.examples,
        first=say.day(extent.first),
        last=say.day(extent.last),
        closes=say("unit.close", extent.closes),
        base=say.percent(extent.base_rate),
    )


def _recipe(name: str, summary: Summary, say: Language) -> str:
    recipe = summary.making.recipes[name]
    if recipe is None:
        why = summary.making.why_null.get(name)
        return say("recipe.none") if why is None else say("recipe.none_why", why=translate(why, say))
    return recipe_in_words(recipe, say)


def recipe_in_words(recipe: Recipe, say: Language) -> str:
    """How a probability is made.

    >>> from predictive.report.language import load_language
    >>> recipe_in_words(Recipe(0.0, 80, 0.03, "none", 1.0, 0.0, 0.0, None), load_language("en"))
    'a logistic regression (penalty 0.03), as it comes'
    """
    parts = []
    if recipe.weight > 0:
        parts.append((recipe.weight, say("recipe.trees", recipe.rounds)))
    if recipe.weight < 1:
        penalty = say.number(recipe.strength, 3).rstrip("0").rstrip(".,")
        parts.append((1 - recipe.weight, say("recipe.linear", penalty=penalty)))
    single = len(parts) == 1
    blend = say.listed([text if single else f"{say.percent(share)} {text}" for share, text in parts])
    if recipe.calibration == "none":
        calibrated = say("recipe.plain", blend=blend)
    else:
        bend = say("recipe.bend", bend=say.number(recipe.bend)) if recipe.bend else ""
        numbers = {"slope": say.number(recipe.slope), "shift": say.number(recipe.shift), "bend": bend}
        calibrated = say("recipe.calibrated", blend=blend, method=recipe.calibration, **numbers)
    if recipe.auc is None:
        return calibrated
    return say("recipe.tested", recipe=calibrated, auc=say.number(recipe.auc[0]), error=say.number(2 * recipe.auc[1]))
