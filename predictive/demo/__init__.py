"""A CRM to try everything on, with the true close probabilities beside it.

A contact's hazard of closing depends on nothing but what the tables record, before gaps and noise are laid over them,
so the true probability at an as-of is a property of the history that can be observed. The flow::

    world ──► simulate ──► activities, facts ──► noise ──► records ──► write (crm.duckdb)
                 └──► truth ─────────────────────────────────────────► write (truth.parquet)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
from numpy.random import SeedSequence, default_rng

from predictive.demo.activities import expand, touch_times
from predictive.demo.catalog import AS_OF
from predictive.demo.facts import attribute_history, deal_times
from predictive.demo.noise import lay_over_activities, lay_over_facts
from predictive.demo.records import Ids, account_frame, change_frame, contact_frame, deal_frame
from predictive.demo.simulate import History, simulate
from predictive.demo.truth import true_probabilities
from predictive.demo.world import World, draw_world
from predictive.demo.write import activity_table, write_database, write_truth
from predictive.errors import ConfigError

__all__ = ["AS_OF", "Demo", "generate"]


@dataclass(frozen=True)
class Demo:
    """What :func:`generate` wrote: its files, the numbers of rows, and the instant at which the history ends."""

    database: Path
    truth: Path
    contacts: int
    activities: int
    deals: int
    as_of: datetime


def generate(*, contacts: int, seed: int, out: Path, progress: Callable[[str], None] | None = None) -> Demo:
    """Make a CRM of 18 months that end at `AS_OF`; what an earlier run left in `out` is replaced.

    Args:
        contacts: How many contacts, at least 1.
        seed: Drives everything random, at least 0; the same arguments give the same tables.
        out: Folder for ``crm.duckdb`` (contacts, accounts, activities, deals, changes; times are UTC) and
            ``truth.parquet`` (contact_id, as_of, probability, standard_error), made if needed.
        progress: Told in a few words what is being done.

    Raises:
        ConfigError: `contacts` or `seed` is too small, or `out` cannot be a folder.
    """
    _check(contacts, seed, out)
    tell = progress if progress is not None else _quiet
    draws, events, rows, futures = SeedSequence(seed).spawn(4)
    tell(f"simulating {contacts:,} contacts day by day")
    world = draw_world(contacts, default_rng(draws))
    history = simulate(world, default_rng(events))
    truth = true_probabilities(history, futures, progress=tell)
    tell("writing down what happened, with gaps and noise")
    ids = Ids.of(world)
    tables = _tables(world, history, ids, rows)
    demo = Demo(
        database=out / "crm.duckdb",
        truth=out / "truth.parquet",
        contacts=contacts,
        activities=len(tables["activities"]),
        deals=len(tables["deals"]),
        as_of=AS_OF,
    )
    tell(f"writing {demo.activities:,} activities and {demo.deals:,} deals to {demo.database}")
    write_database(demo.database, tables)
    write_truth(demo.truth, truth, ids.contact)
    return demo


def _tables(world: World, history: History, ids: Ids, seed: SeedSequence) -> dict[str, pd.DataFrame | pa.Table]:
    """The five tables as the CRM has them."""
    times, noise, names = (default_rng(stream) for stream in seed.spawn(3))
    touched = touch_times(world, history, times)
    created, closed = deal_times(history, times)
    facts = lay_over_facts(attribute_history(world, history, touched, created, closed, times), world, noise)
    activities = lay_over_activities(expand(history, touched, times), world, noise)
    return {
        "contacts": contact_frame(world, history, ids, facts, closed, names),
        "accounts": account_frame(world, ids, facts, names),
        "activities": activity_table(activities, ids.contact),
        "deals": deal_frame(world, history, ids, created, closed, names),
        "changes": change_frame(facts, ids),
    }


def _check(contacts: int, seed: int, out: Path) -> None:
    """Refuse what cannot work before the long part begins, and make the folder."""
    if contacts < 1:
        raise ConfigError(f"contacts: {contacts} given; a demo needs at least 1, and 2,000 to learn from")
    if seed < 0:
        raise ConfigError(f"seed: {seed} given; a seed is 0 or more")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"{out}: cannot be made a folder ({why}); name a folder that can be written to") from None


def _quiet(_: str) -> None:
    pass
