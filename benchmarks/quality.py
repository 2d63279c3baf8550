"""How good the scores are on later time, beside what else one would use, each also with the same drift correction.

    DATA_DIR=../shared/data python benchmarks/quality.py [--scale small|full] [--sets demo,olist] [--json]

Every competitor gets the same encoded matrix and the same test examples. Intervals are 95 %, clustered by account, else
by contact; differences to `predictive` are paired. `small` takes a few minutes; `full` gives FLAML 120 seconds a set
(`pip install --group bench`), and the demo 10,000 contacts. `--json` prints `sets.NAME.MODEL.METRIC`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from competitors import competitors, probabilities
from state import from_state, true_probabilities

from predictive.config_file import load_config
from predictive.demo import generate
from predictive.evaluation import METRICS, Comparison, compare
from predictive.judging import predict
from predictive.learning import RULE_SCORE, choose_how, prepare
from predictive.model.drift import corrected, follow
from predictive.model.encode import fit_encoder
from predictive.model.folds import closes
from predictive.model.scoring import fit_model, log_odds
from predictive.sources import read_tables
from predictive.store import open_store

CONFIGS = Path(__file__).parents[1] / "configs"
SEED = 7
SETS = ("demo", "olist", "oulad", "bank")
SCALES = {"small": {"contacts": 3_000, "flaml": 10.0}, "full": {"contacts": 10_000, "flaml": 120.0}}
SHOWN = ("log_loss", "brier", "roc_auc", "calibration_error", "calibration_in_large", "lift_at_10")


def prepared(name: str, folder: Path, contacts: int) -> Any:
    """The examples of a set, split."""
    if name == "demo":
        generate(contacts=contacts, seed=SEED, out=folder)
        file = folder / "demo.yaml"
        file.write_text((CONFIGS / "demo.yaml").read_text().replace("../demo/crm.duckdb", "crm.duckdb"))
    else:
        file = CONFIGS / f"{name}.yaml"
    config, now = load_config(file), time.time_ns() // 1_000
    with open_store() as con:
        return prepare(read_tables(config, con, now=now), config, now=now)


def measure(name: str, scale: str) -> dict[str, Any]:
    """All competitors on one set: metrics, intervals, advantages of `predictive`, seconds of training."""
    settings = SCALES[scale]
    with tempfile.TemporaryDirectory() as folder:
        found = prepared(name, Path(folder), int(settings["contacts"]))
        split, frame = found.split, found.frame
        part, later, test = split.learn(frame), split.later(frame), split.test(frame)
        varied = [f for f in found.choice.features if part[f.name].nunique(dropna=False) > 1]
        start = time.perf_counter()
        features, recipes, _ = choose_how(varied, part, split.horizon, seed=SEED)
        model = fit_model(features, part, recipes, seed=SEED)
        seconds = {"predictive": time.perf_counter() - start}
        own = predict(model, varied or [RULE_SCORE], part, later, split, seed=SEED).predictions
        columns = {"predictive": own["probability"].to_numpy(), "predictive_uncorrected": own["uncorrected"].to_numpy()}
        # They cannot use examples that are not over, which are out of sample for them.
        mature = part[part["followed"] == split.horizon]
        at_test = pd.concat([frame.loc[part.index[part["followed"] < split.horizon]], later])
        unseen = split_rest(at_test, split)
        encoder = fit_encoder(features, mature)
        X, label, Z = encoder.transform(mature), mature["label"].to_numpy(dtype=float), encoder.transform(unseen)
        judged = unseen.index.get_indexer(test.index)
        for other, competitor in competitors(budget(settings["flaml"])).items():
            start = time.perf_counter()
            p = probabilities(competitor, X, label, Z)
            seconds[other] = time.perf_counter() - start
            drift = follow(unseen.assign(log_odds=log_odds(p)), split.horizon)
            columns[other] = p[judged]
            columns[f"{other}_corrected"] = corrected(p, drift.at(unseen["as_of"].to_numpy()))[judged]
        result = compared(test, columns) | {"seconds": seconds}
        if name == "demo":
            result["truth"] = truth(Path(folder), mature, test, columns, int(settings["contacts"]), split.horizon)
        return result


def split_rest(frame: pd.DataFrame, split: Any) -> pd.DataFrame:
    """Rows that are mature by now, each once."""
    rows = frame[~frame.index.duplicated() & (frame["as_of"] + split.horizon <= split.observed_until)]
    return rows.sort_values(["as_of", "contact_id"])


def budget(seconds: float) -> float:
    """FLAML's seconds, 0 where it is not installed."""
    return seconds if all(importlib.util.find_spec(name) for name in ("flaml", "xgboost")) else 0.0


def compared(test: pd.DataFrame, columns: dict[str, np.ndarray]) -> dict[str, Any]:
    """Metrics, intervals, and how much better `predictive` is than each other, with paired intervals."""
    comparison: Comparison = compare(
        test["label"].to_numpy(), columns, groups=test["cluster"].to_numpy(), seed=SEED, baseline="predictive",
        closes=closes(test),
    )  # fmt: skip
    plain = comparison.as_dict()
    values = {m: e["values"] for m, e in plain["evaluations"].items()}
    return {
        "closes": closes(test),
        "examples": len(test),
        "metrics": {m: {k: v["value"] for k, v in found.items()} for m, found in values.items()},
        "intervals": {m: {k: [v["low"], v["high"]] for k, v in found.items()} for m, found in values.items()},
        "advantages": {m: found["log_loss"] for m, found in plain["advantages"].items()},
    }


def truth(
    folder: Path, mature: pd.DataFrame, test: pd.DataFrame, columns: dict[str, np.ndarray], contacts: int, horizon: int
) -> dict[str, float]:
    """Mean absolute errors to the demo's true probabilities, and `ratio`: the model's over that of the state's."""
    true = true_probabilities(folder, test)
    state = from_state(mature, test, contacts=contacts, seed=SEED, horizon=horizon)
    errors = {name: float(np.nanmean(np.abs(p - true))) for name, p in (columns | {"state": state}).items()}
    level = {"true_mean": float(np.nanmean(true)), "state_mean": float(state.mean())}
    return errors | level | {"ratio": errors["predictive"] / errors["state"]}


def table(found: dict[str, Any]) -> list[str]:
    """One set, for people: a line per competitor; ± is half the interval of the log loss."""
    lines = [f"{'':<26}" + "".join(f"{m.replace('_', ' '):>22}" for m in SHOWN) + f"{'better by':>28}{'seconds':>9}"]
    for name, values in found["metrics"].items():
        low, high = found["intervals"][name]["log_loss"]
        cells = "".join(f"{values[m]:>22.4f}" for m in SHOWN[1:] if m in values)
        gap = found["advantages"].get(name)
        by = "" if gap is None else f"{gap['value']:+.4f} ({gap['low']:+.4f} {gap['high']:+.4f})"
        seconds = found["seconds"].get(name)
        took = "" if seconds is None else f"{seconds:.1f}"
        lines.append(f"{name:<26}{values['log_loss']:>8.4f} ({low:.3f}–{high:.3f}){cells}{by:>28}{took:>9}")
    if "truth" in found:
        lines.append("  ".join(f"{k} {v:.5f}" for k, v in found["truth"].items()))
    return lines


def run() -> None:
    """Measure the sets and print tables, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--sets", default=",".join(SETS), help="which, by comma (default: all)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {}
    for name in given.sets.split(","):
        found[name] = measure(name, given.scale)
        if not given.json:
            print(f"\n{name}: {found[name]['examples']:,} examples, {found[name]['closes']:,} closes")
            print("\n".join(table(found[name])), flush=True)
    if given.json:
        rest = {
            key: {n: f[key] for n, f in found.items() if key in f} for key in next(iter(found.values())) | {"truth": 0}
        }
        print(json.dumps({"sets": rest.pop("metrics"), **rest}, indent=1))


if __name__ == "__main__":
    assert set(SHOWN) <= set(METRICS)
    run()
