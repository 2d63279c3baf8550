"""From touches to rows of the activities table: what the CRM and the website's tracking record of each touch."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator

from predictive.clock import DAY
from predictive.demo import catalog as c
from predictive.demo.simulate import History
from predictive.demo.world import START, Floats, Ints, World

SECOND, HOUR = 1_000_000, DAY // 24
BLOG = (
    "/blog/attribution",
    "/blog/benchmarks",
    "/blog/forecasting",
    "/blog/pipeline",
    "/blog/playbook",
    "/blog/trends",
)
PRODUCT = ("/product", "/product/integrations", "/product/security", "/customers", "/customers/stories", "/docs")


@dataclass(frozen=True)
class Step:
    """One row of a touch: an activity type, its possible details, and how many further rows like it on average."""

    type: str
    details: tuple[str, ...] = ("",)
    more: float = 0.0


SCRIPTS: dict[str, tuple[Step, ...]] = {
    "email_open": (Step("email_open", ("nurture", "product update", "invitation")),),
    "email_click": (Step("email_open", ("nurture",)), Step("email_click", ("nurture",)), Step("page_view", BLOG)),
    "blog": (Step("page_view", BLOG, more=0.6),),
    "product": (Step("page_view", PRODUCT, more=0.4), Step("page_view", ("/", "/about"))),
    "pricing": (Step("page_view", ("/pricing",)), Step("page_view", PRODUCT, more=0.3)),
    "careers": (Step("page_view", ("/careers", "/careers/openings")),),
    "newsletter": (Step("page_view", BLOG), Step("form_submission", ("newsletter",))),
    "download": (
        Step("page_view", ("/resources",)),
        Step("content_download", ("ebook", "white paper", "case study", "template")),
    ),
    "webinar": (Step("webinar", ("getting started", "customer panel", "roadmap")),),
    "event": (Step("event", ("trade fair", "user conference", "road show")),),
    "contact_form": (Step("page_view", ("/contact",)), Step("form_submission", ("contact",))),
    "demo_request": (Step("page_view", ("/demo",)), Step("form_submission", ("demo_request",))),
    "meeting": (Step("meeting", ("video", "on site")),),
    "call": (Step("call", ("outgoing", "incoming")),),
    "unsubscribe": (Step("unsubscribe"),),
    "spam_report": (Step("spam_report"),),
    "bounce": (Step("bounce", ("hard",)),),
}
"""What a touch of each kind leaves behind. A view of /pricing or /careers comes from its own kind only, so that the
rows tell the kind, and with it the state of the process."""

TYPES = tuple(sorted({step.type for script in SCRIPTS.values() for step in script}))
DETAILS = ("", *sorted({detail for script in SCRIPTS.values() for step in script for detail in step.details} - {""}))


@dataclass(frozen=True)
class Activities:
    """Rows of the activities table as columns; times in microseconds, `type` and `detail` as codes.

    `detail` 0 stands for none; `value` (seconds on a page, minutes of a meeting or call) is NaN where there is none.
    """

    contact: Ints
    occurred: Ints
    recorded: Ints
    type: Ints
    detail: Ints
    value: Floats

    def take(self, index: np.ndarray) -> Activities:
        """The rows at `index` (positions or a mask)."""
        return Activities(*(getattr(self, field.name)[index] for field in fields(self)))

    def join(self, other: Activities) -> Activities:
        """The rows of both, one after the other."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Activities(*(np.concatenate(pair) for pair in pairs))

    def ordered(self) -> Activities:
        """The same rows by contact and time."""
        return self.take(np.lexsort((self.type, self.occurred, self.contact)))


def touch_times(world: World, history: History, rng: Generator) -> Ints:
    """When each touch begins: minutes after creation for the first, else between 6 and 20 o'clock UTC."""
    day, contact = history.touch_day, history.touch_contact
    some = START + day * DAY + rng.integers(6 * HOUR, 20 * HOUR, len(day))
    first = world.created[contact] + rng.integers(30 * SECOND, 600 * SECOND, len(day))
    return np.where(day == world.day[contact], first, some)


def expand(history: History, start: Ints, rng: Generator) -> Activities:
    """The rows of all touches, each recorded at once."""
    parts = []
    for name, script in SCRIPTS.items():
        mine = np.flatnonzero(history.touch_kind == c.K[name])
        for number, step in enumerate(script):
            parts.append(_rows(mine, number, step, rng))
    touch, _, type_, detail = columns = np.concatenate(parts, axis=1)
    touch, _, type_, detail = columns[:, np.lexsort((columns[1], touch))]
    first = np.searchsorted(touch, touch)
    within = (np.arange(len(touch)) - first) * 45 * SECOND + rng.integers(0, 40 * SECOND, len(touch))
    occurred = start[touch] + within
    return Activities(
        contact=history.touch_contact[touch],
        occurred=occurred,
        recorded=occurred.copy(),
        type=type_,
        detail=detail,
        value=_values(type_, rng),
    )


def _rows(touch: Ints, number: int, step: Step, rng: Generator) -> np.ndarray:
    """Touch, number of the step, type and detail of the rows that one step of a script makes."""
    touch = np.repeat(touch, 1 + rng.poisson(step.more, len(touch))) if step.more > 0 else touch
    details = np.array([DETAILS.index(detail) for detail in step.details])
    detail = details[rng.integers(0, len(details), len(touch))]
    return np.stack([touch, np.full(len(touch), number), np.full(len(touch), TYPES.index(step.type)), detail])


def _values(type_: Ints, rng: Generator) -> Floats:
    """Seconds on a page; minutes of a meeting or a call; nothing for the rest."""
    spread = rng.exponential(1.0, len(type_))
    value = np.full(len(type_), np.nan)
    for name, mean in (("page_view", 45.0), ("call", 9.0), ("meeting", 40.0)):
        mine = type_ == TYPES.index(name)
        value[mine] = np.ceil(mean * spread[mine])
    return value
