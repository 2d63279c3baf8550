"""Thresholds that matter ("10 or more downloads"), found on earlier contacts and tested on later ones.

Of every subject the best threshold is chosen on the earlier part; only what also holds on the later part is printed,
with what was tried and what failed. The lift is over the average of the later contacts (of the segment, if there is
one); the adjusted lift compares with contacts whose records are as old.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, table

if TYPE_CHECKING:
    from predictive.closerates import Patterns

EXAMPLE = "Example:\n  predictive rules patterns configs/demo.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive rules patterns`."""
    add_config(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Search, test and print; exit 0 whether something held or not."""
    with opened(args.config) as session:
        from predictive.closerates import patterns

        found = patterns(session.tables, session.config, now=session.now, progress=progress)
    if args.json:
        say_json(found.as_dict())
    else:
        _print(found)
    return 0


def _print(found: Patterns) -> None:
    say(f"found on   {_extent(found.earlier)}")
    say(f"tested on  {_extent(found.later)}")
    for text in found.said:
        say(text)
    say(
        f"tried {found.tried:,} thresholds; {found.tested:,} stood out and were tested: {len(found.holding):,} hold, "
        f"{found.failed:,} failed"
    )
    if not found.holding:
        return
    say()
    rows = [["", "contacts", "closed", "rate", "95 %", "lift", "adjusted", "before", "q"]]
    for p in found.holding:
        q = f"{p.q:.2g}" if p.q >= 1e-4 else "<0.0001"
        numbers = [f"{p.lift:.2f}", f"{p.adjusted_lift:.2f}", f"{p.earlier_lift:.2f}", q]
        rows.append(
            [p.pattern, f"{p.contacts:,}", f"{p.closed:,}", f"{p.rate:.1%}", f"{p.low:.1%}–{p.high:.1%}", *numbers]
        )
    say(table(rows))


def _extent(part: dict[str, Any]) -> str:
    if not part["rows"]:
        return "nobody"
    span = f"as of {part['from'][:10]} to {part['until'][:10]}"
    return f"{part['contacts']:,} contacts, {part['closes']:,} closes, {span}"
