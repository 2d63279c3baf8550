"""What is learned from, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from predictive.config.base import Days, Duration, Strict


class FeatureChoice(Strict):
    """Attributes and activity types to leave out, to keep against advice, and never to show to a model.

    `own` names features of the user's by import path. `windows` (days back from as-of) and `half_lives` (days) are what
    behaviour is measured in. `groups` puts activity types together, by patterns in which * stands for any text: a type
    is in the first group that it matches.
    """

    exclude: list[str] = []
    keep: list[str] = []
    sensitive: list[str] = []
    own: list[str] = []
    windows: list[Days] = Field(default=[7, 30, 90, 365], min_length=1)
    half_lives: list[Days] = Field(default=[7, 30], min_length=1)
    groups: dict[str, list[str]] = {
        "negative": ["*unsub*", "*spam*", "*bounce*", "*complain*", "*opt*out*"],
        "webinars": ["*webinar*"],
        "email": ["*mail*", "*newsletter*"],
        "forms": ["form*", "*_form*", "* form*", "*submission*"],
        "downloads": ["*download*", "*whitepaper*", "*ebook*"],
        "events": ["*event*", "*fair*", "*conference*", "*trade*show*"],
        "sales": ["*call*", "*meeting*", "*demo*", "*chat*", "*visit_by_sales*"],
        "website": ["*page*", "*visit*", "*view*", "*site*", "*click*", "*blog*"],
    }


class ModelChoice(Strict):
    """What the learner may be told. One seed drives everything random.

    `search` is how long to look for better trees than the defaults; `monotone` names features with which the chance of
    a close may only rise or fall. Of the examples that did not close, about `examples` are learned from, with weights
    that put the others back; all that closed are.
    """

    seed: Annotated[int, Field(ge=0)] = 7
    search: Duration | None = None
    examples: Annotated[int, Field(ge=1_000)] = 400_000
    monotone: dict[str, Literal["increasing", "decreasing"]] = {}


class Tracking(Strict):
    """Where MLflow keeps experiments."""

    uri: str = "sqlite:///mlflow.db"
    experiment: str = "lead-scoring"
