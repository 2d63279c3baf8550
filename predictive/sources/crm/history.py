"""The attribute history: named as the attributes are here, under the identity that lives on."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from predictive.sources.crm.assemble import Mapped, left_out
from predictive.sources.crm.landed import attribute, column_name
from predictive.sources.crm.spec import Spec
from predictive.sources.origin import Connection, quote
from predictive.tables import Note


def changes(con: Connection, spec: Spec, taken: Mapping[str, AbstractSet[str]]) -> Mapped:
    """The changes of `raw_changes` in attributes that may become features; the others are counted by why not."""
    _name(con, spec, taken)
    con.execute("""
        CREATE TABLE mapped_changes AS
        SELECT c.source, c.object, coalesce(i.survivor, c.object_id) AS object_id,
            coalesce(n.ours, c.attribute) AS attribute,
            CASE WHEN n.ours = 'account_id' THEN coalesce(new.survivor, c.value) ELSE c.value END AS value,
            CASE WHEN n.ours = 'account_id' THEN coalesce(old.survivor, c.old_value) ELSE c.old_value END AS old_value,
            c.changed_at, c.partial,
            CASE
                WHEN n.why IS NOT NULL THEN 'of attributes that never become features: ' || n.why
                WHEN c.object_id IS NULL OR c.attribute IS NULL THEN 'that do not say of what'
                WHEN c.changed_at IS NULL THEN 'without a readable time'
            END AS left_out
        FROM raw_changes c
        LEFT JOIN names n ON n.object = c.object AND n.theirs = c.attribute
        LEFT JOIN identity i ON i.object = c.object AND i.id = c.object_id
        LEFT JOIN (SELECT * FROM identity WHERE object = 'account') new ON new.id = c.value
        LEFT JOIN (SELECT * FROM identity WHERE object = 'account') old ON old.id = c.old_value
    """)
    filled = _fill(con)
    rows = con.table("mapped_changes")
    usable = rows.filter("left_out IS NULL").project("object, object_id, attribute, value, old_value, changed_at")
    return Mapped(usable, (*left_out(rows, "source", "object_id"), *filled))


def _name(con: Connection, spec: Spec, taken: Mapping[str, AbstractSet[str]]) -> None:
    """A table `names` (`object`, `theirs`, `ours`, `why` never) of every attribute that has a history."""
    found = con.execute("SELECT DISTINCT object, attribute FROM raw_changes WHERE attribute IS NOT NULL").fetchall()
    con.execute("CREATE TABLE names (object VARCHAR, theirs VARCHAR, ours VARCHAR, why VARCHAR)")
    rows = []
    for object_, theirs in sorted(found):
        name = column_name(spec, theirs)
        ours = spec.renamed[object_].get(name)
        why = None if ours is not None else spec.why_never(object_, name)
        rows.append((object_, theirs, ours or attribute(name, taken[f"{object_}s"]), why))
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute("INSERT INTO names SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)


def _fill(con: Connection) -> tuple[Note, ...]:
    """Where only changes are kept, what never changed: its value of today has stood since the record was created.

    Salesforce writes a row of history when a field changes, and none when a record is created.
    """
    partial = con.execute(
        "SELECT DISTINCT object, attribute FROM mapped_changes WHERE partial AND left_out IS NULL ORDER BY ALL"
    ).fetchall()
    notes = []
    for object_, name in partial:
        table = f"mapped_{object_}s"
        if name not in con.table(table).columns:
            continue
        (filled,) = con.execute(
            f"""
            INSERT INTO mapped_changes
            SELECT 'today', $object, {object_}_id, $name, CAST({quote(name)} AS VARCHAR), NULL, created_at,
                false, NULL
            FROM {table} WHERE left_out IS NULL AND {quote(name)} IS NOT NULL AND created_at IS NOT NULL
                AND {object_}_id NOT IN (
                    SELECT object_id FROM mapped_changes WHERE object = $object AND attribute = $name)
            """,
            {"object": object_, "name": name},
        ).fetchall()[0]
        if filled:
            said = f"{filled:,} values without a change in the history: taken to stand since creation"
            notes.append(Note(f"{object_}s.{name}", said, filled))
    return tuple(notes)
