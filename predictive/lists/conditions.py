"""The conditions of lists and tags, read as those of the rules are: by the same features, cut at the same as-of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from predictive.errors import ConfigError, nearest
from predictive.features.catalog import Feature
from predictive.rules import Condition

Kinds = dict[str, Any]


def needed_features(conditions: Sequence[Condition], kinds: Kinds) -> list[Feature]:
    """The features that the conditions read, each once."""
    return list(dict.fromkeys(c.feature(kinds) for c in conditions))


def all_hold(conditions: Sequence[Condition], frame: pd.DataFrame, kinds: Kinds) -> np.ndarray:
    """Where every condition holds, (n,); true without conditions. `frame` has the columns of the features."""
    held = np.ones(len(frame), dtype=bool)
    for c in conditions:
        held &= c.holds(frame[c.feature(kinds).name])
    return held


def check_attributes(where: str, conditions: Sequence[Condition], kinds: Kinds) -> None:
    """Refuse an attribute that no table has. An activity type that has not occurred yet is no error."""
    for c in conditions:
        if c.attribute is not None and c.attribute not in kinds:
            raise ConfigError(f"{where}: no table has the attribute {c.attribute!r}; {nearest(c.attribute, kinds)}")
