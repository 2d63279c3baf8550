"""Show lists and tags: how many contacts are on each, who came and left last night; or who is on one, since when.

Every `predictive score` evaluates them; this command only reads what it kept.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictive.cli.common import add_config, add_json, say, say_json, table

if TYPE_CHECKING:
    import pandas as pd

    from predictive.lists.view import Listed

EXAMPLE = "Example:\n  predictive lists configs/demo.yaml '#form' --out form.csv"
SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive lists`."""
    add_config(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="a list or tag, to see its members")
    parser.add_argument("--as-of", metavar="TIME", help="members as they were at a date or time (default: now)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the members of NAME, or of all, as CSV")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Show lists; exit 0."""
    from predictive.config_file import load_config
    from predictive.errors import DataError
    from predictive.lists import why_none
    from predictive.lists.view import check_name, members, overview
    from predictive.nights import live_nights
    from predictive.sinks import open_sink
    from predictive.spreadsheet import write_csv

    config = load_config(args.config)
    sink = open_sink(config.sink)
    at = _instant(args.as_of, config.timezone)
    if not sink.keeps_lists:
        raise DataError(f"{why_none(config.sink.kind)}; scores are in it, and other kinds of sinks keep lists too")
    nights = live_nights(sink.read_runs())
    if not nights:
        raise DataError(f"no list has been evaluated yet: a scoring run does it. Type: predictive score {args.config}")
    membership, night = sink.read_lists(), nights[-1]
    shown = overview(config, membership, night)
    if args.name is not None:
        check_name(args.name, shown)
        membership = membership[membership["list"] == args.name]
    wants_members = args.name is not None or args.out is not None
    found = members(config, membership, sink.read_current(), at=at) if wants_members else None
    if found is not None and args.out is not None:
        write_csv(found, args.out)
    if args.json:
        say_json(_as_json(shown, found, args.name, night))
    elif args.name is None:
        _print(shown, night, args)
    else:
        _print_members(found, next(one for one in shown if one.name == args.name), args)
    return 0


def _instant(text: str | None, timezone: str) -> Any:
    from predictive.clock import from_micros, instant, parse_instant
    from predictive.errors import ConfigError

    if text is None:
        return None
    try:
        return from_micros(instant(parse_instant(text), timezone))
    except ValueError as error:
        raise ConfigError(f"--as-of: {error}") from None


def _as_json(shown: tuple[Listed, ...], found: pd.DataFrame | None, name: str | None, night: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"night": night.isoformat(), "lists": [asdict(one) for one in shown]}
    if name is not None and found is not None:
        rows = found.astype("object").where(found.notna(), None)
        out["members"] = [
            {key: v.isoformat() if hasattr(v, "isoformat") else v for key, v in row.items()}
            for row in rows.to_dict("records")
        ]
    return out


def _print(shown: tuple[Listed, ...], night: Any, args: argparse.Namespace) -> None:
    say(f"lists as of {night:%Y-%m-%d %H:%M} UTC")
    heading = ["", "kind", "members", "entered", "left", "feeds"]
    numbers = [[f"{n:,}" for n in (one.members, one.entered, one.left)] for one in shown]
    rows = [[one.name, one.kind, *counts, one.feeds or "–"] for one, counts in zip(shown, numbers, strict=True)]
    say(table([heading, *rows]))
    for one in shown:
        if one.unknown:
            some = ", ".join(one.unknown[:5]) + (", …" if len(one.unknown) > 5 else "")
            ids = "id is" if len(one.unknown) == 1 else "ids are"
            say(f"{one.name}: {len(one.unknown):,} {ids} of no contact that was there that night: {some}")
    say(
        f"written to {args.out}"
        if args.out is not None
        else f"next: predictive lists {args.config} NAME --out FILE.csv"
    )


def _print_members(found: pd.DataFrame | None, one: Listed, args: argparse.Namespace) -> None:
    from predictive.lists.view import held_out

    if found is None:
        return
    feeds = f", feeds {one.feeds}" if one.feeds is not None else ""
    say(f"{one.name}: {len(found):,} members{feeds}")
    rows = [["", "since", "left", "probability", "tier", "stage"]]
    for row in found.head(SHOWN).to_dict("records"):
        left = "–" if row["left_at"] is None or row["left_at"] != row["left_at"] else f"{row['left_at']:%Y-%m-%d}"
        scored = isinstance(row["tier"], str)
        cells = [f"{row['probability']:.1%}", row["tier"], row["stage"]] if scored else ["not scored", "–", "–"]
        rows.append([str(row["contact_id"]), f"{row['entered_at']:%Y-%m-%d}", left, *map(str, cells)])
    say(table(rows))
    if len(found) > SHOWN:
        say(f"and {len(found) - SHOWN:,} more")
    held = held_out(found)
    if held and one.feeds is not None:
        why = f"which {one.feeds} should not reach; holdout: false in the list keeps it out"
        say(f"note: {held:,} in the holdout, {why}")
    if args.out is not None:
        say(f"written to {args.out}")
