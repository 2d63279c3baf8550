"""What people do about the scores: quadrants and their actions, the review list, notices, and the holdout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from predictive.config.base import Duration, Strict
from predictive.errors import nearest

Owner = Literal["sales", "marketing"]
Unit = Literal["lift", "share", "capacity"]
Secret = Annotated[SecretStr, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""A text that is never printed; one of digits only, which YAML reads as a number, is that text."""

CELLS = tuple(f"{letter}{digit}" for letter in "ABCD" for digit in "1234")
"""The cells of a grid: A is the best fit, 1 the highest interest; A and B are high fit, 1 and 2 high interest."""

Line = Annotated[float, Field(gt=0)]


class ActionChoice(Strict):
    """What is to be done with a quadrant or cell, by whom, and how soon; what is not given keeps its default."""

    action: Annotated[str, Field(min_length=1)] | None = None
    owner: Owner | None = None
    respond_within: Duration | None = None


class Grid(Strict):
    """Two further lines per axis, around the cut of the quadrants: A|B and C|D, 1|2 and 3|4.

    They are in the unit of the cuts: lifts or shares; with `by: capacity`, multiples of the cut that it gives.
    """

    fit: tuple[Line, Line]
    interest: tuple[Line, Line]


class Quadrants(Strict):
    """Where high begins on each axis, and what is done with whom.

    `by` says what `fit` and `interest` are: `lift` (times the training base rate; 1 if not given), `share` (the top
    share of contacts on the axis), or `capacity`, which finds one lift for both axes so that pursue holds no more
    contacts than `capacity.per_week`, and takes neither. `actions` are by quadrant, or by cell where there is a grid.
    """

    by: Unit = "lift"
    fit: Line | None = None
    interest: Line | None = None
    grid: Grid | None = None
    actions: dict[str, ActionChoice] = {}

    @property
    def lines(self) -> dict[str, float]:
        """The cut of each axis in the unit `by`; 1 where it is the default, or what capacity gives."""
        given = {"fit": self.fit, "interest": self.interest}
        return {axis: 1.0 if value is None else value for axis, value in given.items()}

    @model_validator(mode="after")
    def _one_unit(self) -> Quadrants:
        given = [axis for axis in ("fit", "interest") if getattr(self, axis) is not None]
        if self.by == "share" and (len(given) < 2 or max(self.lines.values()) >= 1):
            raise ValueError("by: share needs fit and interest, each a share of contacts between 0 and 1, such as 0.2")
        if self.by == "capacity" and given:
            raise ValueError(f"by: capacity finds the cuts itself; leave {' and '.join(given)} out")
        return self

    @model_validator(mode="after")
    def _around_the_cuts(self) -> Quadrants:
        for axis, cut in self.lines.items():
            if self.grid is None:
                break
            first, last = getattr(self.grid, axis)
            if self.by == "share" and not first < cut < last < 1:
                raise ValueError(f"grid.{axis}: shares grow outwards, around the cut: first < {cut:g} < second < 1")
            if self.by != "share" and not first > cut > last:
                raise ValueError(f"grid.{axis}: the first line lies above the cut {cut:g}, the second below")
        return self

    @field_validator("actions")
    @classmethod
    def _known_places(cls, actions: dict[str, ActionChoice]) -> dict[str, ActionChoice]:
        # Imported here: the tables bring pandera along, and most configurations name no action.
        from predictive.tables import QUADRANTS

        for name in actions:
            if name not in (*QUADRANTS, *CELLS):
                raise ValueError(f"{name!r} is no quadrant or cell; {nearest(name, (*QUADRANTS, 'A1', 'D4'))}")
        return actions

    @model_validator(mode="after")
    def _cells_of_a_grid(self) -> Quadrants:
        cells = [name for name in self.actions if name in CELLS]
        if cells and self.grid is None:
            raise ValueError(f"actions.{cells[0]}: a cell needs a grid; give quadrants.grid, or name a quadrant")
        return self


class Review(Strict):
    """How many contacts of `predictive review` a person can look at, and whether their names are shown."""

    per_week: Annotated[int, Field(ge=1)] = 25
    names: bool = False


class Notices(Strict):
    """Where contacts that newly entered pursue are announced: a file, a signed webhook, both, or (default) nowhere.

    `state` remembers what the webhook has been sent, so that no night is announced twice.
    """

    file: Path | None = None
    webhook: Secret | None = None
    secret: Secret | None = None
    state: Path = Path("notices.state.json")

    @field_validator("file")
    @classmethod
    def _csv_or_json(cls, file: Path | None) -> Path | None:
        if file is not None and file.suffix not in (".csv", ".json"):
            raise ValueError(f"{str(file)!r} is neither .csv nor .json; name a file that ends in one of these")
        return file

    @model_validator(mode="before")
    @classmethod
    def _signed(cls, raw: Any) -> Any:
        # Before the fields are read, so that no error ever quotes an address or a secret.
        if not isinstance(raw, dict) or raw.get("webhook") is None:
            return raw
        address = raw["webhook"]
        plain = address.get_secret_value() if isinstance(address, SecretStr) else str(address)
        if not plain.startswith(("https://", "http://")):
            raise ValueError("webhook: the address begins with neither https:// nor http:// (it is not shown here)")
        if raw.get("secret") is None:
            raise ValueError("webhook: needs a secret to sign with; give notices.secret, such as ${NOTICES_SECRET}")
        return raw
