"""Finding the model that somebody names on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import MODELS
from predictive.errors import ModelError

if TYPE_CHECKING:
    from predictive.config import Config

RUN = re.compile(r"[0-9a-f]{32}")
VERSION = re.compile(r"[1-9][0-9]*")


def find_path(config: Config, named: str | None) -> Path:
    """The folder of the bundle that is named: see :data:`~predictive.cli.common.MODELS`; None is the champion.

    Raises :class:`~predictive.errors.ModelError` where there is no such model.
    """
    from predictive.model.bundle import MANIFEST, champion

    if named is None or named == "champion":
        path = champion(config.models)
        if path is None:
            raise ModelError(
                f"no champion in {config.models}; train first (`predictive train CONFIG`), or name one: --model"
            )
        return path
    if is_registered(named):
        return _from_mlflow(config, named)
    kept = config.models / named
    # Whatever else is named is a folder: loading it says what is wrong with it.
    return kept if (kept / MANIFEST).is_file() and not Path(named).exists() else Path(named)


def is_registered(named: str) -> bool:
    """Whether a name is one that only MLflow knows: a URI, the number of a version, or the id of a run."""
    return named.startswith("models:/") or bool(VERSION.fullmatch(named) or RUN.fullmatch(named))


def _from_mlflow(config: Config, named: str) -> Path:
    from predictive.tracking import fetch_bundle, run_version

    name = config.tracking.experiment
    if RUN.fullmatch(named):
        name, version = run_version(config.tracking, named)
        named = f"models:/{name}/{version}"
    elif VERSION.fullmatch(named):
        named = f"models:/{name}/{named}"
    return fetch_bundle(config.tracking, named)


__all__ = ["MODELS", "find_path", "is_registered"]
