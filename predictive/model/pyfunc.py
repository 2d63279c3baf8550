"""The model as MLflow loads it: this file as code, the bundle as its artifact, nothing pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from predictive.model.bundle import load_bundle


class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is untyped here
    """Scores a frame of raw features: `probability`, `fit`, `interest`."""

    def load_context(self, context: Any) -> None:
        """Load the bundle, hashes first."""
        self.bundle = load_bundle(Path(context.artifacts["bundle"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002 - MLflow's signature
        """One row per row of `model_input`."""
        return self.bundle.model.score(model_input)


mlflow.models.set_model(BundleModel())
