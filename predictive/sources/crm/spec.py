"""What is known of one CRM: its raw tables, the queries over them, and the fields that never become features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from predictive.sources.casting import TIME

QUERIES = ("contacts", "accounts", "merges", "deals", "deal_contacts", "deal_accounts", "activities", "changes")


@dataclass(frozen=True)
class Spec:
    """A CRM. `tables` are the raw tables that queries read, each with the columns that they read of it.

    `required` and `records` name, per canonical table, the raw tables that it is made of: one of the former must be
    there. `strips` are what is taken off the names of columns, `not_needed` patterns of tables that nothing reads,
    `renamed` the names that attributes with a history have here. `never` says, per object, which attributes never
    become features, by why. `macros` and `queries` are SQL.
    """

    product: str
    strips: Sequence[str]
    tables: Mapping[str, Sequence[str]]
    required: Mapping[str, Sequence[str]]
    records: Mapping[str, Sequence[str]]
    not_needed: Sequence[str]
    renamed: Mapping[str, Mapping[str, str]]
    never: Mapping[str, Mapping[str, Sequence[str]]]
    macros: str
    queries: Mapping[str, str]

    def why_never(self, object_: str, name: str) -> str | None:
        """Why an attribute of a contact or account never becomes a feature; None if it may.

        >>> load("hubspot").why_never("contact", "num_associated_deals")
        'HubSpot fills them from deals, stages or its own scores'
        >>> load("hubspot").why_never("contact", "favourite_colour") is None
        True
        """
        for why, patterns in self.never[object_].items():
            if any(fnmatchcase(name.lower(), pattern) for pattern in patterns):
                return why
        return None

    def is_needed(self, table: str) -> bool:
        """Whether a raw table is one that the queries read."""
        return table in self.tables

    def is_known(self, table: str) -> bool:
        """Whether a raw table is one of this CRM."""
        return table in self.tables or any(fnmatchcase(table, pattern) for pattern in self.not_needed)


@cache
def load(crm: str) -> Spec:
    """The CRM that is described in the folder `crm` beside this file."""
    folder = files("predictive.sources.crm") / crm
    common = (files("predictive.sources.crm") / "macros.sql").read_text("utf-8").replace("{time}", TIME)
    described: dict[str, Any] = yaml.safe_load((folder / "mapping.yaml").read_text("utf-8"))
    queries = {name: (folder / f"{name}.sql").read_text("utf-8") for name in QUERIES}
    return Spec(**described, macros=common + (folder / "macros.sql").read_text("utf-8"), queries=queries)
