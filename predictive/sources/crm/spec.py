"""What is known of one CRM: its raw tables, the queries over them, and the fields that never become features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from predictive.sources.casting import TIME
from predictive.sources.mapping import is_score

WRITTEN_BACK = "scores of this package, written back"
"""Why fields are left out that hold what this package writes; the mappings say so of the usual ones."""
QUERIES = ("contacts", "accounts", "merges", "deals", "deal_contacts", "deal_accounts", "activities", "changes")


@dataclass(frozen=True)
class Spec:
    """A CRM. `tables` are the raw tables that queries read, each with the columns that they read of it.

    `required` and `records` name, per canonical table, the raw tables that it is made of: one of the former must be
    there. Of `versions` every column is read. `strips` are what is taken off the names of columns, `not_needed` are
    patterns of tables that nothing reads, `renamed` the names that attributes with a history have here. `never` says,
    per object, which attributes never become features, by why. `macros` and `queries` are SQL. `scores` are the fields
    of contacts that this package fills.
    """

    product: str
    strips: Sequence[str]
    tables: Mapping[str, Sequence[str]]
    required: Mapping[str, Sequence[str]]
    records: Mapping[str, Sequence[str]]
    versions: Sequence[str]
    not_needed: Sequence[str]
    renamed: Mapping[str, Mapping[str, str]]
    never: Mapping[str, Mapping[str, Sequence[str]]]
    macros: str
    queries: Mapping[str, str]
    scores: tuple[str, ...] = ()

    def why_never(self, object_: str, name: str) -> str | None:
        """Why an attribute of a contact or account never becomes a feature; None if it may.

        >>> load("hubspot").why_never("contact", "num_associated_deals")
        'HubSpot fills them from deals, stages or its own scores'
        >>> load("hubspot").why_never("contact", "favourite_colour") is None
        True
        """
        if object_ == "contact" and is_score(name, self.scores):
            return WRITTEN_BACK
        for why, patterns in self.never[object_].items():
            if any(fnmatchcase(name.lower(), pattern) for pattern in patterns):
                return why
        return None

    def with_scores(self, fields: Sequence[str]) -> Spec:
        """The same CRM, in which these fields of contacts are filled by this package."""
        return replace(self, scores=tuple(fields))

    def is_read(self, table: str, column: str) -> bool:
        """Whether anything is made of a column, named as queries name it, of a raw table.

        >>> spec = load("hubspot")
        >>> [spec.is_read("contact", name) for name in ("jobtitle", "favourite_colour", "phone")]
        [True, True, False]
        >>> spec.is_read("email_event", "favourite_colour")
        False
        """
        if table in self.versions or column in self.tables[table]:
            return True
        record = next((name for name, tables in self.records.items() if table in tables), None)
        return record is not None and self.why_never(record.removesuffix("s"), column) is None

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
