"""CSV files that the import tools of HubSpot and Salesforce take: the record's id, then a column per field.

HubSpot matches records by ``Record ID`` and fields by their labels [1]_, Salesforce by ``Id`` and API names [2]_.
Numbers have a decimal point and six decimals, never an exponent; the encoding is UTF-8; no cell can start a formula.

.. [1] https://knowledge.hubspot.com/import-and-export/set-up-your-import-file
.. [2] https://developer.salesforce.com/docs/atlas.en-us.dataLoader.meta/dataLoader/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictive.config import FileSink
from predictive.sinks.changes import CHANGES
from predictive.sinks.contract import KEPT_COLUMNS
from predictive.sinks.database import quote
from predictive.sinks.formats import FORMULA

IDS = {"hubspot": "Record ID", "salesforce": "Id"}
FIELDS = {
    "hubspot": {
        "probability": "Lead probability",
        "quadrant": "Lead quadrant",
        "tier": "Lead tier",
        "rule_score": "Lead rule score",
        "stage": "Lead score stage",
        "reasons": "Lead score reasons",
        "as_of": "Lead scored as of",
    },
    "salesforce": {
        "probability": "Lead_Probability__c",
        "quadrant": "Lead_Quadrant__c",
        "tier": "Lead_Tier__c",
        "rule_score": "Lead_Rule_Score__c",
        "stage": "Lead_Score_Stage__c",
        "reasons": "Lead_Score_Reasons__c",
        "as_of": "Lead_Scored_As_Of__c",
    },
}
"""The usual fields per format; scores to names."""

MARK = {"hubspot": "Lead scored until", "salesforce": "Lead_Scored_Until__c"}


def written(config: FileSink) -> list[str]:
    """The names of the fields that an import file fills, apart from the record's id.

    >>> written(FileSink(kind="csv", path=Path("x.csv"), format="salesforce", columns={"tier": "Our_Class__c"}))
    ['Our_Class__c']
    """
    export = Export.from_config(config)
    return [] if export is None else [field for _, field in export.columns]


@dataclass(frozen=True)
class Export:
    """An import file: the name of the id's column, and (score, field) for each further one.

    Contacts that have left are in it with empty cells (`cleared`), not at all (`kept`), or only with the night from
    which they were not scored (`marked`).
    """

    key: str
    columns: tuple[tuple[str, str], ...]
    only_changed: bool
    left: str

    @classmethod
    def from_config(cls, config: FileSink) -> Export | None:
        """The import file of a configuration, if it asks for one."""
        if config.format is None:
            return None
        columns: Mapping[str, str] = config.columns or FIELDS[config.format]
        if not config.columns and config.left == "marked":
            columns = {**columns, "left_at": MARK[config.format]}
        return cls(IDS[config.format], tuple(columns.items()), config.only_changed, config.left)

    def write(self, con: Any, current: str, file: Path) -> None:
        """Write the file: `current` (a subquery) are tonight's scores; what changed is in the working database."""
        changes = quote(CHANGES)
        when = "CASE WHEN change = 'left' THEN night END AS left_at"
        values = [c for c in KEPT_COLUMNS if c not in ("contact_id", "left_at")]
        # A row that marks an end has the stamps of the night; here it has nothing.
        cells = ", ".join(f"CASE WHEN change <> 'left' THEN {quote(c)} END AS {quote(c)}" for c in values)
        changed = f"SELECT contact_id, {cells}, {when}, change FROM {changes}"  # noqa: S608 - quoted names
        rows = f"SELECT * EXCLUDE (change) FROM ({changed})"  # noqa: S608 - quoted names
        if not self.only_changed:
            rows += " WHERE change = 'left'"
        if self.left == "kept":
            rows += f" {'WHERE' if self.only_changed else 'AND'} change <> 'left'"
        if not self.only_changed:
            rows += f" UNION ALL BY NAME SELECT *, NULL::TIMESTAMP AS left_at FROM {current} AS s"  # noqa: S608 - quoted names
        fields = ", ".join(
            f"{_cell(score)} AS {quote(_safe(name))}" for score, name in (("contact_id", self.key), *self.columns)
        )
        texts = [name for score, name in (("contact_id", self.key), *self.columns) if KEPT_COLUMNS[score] == "VARCHAR"]
        quoted = ", ".join(quote(_safe(name)) for name in texts)
        con.execute(
            f"COPY (SELECT {fields} FROM ({rows}) ORDER BY contact_id) TO $file"  # noqa: S608 - quoted names
            f" (FORMAT csv, HEADER, FORCE_QUOTE ({quoted}), USE_TMP_FILE false)",
            {"file": str(file), "formula": FORMULA},
        )


def _cell(score: str) -> str:
    kind, name = KEPT_COLUMNS[score], quote(score)
    if kind == "VARCHAR":
        return f"regexp_replace({name}, $formula, '''\\1')"
    if kind == "TIMESTAMP":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')"
    return f"printf('%.6f', {name})" if kind == "DOUBLE" else name


def _safe(name: str) -> str:
    return re.sub(FORMULA, r"'\1", name)
