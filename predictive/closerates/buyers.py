"""What buyers did in the horizon before they bought, beside contacts alike who had not bought by then.

Each buyer stands beside contacts at risk at the same instant: risk-set sampling (Prentice and Breslow 1978,
doi:10.1093/biomet/65.1.153). They come from the same segment, were created at about the same time and had not bought by
then, so that neither age of the record nor the state of the market makes a difference. One of them may buy later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.closerates.evidence import Floats
from predictive.config import Config
from predictive.engines import beside
from predictive.evaluation.clusters import encode
from predictive.evaluation.intervals import REPLICATES, Estimate, percentiles, plain, resampled
from predictive.features import behaviour
from predictive.features.attributes import attributes_then, contact_kinds
from predictive.features.build import features_at
from predictive.features.catalog import Feature, distinct
from predictive.features.cut import cut
from predictive.features.deals import wins
from predictive.features.snapshots import judge
from predictive.model.folds import FEWEST_CLOSES
from predictive.splits import observed_until
from predictive.tables import Tables

OTHERS, DRAWN = 5, 8
"""Contacts beside each buyer, and how many are drawn, as some turn out not to have been eligible."""
MOST_BUYERS = 2_000
"""More would take longer and say the same; which ones is drawn by the seed."""
NEAREST, SHARE = 30 * DAY, 0.25
"""Contacts alike were created within a month of the buyer, or within a quarter of its age where that is longer."""


@dataclass(frozen=True)
class Kind:
    """How often buyers did one type of activity, and contacts alike; numbers are per contact and horizon.

    `more` is the mean of buyers less that of their contacts alike, a set being one buyer and those beside it;
    `share_*` are the shares that did it at all.
    """

    type: str
    mean: Estimate
    median: Estimate
    share: float
    mean_others: Estimate
    median_others: Estimate
    share_others: float
    more: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Buyers:
    """The comparison: `buyers` beside `others` contacts alike, matched on `matched`; the clearest difference first."""

    buyers: int
    others: int
    alone: int
    days: float
    matched: tuple[str, ...]
    kinds: tuple[Kind, ...]

    @property
    def in_words(self) -> str:
        """What was compared."""
        alone = f"; {self.alone:,} buyers had nobody alike and are left out" if self.alone else ""
        return (
            f"{self.buyers:,} buyers in the {self.days:g} days before their close, beside {self.others:,} contacts who "
            f"had not bought by then, alike in {', '.join(self.matched)}{alone}"
        )


def buyers(
    tables: Tables,
    config: Config,
    types: Sequence[str],
    *,
    now: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Buyers | None:
    """Compare all observed buyers with contacts alike; None where fewer than 20 can be compared, or without types.

    `types` are the activity types to count, in (close - horizon, close). `config.model.seed` draws.
    """
    if not types:
        return None
    days, until = max(1, config.horizon_micros // DAY), observed_until(tables, config, now)
    segment = _segment(tables, config)
    people = _people(tables, config, segment, until)
    sets = draw_sets(people, until=until, seed=config.model.seed)
    progress("counting what buyers did")
    counted = [behaviour.count((t,), days) for t in types]
    rows = _counted(tables, config, sets, distinct(counted))
    rows = _whole(rows)
    matched = ("age of the record", "time", *([segment] if segment is not None else []))
    found = rows.loc[rows["buyer"], "set"].nunique()
    closers = int((people["closed_at"] <= until).sum())
    if found < FEWEST_CLOSES:
        return None
    kinds = [_kind(rows, f, t, config.model.seed) for t, f in zip(types, distinct(counted), strict=True)]
    kinds.sort(key=lambda k: -abs(k.more.value) / max(k.more.high - k.more.low, 1e-12))
    alone = min(closers, MOST_BUYERS) - found
    return Buyers(found, len(rows) - found, alone, days, matched, tuple(kinds))


def draw_sets(people: pd.DataFrame, *, until: int, seed: int) -> pd.DataFrame:
    """Sets of one buyer and up to eight contacts at risk beside it: `set`, `contact_id`, `as_of`, `buyer`, `cluster`.

    `people` has a row per contact: `contact_id`, `created_at`, `closed_at` (of the first win; missing without one),
    `segment` and `cluster`. The as-of of a set is the last microsecond before the buyer's close.
    """
    random = np.random.default_rng(seed)
    people = people.sort_values(["segment", "created_at", "contact_id"], ignore_index=True)
    closed = people["closed_at"].to_numpy(dtype=float, na_value=np.inf)
    created = people["created_at"].to_numpy(dtype=np.int64)
    bought = np.flatnonzero((closed <= until) & (closed - 1 > created))
    if len(bought) > MOST_BUYERS:
        bought = np.sort(random.choice(bought, MOST_BUYERS, replace=False))
    codes = people["segment"].factorize()[0]
    ends = np.flatnonzero(np.diff(codes, append=-1)) + 1
    starts = np.concatenate([[0], ends[:-1]])
    found = []
    for number, who in enumerate(bought):
        at = int(closed[who]) - 1
        near = max(NEAREST, int((at - created[who]) * SHARE))
        mine = slice(starts[codes[who]], ends[codes[who]])
        low, high = np.searchsorted(created[mine], [created[who] - near, min(created[who] + near, at) + 1]) + mine.start
        alike = np.arange(low, high)
        # At risk: not closed at the instant of the buyer's close, nor together with it.
        alike = alike[(closed[alike] > closed[who]) & (alike != who)]
        drawn = random.choice(alike, min(DRAWN, len(alike)), replace=False)
        members = np.concatenate([[who], drawn]).astype(np.intp)
        found.append(pd.DataFrame({"set": number, "row": members, "as_of": at, "buyer": members == who}))
    if not found:
        return pd.DataFrame(columns=["set", "contact_id", "as_of", "buyer", "cluster"])
    sets = pd.concat(found, ignore_index=True)
    ids, clusters = (people[name].to_numpy() for name in ("contact_id", "cluster"))
    buyer = sets.groupby("set")["row"].transform("first").to_numpy()
    return sets.assign(contact_id=ids[sets["row"]], cluster=clusters[buyer]).drop(columns="row")


def _people(tables: Tables, config: Config, segment: str | None, until: int) -> pd.DataFrame:
    """Every contact with its first win; the segment is what it was when the contact was created."""
    first = wins(tables, config).group_by("contact_id").agg(nw.col("closed_at").min())
    first = first.filter(nw.col("closed_at") <= until)
    born = tables.contacts.select("contact_id", as_of=nw.col("created_at"))
    then = attributes_then(tables, born, {"account_id"} if segment is None else {"account_id", segment})
    chosen = nw.lit("", nw.String) if segment is None else nw.col(segment).cast(nw.String).fill_null("")
    account = nw.when(~nw.col("account_id").is_null()).then(nw.concat_str(nw.lit("account "), nw.col("account_id")))
    cluster = nw.coalesce(account, nw.concat_str(nw.lit("contact "), nw.col("contact_id")))
    rows = then.select("contact_id", "created_at", segment=chosen, cluster=cluster)
    return _local(rows.join(first, on="contact_id", how="left"))


def _segment(tables: Tables, config: Config) -> str | None:
    """What contacts alike share: the first configured segment that contacts have, else their source."""
    kinds = contact_kinds(tables)
    unwanted = {*config.features.sensitive, *config.features.exclude}
    wanted = ["source"] if config.segments is None else config.segments
    named = [n for n in wanted if kinds.get(n) == "text" and n not in unwanted]
    filled = [n for n in named if tables.contacts.select(nw.col(n).count()).collect().item()]
    return filled[0] if filled else None


def _counted(tables: Tables, config: Config, sets: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """The sets with what each member did, without those who were not eligible; a contact is asked for once a time."""
    parts = []
    for _, same in sets.groupby(sets.groupby("contact_id").cumcount()):
        at = beside(tables.contacts, same[["contact_id", "as_of"]].astype({"as_of": "int64"}))
        known = cut(tables, at, attributes=config.eligibility.non_marketing)
        why = _local(judge(known, tables, config, training=True))
        did = _local(features_at(tables, at, features)).drop(columns="as_of")
        eligible = why.loc[why["why"].isna(), ["contact_id"]]
        parts.append(same.merge(eligible, on="contact_id").merge(did, on="contact_id"))
    if not parts:
        return sets.assign(**{f.name: np.empty(0) for f in features})
    return pd.concat(parts, ignore_index=True)


def _whole(rows: pd.DataFrame) -> pd.DataFrame:
    """Sets with their buyer and somebody beside it; of those the first five that were drawn."""
    rows = rows.sort_values(["set", "buyer", "contact_id"], ascending=[True, False, True], ignore_index=True)
    rows = rows[rows["buyer"] | (rows.groupby(["set", "buyer"]).cumcount() < OTHERS)]
    by = rows.groupby("set")["buyer"]
    return rows[by.transform("any") & (by.transform("size") > 1)].reset_index(drop=True)


def _kind(rows: pd.DataFrame, feature: Feature, type_: str, seed: int) -> Kind:
    """One type; intervals resample the buyers' accounts, each with its whole set."""
    count, buyer = rows[feature.name].to_numpy(dtype=float), rows["buyer"].to_numpy(dtype=bool)
    size = rows.groupby("set")["set"].transform("size").to_numpy(dtype=float)
    # Every set weighs the same, however many are beside the buyer.
    part = np.where(buyer, 0.0, 1.0 / (size - 1))
    codes = encode(rows["cluster"].to_numpy(), len(rows))
    order = np.argsort(count, kind="stable")

    def measure(weights: Floats) -> Floats:
        mine, theirs = weights * buyer, weights * part
        means = [float(w @ count / w.sum()) if w.sum() > 0 else np.nan for w in (mine, theirs)]
        medians = [_median(count[order], w[order]) for w in (mine, theirs)]
        return np.array([*means, *medians, means[0] - means[1]])

    ones = np.ones(len(rows))
    draws = resampled(measure, codes=codes, seed=seed, replicates=REPLICATES, weights=ones, n_jobs=1)
    value = measure(ones)
    mean, mean_others, median, median_others, more = (
        Estimate(float(value[i]), *percentiles(draws[:, i], (0.025, 0.975))) for i in range(5)
    )
    any_of = [float(w @ (count > 0) / w.sum()) for w in (buyer.astype(float), part)]
    return Kind(type_, mean, median, any_of[0], mean_others, median_others, any_of[1], more)


def _median(ordered: Floats, weights: Floats) -> float:
    """The weighted median of counts in order: the lowest that half the weight does not exceed."""
    total = np.cumsum(weights)
    return float(ordered[np.searchsorted(total, total[-1] / 2)]) if total[-1] > 0 else np.nan


def _local(frame: Any) -> pd.DataFrame:
    return pd.DataFrame(frame.collect(backend="pandas").to_native())
