"""HubSpot and Salesforce as they arrive: as Fivetran lands them, or as their own CSV exports.

::

    path ──► raw.py ──► landed.py ──► CRM/*.sql ──► identity.py ──► assemble.py, history.py ──► canonical tables
            (finds)    (names, text)  (one view     (who became     (one identity; every row
                                       per query)    whom)           used or counted)

The queries know raw tables by name only, so where these come from is a matter of :mod:`predictive.sources.crm.raw`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from predictive.config import HubspotSource, SalesforceSource, TableSource
from predictive.sources.crm import assemble
from predictive.sources.crm.exports import from_exports
from predictive.sources.crm.history import changes
from predictive.sources.crm.identity import find_identities
from predictive.sources.crm.landed import Landed, land
from predictive.sources.crm.raw import open_raw
from predictive.sources.crm.spec import Spec, load
from predictive.sources.duckdb import attached
from predictive.sources.origin import Connection, Opener, Origin
from predictive.tables import Note

__all__ = ["open_crm"]


@contextmanager
def open_crm(source: HubspotSource | SalesforceSource, con: Connection) -> Iterator[Opener]:
    """Opens a source of kind `hubspot` or `salesforce`: yields a function that finds the rows of a table.

    Raises :class:`~predictive.errors.DataError` when the tables of contacts or of deals are not there.
    """
    spec = load(source.kind).with_scores(source.scores)
    with (
        TemporaryDirectory(prefix="predictive-", ignore_cleanup_errors=True) as folder,
        attached(con, ":memory:"),
        open_raw(source, con, Path(folder)) as raw,
    ):
        tables, exported = from_exports(raw) if source.kind == "hubspot" else (raw, False)
        # An export writes the clock of the account, a loader that of Greenwich.
        con.execute(spec.macros.replace("{offset}", "" if exported else "+00"))
        landed = land(con, spec, tables, source.where, schema=source.schema_)
        mapped = _map(con, spec, landed)

        def open_table(table: str, _: TableSource) -> Origin:
            notes: tuple[Note, ...] = mapped[table].notes
            if table == "contacts":
                notes = (*landed.notes, *notes)
            place = source.where.partition(" ")[2]
            return Origin(f"{spec.product} in {place}", mapped[table].rows, untyped=True, notes=notes)

        yield open_table


def _map(con: Connection, spec: Spec, landed: Landed) -> dict[str, assemble.Mapped]:
    """The canonical tables of the raw ones in `con`."""
    # What is looked at more than once is worked out once: the files behind may be large, and the queries wide.
    for name in ("contacts", "accounts", "deals"):
        con.execute(f"CREATE TABLE all_{name} AS {spec.queries[name]}")
    for name in ("merges", "deal_contacts", "deal_accounts"):
        con.execute(f"CREATE VIEW {name} AS {spec.queries[name]}")
    con.execute(f"CREATE VIEW all_activities AS {spec.queries['activities']}")
    con.execute(f"CREATE TABLE raw_changes AS {spec.queries['changes']}")
    find_identities(con)
    return {
        "contacts": assemble.records(con, spec, "contacts", _landed(spec, landed, "contacts")),
        "accounts": assemble.records(con, spec, "accounts", _landed(spec, landed, "accounts")),
        "deals": assemble.deals(con),
        "activities": assemble.activities(con),
        "changes": changes(con, spec, landed.taken),
    }


def _landed(spec: Spec, landed: Landed, table: str) -> frozenset[str]:
    """The columns that the raw tables of a canonical one came with."""
    return frozenset[str]().union(*(landed.columns.get(name, ()) for name in spec.records[table]))
