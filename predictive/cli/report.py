"""Write the report: one self-contained HTML file from the last training and scoring."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from predictive.cli.common import add_config, add_json, say, say_json, shorten
from predictive.errors import ModelError

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
    if args.json:
        say_json({"report": str(path), "model_version": bundle.version, "rows": len(sink.read_current())})
    else:
        say(f"report    {shorten(path.resolve())}")
    return 0


def _last_bundle(models: Path, runs: object) -> Path:
    """The bundle that scored last, if it still lies in `models`; else the champion."""
    from predictive.model.bundle import MANIFEST, champion

    versions = list(getattr(runs, "model_version", []))
    if versions and (models / versions[-1] / MANIFEST).is_file():
        return models / str(versions[-1])
    path = champion(models)
    if path is None:
        raise ModelError(f"no bundle in {models}; train first (`predictive train CONFIG`), or name one: --model")
    return path
