"""Score every eligible contact as of one night, and write what changed to the sink."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from predictive.cli.common import (
    MODELS,
    Session,
    add_as_of,
    add_config,
    add_json,
    opened,
    parse_as_of,
    place,
    progress,
    say,
    say_json,
    table,
)

if TYPE_CHECKING:
    from predictive.model.bundle import Bundle
    from predictive.serve import Scored

EXAMPLE = "Example:\n  predictive score configs/demo.yaml --dry-run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive score`."""
    add_config(parser)
    add_model(parser)
    add_as_of(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    add_json(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """`--model`."""
    parser.add_argument("--model", metavar="MODEL", help=f"{MODELS} (default: the champion)")


def run(args: argparse.Namespace) -> int:
    """Score; exit 0."""
    with opened(args.config) as session:
        from predictive.serve import score
        from predictive.sinks import open_sink

        bundle = find_bundle(session, args.model)
        at = parse_as_of(args.as_of, session.config, session.tables, session.now)
        sink = open_sink(session.config.sink)
        scored = score(
            session.con, session.tables, session.config, bundle, sink,
            now=session.now, as_of=at, dry_run=args.dry_run, progress=progress,
        )  # fmt: skip
        if args.json:
            say_json(as_json(scored))
        else:
            _print(scored, session, args.config)
    return 0


def find_bundle(session: Session, named: str | None) -> Bundle:
    """The bundle that `--model` names, or the champion."""
    from predictive.cli.models import find_path
    from predictive.model.bundle import load_bundle

    return load_bundle(find_path(session.config, named))


def as_json(scored: Scored) -> dict[str, Any]:
    """What `--json` prints."""
    night, difference = scored.night, scored.difference
    return {
        "run_id": night.run_id,
        "as_of": night.as_of.isoformat(),
        "model_version": night.model_version,
        "rows": difference.rows,
        "written": 0 if scored.dry_run else difference.written,
        "new": difference.new,
        "changed": difference.changed,
        "unchanged": difference.unchanged,
        "left": difference.left,
        "past": difference.past,
        "dry_run": scored.dry_run,
        "not_eligible": scored.not_eligible,
        "hindsight": scored.hindsight,
        "drift": scored.drift,
    }


def _print(scored: Scored, session: Session, config: str) -> None:
    night, difference = scored.night, scored.difference
    say(f"{difference.rows:,} eligible contacts, as of {night.as_of:%Y-%m-%d %H:%M} UTC, by {night.model_version}")
    for why, count in scored.not_eligible.items():
        say(f"not scored: {count:,}: {why}")
    say(scored.drift)
    if scored.hindsight:
        say("note: the model learned from outcomes later than this as-of, so these scores look better than they are")
    say()
    rows = [["tier", "before", "after", "would change" if scored.dry_run else "changed"]]
    say(table(rows + [[name, f"{a:,}", f"{b:,}", f"{c:,}"] for name, a, b, c in difference.by_tier]))
    say()
    counts = ", ".join(f"{getattr(difference, name):,} {name}" for name in ("new", "changed", "unchanged", "left"))
    where = place(session.config.sink)
    if scored.dry_run:
        say(f"dry run, nothing written to {where}: {counts}")
        say(f"next: predictive score {config}")
    else:
        say(f"written to the history only in {where}: {counts}" if difference.past else f"written to {where}: {counts}")
        say(f"next: predictive report {config}")
