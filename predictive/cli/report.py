"""Write the report: one self-contained HTML file from the last training and scoring."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, place, say, say_json, shorten
from predictive.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from predictive.config import Config

EXAMPLE = "Example:\n  predictive report configs/demo.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive report`."""
    add_config(parser)
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="bundle to report on (default: the one that scored last)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write it (default: as configured)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Write the report; exit 0."""
    from predictive.config_file import load_config
    from predictive.model.bundle import load_bundle
    from predictive.report import write_report
    from predictive.sinks import open_sink

    config = load_config(args.config)
    sink = open_sink(config.sink)
    bundle = load_bundle(args.model if args.model is not None else _last_bundle(config.models, sink.read_runs()))
    path = config.report if args.out is None else args.out
    write_report(bundle, sink, config, path, now=datetime.now(UTC))
    scores = sink.read_current()
    if args.json:
        say_json({"report": str(path), "model_version": bundle.version, "rows": len(scores)})
    else:
        _print(scores, sink.read_runs(), config, path, args.config)
    return 0


def _print(scores: pd.DataFrame, runs: pd.DataFrame, config: Config, path: Path, named: str) -> None:
    """Five lines: what was done, what to work, where the scores and the report are, and what to type next."""
    where = place(config.sink)
    if scores.empty:
        say("scored    nobody yet; the report shows the training")
        say(f"report    {shorten(path.resolve())}")
        say(f"next      predictive score {named}")
        return
    first = scores.sort_values(["probability", "contact_id"], ascending=[False, True])["contact_id"].iloc[0]
    tiers, quadrants = scores["tier"].value_counts(), scores["quadrant"].value_counts()
    night = runs[~runs["past"]].iloc[-1]
    say(f"scored    {len(scores):,} contacts as of {night['as_of']:%Y-%m-%d} with the model {night['model_version']}")
    say(f"to work   {quadrants.get('pursue', 0):,} to pursue; {tiers.get('very high', 0):,} of tier very high, "
        f"{tiers.get('high', 0):,} high")  # fmt: skip
    say(f"scores    {where}")
    say(f"report    {shorten(path.resolve())}")
    say(f"next      predictive explain {named} {first}")


def _last_bundle(models: Path, runs: object) -> Path:
    """The bundle that scored last, if it still lies in `models`; else the champion."""
    from predictive.model.bundle import MANIFEST, champion

    versions = list(getattr(runs, "model_version", []))
    path = champion(models)
    if versions and (models / versions[-1] / MANIFEST).is_file():
        return models / str(versions[-1])
    if versions and (path is None or path.name != versions[-1]):
        raise ModelError(
            f"the scores are by the model {versions[-1]}, whose bundle is not in {models}; name it: --model"
        )
    if path is None:
        raise ModelError(f"no bundle in {models}; train first (`predictive train CONFIG`), or name one: --model")
    return path
