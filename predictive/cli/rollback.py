"""Put the scores of an earlier run back, exactly as they were; the next night writes on top as usual.

The history keeps what was taken back, marked as undone, and the runs say when it was.
"""

from __future__ import annotations

import argparse
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, place, say, say_json
from predictive.cli.unattended import add_wait, alone

if TYPE_CHECKING:
    from predictive.sinks import Restored

EXAMPLE = "Example:\n  predictive rollback configs/demo.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive rollback`."""
    add_config(parser)
    parser.add_argument(
        "--to",
        metavar="RUN",
        help="run to put back, by its id or how that begins (default: the one before the current)",
    )
    add_wait(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Roll back; exit 0."""
    from predictive.config_file import load_config
    from predictive.sinks import open_sink
    from predictive.store import open_engine

    config = load_config(args.config)
    sink = open_sink(config.sink)
    with alone(config.sink, wait=args.wait), open_engine(config) as con:
        restored = sink.rollback(con, args.to, run_id=uuid.uuid4().hex, now=datetime.now(UTC))
    if args.json:
        say_json(as_json(restored))
        return 0
    d = restored.difference
    if restored.stood == restored.run_id:
        say(f"{restored.run_id} stands already; {d.written:,} contacts were put right")
    else:
        say(f"{restored.run_id} stands again, as of {restored.as_of:%Y-%m-%d %H:%M} UTC, by {restored.model_version}")
        say(f"taken back: {restored.stood} and what came between")
    counts = ", ".join(f"{getattr(d, name):,} {name}" for name in ("new", "changed", "unchanged", "left"))
    say(f"written to {place(config.sink)}: {counts}")
    if restored.stays:
        say("lists: what later nights changed is taken back too")
    say(f"next: predictive report {args.config}")
    return 0


def as_json(restored: Restored) -> dict[str, object]:
    """What `--json` prints."""
    d = restored.difference
    counts = {name: getattr(d, name) for name in ("rows", "written", "new", "changed", "unchanged", "left")}
    return {
        "restored": restored.run_id,
        "stood": restored.stood,
        "as_of": restored.as_of.isoformat(),
        "model_version": restored.model_version,
        **counts,
    }
