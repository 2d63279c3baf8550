"""What people can work, what a new model must show, and when the audit raises its voice."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from predictive.config.base import Strict


class CapacityChoice(Strict):
    """How many contacts can be called in a week; and, in one currency, what a call costs and a close is worth."""

    per_week: Annotated[int, Field(ge=1)]
    cost: Annotated[float, Field(gt=0)] | None = None
    value: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> CapacityChoice:
        if (self.cost is None) != (self.value is None):
            raise ValueError("give cost and value, or neither")
        return self


class Promotion(Strict):
    """What a challenger must show: see :mod:`predictive.promotion`.

    `margin` is how much higher its log loss may be, as a share of the champion's; `calibration` is how far from 1 its
    predicted over actual closes may be, as a share.
    """

    margin: Annotated[float, Field(ge=0, le=1)] = 0.02
    calibration: Annotated[float, Field(gt=0, le=1)] = 0.2


class Audit(Strict):
    """The bounds whose breaking lets `predictive audit` exit with 4.

    `calibration` is how far predicted over actual closes of the newest three matured months may be from 1, and
    `base_rate` how far the actual rate from that of training, both as shares and both only where luck is unlikely;
    `psi` is the largest population stability index that one of the `features` most important inputs may have; those
    that tell time since something move in any database that grows older, and are not among them.
    """

    calibration: Annotated[float, Field(gt=0)] = 0.2
    base_rate: Annotated[float, Field(gt=0)] = 0.5
    psi: Annotated[float, Field(gt=0)] = 0.25
    features: Annotated[int, Field(ge=1)] = 20
