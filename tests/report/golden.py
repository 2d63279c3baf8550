"""Writes the golden numbers of the summary: run it when the summary is meant to change, and read the difference.

    python tests/report/golden.py

The scores are made by a fixed rule (no random numbers), the evidence is that of `conftest.py`. What is checked is
everything that the report counts from scores, their history and the runs, down to the last contact that it lists.
"""

import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE / "golden.json"
PARTS = ("night", "work", "plan", "changes", "examples")


def nights(make):
    """Two nights of 60 contacts: a third of them change, one leaves, one comes."""
    from predictive.tables import QUADRANTS, STAGES, TIERS

    def row(i, night):
        moved = night if i % 3 == 0 else 0
        columns = {
            "quadrant": QUADRANTS[(i + moved) % 4],
            "tier": TIERS[min((i + (9 if i % 2 else -9) * moved) // 15, 3)],
            "stage": STAGES[i % 5],
            "rule_score": (i * 37) % 101,
            "model_version": "m1",
        }
        return make.score(f"C{i:02}", round((60 - i + 2 * moved) / 150, 6), **columns)

    return [[row(i, 0) for i in range(60)], [row(i, 1) for i in range(1, 61)]]


def numbers(make, bundle, config, folder):
    """The golden parts of the summary, as JSON holds them."""
    from predictive.report import summarise
    from predictive.report.export import as_json

    for n, rows in enumerate(nights(make)):
        sink = make.sink(folder, rows, as_of=make.as_of + timedelta(days=n))
    found = as_json(summarise(bundle, make.read(sink), config, now=make.now))
    return {part: found[part] for part in PARTS}


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    import conftest

    with tempfile.TemporaryDirectory() as folder:
        made = numbers(conftest.Make, conftest.make_bundle(), conftest.make_config(), Path(folder))
    GOLDEN.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
