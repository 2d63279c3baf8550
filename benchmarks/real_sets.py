"""The README's table of real data: log loss on later time of the model, the logistic regression and the rules.

    DATA_DIR=../shared/data python benchmarks/real_sets.py [--json]

Trains each configuration in a folder of its own, so that nothing of the checkout is touched. Takes about a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from predictive.cli import main

CONFIGS = Path(__file__).parents[1] / "configs"
SETS = ("olist", "oulad", "bank")
COMPETITORS = ("model", "logistic", "rules")


def measure(name: str) -> dict[str, Any]:
    """Train one configuration; what `train --json` prints, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(CONFIGS, Path(folder) / "configs")
        printed = io.StringIO()
        start = time.perf_counter()
        with contextlib.redirect_stdout(printed):
            code = main(["train", str(Path(folder) / "configs" / f"{name}.yaml"), "--json"])
        if code != 0:
            sys.exit(code)
        return json.loads(printed.getvalue()) | {"seconds": time.perf_counter() - start}


def run() -> None:
    """Measure every set and print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    found = {name: measure(name) for name in SETS}
    if parser.parse_args().json:
        keys = ("metrics", "intervals", "seconds")
        print(json.dumps({name: {key: f[key] for key in keys} for name, f in found.items()}, indent=2))
        return
    print(f"{'':<8}{'closes':>8}" + "".join(f"{c:>27}" for c in COMPETITORS) + f"{'seconds':>9}")
    for name, f in found.items():
        cells = ""
        for competitor in COMPETITORS:
            low, high = f["intervals"][competitor]["log_loss"]
            cells += f"{f['metrics'][competitor]['log_loss']:>11.4f} ({low:.3f}–{high:.3f})"
        print(f"{name:<8}{f['judged']['test_closes']:>8,}{cells}{f['seconds']:>9.0f}")


if __name__ == "__main__":
    run()
