"""The tags that behaviour earns where the configuration names none: one for each group of activity types."""

from __future__ import annotations

from predictive.config import Config
from predictive.engines import distinct
from predictive.features.choose_behaviour import grouped
from predictive.rules import Condition
from predictive.tables import Tables

NAMES = {"forms": "#form", "downloads": "#download", "webinars": "#webinar", "events": "#event"}
"""Tags of the groups whose names are plural; any other group's is # and its name."""


def tags_of(config: Config, tables: Tables) -> dict[str, list[Condition]]:
    """The conditions of each tag: as configured, else one tag per behaviour group that has activities.

    A default tag means that a contact ever did such a thing: ``#form``, ``#webinar``, ``#website`` and so on.
    """
    if config.tags is not None:
        return config.tags
    types = sorted(str(row[0]) for row in distinct(tables.activities, "type").collect().rows())
    groups = grouped(types, config.features.groups)
    return {
        NAMES.get(group, f"#{group}".replace(" ", "-")): [Condition(activity=list(members))]
        for group, members in groups.items()
        if members
    }
