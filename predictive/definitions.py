"""The funnel as agreed, one page for the wall: generated from the configuration, so that it is never out of date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from predictive.actions import Action, actions_of, spoken
from predictive.config import CELLS, Config
from predictive.quadrants import TIER_LIFTS
from predictive.rules import Lifecycle, Stages, load_rules
from predictive.tables import QUADRANTS, TIERS

PLACES = {
    "pursue": ("high", "high"),
    "nurture": ("high", "low"),
    "opportunistic": ("low", "high"),
    "disengage": ("low", "low"),
    "unknown": ("–", "–"),
}
"""Fit and interest of each quadrant."""


@dataclass(frozen=True)
class Place:
    """A quadrant or cell, its fit and interest, and what is done with it."""

    name: str
    fit: str
    interest: str
    action: str
    owner: str
    respond_within: str


@dataclass(frozen=True)
class Funnel:
    """What marketing and sales have agreed, in words. `stages` and `tiers` are names with what they mean, in order."""

    horizon: str
    stages: tuple[tuple[str, str], ...]
    mql: tuple[str, ...]
    cuts: tuple[str, ...]
    places: tuple[Place, ...]
    tiers: tuple[tuple[str, str], ...]
    agreements: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """The page."""
        words = f"Probability, fit and interest are the chance to close within {self.horizon}."
        places = [[p.name, p.fit, p.interest, p.action, p.owner, p.respond_within] for p in self.places]
        parts = [
            "# Our funnel",
            f"{words} The rule score is 0 to 100 points from the manual rules.",
            "## Stages",
            _table(["stage", "a contact that"], self.stages),
            "## What an MQL is",
            _list(self.mql),
            "## Fit × interest",
            _list(self.cuts),
            _table(["quadrant", "fit", "interest", "what is done", "owner", "respond within"], places),
            "## Tiers",
            _table(["tier", "probability"], self.tiers),
            "## Agreements",
            _list(self.agreements),
        ]
        return "\n\n".join(parts) + "\n"


def funnel(config: Config) -> Funnel:
    """The funnel of a configuration and its rule file. Reads no table and no model."""
    rules = load_rules(config.rules)
    stages = rules.stages
    actions = actions_of(config)
    own = [name for name in CELLS if name in actions]
    return Funnel(
        horizon=spoken(config.horizon),
        stages=(*_stages(stages), *_kept(rules.lifecycle)),
        mql=_mql(stages, config),
        cuts=_cuts(config),
        places=tuple(_place(name, actions[name]) for name in (*QUADRANTS, *own)),
        tiers=_tiers(),
        agreements=_agreements(config, actions["pursue"]),
    )


def _stages(stages: Stages) -> tuple[tuple[str, str], ...]:
    starts = {"visitor": 0, "prospect": stages.prospect, "MQL": stages.MQL, "SQL": stages.SQL}
    ends = [*list(starts.values())[1:], 101]
    spans = [(a, b - 1) for a, b in zip(starts.values(), ends, strict=True)]
    points = [
        "0 points" if b == 0 else (f"{a} points" if a > 1 else "1 point") if a == b else f"{a} to {b} points"
        for a, b in spans
    ]
    return tuple((name, f"has {text}") for name, text in zip(starts, points, strict=True))


def _kept(said: Lifecycle) -> tuple[tuple[str, str], ...]:
    """The stages of deals and of the lifecycle, which no points change."""
    of = {"opportunity": ("has an open deal", said.opportunity), "customer": ("has won a deal", said.customer)}
    return tuple(
        (name, f"{deal}, or whose {said.attribute} is {' or '.join(values)}, whatever the points")
        for name, (deal, values) in of.items()
    )


def _mql(stages: Stages, config: Config) -> tuple[str, ...]:
    within = actions_of(config)["pursue"]
    return (
        f"By points: {stages.MQL} or more; from {stages.SQL} on it is an SQL.",
        f"By the model: in pursue, high fit and high interest. {within.owner.capitalize()} owns it: {within.in_words}.",
    )


def _cuts(config: Config) -> tuple[str, ...]:
    chosen = config.quadrants
    if chosen.by == "capacity":
        assert config.capacity is not None  # noqa: S101 - the configuration was refused otherwise
        room = f"the {config.capacity.per_week:,} contacts a week that can be worked"
        said = [f"High is above one multiple of the average on both axes, so that pursue holds no more than {room}."]
    elif chosen.by == "share":
        said = [f"High {axis} is the top {value:.1%} of contacts." for axis, value in chosen.lines.items()]
    else:
        said = [f"High {axis} is above {value:g} × the average chance." for axis, value in chosen.lines.items()]
    if chosen.grid is not None:
        unit = {"lift": " × the average", "share": " of contacts", "capacity": " × the cut"}[chosen.by]
        for axis, names in (("fit", "ABCD"), ("interest", "1234")):
            first, cut, last = _three(getattr(chosen.grid, axis), chosen.lines[axis], share=chosen.by == "share")
            bounds = (
                f"{names[0]}|{names[1]} at {first}, {names[1]}|{names[2]} at {cut}, {names[2]}|{names[3]} at {last}"
            )
            said.append(f"The grid's lines of {axis}, best first: {bounds}{unit}.")
        said.append("A and B are high fit, 1 and 2 high interest, so that every cell lies in one quadrant.")
    return tuple(said)


def _three(grid: tuple[float, float], cut: float, *, share: bool) -> list[str]:
    return [f"{x:.1%}" if share else f"{x:g}" for x in (grid[0], cut, grid[1])]


def _place(name: str, action: Action) -> Place:
    high = {True: "high", False: "low"}
    fit, interest = PLACES[name] if name in PLACES else (high[name[0] in "AB"], high[name[1] in "12"])
    within = "–" if action.respond_within is None else spoken(action.respond_within)
    return Place(name, fit, interest, action.action, action.owner, within)


def _tiers() -> tuple[tuple[str, str], ...]:
    names = [f"at least {lift:g} × the average" for lift in TIER_LIFTS]
    return tuple(zip(TIERS, [*names, f"below {TIER_LIFTS[-1]:g} × the average"], strict=True))


def _agreements(config: Config, pursue: Action) -> tuple[str, ...]:
    said = [f"Whoever is not to be marketed to is not scored: {_nobody(config)}."]
    if config.eligibility.customers == "exclude":
        said.append("Customers are not scored.")
    if config.eligibility.lost == "exclude":
        said.append("Contacts whose deal was lost are not scored.")
    if config.capacity is not None:
        said.append(f"{config.capacity.per_week:,} contacts a week can be worked.")
    if config.holdout > 0:
        said.append(
            f"{config.holdout:.1%} of contacts, drawn by lot, are outside the actions: that shows what the actions do."
        )
    told = _told(config)
    if told and pursue.respond_within is not None:
        said.append(f"Who newly enters pursue is announced {told}, with the deadline.")
    said.append(f"A person looks at up to {config.review.per_week:,} contacts of the review list a week.")
    said.append("A person's decision, with reason and expiry, wins over quadrant and tier, never over the probability.")
    return tuple(said)


def _nobody(config: Config) -> str:
    parts = [f"{name} is {' or '.join(values)}" for name, values in config.eligibility.non_marketing.items()]
    return "; ".join(parts) if parts else "nobody is excluded"


def _told(config: Config) -> str:
    ways = [("in a file", config.notices.file), ("by webhook", config.notices.webhook)]
    return " and ".join(name for name, given in ways if given is not None)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |" for line in lines)


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
