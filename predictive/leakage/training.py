"""What a training does with an audit: sure leaks stay out of the features, the other suspects become notes."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from predictive.config import Config
from predictive.features.choose import Choice, choose
from predictive.leakage import audit_until
from predictive.leakage.suspects import Suspect
from predictive.tables import Note, Tables


def choose_honest(
    tables: Tables, config: Config, outline: pd.DataFrame, *, until: int
) -> tuple[Choice, tuple[Note, ...]]:
    """The default features without the sure leaks, and notes on the other suspects.

    Looks at what was known at `until` (microseconds, the split) and at the examples of `outline` mature by then. A
    suspect of high confidence is left out, with its reason in `left_out`, unless `features.keep` names it.
    """
    suspects = audit_until(tables, config, outline, until=until).suspects
    kept = set(config.features.keep)
    sure = {s.key: s for s in suspects if s.confidence == "high" and not {s.key, s.column} & kept}
    # Excluded together, so that features of any activity are blind to the types too.
    wanted = config.features.model_copy(update={"exclude": [*config.features.exclude, *sure]})
    choice = choose(tables, wanted, until=until)
    reasons = {key: f"betrays the outcome ({suspect.why}): {suspect.saw}" for key, suspect in sure.items()}
    notes = [
        Note(f"{s.table}.{s.column}", _warning(s, kept=bool({s.key, s.column} & kept)))
        for s in suspects
        if s.confidence != "low" and s.key not in sure and s.key not in choice.left_out
    ]
    return replace(choice, left_out={**choice.left_out, **reasons}), tuple(notes)


def _warning(suspect: Suspect, *, kept: bool) -> str:
    if kept:
        return f"kept as configured, though it may betray the outcome ({suspect.why}): {suspect.saw}"
    return f"may betray the outcome ({suspect.why}): {suspect.saw}. To leave it out: {suspect.line}"
