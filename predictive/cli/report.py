"""Write the report: one self-contained HTML file from the last training and scoring, and the same numbers as data."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, place, say, say_json, shorten
from predictive.errors import ModelError, PredictiveError

if TYPE_CHECKING:
    from predictive.config import Config
    from predictive.report import Examined, Language, Summary
    from predictive.sinks import Sink

EXAMPLE = "Example:\n  predictive report configs/demo.yaml --lang es --markdown report.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive report`."""
    add_config(parser)
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="bundle to report on (default: the one that scored last)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write it (default: as configured)")
    parser.add_argument("--lang", metavar="CODE", help="language of the report: en or es (default: as configured)")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="also write its tables as CSV files into this folder")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write a short version for chat")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Write the report; exit 0."""
    from predictive.config_file import load_config
    from predictive.model.bundle import load_bundle
    from predictive.report import load_language, write_report
    from predictive.report.artifact import keep_in_mlflow
    from predictive.report.export import as_json
    from predictive.sinks import open_sink

    config = load_config(args.config)
    code = config.report_language if args.lang is None else args.lang
    language, sink = load_language(code, zone=config.timezone), open_sink(config.sink)
    bundle = load_bundle(args.model if args.model is not None else _last_bundle(config.models, sink.read_runs()))
    path = config.report if args.out is None else args.out
    examined = _examined(args.config, config, sink)
    summary = write_report(bundle, sink, config, path, now=datetime.now(UTC), language=code, examined=examined)
    _write_data(summary, language, args)
    notes = keep_in_mlflow(config.tracking, bundle.version, path)
    if args.json:
        rows = summary.work.everyone.contacts
        found = {"report": str(path), "model_version": bundle.version, "rows": rows, "notes": list(notes)}
        say_json(found | {"summary": as_json(summary)})
    else:
        _print(summary, config, path, args.config)
        for note in notes:
            say(f"note      {note}")
    return 0


def _examined(named: str, config: Config, sink: Sink) -> Examined:
    """What the tables say; where they cannot be read, the reason, and the report goes without."""
    from predictive.report import Examined, examine

    try:
        with opened(named) as session:
            return examine(session.con, session.tables, config, sink, now=session.now)
    except PredictiveError as error:
        return Examined(None, (), (), (str(error),))


def _write_data(summary: Summary, language: Language, args: argparse.Namespace) -> None:
    """What was asked for beside the page."""
    from predictive.report.export import as_csv
    from predictive.report.files import replace_text
    from predictive.report.markdown import as_markdown

    if args.markdown is not None:
        replace_text(args.markdown, as_markdown(summary, language))
    if args.csv is not None:
        for name, text in as_csv(summary).items():
            replace_text(args.csv / f"{name}.csv", text)


def _print(summary: Summary, config: Config, path: Path, named: str) -> None:
    """Five lines: what was done, what to work, where the scores and the report are, and what to type next."""
    night, work = summary.night, summary.work
    if night is None or work.everyone.contacts == 0:
        say("scored    nobody yet; the report shows the training")
        say(f"report    {shorten(path.resolve())}")
        say(f"next      predictive score {named}")
        return
    contacts, pursue = work.everyone.contacts, work.quadrants["pursue"].contacts
    high = f"{work.tiers['very high'].contacts:,} of tier very high, {work.tiers['high'].contacts:,} high"
    say(f"scored    {contacts:,} contacts as of {night.as_of:%Y-%m-%d} with the model {night.model_version}")
    say(f"to work   {pursue:,} to pursue; {high}")
    say(f"scores    {place(config.sink)}")
    say(f"report    {shorten(path.resolve())}")
    say(f"next      predictive explain {named} {work.top[0].contact_id if work.top else 'CONTACT_ID'}")


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
