"""What is done with the contacts of a quadrant or cell, by whom, and how soon: as configured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from predictive.config import Config

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Action:
    """What is done, who owns it (sales or marketing), and within how long it begins; None where that is not set."""

    action: str
    owner: str
    respond_within: timedelta | None = None

    @property
    def in_words(self) -> str:
        """The action and its response time.

        >>> Action("sales calls", "sales", timedelta(hours=24)).in_words
        'sales calls within 24 hours'
        """
        return self.action if self.respond_within is None else f"{self.action} within {spoken(self.respond_within)}"


DEFAULTS = {
    "pursue": Action("sales calls", "sales", DAY),
    "nurture": Action("marketing educates until interest grows", "marketing"),
    "opportunistic": Action("one low-cost follow-up by a rep", "sales"),
    "disengage": Action("out of the communication flow", "marketing"),
    "unknown": Action("work by tier: one axis could not be judged", "sales"),
}
"""The actions where nothing else is configured."""

LETTERS, DIGITS = {"A": True, "B": True, "C": False, "D": False}, {"1": True, "2": True, "3": False, "4": False}
"""Which letters of a cell are high fit, and which digits high interest."""


def actions_of(config: Config) -> dict[str, Action]:
    """The action of every quadrant, in the order of :data:`DEFAULTS`, then of every cell that has one of its own.

    What a quadrant's configuration leaves out is as in :data:`DEFAULTS`, what a cell's leaves out as in its quadrant.
    """
    found = dict(DEFAULTS)
    for name in sorted(config.quadrants.actions, key=lambda n: n not in DEFAULTS):
        choice = config.quadrants.actions[name]
        base = found[name if name in DEFAULTS else quadrant_of(name)]
        found[name] = Action(
            base.action if choice.action is None else choice.action,
            base.owner if choice.owner is None else choice.owner,
            base.respond_within if choice.respond_within is None else choice.respond_within,
        )
    return found


def action_for(actions: dict[str, Action], quadrant: str, cell: str | None) -> Action:
    """The action of a contact: its cell's where that has one and lies in the quadrant, else its quadrant's.

    The two differ where a person's decision has moved the contact to another quadrant.
    """
    own = cell in actions and cell is not None and quadrant_of(cell) == quadrant
    return actions[str(cell)] if own else actions[quadrant]


def quadrant_of(cell: str) -> str:
    """The quadrant that a cell of the grid belongs to.

    >>> quadrant_of("B2"), quadrant_of("A3"), quadrant_of("C1"), quadrant_of("D4")
    ('pursue', 'nurture', 'opportunistic', 'disengage')
    """
    high = LETTERS[cell[0]], DIGITS[cell[1]]
    return {(True, True): "pursue", (True, False): "nurture", (False, True): "opportunistic"}.get(high, "disengage")


def spoken(time: timedelta) -> str:
    """A length of time as people say it.

    >>> spoken(timedelta(hours=24)), spoken(timedelta(days=7)), spoken(timedelta(minutes=90))
    ('24 hours', '7 days', '90 minutes')
    """
    if time % DAY == timedelta(0) and time > 2 * DAY:
        return f"{time // DAY} days"
    unit, name = (HOUR, "hour") if time % HOUR == timedelta(0) else (timedelta(minutes=1), "minute")
    return f"{time // unit} {name}{'s' if time != unit else ''}"
