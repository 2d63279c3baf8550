"""Learning: examples, a recipe chosen in time, and a model judged beside a logistic regression and the rules."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.clock import from_micros, iso
from predictive.config import AgeSnapshots, Config
from predictive.errors import ConfigError, nearest
from predictive.evaluation import Comparison, gain_curve, reliability
from predictive.features.attributes import check_attributes, contact_kinds
from predictive.features.catalog import Feature, is_text
from predictive.features.choose import Choice
from predictive.features.examples import Examples, examples, share_to_keep
from predictive.features.snapshots import unfiltered
from predictive.insight import inside, look, over_time, segment_columns
from predictive.judging import COMPETITORS, compare_all, drift_report, predict
from predictive.leakage.training import choose_honest
from predictive.model.bundle import Bundle, fingerprint
from predictive.model.folds import FEWEST_CLOSES, closes, time_folds
from predictive.model.partial import of_the_rest, offset_of, share_closed
from predictive.model.recipe import FIRST
from predictive.model.rule_score import RULE_SCORE
from predictive.model.scoring import Recipes, ScoringModel, choose_recipes, fit_model
from predictive.model.side import Recipe
from predictive.model.thinned import sample, weight_of
from predictive.quadrants import cuts_at
from predictive.rules import Rules, all_kinds, rule_features, rules_for, score_rules
from predictive.segments import RETURNING, returning, segment_features
from predictive.splits import TimeSplit, check_parts, decide, observed_until
from predictive.spread import Spread, spread_of
from predictive.tables import Note, Tables

FEW = 80
"""Closes below which it is said how far chance alone may take the level."""


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
    share = share_to_keep(tables, config, first, observed)
    outline = examples(tables, config, (), first=first, last=observed, share=share).frame
    split = decide(outline, config, observed)
    check_parts(split.learn(outline), split.test(sample(outline)), outline, config, split)
    choice, warnings = choose_honest(tables, config, sample(outline), until=split.test_from)
    rules = rules_for(tables, config)
    kinds = all_kinds(tables)
    looked_at = segment_features(tables, config, choice.features)
    needed = list(dict.fromkeys([*choice.features, *rule_features(rules, kinds), *looked_at.values()]))
    built = examples(tables, config, needed, first=first, last=observed, share=share, progress=progress)
    scored = score_rules(rules, built.frame, kinds)
    # Sets on what is sensitive or excluded count for people, never for a model.
    frame = built.frame.assign(rule_score=scored.for_model, manual_score=scored.score)
    if config.eligibility.customers == "include":
        frame[RETURNING] = returning(tables, config, frame)
    notes = (*tables.notes, *warnings, *_notes(tables, config, split, share))
    segments = segment_columns(looked_at, frame)
    return Prepared(split, choice, rules, frame, built.not_eligible, split.immature(frame), notes, segments)


def learn(
    prepared: Prepared, config: Config, *, now: int, progress: Callable[[str], None] = lambda _: None
) -> Training:
    """Choose the recipe on folds of the training part, judge it on the test part, refit it on all that is known."""
    split, seed = prepared.split, config.model.seed
    judging = sample(prepared.frame)
    part, test = split.learn(prepared.frame), split.test(judging)
    progress("choosing the recipe on time folds")
    varied = [f for f in prepared.choice.features if part[f.name].nunique(dropna=False) > 1]
    start, search = Recipe(monotone=monotone(config.model.monotone, prepared.choice.features)), config.model.search
    seconds = None if search is None else search.total_seconds()
    features, recipes, said = choose_how(varied, part, split.horizon, seed=seed, start=start, search=seconds)
    progress("judging on the test part")
    judged = fit_model(features, part, recipes, seed=seed)
    found = predict(judged, varied or [RULE_SCORE], part, split.later(judging), split, seed=seed)
    predictions = found.predictions
    comparison = compare_all(predictions, test, seed=seed)
    progress("fitting on all that is known")
    everything = split.everything(prepared.frame)
    shipped = fit_model(features, everything, recipes, seed=seed)
    drift = drift_report(found, comparison)
    report = _report(prepared, recipes, said, comparison, predictions, drift, part, test, everything, seed)
    report |= _insights(prepared, config, features, recipes, predictions, judged, test, everything)
    created = from_micros(now).strftime("%Y%m%dT%H%M%SZ")
    bundle = Bundle(
        version=f"{created}-{fingerprint(config)}",
        model=shipped,
        features=tuple(features),
        rules=prepared.rules,
        cuts=cuts_at(_base_rate(everything, split.horizon)),
        horizon=split.horizon,
        report=report,
        pending=pending(everything, shipped, split.horizon),
        spread=newest_spread(prepared.frame, shipped, config),
    )
    return Training(bundle, comparison, predictions, judged, test[[f.name for f in features]].head(5))


def pending(known: pd.DataFrame, model: ScoringModel, horizon: int) -> pd.DataFrame:
    """What :attr:`~predictive.model.bundle.Bundle.pending` holds, of the examples that a model learned from."""
    rows = sample(known[(known["followed"] < horizon) & (known["label"] == 0)])
    rest = of_the_rest(model.probability.log_odds(rows), offset_of(rows))
    return rows[["contact_id", "as_of"]].assign(log_odds=rest).reset_index(drop=True)


def newest_spread(frame: pd.DataFrame, model: ScoringModel, config: Config) -> Spread:
    """What :attr:`~predictive.model.bundle.Bundle.spread` holds: of the newest snapshot, or, where each contact has its
    own instants, of the newest one of each contact within a horizon: those who would be scored together.
    """  # noqa: D205 - one sentence
    weight = weight_of(frame)
    frame = sample(frame)
    newest = frame["as_of"].max()
    if isinstance(config.snapshots, AgeSnapshots):
        recent = frame[frame["as_of"] > newest - config.horizon_micros].sort_values("as_of", kind="stable")
        rows = recent.drop_duplicates("contact_id", keep="last")
    else:
        rows = frame[frame["as_of"] == newest]
    found = model.score(rows)
    each = 1.0 if weight is None else float(weight.max())
    return spread_of(found["fit"].to_numpy(), found["interest"].to_numpy(), each=each)


def monotone(wanted: Mapping[str, str], features: Sequence[Feature]) -> tuple[tuple[str, int], ...]:
    """The configured constraints as signs; raises :class:`~predictive.errors.ConfigError` for what cannot have one."""
    numbers = [f.name for f in features if not is_text(f)]
    for name in wanted:
        if name not in numbers:
            texts = [f.name for f in features if is_text(f)]
            why = "is text, and has no order" if name in texts else "is no feature of this data"
            raise ConfigError(f"model.monotone: {name!r} {why}; {nearest(name, numbers)}")
    return tuple((name, 1 if direction == "increasing" else -1) for name, direction in wanted.items())


def choose_how(
    features: Sequence[Feature],
    part: pd.DataFrame,
    horizon: int,
    *,
    seed: int,
    start: Recipe = FIRST,
    search: float | None = None,
) -> tuple[Sequence[Feature], Recipes, list[str]]:
    """The features and recipes for this much evidence, and what a person should know about the choice.

    With fewer than 20 distinct closes nothing but the rule score is calibrated; with too few for folds, or for trees,
    the logistic regression is used. `start` and `search` are those of :func:`~predictive.model.recipe.choose_recipe`.
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
    recipes = choose_recipes(features, part, folds, seed=seed, start=start, search=search)
    said = [f"the {axis} axis is null: {why}" for axis, why in recipes.why_null.items()]
    if not folds:
        said.append(f"{found} closes are too few for time folds: a logistic regression with careful defaults is used")
    elif recipes.probability.rounds == 0:
        said.append(f"with {found} closes, the time folds have too few for trees: a logistic regression is used")
    elif recipes.probability.weight == 0:
        said.append("trees were clearly worse on the time folds, so the logistic regression alone is used")
    if found < FEW:
        factor = np.exp(1.96 / np.sqrt(found))
        said.append(
            f"{found} closes are few: by chance alone the level may be off by a factor of {factor:.1f} either way"
        )
    return features, recipes, said


def _report(
    prepared: Prepared, recipes: Recipes, said: list[str], comparison: Comparison, predictions: pd.DataFrame,
    drift: dict[str, Any], part: pd.DataFrame, test: pd.DataFrame, everything: pd.DataFrame, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Plain values for the report, the terminal and MLflow."""
    horizon = prepared.split.horizon
    label, groups = predictions["label"].to_numpy(), test["cluster"].to_numpy()
    columns = {name: predictions[COMPETITORS[name]].to_numpy() for name in ("model", "logistic", "rules")}
    bins = {n: reliability(label, p, groups=groups, seed=seed) for n, p in columns.items()}
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "split": prepared.split.in_words(),
        "judged": _extent(part, horizon) | {"test_examples": len(test), "test_closes": closes(test)},
        "shipped": _extent(everything, horizon) | {"known_until": iso(prepared.split.known_until)},
        "comparison": comparison.as_dict(),
        "verdicts": [comparison.verdict("model", other) for other in ("logistic", "rules")],
        "drift": drift,
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

    shown = {name: COMPETITORS[name] for name in ("model", "logistic", "rules")}
    given = {c: predictions[c].to_numpy() for c in (*shown.values(), "rule_score")}
    tested = test.reset_index(drop=True).assign(**given)
    seen = look(tested, shown, prepared.segments, config)
    split, at = prepared.split, prepared.frame["as_of"]
    mature = prepared.frame[(at >= split.train_from) & (at + split.horizon <= split.observed_until)]
    rolled = over_time(mature, fit, horizon=split.horizon, seed=seed)
    own = judged.probability.encoder.features
    words = {"in_words": seen["in_words"] + rolled["in_words"]}
    return seen | rolled | words | inside(judged.probability, own, test, sample(everything), seed=seed)


def _base_rate(frame: pd.DataFrame, horizon: int) -> float:
    """The share of examples that close within the horizon, those followed for part of it included."""
    followed = frame["followed"].to_numpy()
    label = frame["label"].to_numpy() == 1
    time = np.where(label, frame["closed_at"].to_numpy(dtype=float, na_value=np.inf) - frame["as_of"], followed)
    return float(share_closed(time, label, np.array([horizon]), weight_of(frame))[0])


def _extent(frame: pd.DataFrame, horizon: int) -> dict[str, Any]:
    return {
        "examples": len(frame),
        "closes": closes(frame),
        "base_rate": _base_rate(frame, horizon),
        "from": iso(int(frame["as_of"].min())),
        "until": iso(int(frame["as_of"].max())),
    }


def _first_contact(tables: Tables) -> int:
    return int(tables.contacts.select(nw.col("created_at").min()).collect().item())


def _notes(tables: Tables, config: Config, split: TimeSplit, share: float) -> list[Note]:
    text = "has no history, so training could not leave out who was not to be marketed to then"
    blind = [name for name in unfiltered(tables, config.eligibility) if _has_values(tables, name)]
    notes = [Note(f"contacts.{name}", text) for name in blind]
    if split.shortened:
        notes.append(Note("split", "the history is too short for a test of a quarter, so the test is one month"))
    if share < 1:
        kept = f"{share:.1%} of those that did not close are learned from, with weights that put the others back"
        notes.append(Note("examples", f"{kept}, and a sample as large judges; model.examples says how many"))
    return notes


def _has_values(tables: Tables, name: str) -> bool:
    """Whether contacts have a value of this attribute; a column that the source lacks is there, empty."""
    return name in contact_kinds(tables) and bool(tables.contacts.select(nw.col(name).count()).collect().item())


__all__ = ["Examples", "Prepared", "Training", "choose_how", "learn", "pending", "prepare"]
