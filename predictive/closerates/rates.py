"""Close rates: of those who had something before a cut, how many closed within the horizon after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from predictive.clock import DAY, iso
from predictive.closerates.cuts import Cuts, choose_cuts, too_few
from predictive.closerates.evidence import benjamini_hochberg, evidence, sample, strata
from predictive.closerates.havings import FEWEST, Having, counted, done, features_to_look_at, stated
from predictive.config import Config
from predictive.errors import DataError
from predictive.evaluation.intervals import plain
from predictive.tables import Note, Tables


@dataclass(frozen=True)
class Rate:
    """What became of the contacts who had something at the cut; `kind` is activity or attribute.

    `closed` of the `contacts` closed within the horizon, through `closes` distinct won deals. For the other numbers see
    :class:`~predictive.closerates.evidence.Evidence`; `q` is `p` adjusted for all rows that were looked at.
    """

    kind: str
    name: str
    value: str
    contacts: int
    closed: int
    closes: int
    rate: float
    low: float
    high: float
    lift: float
    adjusted_lift: float
    p: float
    q: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class CloseRates:
    """The rates of one cut, the surest difference first.

    `contacts` were eligible at `as_of` (ISO 8601; of the newest contact, where each has its own,
    `age_days` after it was created), `closed` of them did
    within `horizon_days`, through `closes` distinct won deals; `average` is their share. `types` are the activity types
    that were looked at. `said` is what a person should know; the notes count what was left out.
    """

    as_of: str
    age_days: int | None
    horizon_days: float
    contacts: int
    closed: int
    closes: int
    average: float
    rows: tuple[Rate, ...]
    types: tuple[str, ...]
    notes: tuple[Note, ...]
    said: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints, but for the buyers."""
        own = ("as_of", "age_days", "horizon_days", "contacts", "closed", "closes", "average")
        rest = {"rows": [row.as_dict() for row in self.rows], "notes": [str(note) for note in self.notes]}
        return {name: getattr(self, name) for name in own} | rest | {"said": list(self.said)}


def close_rates(
    tables: Tables,
    config: Config,
    *,
    now: int,
    as_of: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> CloseRates:
    """The close rates at one cut: `as_of` (microseconds), or the newest whose whole horizon is observed.

    One row per eligible contact, what it had by then, and whether it closed within the horizon: nothing later counts,
    so what people did after their close cannot. With age snapshots each contact has its own as-of, all at one age.

    Raises :class:`~predictive.errors.DataError` where nobody was eligible at the cut.
    """
    progress("choosing what to look at")
    cuts = choose_cuts(tables, config, as_of=as_of, now=now, several=False)
    counts, attributes = features_to_look_at(tables, config.features, cuts.choice, cuts.last)
    frame = cuts.rows(tables, config, [*counts, *attributes], progress=progress)
    if frame.empty:
        raise DataError(f"nobody was eligible at {iso(cuts.last)}; name another --as-of, or look at eligibility")
    havings = [*done(counts, frame), *stated(attributes, frame)]
    rows = rate(frame, havings)
    closes, label = int(frame["deal_id"].nunique()), frame["label"]
    few = too_few(closes)
    return CloseRates(
        as_of=iso(int(frame["as_of"].max())),
        age_days=cuts.looks[-1].age,
        horizon_days=config.horizon_micros / DAY,
        contacts=len(frame),
        closed=int(label.sum()),
        closes=closes,
        average=float(label.mean()),
        rows=tuple(rows),
        types=tuple(dict.fromkeys(t for f in counts for t in counted(f).types)),
        notes=(*cuts.notes, *left_out(cuts, skipped=len(havings) - len(rows))),
        said=tuple(text for text in (cuts.said, few) if text is not None),
    )


def rate(frame: pd.DataFrame, havings: Iterable[Having]) -> list[Rate]:
    """The rate of each of what at least ten contacts have, the surest difference first.

    `frame` has a row per contact: `label`, `deal_id`, `cluster`, `as_of`, `record_age_days`.
    """
    of = sample(frame["label"], strata(frame), frame["cluster"])
    enough = [h for h in havings if h.mask.sum() >= FEWEST]
    found = [evidence(of, h.mask) for h in enough]
    adjusted = benjamini_hochberg([e.p for e in found])
    deals = frame["deal_id"]
    rows = [
        Rate(h.kind, h.name, h.value, closes=int(deals[h.mask].nunique()), q=q, **asdict(e))
        for h, e, q in zip(enough, found, adjusted, strict=True)
    ]
    return sorted(rows, key=lambda r: (r.p, -r.contacts, r.kind, r.name, r.value))


def left_out(cuts: Cuts, *, skipped: int) -> list[Note]:
    """Counted notes on the columns that were not looked at, by reason, and on what too few contacts have."""
    reasons = Counter(reason.partition(":")[0] for reason in cuts.choice.left_out.values())
    notes = [
        Note("left out", f"{n} column{'s' if n > 1 else ''}: {reason}", n, _examples(cuts, reason))
        for reason, n in reasons.most_common()
    ]
    if skipped:
        notes.append(
            Note("left out", f"{skipped} activities and values that fewer than {FEWEST} contacts have", skipped)
        )
    return notes


def _examples(cuts: Cuts, reason: str) -> tuple[str, ...]:
    named: Sequence[str] = [k for k, why in cuts.choice.left_out.items() if why.partition(":")[0] == reason]
    return tuple(named[:5])
