"""Compare models on the examples that none of them has learned from, with intervals of their differences.

A MODEL is a bundle folder or its name, the number of a registered version, the id of an MLflow run,
models:/NAME@ALIAS, or champion. Fewer than 20 closes later than both trainings are too few, and refused.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from predictive.cli.common import MODELS, add_config, add_json, opened, progress, say, say_json, table

if TYPE_CHECKING:
    from predictive.contest import Contest

EXAMPLE = "Example:\n  predictive compare configs/demo.yaml champion models:/demo@challenger"
SHOWN = {
    "log_loss": ("log loss", ".4f"),
    "brier": ("Brier", ".4f"),
    "miscalibration": ("miscalibration", ".4f"),
    "roc_auc": ("ROC-AUC", ".3f"),
    "lift_at_10": ("lift at 10 %", ".2f"),
    "calibration_in_large": ("predicted/actual", ".2f"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive compare`."""
    add_config(parser)
    parser.add_argument("model", metavar="MODEL", help=MODELS)
    parser.add_argument("others", metavar="OTHER", nargs="+", help="the models to compare it with")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compare; exit 0, or 1 where too little is left to compare on."""
    with opened(args.config) as session:
        from predictive.cli.models import find_path
        from predictive.contest import contest, enter

        entries = [enter(name, find_path(session.config, name)) for name in (args.model, *args.others)]
        found = contest(session.con, session.tables, session.config, entries, now=session.now, progress=progress)
    if args.json:
        say_json(found.as_dict())
    else:
        show(found)
    return 0


def show(found: Contest) -> None:
    """The table and the sentences."""
    say(f"{found.n:,} examples with {found.closes:,} closes, as of {found.first[:10]} to {found.last[:10]}, later than "
        "the training of each model")  # fmt: skip
    for name, count in found.refitted.items():
        if count:
            say(f"note: {name} is judged on {count:,} of them by its recipe as fitted before them, as in its test part")
    say()
    rows = [["", *(title for title, _ in SHOWN.values())]]
    for name, evaluation in found.comparison.evaluations.items():
        values = [(evaluation.values[metric], form) for metric, (_, form) in SHOWN.items()]
        rows.append([name, *(format(v.value, form) for v, form in values)])
        rows.append(["  95 %", *(f"{v.low:{form}}–{v.high:{form}}" for v, form in values)])
    say(table(rows))
    say()
    for line in (*found.verdicts, *found.notes):
        say(line)
