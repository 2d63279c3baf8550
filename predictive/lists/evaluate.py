"""Who is on which list tonight."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.config import Config, Filter, ListChoice
from predictive.engines import Frame
from predictive.errors import ConfigError, DataError
from predictive.features.build import features_at
from predictive.features.deals import opportunities, wins
from predictive.features.snapshots import Moment, existing
from predictive.lists.tags import tags_of
from predictive.rules import Condition, all_kinds, condition_features, conditions_hold, misfits
from predictive.store import into_store
from predictive.tables import Tables

NUMBERS = ("probability", "fit", "interest", "rule_score")
CLASSES = ("stage", "quadrant", "tier", "cell")
MEMBERS = "list_members"
"""Temporary table of who is on which list tonight: `list`, `contact_id`."""


def evaluate(con: Any, tables: Tables, config: Config, scores: str, night: int) -> str:
    """Fill the temporary table :data:`MEMBERS` with tonight's members of every list and tag; returns its name.

    `scores` names the table in `con` of tonight's scores. Attributes and activities are those known at `night`
    (microseconds), whatever as-ofs of their own the scores have. Contacts that did not exist then are on no list.
    """
    kinds = all_kinds(tables)
    active, tags = _checked(config, tables, kinds)
    con.execute(f'create or replace temp table {MEMBERS} ("list" varchar, contact_id varchar)')
    for name, choice in config.lists.items():
        if choice.is_static:
            _add(con, name, _known(con, tables, static_ids(name, choice), night))
    if active or tags:
        _check_columns(con, active, scores)
        conditions = [*_conditions(active), *(c for t in tags.values() for c in t)]
        for part, block in _parts(con, tables, config, conditions, night):
            # Tags ask of activities alone.
            whole = _with_scores(con, part, config, block, scores) if active else block
            for name, choice in active.items():
                _add(con, name, whole["contact_id"][_meets_choice(choice, whole, kinds)])
            for name, conditions in tags.items():
                _add(con, name, whole["contact_id"][conditions_hold(conditions, whole, kinds)])
    return MEMBERS


def static_ids(name: str, choice: ListChoice) -> list[str]:
    """The ids that a static list names, each once, in their order.

    Raises :class:`~predictive.errors.DataError` for a file that cannot be read.
    """
    if choice.static is None:
        return list(dict.fromkeys(choice.members or []))
    try:
        with choice.static.open(encoding="utf-8-sig", newline="") as opened:
            rows = [row for row in csv.reader(opened) if row and any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"lists.{name}.static: {choice.static}: cannot be read: {error}") from None
    place = rows[0].index("contact_id") if rows and "contact_id" in rows[0] else None
    if place is None:
        return list(dict.fromkeys(row[0].strip() for row in rows))
    return list(dict.fromkeys(row[place].strip() for row in rows[1:] if len(row) > place and row[place].strip()))


def _checked(
    config: Config, tables: Tables, kinds: dict[str, Any]
) -> tuple[dict[str, ListChoice], dict[str, list[Condition]]]:
    active = {name: choice for name, choice in config.lists.items() if not choice.is_static}
    tags = tags_of(config, tables)
    for name, choice in active.items():
        _check_conditions(f"lists.{name}", _conditions({name: choice}), kinds)
    for name, conditions in tags.items():
        _check_conditions(f"tags.{name}", conditions, kinds)
    return active, tags


def _check_conditions(where: str, conditions: Sequence[Condition], kinds: dict[str, Any]) -> None:
    wrong = next(misfits(conditions, kinds), None)
    if wrong is not None:
        raise ConfigError(f"{where}: {wrong}")


def _conditions(active: Mapping[str, ListChoice]) -> list[Condition]:
    return [c for choice in active.values() for part in (choice, *choice.without) for c in part.when]


def _check_columns(con: Any, active: Mapping[str, ListChoice], scores: str) -> None:
    have = {row[0] for row in con.execute(f'describe "{scores}"').fetchall()}
    for name, choice in active.items():
        for column in (*NUMBERS, *CLASSES, "holdout"):
            if column not in have and any(getattr(part, column) is not None for part in (choice, *choice.without)):
                raise ConfigError(f"lists.{name}.{column}: the scores have no {column}; take it out of the list")


def _parts(
    con: Any, tables: Tables, config: Config, conditions: list[Condition], night: int
) -> Iterator[tuple[Tables, pd.DataFrame]]:
    """Each part of the tables with its contacts that exist at the night, and the features that the conditions read."""
    needed = condition_features(conditions, all_kinds(tables))
    for part in tables.each_part():
        block = _local(existing(part, Moment(instant=night)))
        if needed:
            block = _local(features_at(part, into_store(con, block), needed, won=wins(part, config)))
        yield part, block.sort_values("contact_id", ignore_index=True)


def _with_scores(con: Any, tables: Tables, config: Config, block: pd.DataFrame, scores: str) -> pd.DataFrame:
    """The block with its scores, missing where there are none; the stage is then that of the deals."""
    at = into_store(con, block[["contact_id", "as_of"]])
    con.register("_asked", block[["contact_id"]])
    have = {row[0] for row in con.execute(f'describe "{scores}"').fetchall()}
    read = ", ".join(f's."{name}"' for name in ("contact_id", *NUMBERS, *CLASSES, "holdout") if name in have)
    local = con.execute(f'select {read} from "{scores}" as s join _asked using (contact_id)').df()  # noqa: S608 - our own names
    con.unregister("_asked")
    won = wins(tables, config).join(at, on="contact_id", how="inner").filter(nw.col("closed_at") <= nw.col("as_of"))
    whole = block.merge(local, on="contact_id", how="left", validate="one_to_one")
    customer = whole["contact_id"].isin(set(_local(won.select("contact_id").unique())["contact_id"]))
    busy = whole["contact_id"].isin(set(_local(opportunities(tables, config, at))["contact_id"]))
    unscored = whole["stage"].isna()
    whole.loc[unscored & customer, "stage"] = "customer"
    whole.loc[unscored & busy, "stage"] = "opportunity"
    return whole


def _meets_choice(choice: ListChoice, whole: pd.DataFrame, kinds: dict[str, Any]) -> np.ndarray:
    meets = _meets(choice, whole, kinds)
    for out in choice.without:
        meets &= ~_meets(out, whole, kinds)
    return meets


def _meets(wanted: Filter, whole: pd.DataFrame, kinds: dict[str, Any]) -> np.ndarray:
    meets = conditions_hold(wanted.when, whole, kinds)
    for name in NUMBERS:
        bounds = getattr(wanted, name)
        if bounds is not None:
            low, high = bounds.bounds
            value = whole[name].to_numpy(dtype=float)
            meets &= (value >= low) & (value <= high)
    for name in CLASSES:
        values = getattr(wanted, name)
        if values is not None:
            meets &= whole[name].isin(values).to_numpy(dtype=bool)
    if wanted.holdout is not None:
        meets &= whole["holdout"].eq(wanted.holdout).fillna(value=False).to_numpy(dtype=bool)
    return meets


def _known(con: Any, tables: Tables, ids: list[str], night: int) -> pd.Series[Any]:
    named = into_store(con, pd.DataFrame({"contact_id": pd.Series(ids, dtype="str")}))
    there: Frame = existing(tables, Moment(instant=night)).join(named, on="contact_id", how="inner")
    return _local(there.select("contact_id"))["contact_id"]


def _add(con: Any, name: str, ids: pd.Series[Any]) -> None:
    con.register("_ids", pd.DataFrame({"contact_id": ids.astype("str")}))
    con.execute(f"insert into {MEMBERS} select $1, contact_id from _ids", [name])  # noqa: S608 - a constant
    con.unregister("_ids")


def _local(frame: Frame) -> pd.DataFrame:
    return pd.DataFrame(frame.collect(backend="pandas").to_native())
