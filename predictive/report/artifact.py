"""The report beside the model: an artifact of the MLflow run that trained it."""

from __future__ import annotations

from pathlib import Path

from predictive.config import Tracking


def keep_in_mlflow(tracking: Tracking, bundle: str, file: Path) -> tuple[str, ...]:
    """Log `file` to the run that made a bundle, if the configured store knows it; returns notes on what went wrong.

    A report does not fail over its copy. MLflow is loaded only where there may be a store: importing it takes seconds.
    """
    if tracking.uri.startswith("sqlite:///") and not Path(tracking.uri.removeprefix("sqlite:///")).is_file():
        return ()
    from predictive.tracking import log_report

    problem = log_report(tracking, bundle, file)
    return () if problem is None else (f"MLflow did not get the report: {problem}",)
