"""The table of accounts, from the current scores and from what became of past ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.accounts.together import Together, at_least_one, bounds, measure
from predictive.config import Config
from predictive.engines import Frame
from predictive.features.choose_behaviour import grouped
from predictive.features.cut import cut
from predictive.history import with_outcome
from predictive.nights import is_prompt
from predictive.splits import observed_until
from predictive.store import into_store
from predictive.tables import Tables

INTERESTED = ("pursue", "opportunistic")


@dataclass(frozen=True)
class Accounts:
    """The accounts with scored contacts, likeliest first, and how their chances were put together.

    `rows` has `account_id`, `contacts` (scored ones), `engaged`, `best_contact`, `best_probability`, `best_quadrant`,
    `best_stage`, `at_least_one` (as `together` says; independence where that is not known), `independent`, and `least`
    and `most`, which hold whatever the dependence. `without` scored contacts have no account.
    """

    rows: pd.DataFrame
    together: Together
    without: int

    @property
    def assumption(self) -> str:
        """In words, what `at_least_one` takes for granted."""
        t = self.together
        if t.theta is None or t.low is None or t.high is None:
            return (
                "taken for independent within an account, which is the upper reading where colleagues share their luck "
                f"(not measured: {t.unknown}); least and most hold whatever the dependence"
            )
        return (
            f"colleagues share their luck as in {t.accounts:,} past accounts of several contacts, of which {t.closed:,}"
            f" closed: theta {t.theta:.2f} ({t.low:.2f} to {t.high:.2f}; 1 is independent, 0 all or nothing)"
        )


def find_accounts(
    con: Any, tables: Tables, config: Config, scores: pd.DataFrame, history: pd.DataFrame, *, now: int
) -> Accounts:
    """Every account that has a scored contact, by the current `scores`; `history` is the sink's.

    A contact belongs to the account that it had at its score's as-of.
    """
    together = measure(matured(con, tables, config, history, now=now))
    asked = scores[["contact_id"]].assign(as_of=_micros(scores["as_of"]))
    held = _accounts_then(con, tables, asked)
    frame = scores.merge(held, on="contact_id", how="left", validate="one_to_one")
    frame["engaged"] = _engaged(con, tables, config, frame.assign(as_of=asked["as_of"].to_numpy()))
    mine = frame[frame["account_id"].notna()].sort_values(["probability", "contact_id"], ascending=[False, True])
    return Accounts(_table(mine, together), together, int(frame["account_id"].isna().sum()))


def matured(con: Any, tables: Tables, config: Config, history: pd.DataFrame, *, now: int) -> pd.DataFrame:
    """Past scores whose horizon is over: `account` (one per account and horizon), `probability`, `label`.

    Each contact counts with its first score of each stretch of one horizon, if it was written within two days of its
    as-of: later ones may know what happened.
    """
    seen = ~history["past"].astype(bool) & ~history["undone"].astype(bool)
    scored = history[history["probability"].notna() & seen]
    frame = scored[["contact_id", "probability"]].assign(as_of=_micros(scored["as_of"]))
    prompt = is_prompt(frame["as_of"], _micros(scored["scored_at"]))
    over = frame["as_of"] + config.horizon_micros <= observed_until(tables, config, now)
    frame = frame[prompt & over]
    frame = frame.assign(stretch=frame["as_of"] // config.horizon_micros).sort_values(["as_of", "contact_id"])
    first = frame.drop_duplicates(["contact_id", "stretch"]).reset_index(drop=True)
    known = with_outcome(con, tables, config, first)
    held = [
        _accounts_then(con, tables, part[["contact_id", "as_of"]]).assign(stretch=s)
        for s, part in known.groupby("stretch")
    ]
    if not held:
        return pd.DataFrame({"account": [], "probability": [], "label": []})
    found = known.merge(pd.concat(held), on=["contact_id", "stretch"], how="inner")
    found = found[found["account_id"].notna()]
    found["account"] = found["account_id"].astype(str) + " " + found["stretch"].astype(str)
    return found[["account", "probability", "label"]].reset_index(drop=True)


def _table(mine: pd.DataFrame, together: Together) -> pd.DataFrame:
    codes, ids = pd.factorize(mine["account_id"])
    p = mine["probability"].to_numpy(dtype=float)
    least, most = bounds(p, codes)
    independent = at_least_one(p, codes)
    chance = independent if together.theta is None else at_least_one(p, codes, together.theta)
    best = mine.drop_duplicates("account_id").set_index("account_id").loc[ids]
    rows = pd.DataFrame(
        {
            "account_id": np.asarray(ids),
            "contacts": np.bincount(codes, minlength=len(ids)),
            "engaged": np.bincount(codes, mine["engaged"].to_numpy(dtype=float), len(ids)).astype(np.int64),
            "best_contact": best["contact_id"].to_numpy(),
            "best_probability": best["probability"].to_numpy(dtype=float),
            "best_quadrant": best["quadrant"].to_numpy(),
            "best_stage": best["stage"].to_numpy(),
            "at_least_one": np.clip(chance, least, most),
            "independent": np.clip(independent, least, most),
            "least": least,
            "most": most,
        }
    )
    return rows.sort_values(["at_least_one", "account_id"], ascending=[False, True], ignore_index=True)


def _engaged(con: Any, tables: Tables, config: Config, frame: pd.DataFrame) -> np.ndarray:
    """Whether each contact did something lately that speaks for interest, and is high on interest."""
    types = sorted(str(row[0]) for row in tables.activities.select("type").unique().collect().rows())
    against = grouped(types, config.features.groups).get("negative", [])
    at = into_store(con, frame[["contact_id", "as_of"]])
    rows = tables.activities.filter(~nw.col("type").is_in(against)).join(at, on="contact_id", how="inner")
    recent = nw.col("t") > nw.col("as_of") - _length(config)
    active = rows.filter(recent & (nw.col("known") <= nw.col("as_of"))).select("contact_id").unique()
    lately = frame["contact_id"].isin(set(_local(active)["contact_id"]))
    points = frame["quadrant"].eq("unknown") & (frame["rule_interest"] >= config.accounts.rule_interest)
    return np.asarray(lately & (frame["quadrant"].isin(INTERESTED) | points))


def _length(config: Config) -> int:
    return round(config.accounts.active.total_seconds() * 1_000_000)


def _accounts_then(con: Any, tables: Tables, at: pd.DataFrame) -> pd.DataFrame:
    """`contact_id` and `account_id` at each contact's as-of."""
    known = cut(tables, into_store(con, at), attributes={"account_id"})
    return _local(known.contacts.select("contact_id", "account_id"))


def _micros(times: pd.Series[Any]) -> pd.Series[Any]:
    return times.astype("datetime64[us, UTC]").astype("int64")


def _local(frame: Frame) -> pd.DataFrame:
    return pd.DataFrame(frame.collect(backend="pandas").to_native())
