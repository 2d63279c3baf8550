"""Say how clean and how alive the database is: stale, double, missing, impossible; and whom not to pay for.

Contacts appear by id only. Nothing is changed: a person looks at what is proposed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, table

if TYPE_CHECKING:
    from predictive.hygiene import Decay, Hygiene

EXAMPLE = "Example:\n  predictive hygiene configs/demo.yaml --marketing not-paid-for.csv"
EMPTIEST = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive hygiene`."""
    add_config(parser)
    parser.add_argument("--marketing", metavar="FILE", type=Path, help="whom not to pay for, with reasons, as CSV")
    parser.add_argument("--duplicates", metavar="FILE", type=Path, help="every group of likely duplicates, as CSV")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Examine; exit 0."""
    with opened(args.config) as session:
        from predictive.hygiene import examine, proposals
        from predictive.hygiene.duplicates import every_duplicate
        from predictive.serve import night_of
        from predictive.sinks import open_sink
        from predictive.spreadsheet import write_csv

        tables, config = session.tables, session.config
        night = night_of(config, tables, now=session.now, as_of=None)
        scores = open_sink(config.sink).read_current()
        progress("examining")
        found = examine(tables, config, night, scores=scores, now=session.now)
        if args.marketing is not None:
            write_csv(proposals(tables, config, night, scores), args.marketing)
        if args.duplicates is not None:
            write_csv(every_duplicate(tables), args.duplicates)
    if args.json:
        say_json(found.as_dict())
    else:
        _print(found)
        for file in (args.marketing, args.duplicates):
            if file is not None:
                say(f"written to {file}")
    return 0


def _print(found: Hygiene) -> None:
    say(f"the database as of {found.night[:10]}")
    say(f"contacts    {found.contacts:>9,}")
    say(f"known       {found.known:>9,}  have {found.known_means}")
    say(f"could buy   {found.could_buy:>9,}")
    for why, n in found.not_eligible.items():
        say(f"            {n:>9,}  {why}")
    say(f"inactive    {found.inactive:>9,}  did nothing for a year")
    _print_decay(found)
    say()
    say("# likely duplicates, by id only")
    for d in found.duplicates:
        first = f", such as {' = '.join(d.examples[0][:4])}" if d.examples else ""
        say(f"by {d.by}: {d.contacts:,} contacts in {d.groups:,} groups{first}")
    say()
    say("# missing")
    rows = [["", "missing", "of its table"]]
    rows += [[f"{m.table}.{m.column}", f"{m.count:,}", f"{m.share:.0%}"] for m in found.missing[:EMPTIEST]]
    say(table(rows))
    say()
    say("# impossible, or against the deals")
    for note in (*found.impossible, *found.contradictions):
        say(f"- {note}")
    if not (found.impossible or found.contradictions):
        say("Nothing.")
    _print_stuck(found)
    _print_marketing(found)


def _print_decay(found: Hygiene) -> None:
    from predictive.hygiene.decay import QUOTED

    say()
    say(f"# how fast it ages (people quote {QUOTED} a year)")
    rows = [["", "a year", "95 % interval", "contacts", "contact-years"]]
    rows += [[d.what, *_share(d), f"{d.events:,}", f"{d.years:,.0f}"] for d in found.decay]
    say(table(rows))
    for d in found.decay:
        if d.unknown is not None:
            say(f"{d.what}: not measured: {d.unknown}")


def _share(d: Decay) -> tuple[str, str]:
    if d.share is None or d.low is None or d.high is None:
        return "–", "–"
    return f"{d.share:.1%}", f"{d.low:.1%} to {d.high:.1%}"


def _print_stuck(found: Hygiene) -> None:
    say()
    say("# stuck in a stage for longer than nine in ten of those who moved on")
    if not found.stuck:
        say("Not known: lifecycle_stage has no history, or too few moved on.")
        return
    rows = [["", "stuck", "in it now", "beyond days", "moved on"]]
    for s in found.stuck:
        rows += [[s.stage, f"{s.contacts:,}", f"{s.in_stage:,}", f"{s.days:,.0f}", f"{s.moved_on:,}"]]
    say(table(rows))


def _print_marketing(found: Hygiene) -> None:
    say()
    say("# need not be paid for as marketing contacts")
    if not found.marketing:
        say("Nothing to propose; without scores nobody knows what it would cost.")
        return
    rows = [["", "contacts", "not scored", "closes lost, expected", "95 % interval"]]
    for p in found.marketing:
        cells = [f"{p.contacts:,}", f"{p.unscored:,}", f"{p.expected:,.1f}", f"{p.low:,.0f} to {p.high:,.0f}"]
        rows += [[p.reason, *cells]]
    say(table(rows))
