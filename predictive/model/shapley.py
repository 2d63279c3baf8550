"""woodelf, told to work out once what depends on the trees alone, and not again for every block of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd


@lru_cache(maxsize=4)
def explainer(booster: Any) -> Callable[[pd.DataFrame], np.ndarray]:
    """What gives the Shapley values, float32 of shape (n, p), of rows whose columns are the features of a booster.

    Of 25,000 rows and 150 trees a third of the time went into the values of the leaves, which are the same for all
    rows: they are kept, 1.5 kB for a leaf at depth 6.
    """
    from woodelf import WoodelfExplainer
    from woodelf.core.cube_metric import ShapleyValues
    from woodelf.core.path_to_s_vectors.woodelf_p2s import HighDepthWoodelfPathToSVectors
    from woodelf.core.trees.parse_models import load_decision_tree_ensemble_model

    names = booster.feature_name()
    trees = load_decision_tree_ensemble_model(booster, names)
    leaves = HighDepthWoodelfPathToSVectors(ShapleyValues(), max_depth=min(trees.max_depth, len(names)))
    work_out = leaves.get_path_dependent_s_matrix
    kept: dict[Any, dict[str, np.ndarray]] = {}

    def of_leaf(
        path: Sequence[str], patterns: np.ndarray, covers: np.ndarray, value: float, neighbor: float | None = None
    ) -> dict[str, np.ndarray]:
        key = (tuple(path), covers.tobytes(), value, neighbor)
        if key not in kept:
            found = work_out(path, patterns, covers, value, neighbor)
            kept[key] = {name: np.ascontiguousarray(values) for name, values in found.items()}
        return kept[key]

    leaves.get_path_dependent_s_matrix = of_leaf
    explain = WoodelfExplainer(trees)
    return lambda rows: explain.shap_values(rows, path_to_matrices_calculator=leaves, verbose=False)
