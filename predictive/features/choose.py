"""Which features a data set gets by default, and why a column is left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from predictive.config import FeatureChoice
from predictive.derive import DERIVED
from predictive.engines import Frame, distinct
from predictive.errors import ConfigError, nearest
from predictive.features import behaviour, catalog
from predictive.features.attributes import account_kinds, attribute_columns, contact_kinds
from predictive.features.catalog import Feature
from predictive.features.choose_behaviour import chosen_behaviour, chosen_record
from predictive.features.owned import own_feature
from predictive.tables import SCHEMAS, Tables

CONTEXT = ("lifecycle_stage", "marketing_status")
"""Set by people as a deal advances: today's value betrays the outcome, so these need a history to be used."""
RESERVED = ("contact_id", "as_of", "label", "deal_id", "closed_at", "cluster", "why", "rule_score", "manual_score")
"""Columns that examples have besides features."""
NEVER = {
    "account_id": "an id",
    "tags": "a list of tags",
    "email": "a contact detail",
    "name": "a contact detail",
    "company_name": "a name",
}
CONTACT_DETAIL = r"^[^@\s]+@[^@\s]+\.\w+$|^\+?[\d\s().-]{8,}$|^https?://"


@dataclass(frozen=True)
class Choice:
    """The features of a data set, and the columns that are left out, each with its reason."""

    features: tuple[Feature, ...]
    left_out: dict[str, str]


def choose(tables: Tables, wanted: FeatureChoice, *, until: int) -> Choice:
    """The default features for what `tables` hold; activities known after `until` (microseconds) are not looked at.

    Raises :class:`~predictive.errors.ConfigError` when `wanted` names what no table has.
    """
    _check_names(tables, wanted)
    wanted = with_derived(wanted, tables)
    features: list[Feature] = []
    left_out: dict[str, str] = {}
    for of, kinds, frame in (
        ("contacts", contact_kinds(tables), tables.contacts),
        ("accounts", account_kinds(tables), tables.accounts),
    ):
        history = _ever_filled(tables, of.removesuffix("s"))
        facts = _facts(frame, kinds)
        for name, kind in kinds.items():
            key = name if of == "contacts" else f"account_{name}"
            reason = _reason(name, key, kind, facts[name], wanted, has_history=name in history)
            if reason is None and name == "country" and "country_code" in kinds and key not in wanted.keep:
                reason = "country_code says the same, however it is spelt"
            if reason is not None:
                left_out[key] = reason
                continue
            side: catalog.Side = "context" if name in CONTEXT else "fit"
            feature = catalog.attribute(name, of=of, kind="number" if kind == "number" else "text", side=side)  # type: ignore[arg-type]
            about = next((d.description for d in DERIVED if (d.of, d.name) == (of, name)), feature.description)
            features.append(replace(feature, description=about))
    # What is derived is known whenever its source is.
    stated = [f for f in features if f.name.removeprefix("account_") not in {d.name for d in DERIVED}]
    features += chosen_behaviour(tables, wanted, until)
    features += chosen_record(tables, stated, until)
    features += [_checked(own_feature(path), tables, wanted) for path in wanted.own]
    # Neither own features nor those of colleagues or changes may read what is not wanted.
    unwanted = {*wanted.exclude, *wanted.sensitive}
    features = [behaviour.without(f, unwanted) for f in features] if unwanted else features
    return Choice(
        tuple(catalog.distinct(features, taken=RESERVED)), {k: v for k, v in left_out.items() if v != "empty"}
    )


def _check_names(tables: Tables, wanted: FeatureChoice) -> None:
    contacts, accounts = contact_kinds(tables), account_kinds(tables)
    types = distinct(tables.activities, "type").collect()["type"].to_list()
    known = {*contacts, *accounts, *(f"account_{a}" for a in accounts), *types}
    known |= set(SCHEMAS["contacts"].columns) | set(SCHEMAS["accounts"].columns)
    problems = [
        f"features.{key}: no table has {name!r}; {nearest(name, known)}"
        for key in ("exclude", "keep", "sensitive")
        for name in getattr(wanted, key)
        if name not in known
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def _ever_filled(tables: Tables, object_: str) -> set[str]:
    """The attributes with a history that holds any value."""
    rows = tables.changes.filter((nw.col("object") == object_) & ~nw.col("value").is_null())
    return set(rows.select("attribute").unique().collect()["attribute"].to_list())


def with_derived(wanted: FeatureChoice, tables: Tables) -> FeatureChoice:
    """What is derived from an attribute that is excluded or sensitive is so too."""
    unwanted: dict[str, list[str]] = {"exclude": [*wanted.exclude], "sensitive": [*wanted.sensitive]}
    for derived in DERIVED:
        prefix = "" if derived.of == "contacts" else "account_"
        made = prefix + derived.name
        for key, names in unwanted.items():
            source = {derived.source, prefix + derived.source} & {*getattr(wanted, key)}
            if source and derived.name in tables.attributes.get(derived.of, {}) and made not in wanted.keep:
                names.append(made)
    return wanted.model_copy(update=unwanted)


def _checked(feature: Feature, tables: Tables, wanted: FeatureChoice) -> Feature:
    """An own feature, if the attributes that it reads are there and may reach a model."""
    known = {*attribute_columns(tables), "as_of", "created_at"}
    for name in feature.attributes:
        if name not in known:
            raise ConfigError(f"features.own: {feature.name!r} reads {name!r}, no attribute; {nearest(name, known)}")
        if {name, name.removeprefix("account_")} & set(wanted.sensitive):
            raise ConfigError(f"features.own: {feature.name!r} reads {name!r}, which is declared sensitive")
    return feature


def _facts(frame: Frame, kinds: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Per column: how many values, how many distinct, mean length, and the share that look like contact details."""
    columns = []
    for name in kinds:
        text = nw.col(name).cast(nw.String)
        columns += [
            nw.col(name).count().alias(f"{name}::count"),
            nw.col(name).n_unique().alias(f"{name}::distinct"),
            text.str.len_chars().mean().alias(f"{name}::length"),
            text.str.contains(CONTACT_DETAIL).cast(nw.Int64).mean().alias(f"{name}::detail"),
        ]
    row = frame.select(columns).collect().row(0)
    values = iter(0.0 if v is None else float(v) for v in row)
    return {name: dict(zip(("count", "distinct", "length", "detail"), values, strict=False)) for name in kinds}


def _reason(
    name: str, key: str, kind: str, fact: dict[str, float], wanted: FeatureChoice, *, has_history: bool
) -> str | None:
    """Why a column is no feature; None if it is one."""
    names = {name, key}
    if names & set(wanted.sensitive):
        return "declared sensitive"
    if names & set(wanted.exclude):
        return "excluded by the configuration"
    if fact["count"] == 0 and not has_history:
        return "empty"
    if name in NEVER:
        return NEVER[name]
    if kind == "time":
        return "a date"
    if names & set(wanted.keep):
        return None
    if name in CONTEXT and not has_history:
        return "set as deals advance, and without a history"
    return _unfit(kind, fact, has_history=has_history)


def _unfit(kind: str, fact: dict[str, float], *, has_history: bool) -> str | None:
    """What makes a column's values useless or unsafe to learn from."""
    if fact["detail"] > 0.5 and kind == "text":
        return "looks like e-mail addresses, phone numbers or links"
    # With a history, what is the same for everybody today may have differed then.
    if fact["distinct"] <= 1 and not has_history:
        return "always the same"
    if kind == "text" and fact["distinct"] > 50 and fact["distinct"] > 0.5 * fact["count"]:
        return "nearly every value is different"
    if kind == "text" and fact["length"] > 60:
        return "free text"
    return None
