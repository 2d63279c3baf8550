"""List the few contacts where a person should look, most important first, each with why.

Low fit but very interested; model and rules far apart; a jump since last night, with its cause. How many is
`review.per_week`; names are shown only with `review.names: true`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, shorten
from predictive.cli.score import add_model, find_bundle

if TYPE_CHECKING:
    from predictive.review import ReviewItem

EXAMPLE = "Example:\n  predictive review configs/demo.yaml --out review.csv"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive review`."""
    add_config(parser)
    add_model(parser)
    parser.add_argument("--out", metavar="FILE.csv", help="write the list as CSV too")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """List; exit 0."""
    with opened(args.config) as session:
        from predictive.review import review_list
        from predictive.sinks import open_sink

        bundle = find_bundle(session, args.model)
        progress("comparing the views of every contact")
        sink = open_sink(session.config.sink)
        found = review_list(session.con, session.tables, session.config, bundle, sink)
    if args.out is not None:
        _write(Path(args.out), found)
    if args.json:
        say_json({"items": [item.as_dict() for item in found]})
    else:
        _print(found, args)
    return 0


def _print(found: Sequence[ReviewItem], args: argparse.Namespace) -> None:
    for item in found:
        named = item.contact_id if item.name is None else f"{item.contact_id} {item.name}"
        say(f"{named}  {item.probability:.1%}, {item.quadrant}, {item.rule_score} points")
        for why in item.why:
            say(f"  {why}")
    if not found:
        say(f"nobody to look at; scores are made by: predictive score {args.config}")
    elif args.out is not None:
        say(f"written to {shorten(Path(args.out).resolve())}: {len(found):,} contacts")
    else:
        say(f"next: predictive explain {args.config} {found[0].contact_id}")


def _write(file: Path, found: Sequence[ReviewItem]) -> None:
    from predictive.spreadsheet import write_rows

    columns = ["contact_id", "name", "kinds", "why", "probability", "fit", "interest", "quadrant", "tier", "stage"]
    columns.append("rule_score")
    rows = [i.as_dict() | {"kinds": "; ".join(i.kinds), "why": "; ".join(i.why)} for i in found]
    write_rows(columns, ([row.get(name) for name in columns] for row in rows), file)
