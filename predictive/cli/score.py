"""Score every eligible contact as of one night, and write what changed to the sink."""

from __future__ import annotations

import argparse
import time
import uuid
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from predictive import __version__
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
from predictive.cli.unattended import add_unattended, again, alone
from predictive.errors import DeliveryError
from predictive.log import Log

if TYPE_CHECKING:
    from predictive.model.bundle import Bundle
    from predictive.notices import Notified
    from predictive.serve import Scored
    from predictive.sinks import Sink

EXAMPLE = "Example:\n  predictive score configs/demo.yaml --dry-run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive score`."""
    add_config(parser)
    add_model(parser)
    add_as_of(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    parser.add_argument("--force", action="store_true", help="write even where the circuit breaker refuses the night")
    add_json(parser)
    add_unattended(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """`--model`."""
    parser.add_argument("--model", metavar="MODEL", help=f"{MODELS} (default: the champion)")


def run(args: argparse.Namespace) -> int:
    """Score; exit 0, or 5 where the circuit breaker refuses the night."""
    from predictive.config_file import load_config

    args.told = log = Log(args.log, uuid.uuid4().hex)
    began, now = time.perf_counter(), time.time_ns() // 1_000
    log.event("start", {"version": __version__, "config": args.config, "dry_run": args.dry_run})
    # A dry run writes nothing, and need not wait.
    with nullcontext() if args.dry_run else alone(load_config(args.config).sink, wait=args.wait):
        scored, failed = again(
            lambda: _attempt(args, log, now), retries=args.retries,
            told=lambda numbers: log.event("retry", numbers, level="warning"),
        )  # fmt: skip
    if failed is not None:
        raise failed
    log.event("done", {"exit_code": 0, "seconds": time.perf_counter() - began, **_summary(scored)})
    return 0


def _attempt(args: argparse.Namespace, log: Log, now: int) -> tuple[Scored, DeliveryError | None]:
    """One try at the whole night: what it did, and why telling of it failed, where it did."""
    start = time.perf_counter()
    with opened(args.config, now=now) as session:
        log.event("read", {"seconds": time.perf_counter() - start, **_sizes(session)})
        from predictive.breaker import BreakerError
        from predictive.serve import score
        from predictive.sinks import open_sink

        bundle = find_bundle(session, args.model)
        at = parse_as_of(args.as_of, session.config, session.tables, session.now)
        sink = open_sink(session.config.sink)
        try:
            scored = score(
                session.con, session.tables, session.config, bundle, sink, now=session.now, as_of=at,
                dry_run=args.dry_run, force=args.force, run_id=log.run_id, progress=progress, done=log.event,
            )  # fmt: skip
        except BreakerError as refused:
            if args.json:
                say_json({"written": 0, "breaker": [asdict(b) for b in refused.broken]})
            raise
        announced, failed = _announce(session, scored, sink)
        if args.json:
            told = None if announced is None else {"entered": announced.entered, "sent": announced.sent}
            say_json(as_json(scored) | {"notices": told})
        else:
            _print(scored, session, args.config, announced)
    return scored, failed


def _sizes(session: Session) -> dict[str, int]:
    """How much was read."""
    import narwhals as nw

    count = {
        name: getattr(session.tables, name).select(nw.len()).collect().item() for name in ("contacts", "activities")
    }
    return {**count, "parts": session.tables.parts, "notes": len(session.tables.notes)}


def _summary(scored: Scored) -> dict[str, Any]:
    """The run in one line."""
    kept = ("rows", "written", "new", "changed", "unchanged", "left", "past", "dry_run", "as_of", "model_version")
    whole = as_json(scored)
    return {**{name: whole[name] for name in kept}, "not_eligible": sum(scored.not_eligible.values())}


def _announce(session: Session, scored: Scored, sink: Sink) -> tuple[Notified | None, DeliveryError | None]:
    """Tell who entered pursue, once the night is written; and why that failed, where it did."""
    if scored.dry_run or scored.difference.past:
        return None, None
    from predictive.notices import notify

    try:
        return notify(session.config, sink), None
    except DeliveryError as error:
        again = "The scores are written; the next run of score sends what was not delivered"
        return None, DeliveryError(f"{error}. {again}")


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
        "without_row": difference.without_row,
        "no_lists": scored.no_lists,
        "breaker": [asdict(b) for b in scored.broken],
    }


def _print(scored: Scored, session: Session, config: str, announced: Notified | None) -> None:
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
    if difference.without_row:
        say(f"note: {difference.without_row:,} contacts were scored whom the contact table does not have")
    if scored.no_lists:
        say(f"note: {scored.no_lists}")
    for broken in scored.broken:
        say(f"{'would be refused' if scored.dry_run else 'forced'}: {broken.text}")
    where = place(session.config.sink)
    if scored.dry_run:
        say(f"dry run, nothing written to {where}: {counts}")
        say(f"next: predictive score {config}")
    else:
        say(f"written to the history only in {where}: {counts}" if difference.past else f"written to {where}: {counts}")
        for line in () if announced is None else announced.in_words(session.config):
            say(line)
        say(f"next: predictive report {config}")
