"""The attributes that a model is looked at by: source, country, size, first time or returning; or as configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.config import Config
from predictive.errors import ConfigError, nearest
from predictive.features.attributes import attribute_kinds
from predictive.features.catalog import Feature, attribute
from predictive.features.deals import wins
from predictive.tables import Tables

DEFAULT = ("source", "country", "account_employees")
RETURNING = "segment::returning"
"""The segment that needs no attribute: whether the contact had won a deal by then."""


def segment_features(tables: Tables, config: Config, chosen: Sequence[Feature]) -> dict[str, Feature]:
    """Per attribute to look at (sensitive ones too) the feature that holds it as it was at the as-of.

    One of the `chosen` where there is one; else one of its own, which no model is given. Raises
    :class:`~predictive.errors.ConfigError` for a configured attribute that no table has.
    """
    kinds = attribute_kinds(tables)
    for name in config.segments or ():
        if name not in kinds:
            raise ConfigError(f"segments: no table has the attribute {name!r}; {nearest(name, kinds)}")
    wanted = [n for n in (DEFAULT if config.segments is None else config.segments) if n in kinds]
    own = {f.attribute: f for f in chosen if f.attribute is not None}
    names = dict.fromkeys([*wanted, *(n for n in config.features.sensitive if n in kinds)])
    return {name: own.get(name) or _of_its_own(name, kinds[name]) for name in names}


def returning(tables: Tables, config: Config, frame: pd.DataFrame) -> pd.Series[Any]:
    """For each row (`contact_id`, `as_of`): "returning" if the contact had a won deal by then, else "first time"."""
    first = wins(tables, config).group_by("contact_id").agg(nw.col("closed_at").min())
    local = pd.DataFrame(first.collect(backend="pandas").to_native()).set_index("contact_id")["closed_at"]
    won = frame["contact_id"].map(local).to_numpy(dtype=float, na_value=np.nan)
    told = np.where(won <= frame["as_of"].to_numpy(), "returning", "first time")
    return pd.Series(told, index=frame.index, dtype="object")


def _of_its_own(name: str, kind: str) -> Feature:
    # No attribute's name has a double colon, and so no chosen feature has this one.
    return replace(attribute(name, kind="number" if kind == "number" else "text"), name=f"segment::{name}")
