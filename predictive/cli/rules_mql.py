"""Define MQL for this company: the region of fit × interest whose close rate is significantly above average and whose
size sales can work (`capacity.per_week`); of points, where there is no model.

Judged on matured examples that nothing was learned from. Nothing is changed: a person pastes the rule, or another.
"""  # noqa: D205 - the sentence is what --help prints

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, table
from predictive.cli.score import add_model

if TYPE_CHECKING:
    from predictive.mql import Definition, Region

EXAMPLE = "Example:\n  predictive rules mql configs/demo.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive rules mql`."""
    add_config(parser)
    add_model(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Define; exit 0."""
    with opened(args.config) as session:
        from predictive.cli.models import find_path
        from predictive.model.bundle import champion, load_bundle
        from predictive.mql import define

        progress("judging regions on later examples")
        known = args.model is not None or champion(session.config.models) is not None
        folder = find_path(session.config, args.model) if known else None
        bundle = None if folder is None else load_bundle(folder)
        found = define(session.con, session.tables, session.config, now=session.now, bundle=bundle, folder=folder)
    if args.json:
        say_json(found.as_dict())
    else:
        _print(found)
    return 0


def _print(found: Definition) -> None:
    say(found.sentence)
    say()
    if found.rule is not None:
        say(found.rule)
    heading = ["", "a week", "close rate", "95 % interval", "lift", "closes caught", "above average"]
    say(table([heading, *(_row(region, found) for region in found.alternatives)]))
    say()
    a = found.average
    say(f"everybody: {a.in_words}")
    say(f"on {found.basis}")
    say(f"{found.looked_at} regions were looked at; * is the chosen one, and its rate is a little flattered by that")
    if found.per_week is None:
        say("capacity.per_week is not configured, so the size is not limited")


def _row(region: Region, found: Definition) -> list[str]:
    r = region.result
    mark = " *" if found.chosen is not None and region.bounds == found.chosen.bounds else ""
    return [
        region.bounds.in_words + mark,
        f"{region.per_week:,.0f}",
        f"{r.rate:.1%}",
        f"{r.low:.1%} to {r.high:.1%}",
        f"{region.lift:.1f}",
        f"{region.caught:.0%}",
        "yes" if region.above_average else "could be luck",
    ]
