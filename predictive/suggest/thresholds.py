"""Stage thresholds such that MQL and SQL hold as many contacts as people can work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.config import Config

SQL_SHARE, MQL_TIMES = 0.05, 4
"""Without a capacity sales gets one contact in twenty; marketing works on four times as many."""
WEEK, RECENT = 7 * DAY, 90 * DAY


@dataclass(frozen=True)
class Thresholds:
    """The lowest points of each stage, and in words how many contacts that makes."""

    MQL: int
    SQL: int
    said: str

    def stages(self) -> dict[str, int]:
        """As a rule file writes them."""
        return {"prospect": 1, "MQL": self.MQL, "SQL": self.SQL}


def choose_thresholds(frame: pd.DataFrame, score: np.ndarray, config: Config) -> Thresholds:
    """Thresholds for the scores (n,) of examples (`contact_id`, `as_of`), judged on the newest 90 days of them.

    With `capacity.per_week`, no more contacts a week reach SQL, each counted once; else about one in twenty does.
    """
    at = frame["as_of"].to_numpy(dtype=np.int64)
    recent = at > at.max() - RECENT
    best = pd.Series(score[recent]).groupby(frame["contact_id"].to_numpy()[recent]).max().to_numpy()
    weeks = _weeks(at[recent])
    limited = config.capacity is not None
    wanted = SQL_SHARE * len(best) if config.capacity is None else config.capacity.per_week * weeks
    sql = max(_holding(best, wanted, limited=limited), 3)
    mql = min(max(_holding(best, MQL_TIMES * wanted, limited=limited), 2), sql - 1)
    why = "about one in twenty" if config.capacity is None else f"sales can work {config.capacity.per_week} a week"
    sales, marketing = int((best >= sql).sum()), int(((best >= mql) & (best < sql)).sum())
    times = f"both: {(sales + marketing) / max(wanted, 1):.1f} times what sales takes; the aim was {MQL_TIMES}"
    said = (
        f"thresholds: of {len(best):,} contacts of the newest {max(round(weeks * 7), 1)} days {sales:,} reach SQL, "
        f"{sql} points ({why}), and {marketing:,} more reach MQL, {mql} points ({times})"
    )
    return Thresholds(mql, sql, said)


def _holding(best: np.ndarray, wanted: float, *, limited: bool) -> int:
    """The lowest points that no more than `wanted` contacts reach (if `limited`), or nearest to as many; at most 100.

    Few sets make few different scores, so that a limit can leave a list nearly empty.
    """
    reach = np.array([(best >= points).sum() for points in range(1, 101)], dtype=float)
    if limited:
        return int(np.argmax(np.append(reach, 0) <= wanted)) + 1 if reach[-1] <= wanted else 100
    off = np.abs(np.log(np.maximum(reach, 0.5) / max(wanted, 0.5)))
    return int(np.argmin(off)) + 1


def _weeks(at: np.ndarray) -> float:
    """How long these as-ofs last: from the first to the last, and one step more."""
    times = np.unique(at)
    step = float(np.median(np.diff(times))) if len(times) > 1 else float(WEEK)
    return float(times[-1] - times[0] + step) / WEEK
