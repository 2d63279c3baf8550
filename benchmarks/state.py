"""How near to the demo's true probabilities: the model, beside LightGBM that is given the generator's own state."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import SeedSequence, default_rng

from predictive.demo import catalog
from predictive.demo.process import NEVER
from predictive.demo.records import Ids
from predictive.demo.simulate import simulate
from predictive.demo.world import draw_world
from predictive.model import trees
from predictive.model.folds import time_folds
from predictive.model.logistic import expit, level_of
from predictive.model.partial import offset_of

COLUMNS = ("rate", "heat", "intent", "fit", "level", "persona", "outbound", "mailable", "reported")


def true_probabilities(folder: Path, rows: pd.DataFrame) -> np.ndarray:
    """The true probability of each row (`contact_id`, `as_of` in microseconds), NaN where the demo holds none."""
    truth = pd.read_parquet(folder / "truth.parquet")
    truth["as_of"] = truth["as_of"].astype("datetime64[us, UTC]").astype("int64")
    return rows[["contact_id", "as_of"]].merge(truth, on=["contact_id", "as_of"], how="left")["probability"].to_numpy()


def from_state(rows: pd.DataFrame, test: pd.DataFrame, *, contacts: int, seed: int, horizon: int) -> np.ndarray:
    """Probabilities (m,) of the rows `test`, learned from `rows` with what the generator knows of each contact.

    The same trees as the model's, as many rounds as its time folds ask for.
    """
    X, later = (states(frame, contacts=contacts, seed=seed) for frame in (rows, test))
    label = rows["label"].to_numpy(dtype=float)
    curves = []
    for fold in time_folds(rows, horizon):
        train = fold.train(rows)
        at, known = rows.index.get_indexer(train.index), train["label"].to_numpy(dtype=float)
        base = level_of(known, offset_of(train))
        judged = _learned(X[fold.valid], label[fold.valid], np.full(len(fold.valid), base))
        learned = _learned(X[at], known, base + offset_of(train))
        curves.append(trees.fit_until_worse(learned, judged, seed=seed)[1])
    base = level_of(label, np.zeros(len(label)))
    rounds = int(np.argmin(np.mean(curves, axis=0))) + 1
    booster = trees.fit_trees(_learned(X, label, np.full(len(X), base)), rounds=rounds, seed=seed)
    return expit(base + trees.log_odds(booster, later))


def _learned(X: np.ndarray, label: np.ndarray, start: np.ndarray) -> trees.Learned:
    return trees.Learned(X, label, start, np.zeros(X.shape[1], dtype=int))


def states(rows: pd.DataFrame, *, contacts: int, seed: int) -> np.ndarray:
    """The generator's state of each row at its as-of, float64 of shape (n, 11)."""
    draws, events, _, _ = SeedSequence(seed).spawn(4)
    world = draw_world(contacts, default_rng(draws))
    at = np.unique(rows["as_of"])
    as_ofs = [datetime.fromtimestamp(t / 1e6, UTC) for t in at]
    history = simulate(world, default_rng(events), as_ofs=[*as_ofs, catalog.AS_OF])
    position = pd.Index(Ids.of(world).contact).get_indexer(rows["contact_id"])
    out = np.empty((len(rows), len(COLUMNS) + 2))
    for t, as_of, state in zip(at, as_ofs, history.snapshots, strict=False):
        here, day = (rows["as_of"] == t).to_numpy(), (as_of - catalog.START).days
        ages = [np.where(v > NEVER, day - v, np.nan) for v in (state.deal, state.lost)]
        out[here] = np.column_stack([*(getattr(state, name) for name in COLUMNS), *ages])[position[here]]
    return out
