"""Check the rule file: sets that never or always fire, contradict, or name what is not there; stages; inflation."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from predictive.cli.common import add_as_of, add_config, add_json, opened, parse_as_of, progress, say, say_json, table

if TYPE_CHECKING:
    from predictive.rules.check import Checked

EXAMPLE = "Example:\n  predictive rules check configs/demo.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive rules check`."""
    add_config(parser)
    add_as_of(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check; exit 0, or 1 where the rules cannot be used as they are."""
    with opened(args.config) as session:
        from predictive.rules.check import check_rules
        from predictive.serve import night_of

        progress("checking the rules")
        given = parse_as_of(args.as_of, session.config, session.tables, session.now)
        night = night_of(session.config, session.tables, now=session.now, as_of=given)
        found = check_rules(session.tables, session.config, night=night)
        if args.json:
            say_json(found.as_dict())
        else:
            _print(found)
    return 1 if found.stops else 0


def _print(found: Checked) -> None:
    say(f"{found.contacts:,} contacts as of {found.as_of}")
    say()
    say(table([["set", "points", "fires for"], *([s.name, f"{s.points:+}", f"{s.fires:.1%}"] for s in found.sets)]))
    say()
    rows = ([name, f"{n:,}", f"{n / max(found.contacts, 1):.1%}"] for name, n in found.stages.items())
    say(table([["stage", "contacts", "share"], *rows]))
    say()
    rows = ([name, f"{n:,}", f"{n / max(found.contacts, 1):.1%}"] for name, n in found.quadrants.items())
    say(table([["by the rules alone", "contacts", "share"], *rows]))
    say()
    if found.months:
        rows = ([m.as_of[:10], f"{m.contacts:,}", f"{m.mean:.1f}", "-" if m.same_kind is None else f"{m.same_kind:.1f}",
                 f"{m.stages['MQL'] + m.stages['SQL']:.1%}", "-" if m.closed is None else f"{m.closed:.1%}"]
                for m in found.months)  # fmt: skip
        say(table([["as of", "eligible", "mean score", "same kind", "MQL or SQL", "of them closed"], *rows]))
    say(found.inflated)
    say()
    say(f"{len(found.problems)} problem{'s' if len(found.problems) != 1 else ''}")
    for problem in found.problems:
        say(f"- {problem.kind}: {problem}")
