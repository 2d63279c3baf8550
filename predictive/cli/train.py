"""Train a model, a logistic regression and the rules on the same time split; judge, track and bundle them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, shorten, table

if TYPE_CHECKING:
    from predictive.train import Trained

EXAMPLE = "Example:\n  predictive train configs/demo.yaml"
SHOWN = {
    "log_loss": ("log loss", ".4f"),
    "brier": ("Brier", ".4f"),
    "roc_auc": ("ROC-AUC", ".3f"),
    "average_precision": ("avg. precision", ".3f"),
    "lift_at_10": ("lift at 10 %", ".2f"),
    "calibration_in_large": ("predicted/actual", ".2f"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive train`."""
    add_config(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the bundle (default: models, as configured)"
    )
    parser.add_argument("--joblib", action="store_true", help="also dump the model as a scikit-learn estimator")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train; exit 0."""
    with opened(args.config) as session:
        from predictive.train import train

        trained = train(
            session.tables, session.config, now=session.now, out=args.out, joblib=args.joblib, progress=progress
        )
    if args.json:
        say_json(as_json(trained))
    else:
        _print(trained, args.config)
    return 0


def as_json(trained: Trained) -> dict[str, Any]:
    """What `--json` prints; `metrics` holds plain values per competitor, `intervals` their 95 % bounds."""
    evaluations = trained.training.bundle.report["comparison"]["evaluations"]
    report = trained.training.bundle.report
    return {
        "bundle": str(trained.bundle),
        "run_id": trained.run.run_id,
        "registered": {"name": trained.run.registered, "version": trained.run.version},
        "champion": trained.is_champion,
        "metrics": {n: {m: v["value"] for m, v in e["values"].items()} for n, e in evaluations.items()},
        "intervals": {n: {m: [v["low"], v["high"]] for m, v in e["values"].items()} for n, e in evaluations.items()},
        **{
            key: report[key]
            for key in (
                "split",
                "judged",
                "shipped",
                "verdicts",
                "drift",
                "said",
                "in_words",
                "capacity",
                "left_out",
                "notes",
            )
        },
        "not_eligible": report["not_eligible"],
        "immature": report["immature"],
    }


def _print(trained: Trained, config: str) -> None:
    report = trained.training.bundle.report
    split, judged, shipped = report["split"], report["judged"], report["shipped"]
    say(
        f"learned from {judged['examples']:,} examples with {judged['closes']:,} closes, "
        f"as of {judged['from'][:10]} to {judged['until'][:10]}"
    )
    say(f"judged on {judged['test_examples']:,} later ones with {judged['test_closes']:,} closes, "
        f"from {split['test_from'][:10]} on")  # fmt: skip
    say()
    say(table(_rows(report["comparison"]["evaluations"])))
    say()
    for line in [*report["verdicts"], report["drift"]["said"], *report["said"], *report["in_words"]]:
        say(line)
    for line in _left_out(report):
        say(line)
    say()
    say(f"What scores was fitted on all {shipped['examples']:,} mature examples ({shipped['closes']:,} closes).")
    say(f"bundle    {shorten(trained.bundle)}")
    say(f"MLflow    run {trained.run.run_id}, {trained.run.registered} version {trained.run.version}")
    if trained.is_champion:
        say(f"next      predictive score {config} --dry-run")
    else:
        say("This is a challenger; the champion still scores. To make it the champion, if it earns it:")
        say(f"next      predictive promote {config} {trained.bundle.name}")


def _rows(evaluations: dict[str, Any]) -> list[list[str]]:
    rows = [["", *(title for title, _ in SHOWN.values())]]
    for name, evaluation in evaluations.items():
        values = [evaluation["values"][metric] for metric in SHOWN]
        cells = [
            "–" if v["value"] is None else format(v["value"], f)
            for v, (_, f) in zip(values, SHOWN.values(), strict=True)
        ]
        bounds = [
            "" if v["low"] is None else f"{v['low']:{f}}–{v['high']:{f}}"
            for v, (_, f) in zip(values, SHOWN.values(), strict=True)
        ]
        rows += [[name, *cells], ["  95 %", *bounds]]
    return rows


def _left_out(report: dict[str, Any]) -> list[str]:
    """What was not used, counted."""
    lines = [f"left out: {n:,} examples, because {why}" for why, n in report["not_eligible"].items()]
    if report["immature"]:
        lines.append(
            f"immature: {report['immature']:,} examples count for as long as they had been followed by the split"
        )
    lines += [f"left out: column {name}: {why}" for name, why in report["left_out"].items()]
    return lines + [f"note: {note}" for note in report["notes"]]
