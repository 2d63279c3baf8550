"""MLflow: one run per training with a nested run per competitor, and the model in the registry."""

from __future__ import annotations

import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from predictive.clock import format_duration
from predictive.config import Config, Tracking
from predictive.errors import ModelError
from predictive.evaluation import Evaluation
from predictive.learning import Prepared, Training

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Run:
    """A tracked training: the MLflow run, and the version of the registered model."""

    run_id: str
    registered: str
    version: int


def track(config: Config, prepared: Prepared, training: Training, bundle: Path, *, champion: bool) -> Run:
    """Log a training and register its model under the experiment's name, with the alias it has earned."""
    with _mlflow(config.tracking) as mlflow:
        with mlflow.start_run(run_name=training.bundle.version) as parent:
            _log_parent(mlflow, config, prepared, training, bundle)
            for name, evaluation in training.comparison.evaluations.items():
                with mlflow.start_run(run_name=name, nested=True):
                    mlflow.set_tag("competitor", name)
                    _log_metrics(mlflow, evaluation)
            info = _log_model(mlflow, config.tracking.experiment, training, bundle)
        alias = CHAMPION if champion else CHALLENGER
        version = int(info.registered_model_version)
        mlflow.MlflowClient().set_registered_model_alias(config.tracking.experiment, alias, version)
        return Run(parent.info.run_id, config.tracking.experiment, version)


def fetch_bundle(tracking: Tracking, uri: str) -> Path:
    """The local folder of a registered model's bundle, for a URI such as ``models:/lead-scoring@champion``."""
    with _mlflow(tracking) as mlflow:
        try:
            folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
        except mlflow.exceptions.MlflowException as error:
            raise ModelError(
                f"{uri}: MLflow at {_masked(tracking.uri)} cannot give this model: {error.message}"
            ) from None
    found = sorted(folder.glob("artifacts/*/manifest.json"))
    if not found:
        raise ModelError(
            f"{uri}: this model holds no bundle of predictive; name one that `predictive train` registered"
        )
    return found[0].parent


def run_version(tracking: Tracking, run_id: str) -> tuple[str, int]:
    """The name and version of the model that a run registered. Raises :class:`~predictive.errors.ModelError`: none."""
    with _mlflow(tracking) as mlflow:
        found = mlflow.MlflowClient().search_model_versions(f"run_id='{run_id}'")
    if not found:
        raise ModelError(f"MLflow at {_masked(tracking.uri)} knows no model of the run {run_id}")
    return found[0].name, int(found[0].version)


def set_champion(tracking: Tracking, bundle: str, tags: dict[str, str]) -> int | None:
    """Move the alias `champion` to the version that holds a bundle, and tag that version; returns it.

    `challenger` leaves a version that becomes champion. None where no version of the experiment holds the bundle.
    """
    with _mlflow(tracking) as mlflow:
        client, name = mlflow.MlflowClient(), tracking.experiment
        runs = mlflow.search_runs(
            experiment_names=[name], filter_string=f"tags.`predictive.bundle` = '{bundle}'", output_format="list"
        )
        found = [v for run in runs for v in client.search_model_versions(f"run_id='{run.info.run_id}'")]
        if not found:
            return None
        version = found[0].version
        client.set_registered_model_alias(name, CHAMPION, version)
        if client.get_registered_model(name).aliases.get(CHALLENGER) == version:
            client.delete_registered_model_alias(name, CHALLENGER)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, f"predictive.{key}", value)
        return int(version)


def log_report(tracking: Tracking, bundle: str, file: Path) -> str | None:
    """Log a report as the artifact ``report`` of the run that made a bundle; a run that is not there is no problem.

    Returns what went wrong, None where nothing did.
    """
    # A store that does not answer is asked twice, not for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    try:
        with _mlflow(tracking) as mlflow:
            runs = mlflow.search_runs(
                experiment_names=[tracking.experiment],
                filter_string=f"tags.`predictive.bundle` = '{bundle}'",
                output_format="list",
            )
            for run in runs:
                mlflow.MlflowClient().log_artifact(run.info.run_id, str(file), "report")
    except Exception as error:  # noqa: BLE001 - whatever a store throws, a report does not fail over its copy
        return f"{_masked(tracking.uri)}: {str(error).splitlines()[0]}"
    return None


def _log_parent(mlflow: Any, config: Config, prepared: Prepared, training: Training, bundle: Path) -> None:
    report = training.bundle.report
    recipe = report["recipes"]["probability"]
    mlflow.set_tags({"predictive.bundle": bundle.name, "predictive.features": training.bundle.feature_hash[:12]})
    mlflow.log_params(
        {
            "horizon": format_duration(config.horizon),
            "seed": config.model.seed,
            "features": len(training.bundle.features),
            **{key: recipe[key] for key in ("rounds", "strength", "weight", "slope", "shift")},
            **{key: value for key, value in report["split"].items() if key != "shortened"},
            "data_fingerprint": prepared.fingerprint,
        }
    )
    mlflow.log_metrics({f"train_{k}": report["judged"][k] for k in ("examples", "closes", "base_rate")})
    _log_metrics(mlflow, training.comparison.evaluations["model"])
    mlflow.set_tag("mlflow.note.content", "\n\n".join([*report["verdicts"], *report["said"]]))
    for name in ("config.yaml", "features.json", "rules.yaml", "report.json", "manifest.json"):
        mlflow.log_artifact(str(bundle / name), "bundle")
    _log_plots(mlflow, training)


def _log_metrics(mlflow: Any, evaluation: Evaluation) -> None:
    values = {name: e for name, e in evaluation.values.items() if e.value == e.value}  # NaN is no metric
    mlflow.log_metrics({name: e.value for name, e in values.items()})
    bounds = {f"{name}_{end}": getattr(e, end) for name, e in values.items() for end in ("low", "high")}
    mlflow.log_metrics({name: value for name, value in bounds.items() if value == value})


def _log_plots(mlflow: Any, training: Training) -> None:
    from predictive.plots import plots

    with tempfile.TemporaryDirectory() as folder:
        for name, figure in plots(training.bundle.report).items():
            file = Path(folder) / f"{name}.png"
            figure.savefig(file, dpi=120)
            mlflow.log_artifact(str(file), "plots")


def _log_model(mlflow: Any, name: str, training: Training, bundle: Path) -> Any:
    numbers = {f.name: "float64" for f in training.bundle.features if f.kind == "number"}
    sample: pd.DataFrame = training.sample.astype(numbers)
    signature = mlflow.models.infer_signature(sample, training.bundle.model.score(sample))
    # MLflow announces every registration on standard error, with no setting to stop it.
    with redirect_stderr(io.StringIO()):
        return mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).parent / "model" / "pyfunc.py"),
            artifacts={"bundle": str(bundle)},
            signature=signature,
            input_example=sample,
            registered_model_name=name,
            pip_requirements=["predictive"],
        )


@contextmanager
def _mlflow(tracking: Tracking) -> Iterator[Any]:
    """MLflow, pointed at the configured store, and quiet about its own doings."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with warnings.catch_warnings():
        # Deprecations inside MLflow and what it stands on are not the user's to act on.
        warnings.simplefilter("ignore")
        import mlflow

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        mlflow.set_tracking_uri(tracking.uri)
        if tracking.uri.startswith("sqlite:///"):
            Path(tracking.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        if mlflow.get_experiment_by_name(tracking.experiment) is None:
            mlflow.create_experiment(tracking.experiment, artifact_location=_artifacts(tracking))
        mlflow.set_experiment(tracking.experiment)
        yield mlflow


def _artifacts(tracking: Tracking) -> str | None:
    """Beside the sqlite file, wherever the command was started; another store knows its own place."""
    if not tracking.uri.startswith("sqlite:///"):
        return None
    return (Path(tracking.uri.removeprefix("sqlite:///")).parent / "mlartifacts").as_uri()


def _masked(uri: str) -> str:
    """A URI without its credentials."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://***@{rest.rpartition('@')[2]}" if "@" in rest else uri
