"""Attributes as they were at an as-of, and who belonged to which account then."""

from __future__ import annotations

from collections.abc import Collection

import narwhals as nw

from predictive.engines import Frame
from predictive.errors import ConfigError
from predictive.tables import Kind, Tables

CONTACT_ATTRIBUTES = ("account_id", "job_title", "country", "source", "lifecycle_stage", "marketing_status", "tags")
ACCOUNT_ATTRIBUTES: dict[str, Kind] = {"industry": "text", "employees": "number", "revenue": "number"}
NUMBER = r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?$"


def contact_kinds(tables: Tables) -> dict[str, Kind]:
    """The attributes of contacts and what they hold, canonical ones first."""
    return {**dict.fromkeys(CONTACT_ATTRIBUTES, "text"), **tables.attributes.get("contacts", {})}


def account_kinds(tables: Tables) -> dict[str, Kind]:
    """The attributes of accounts and what they hold, canonical ones first."""
    return {**ACCOUNT_ATTRIBUTES, **tables.attributes.get("accounts", {})}


def attribute_kinds(tables: Tables) -> dict[str, Kind]:
    """The attributes as :class:`~predictive.features.cut.Known` names them, and what they hold."""
    return {**{f"account_{name}": kind for name, kind in account_kinds(tables).items()}, **contact_kinds(tables)}


def attribute_columns(tables: Tables) -> set[str]:
    """The names that attributes have in :class:`~predictive.features.cut.Known`."""
    return set(attribute_kinds(tables))


def check_attributes(tables: Tables) -> None:
    """Refuse attributes whose names :class:`~predictive.features.cut.Known` could not tell apart from others."""
    mine = {f"account_{name}".casefold() for name in account_kinds(tables)} | {"as_of"}
    taken = [name for name in tables.attributes.get("contacts", {}) if name.casefold() in mine]
    if taken:
        raise ConfigError(
            f"source.tables.contacts: the attribute {taken[0]!r} has the name of a column that the package makes; "
            "leave it out (drop), or give it another name with a query"
        )


def held_by(tables: Tables, accounts: Frame) -> Frame:
    """Rows of `accounts` (`account_id`, `since`, …), once for each contact who existed and belonged to it at `since`.

    Where `account_id` has no history, today's contacts are taken to have always belonged to their accounts.
    """
    contacts = tables.contacts.select("contact_id", "account_id", "created_at")
    if "account_id" not in tables.tracked["contact"]:
        members = contacts.join(accounts, on="account_id", how="inner")
        return members.filter(nw.col("created_at") <= nw.col("since"))
    moves = tables.changes.filter((nw.col("object") == "contact") & (nw.col("attribute") == "account_id"))
    moves = moves.rename({"object_id": "contact_id"})
    ever = nw.concat([moves.select("contact_id", account_id=nw.col(c)) for c in ("value", "old_value")]).unique()
    maybe = ever.join(contacts.drop("account_id"), on="contact_id", how="inner")
    maybe = maybe.join(accounts, on="account_id", how="inner").filter(nw.col("created_at") <= nw.col("since"))
    looked_at = maybe.select("contact_id", as_of=nw.col("since")).unique()
    then = _values_then(moves.join(looked_at, on="contact_id", how="inner"), ["contact_id", "as_of"])
    then = then.select("contact_id", since=nw.col("as_of"), account_id=nw.col("value"))
    return maybe.join(then, on=["contact_id", "since", "account_id"], how="inner")


def attributes_then(tables: Tables, at: Frame, only: Collection[str] | None = None) -> Frame:
    """Per contact of `at`: `created_at`, its attributes as of then, and its account's.

    `only` names those that are needed (default: all); the history of each costs as much as the last.
    """
    needed = attribute_columns(tables) if only is None else set(only)
    kinds = {name: kind for name, kind in account_kinds(tables).items() if f"account_{name}" in needed}
    mine = needed | {"account_id"} if kinds else needed
    stated = {name: kind for name, kind in contact_kinds(tables).items() if name in mine}
    own = tables.contacts.join(at, on="contact_id", how="inner")
    contacts = _as_of_then(own, tables, "contact", stated, ["contact_id", "created_at", "as_of"])
    if not kinds:
        return contacts.drop("as_of")
    held = contacts.filter(~nw.col("account_id").is_null()).select("account_id", "as_of").unique()
    accounts = _as_of_then(
        tables.accounts.join(held, on="account_id", how="inner"), tables, "account", kinds, ["account_id", "as_of"]
    )
    accounts = accounts.rename({name: f"account_{name}" for name in kinds})
    return contacts.join(accounts, on=["account_id", "as_of"], how="left").drop("as_of")


def _as_of_then(objects: Frame, tables: Tables, object_: str, kinds: dict[str, Kind], keys: list[str]) -> Frame:
    """`objects` with each attribute of `kinds` as it was at the row's `as_of`."""
    past = tables.tracked[object_] & set(kinds)
    held = [nw.col(n).cast(nw.String) if kinds[n] == "boolean" else nw.col(n) for n in kinds if n not in past]
    today = objects.select(*keys, *held)
    if not past:
        return today
    on = [f"{object_}_id", "as_of"]
    rows = tables.changes.filter((nw.col("object") == object_) & nw.col("attribute").is_in(sorted(past)))
    rows = rows.rename({"object_id": on[0]}).join(objects.select(on).unique(), on=on[0], how="inner")
    values = _pivot(_values_then(rows, on), on, {name: kinds[name] for name in sorted(past)})
    return today.join(values, on=on, how="left").select(*keys, *kinds)


def _values_then(rows: Frame, on: list[str]) -> Frame:
    """The value of every (object, as_of, attribute): of its latest change, or the old value of a first one to come.

    Of several changes at one instant the largest value counts, so that the order of rows does not matter.
    """
    key = [*on, "attribute"]
    before = rows.filter(nw.col("changed_at") <= nw.col("as_of"))
    latest = before.group_by(key).agg(nw.col("changed_at").max())
    then = before.join(latest, on=[*key, "changed_at"], how="inner").group_by(key).agg(nw.col("value").max())
    first = rows.group_by(key).agg(nw.col("changed_at").min())
    to_come = rows.join(first.filter(nw.col("changed_at") > nw.col("as_of")), on=[*key, "changed_at"], how="inner")
    since_creation = to_come.group_by(key).agg(nw.col("old_value").max().alias("value"))
    return nw.concat([then, since_creation])


def _pivot(values: Frame, on: list[str], kinds: dict[str, Kind]) -> Frame:
    """One column per attribute, from one row per attribute."""
    columns = []
    for name, kind in kinds.items():
        mine = nw.col("attribute") == name
        text = nw.when(mine).then(nw.col("value"))
        if kind == "number":
            readable = mine & nw.col("value").str.contains(NUMBER)
            columns.append(nw.when(readable).then(nw.col("value")).cast(nw.Float64).alias(name))
        else:
            columns.append(text.alias(name))
    return values.with_columns(columns).group_by(on).agg(nw.col(name).max() for name in kinds)
