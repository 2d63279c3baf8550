"""A suggestion for the manual score: a complete rule file from the history, beside today's rules and the model.

::

    tables ──► examples ──► candidates (what stands out) ──► scorecard (few, whole points) ──► thresholds ──► page
                                └── on the earlier part only ──► beside (on the later part, with today's and the model)

Nothing is changed: a person reads the file, and names it in the configuration or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.clock import iso
from predictive.closerates.evidence import evidence, sample, strata
from predictive.closerates.havings import AGE, counted, features_to_look_at
from predictive.config import Config
from predictive.errors import DataError
from predictive.features.attributes import check_attributes
from predictive.features.catalog import Feature
from predictive.features.examples import examples, share_to_keep
from predictive.leakage.training import choose_honest
from predictive.model.folds import FEWEST_CLOSES, closes
from predictive.model.thinned import sample as everyone
from predictive.rules import Rules, all_kinds, rule_features, rules_for, score_rules
from predictive.splits import TimeSplit, decide, observed_until
from predictive.suggest.beside import MODEL, SUGGESTION, TODAY, Beside, calibrated, model_of, put_beside
from predictive.suggest.candidates import candidates
from predictive.suggest.page import write_rules
from predictive.suggest.scorecard import Line, points, scorecard, thinned
from predictive.suggest.thresholds import choose_thresholds
from predictive.tables import Note, Tables

__all__ = ["Suggestion", "suggest"]


@dataclass(frozen=True)
class Suggestion:
    """What is suggested; `rules` and `page` (the text of the rule file) are None where nothing stands out.

    `comparison` is that of a suggestion made on the earlier part only, by the same recipe; None where `said`, which is
    all that a person should know beside the numbers, tells why.
    """

    rules: dict[str, Any] | None
    page: str | None
    comparison: Beside | None
    said: tuple[str, ...]
    notes: tuple[Note, ...]

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        beside = None if self.comparison is None else self.comparison.as_dict()
        notes = [str(note) for note in self.notes]
        return {"suggestion": self.rules, "comparison": beside, "said": list(self.said), "notes": notes}


@dataclass(frozen=True)
class _Material:
    """The split, the examples with today's rule score, and the features that a suggestion may be made of."""

    split: TimeSplit
    frame: pd.DataFrame
    counts: Sequence[Feature]
    attributes: Sequence[Feature]
    notes: tuple[Note, ...]


def suggest(
    con: Any,
    tables: Tables,
    config: Config,
    *,
    now: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Suggestion:
    """Make a suggestion on all that is known, and judge one made on the earlier part on later contacts.

    `con` is the working database that `tables` live in, `now` is in microseconds. Never used: what is sensitive or
    excluded, what betrays the outcome by the audit, lifecycle and marketing status, and whether something is known.

    Raises :class:`~predictive.errors.DataError` with fewer than 20 closes: nothing can be said then.
    """
    made = _gather(tables, config, now=now, progress=progress)
    known = made.split.everything(made.frame)
    if closes(known) < FEWEST_CLOSES:
        raise DataError(
            f"only {closes(known)} closes to learn from, and {FEWEST_CLOSES} are needed: nothing can be said about "
            "which points would be better; keep the rules that marketing and sales agreed until there is more history"
        )
    progress("choosing conditions on all that is known")
    lines = _lines(made, known, config)
    if not lines:
        nothing = (
            f"nothing in the history tells who buys more clearly than luck would ({closes(known)} closes): there is "
            "nothing to suggest"
        )
        return Suggestion(None, None, None, (nothing,), made.notes)
    progress("judging on later contacts")
    beside, why = _judge(con, tables, config, made, progress)
    thresholds = choose_thresholds(made.frame, points(lines, made.frame), config)
    mapping = {"stages": thresholds.stages(), "sets": _sets(lines)}
    Rules.model_validate(mapping)
    extent = (
        f"made from {known['contact_id'].nunique():,} contacts with {closes(known):,} closes, all known until "
        f"{iso(made.split.known_until)[:10]}"
    )
    said = [f"the suggestion is {extent}", thresholds.said, *why]
    page = write_rules(mapping, _facts(known, made.split.horizon, lines), _head(extent, thresholds.said))
    return Suggestion(mapping, page, beside, tuple(said), made.notes)


def _gather(tables: Tables, config: Config, *, now: int, progress: Callable[[str], None]) -> _Material:
    """As :func:`~predictive.learning.prepare`, for the features of rules."""
    check_attributes(tables)
    observed = observed_until(tables, config, now)
    born = int(tables.contacts.select(nw.col("created_at").min()).collect().item() or 0)
    start = 0 if config.split is None or config.split.train_from is None else config.micros(config.split.train_from)
    first = max(start, born)
    progress("choosing what to look at")
    share = share_to_keep(tables, config, first, observed)
    outline = everyone(examples(tables, config, (), first=first, last=observed, share=share).frame)
    split = decide(outline, config, observed)
    choice, notes = choose_honest(tables, config, outline, until=split.test_from)
    later, _ = choose_honest(tables, config, outline, until=observed)
    leaks = set(later.left_out)
    counts, attributes = features_to_look_at(tables, config.features, choice, split.test_from)
    counts = [f for f in counts if not leaks.intersection(counted(f).types)]
    attributes = [f for f in attributes if f.side == "fit" and f.attribute not in leaks]
    rules = rules_for(tables, config)
    kinds = all_kinds(tables)
    needed = list(dict.fromkeys([AGE, *counts, *attributes, *rule_features(rules, kinds)]))
    found = examples(tables, config, needed, first=first, last=observed, share=share, progress=progress)
    frame = everyone(found.frame).reset_index(drop=True)
    scored = score_rules(rules, frame, kinds).score
    return _Material(split, frame.assign(**{TODAY: scored}), counts, attributes, (*tables.notes, *notes))


def _lines(made: _Material, known: pd.DataFrame, config: Config) -> tuple[Line, ...]:
    mature = known[known["followed"] == made.split.horizon]
    if mature["label"].nunique() < 2:
        return ()
    found = candidates(thinned(mature, seed=config.model.seed), made.counts, made.attributes, config.features.groups)
    return scorecard(known, found, seed=config.model.seed)


def _judge(
    con: Any, tables: Tables, config: Config, made: _Material, progress: Callable[[str], None]
) -> tuple[Beside | None, list[str]]:
    """The comparison on the later part, or why there is none."""
    learn, later = made.split.learn(made.frame), made.split.later(made.frame)
    test = made.split.test(later)
    few = [
        f"{n} of the {name}"
        for name, part in (("earlier", learn), ("later", test))
        if (n := closes(part)) < FEWEST_CLOSES
    ]
    if few:
        return None, [
            f"no comparison: {' and '.join(few)} contacts closed, and {FEWEST_CLOSES} are needed in each part"
        ]
    lines = _lines(made, learn, config)
    if not lines:
        return None, ["no comparison: on the earlier part alone nothing stood out"]
    learn, later = (part.assign(**{SUGGESTION: points(lines, part)}) for part in (learn, later))
    is_test = later.index.isin(test.index)
    found = {name: calibrated(learn, later, name, made.split)[is_test] for name in (SUGGESTION, TODAY)}
    split_on = iso(made.split.test_from)[:10]
    said = [f"compared is a suggestion of the same recipe, made on what was known at {split_on}, before these contacts"]
    model, why = model_of(con, tables, config, test, progress)
    if model is None:
        return put_beside(test, found, config, seed=config.model.seed), [*said, *([why] if why is not None else [])]
    shared = pd.notna(model)
    found = {name: p[shared] for name, p in (found | {MODEL: model}).items()}
    return put_beside(test[shared], found, config, seed=config.model.seed), said


def _sets(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The sets as a rule file has them, each with a name of its own."""
    names: dict[str, int] = {}
    out = []
    for line in lines:
        name = line.term.in_words()
        names[name] = names.get(name, 0) + 1
        name = name if names[name] == 1 else f"{name} ({names[name]})"
        out.append({"name": name, "points": line.points, "when": [line.term.when()]})
    return out


def _facts(known: pd.DataFrame, horizon: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Per set what became of those who had it, each contact counted at every as-of, and followed to the end."""
    mature = known[known["followed"] == horizon]
    of = sample(mature["label"], strata(mature), mature["cluster"])
    facts = []
    for line in lines:
        mask = line.term.mask(mature)
        found = evidence(of, mask) if mask.any() else None
        numbers = ("contacts", "closed", "rate", "lift")
        facts.append({n: 0 if found is None else getattr(found, n) for n in numbers})
    return facts


def _head(extent: str, thresholds: str) -> list[str]:
    return [
        "A suggestion for the manual score. Read it, change it, agree on it; it scores nobody until the configuration",
        f"names it under `rules:`. {extent[:1].upper()}{extent[1:]}.",
        f"{thresholds[:1].upper()}{thresholds[1:]}.",
        "Above each set: at how many looks at a contact it held, and after how many of them the contact closed. Points",
        "say what a set adds to the others, so one that often comes with another gets fewer than its rate suggests.",
    ]
