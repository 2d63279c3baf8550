"""The queries behind the views: what the runs that count have written, seen from the newest of them."""

from __future__ import annotations

from predictive.sinks.contract import HISTORY_COLUMNS, SCORE_COLUMNS

WROTE = "outcome <> 'refused'"
"""Which runs count. A night that the circuit breaker refused is only listed."""


def current_query(copies: str, runs: str) -> str:
    """The current scores: the copy that the newest run shows. Tables are named as statements name them."""
    newest = f"(SELECT max_by(shows, scored_at) FROM {runs} WHERE {WROTE})"  # noqa: S608 - quoted names
    columns = ", ".join(f"`{name}`" for name in SCORE_COLUMNS)
    return f"SELECT {columns} FROM {copies} WHERE written = {newest}"  # noqa: S608 - likewise


def history_query(changes: str, runs: str) -> str:
    """The history as other sinks keep it, out of rows that are only ever appended.

    There a run that repeats a night (of the same model, and past or not as the earlier one) takes over its rows, where
    it writes rows for the same contacts; but rows that are taken back at that time stay. Here `replaced` finds them:
    pairs of runs first, which are few, then their contacts. What is taken back now, the newest run says.
    """
    undone = f"(SELECT max_by(undone, scored_at) FROM {runs} WHERE {WROTE})"  # noqa: S608 - quoted names
    cells = {name: f"c.`{name}`" for name in HISTORY_COLUMNS}
    cells["undone"] = f"NOT c.past AND coalesce(array_contains({undone}, c.run_id), FALSE) AS undone"
    pairs = f"""SELECT e.written AS earlier, l.written AS later FROM {runs} AS e JOIN {runs} AS l
        ON e.as_of = l.as_of AND e.model_version = l.model_version AND e.past = l.past AND e.scored_at < l.scored_at
        AND (e.past OR NOT coalesce(array_contains(l.undone, e.run_id), FALSE))"""  # noqa: S608 - likewise
    replaced = f"""SELECT p.earlier, n.contact_id FROM {changes} AS n JOIN ({pairs}) AS p ON n.written = p.later"""  # noqa: S608 - likewise
    return f"""SELECT {", ".join(cells.values())} FROM {changes} AS c
        LEFT ANTI JOIN ({replaced}) AS r ON c.written = r.earlier AND c.contact_id = r.contact_id
        WHERE c.written IN (SELECT written FROM {runs})"""  # noqa: S608 - likewise
