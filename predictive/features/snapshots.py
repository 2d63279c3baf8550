"""Snapshots: at which as-ofs contacts are looked at, and who is eligible there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from predictive.clock import DAY, calendar
from predictive.config import AgeSnapshots, Config, Eligibility
from predictive.engines import Frame
from predictive.errors import ConfigError, nearest
from predictive.features.attributes import attribute_kinds
from predictive.features.cut import Known
from predictive.features.deals import losses, wins
from predictive.tables import Kind, Tables


@dataclass(frozen=True)
class Moment:
    """One pass of looking at contacts: all at one instant, or each so many days after it was created."""

    instant: int | None = None
    age: int | None = None


def moments(config: Config, first: int, last: int) -> list[Moment]:
    """The passes that training takes over the time [first, last], in microseconds."""
    if isinstance(config.snapshots, AgeSnapshots):
        return [Moment(age=days) for days in sorted(config.snapshots.days)]
    return [Moment(instant=at) for at in calendar(first, last, config.snapshots.every, config.timezone)]


def existing(tables: Tables, moment: Moment) -> Frame:
    """The contacts that exist at the moment, each with its `as_of`."""
    if moment.age is not None:
        return tables.contacts.select("contact_id", as_of=nw.col("created_at") + moment.age * DAY)
    at = nw.lit(moment.instant, nw.Int64)
    return tables.contacts.filter(nw.col("created_at") <= at).select("contact_id", as_of=at)


def tonight(tables: Tables, config: Config, night: int) -> tuple[Frame, Frame]:
    """The contacts to score at `night`, each with its `as_of`; and those that are not, each with its `why`.

    With age snapshots a contact is looked at as of the latest configured age that it has reached; once the last
    horizon has passed, there is nothing left to predict.
    """
    if not isinstance(config.snapshots, AgeSnapshots):
        unborn = tables.contacts.filter(nw.col("created_at") > night)
        return existing(tables, Moment(instant=night)), unborn.select("contact_id", why=nw.lit("not created yet"))
    as_of = nw.lit(None, nw.Int64)
    for days in sorted(config.snapshots.days):
        reached = nw.col("created_at") + days * DAY <= night
        as_of = nw.when(reached).then(nw.col("created_at") + days * DAY).otherwise(as_of)
    at = tables.contacts.select("contact_id", as_of=as_of)
    young, passed = nw.col("as_of").is_null(), nw.col("as_of") + config.horizon_micros <= night
    why = (
        nw.when(young).then(nw.lit("too young for the first snapshot")).otherwise(nw.lit("its last horizon has passed"))
    )
    return at.filter(~young & ~passed), at.filter(young | passed).select("contact_id", why=why)


def judge(known: Known, tables: Tables, config: Config, *, training: bool) -> Frame:
    """Why each contact is not eligible at its as-of: `contact_id`, `why` (null: eligible).

    Marketing status and lifecycle are those of then. A status without any history is today's, which says nothing about
    then: it is applied only to the scored snapshot (``training=False``).
    """
    rules = config.eligibility
    reasons: list[tuple[str, nw.Expr]] = []
    frame = known.contacts
    if rules.customers == "exclude":
        frame = _with_first(frame, wins(tables, config), "_won")
        reasons.append(("already closed", nw.col("_won") <= nw.col("as_of")))
    if rules.lost == "exclude":
        frame = _with_first(frame, losses(tables, config), "_lost")
        reasons.append(("its deal was lost", nw.col("_lost") <= nw.col("as_of")))
    kinds, history = attribute_kinds(tables), _with_history(tables)
    for attribute, values in rules.non_marketing.items():
        if attribute not in kinds:
            hint = nearest(attribute, kinds)
            raise ConfigError(f"eligibility.non_marketing: no table has the attribute {attribute!r}; {hint}")
        if not training or attribute in history:
            said = _says(attribute, kinds[attribute], values)
            reasons.append((f"{attribute.replace('_', ' ')} says it is not to be marketed to", said))
    why: Any = nw.lit(None, nw.String)
    for text, condition in reversed(reasons):
        why = nw.when(condition).then(nw.lit(text)).otherwise(why)
    return frame.select("contact_id", why=why)


def unfiltered(tables: Tables, rules: Eligibility) -> list[str]:
    """The status attributes that training cannot filter by, for want of a history."""
    return sorted(set(rules.non_marketing) - _with_history(tables))


def _with_history(tables: Tables) -> set[str]:
    """The attributes of :class:`~predictive.features.cut.Known` that have a history."""
    return {*tables.tracked["contact"], *(f"account_{name}" for name in tables.tracked["account"])}


def _says(attribute: str, kind: Kind, values: Sequence[str]) -> nw.Expr:
    """Whether an attribute has one of these values, whatever their case and the sign (-, _ or space) between words."""
    text = nw.col(attribute).cast(nw.String)
    if kind == "number":
        text = text.str.replace_all(r"\.0$", "")
    for sign in "_-":
        text = text.str.replace_all(sign, " ", literal=True)
    return text.str.to_lowercase().is_in([v.lower().replace("_", " ").replace("-", " ") for v in values])


def _with_first(frame: Frame, outcomes: Frame, name: str) -> Frame:
    first = outcomes.group_by("contact_id").agg(nw.col("closed_at").min().alias(name))
    return frame.join(first, on="contact_id", how="left")
