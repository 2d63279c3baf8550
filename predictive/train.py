"""Training: tables → features → a model judged on later time → a bundle, tracked in MLflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from predictive.config import Config
from predictive.config_file import effective
from predictive.contest import against_champion, enter
from predictive.errors import ModelError
from predictive.learning import Prepared, Training, learn, prepare
from predictive.model.bundle import champion, crown, save_bundle
from predictive.model.estimator import LeadScorer
from predictive.tables import Tables
from predictive.tracking import Run, track


@dataclass(frozen=True)
class Trained:
    """A finished training: where its bundle is, its MLflow run, and whether it is the champion that `score` uses."""

    prepared: Prepared
    training: Training
    bundle: Path
    run: Run
    is_champion: bool


def train(
    tables: Tables,
    config: Config,
    *,
    now: int,
    out: Path | None = None,
    joblib: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on `tables` and keep the bundle below `out` (default: the configured `models`).

    The first training of a configuration makes the champion. `joblib` also dumps the model as a scikit-learn estimator.
    """
    prepared = prepare(tables, config, now=now, progress=progress)
    training = _beside_champion(learn(prepared, config, now=now, progress=progress), prepared, config)
    path = save_bundle(
        training.bundle,
        config.models if out is None else out,
        config=effective(config),
        predictions=training.predictions,
        estimator=LeadScorer.of(training.bundle.model.probability) if joblib else None,
    )
    first = champion(config.models) is None
    progress("tracking in MLflow")
    run = track(config, prepared, training, path, champion=first)
    if first:
        crown(config.models, path)
    return Trained(prepared, training, path, run, first)


def _beside_champion(training: Training, prepared: Prepared, config: Config) -> Training:
    """The training with what its report says of yesterday's champion; as it was where there is none."""
    holder = champion(config.models)
    if holder is None:
        return training
    seed, horizon = config.model.seed, training.bundle.horizon
    try:
        entry = enter("champion", holder)
        found = against_champion(training.predictions, prepared.frame, entry, horizon=horizon, seed=seed)
    except ModelError as error:
        # A champion that is damaged is a reason more to train another.
        found = {"version": holder.name, "verdict": f"the champion cannot be compared with: {error}"}
    report = training.bundle.report
    told = report | {"champion": found, "verdicts": [*report["verdicts"], found["verdict"]]}
    return replace(training, bundle=replace(training.bundle, report=told))
