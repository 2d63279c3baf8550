"""Learning: examples, a recipe chosen in time, and a model judged beside a logistic regression and the rules."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.clock import from_micros, iso
from predictive.config import Config
from predictive.evaluation import Comparison, compare, gain_curve, reliability
from predictive.features.catalog import Feature
from predictive.features.choose import Choice, choose
from predictive.features.cut import check_attributes, contact_kinds
from predictive.features.examples import Examples, examples
from predictive.features.snapshots import unfiltered
from predictive.insight import inside, look, over_time, segment_columns
from predictive.model.bundle import Bundle, fingerprint
from predictive.model.folds import FEWEST_CLOSES, closes, time_folds
from predictive.model.recipe import fit_platt
from predictive.model.scoring import Recipes, ScoringModel, choose_recipes, fit_model
from predictive.model.side import Recipe, expit, fit_side
from predictive.quadrants import cuts_at
from predictive.rules import Rules, all_kinds, applicable, load_rules, rule_features, score_rules
from predictive.segments import RETURNING, returning, segment_features
from predictive.splits import TimeSplit, check_parts, decide, observed_until
from predictive.tables import Note, Tables

RULE_SCORE = Feature(
    "rule_score", "points of the manual rules", "context", "rule score", "number", "rule score", attribute="rule_score"
)
LEAD = ["contact_id", "as_of", "label"]


@dataclass(frozen=True)
class Prepared:
    """What training starts from: the split examples with the rule score, and what was left out of them and why."""

    split: TimeSplit
    choice: Choice
    rules: Rules
    frame: pd.DataFrame
    not_eligible: dict[str, int]
    immature: int
    notes: tuple[Note, ...] = ()
    segments: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A hash of the examples: the same data gives the same one."""
        rows = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        return hashlib.sha256(rows.tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Training:
    """The bundle, the comparison on the test part, and one row per test example with every competitor's probability."""

    bundle: Bundle
    comparison: Comparison
    predictions: pd.DataFrame
    judged: ScoringModel
    sample: pd.DataFrame = field(repr=False)


def prepare(tables: Tables, config: Config, *, now: int, progress: Callable[[str], None] = lambda _: None) -> Prepared:
    """Decide the split, choose the features on what was known by then, and build the examples."""
    check_attributes(tables)
    observed = observed_until(tables, config, now)
    split_start = (
        0 if config.split is None or config.split.train_from is None else config.micros(config.split.train_from)
    )
    first = max(split_start, _first_contact(tables))
    outline = examples(tables, config, (), first=first, last=observed)
    split = decide(outline.frame, config, observed)
    check_parts(split.learn(outline.frame), split.test(outline.frame), outline.frame, config, split)
    choice = choose(tables, config.features, until=split.test_from)
    rules = applicable(load_rules(config.rules), tables, strict=config.rules is not None)
    kinds = all_kinds(tables)
    looked_at = segment_features(tables, config, choice.features)
    needed = list(dict.fromkeys([*choice.features, *rule_features(rules, kinds), *looked_at.values()]))
    last = observed - config.horizon_micros
    built = examples(tables, config, needed, first=first, last=last, progress=progress)
    scored = score_rules(rules, built.frame, kinds)
    frame = built.frame.assign(rule_score=scored.score)
    if config.eligibility.customers == "include":
        frame[RETURNING] = returning(tables, config, frame)
    notes = (*tables.notes, *_notes(tables, config, split))
    segments = segment_columns(looked_at, frame)
    return Prepared(split, choice, rules, frame, built.not_eligible, split.immature(outline.frame), notes, segments)


def learn(
    prepared: Prepared, config: Config, *, now: int, progress: Callable[[str], None] = lambda _: None
) -> Training:
    """Choose the recipe on folds of the training part, judge it on the test part, refit it on everything mature."""
    split, seed = prepared.split, config.model.seed
    part, test = split.learn(prepared.frame), split.test(prepared.frame)
    progress("choosing the recipe on time folds")
    varied = [f for f in prepared.choice.features if part[f.name].nunique(dropna=False) > 1]
    features, recipes, said = choose_how(varied, part, split.horizon, seed=seed)
    progress("judging on the test part")
    judged = fit_model(features, part, recipes, seed=seed)
    predictions = _predict(judged, varied or [RULE_SCORE], part, test, seed=seed)
    comparison = compare(
        predictions["label"].to_numpy(),
        {name: predictions[column].to_numpy() for name, column in COMPETITORS.items()},
        groups=test["cluster"].to_numpy(),
        seed=seed,
        closes=closes(test),
    )
    progress("fitting on everything mature")
    everything = split.mature(prepared.frame)
    shipped = fit_model(features, everything, recipes, seed=seed)
    report = _report(prepared, recipes, said, comparison, predictions, part, test, everything, seed)
    report |= _insights(prepared, config, features, recipes, predictions, judged, test, everything)
    created = from_micros(now).strftime("%Y%m%dT%H%M%SZ")
    bundle = Bundle(
        version=f"{created}-{fingerprint(config)}",
        model=shipped,
        features=tuple(features),
        rules=prepared.rules,
        cuts=cuts_at(float(everything["label"].mean())),
        horizon=split.horizon,
        report=report,
    )
    return Training(bundle, comparison, predictions, judged, test[[f.name for f in features]].head(5))


COMPETITORS = {"model": "probability", "logistic": "logistic", "rules": "rules"}


def choose_how(
    features: Sequence[Feature], part: pd.DataFrame, horizon: int, *, seed: int
) -> tuple[Sequence[Feature], Recipes, list[str]]:
    """The features and recipes for this much evidence, and what a person should know about the choice.

    With fewer than 20 distinct closes nothing but the rule score is calibrated; with too few for folds, or for trees,
    the logistic regression is used.
    """
    found = closes(part)
    if found < FEWEST_CLOSES or not features:
        why = (
            f"only {found} closes to learn from, and {FEWEST_CLOSES} are needed"
            if features
            else "there are no features"
        )
        said = [f"{why}: the rule score, calibrated, takes the place of a model"]
        null = dict.fromkeys(("fit", "interest"), why)
        # The careful default is meant for a hundred columns; one alone would all but vanish.
        return (RULE_SCORE,), Recipes(Recipe(strength=100.0), None, None, null), said
    folds = time_folds(part, horizon)
    recipes = choose_recipes(features, part, folds, seed=seed)
    said = [f"the {axis} axis is null: {why}" for axis, why in recipes.why_null.items()]
    unpurged = sum(not f.purged for f in folds)
    if unpurged:
        said.append(
            f"{unpurged} of {len(folds)} time folds could not be purged: fewer than {FEWEST_CLOSES} closes remained"
        )
    if not folds:
        said.append(f"{found} closes are too few for time folds: a logistic regression with careful defaults is used")
    elif recipes.probability.rounds == 0:
        said.append(f"with {found} closes, the time folds have too few for trees: a logistic regression is used")
    elif recipes.probability.weight == 0:
        said.append("trees were clearly worse on the time folds, so the logistic regression alone is used")
    return features, recipes, said


def _predict(
    judged: ScoringModel, features: Sequence[Feature], part: pd.DataFrame, test: pd.DataFrame, *, seed: int
) -> pd.DataFrame:
    """One row per test example: the model, a logistic regression on `features`, and the calibrated rules."""
    own = judged.probability
    same = own.encoder.features == tuple(features)
    plain = replace(own.recipe if same else Recipe(), weight=0.0, slope=1.0, shift=0.0)
    # A blend holds the logistic regression already.
    ready = own.linear is not None and same
    logistic = replace(own, booster=None, recipe=plain) if ready else fit_side(features, part, plain, seed=seed)
    slope, shift = fit_platt(part["label"].to_numpy(), part["rule_score"].to_numpy(dtype=float))
    out = test[LEAD].copy()
    out["as_of"] = pd.to_datetime(out["as_of"], unit="us", utc=True)
    scores = judged.score(test)
    out["probability"] = scores["probability"]
    out["logistic"] = logistic.probability(test)
    out["rules"] = expit(shift + slope * test["rule_score"].to_numpy(dtype=float))
    out["rule_score"] = test["rule_score"]
    return out.assign(fit=scores["fit"], interest=scores["interest"]).reset_index(drop=True)


def _report(
    prepared: Prepared, recipes: Recipes, said: list[str], comparison: Comparison, predictions: pd.DataFrame,
    part: pd.DataFrame, test: pd.DataFrame, everything: pd.DataFrame, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Plain values for the report, the terminal and MLflow."""
    label, groups = predictions["label"].to_numpy(), test["cluster"].to_numpy()
    columns = {name: predictions[column].to_numpy() for name, column in COMPETITORS.items()}
    bins = {n: reliability(label, p, groups=groups, seed=seed) for n, p in columns.items()}
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "split": prepared.split.in_words(),
        "judged": _extent(part) | {"test_examples": len(test), "test_closes": closes(test)},
        "shipped": _extent(everything),
        "comparison": comparison.as_dict(),
        "verdicts": [comparison.verdict("model", other) for other in COMPETITORS if other != "model"],
        "reliability": {name: [b.as_dict() for b in found] for name, found in bins.items()},
        "gain": {name: [list(map(float, point)) for point in gain_curve(label, p)] for name, p in columns.items()},
        "recipes": {n: r.to_json() if (r := getattr(recipes, n)) else None for n in ("probability", "fit", "interest")},
        "said": said,
        "why_null": recipes.why_null,
        "not_eligible": prepared.not_eligible,
        "immature": prepared.immature,
        "left_out": prepared.choice.left_out,
        "notes": [str(note) for note in prepared.notes],
    }


def _insights(
    prepared: Prepared, config: Config, features: Sequence[Feature], recipes: Recipes, predictions: pd.DataFrame,
    judged: ScoringModel, test: pd.DataFrame, everything: pd.DataFrame,
) -> dict[str, Any]:  # fmt: skip
    """What the model is like beside how good it is: see :mod:`predictive.insight`."""
    seed, alone = config.model.seed, replace(recipes, fit=None, interest=None)

    def fit(rows: pd.DataFrame) -> Callable[[pd.DataFrame], np.ndarray]:
        model = fit_model(features, rows, alone, seed=seed)
        return lambda judged_rows: model.score(judged_rows)["probability"].to_numpy()

    tested = test.reset_index(drop=True).assign(**{c: predictions[c].to_numpy() for c in COMPETITORS.values()})
    seen = look(tested, COMPETITORS, prepared.segments, config)
    rolled = over_time(everything, fit, horizon=prepared.split.horizon, seed=seed)
    own = judged.probability.encoder.features
    words = {"in_words": seen["in_words"] + rolled["in_words"]}
    return seen | rolled | words | inside(judged.probability, own, test, everything, seed=seed)


def _extent(frame: pd.DataFrame) -> dict[str, Any]:
    return {
        "examples": len(frame),
        "closes": closes(frame),
        "base_rate": float(frame["label"].mean()),
        "from": iso(int(frame["as_of"].min())),
        "until": iso(int(frame["as_of"].max())),
    }


def _first_contact(tables: Tables) -> int:
    return int(tables.contacts.select(nw.col("created_at").min()).collect().item())


def _notes(tables: Tables, config: Config, split: TimeSplit) -> list[Note]:
    text = "has no history, so training could not leave out who was not to be marketed to then"
    blind = [name for name in unfiltered(tables, config.eligibility) if _has_values(tables, name)]
    notes = [Note(f"contacts.{name}", text) for name in blind]
    if split.shortened:
        notes.append(Note("split", "the history is too short for a test of a quarter, so the test is one month"))
    return notes


def _has_values(tables: Tables, name: str) -> bool:
    """Whether contacts have a value of this attribute; a column that the source lacks is there, empty."""
    return name in contact_kinds(tables) and bool(tables.contacts.select(nw.col(name).count()).collect().item())


__all__ = ["Examples", "Prepared", "Training", "choose_how", "learn", "prepare"]
