"""Show accounts by the chance that at least one of their contacts closes, with the best contact and the engaged ones.

What the chance takes for granted is said below the table; least and most hold whatever the dependence.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, table

if TYPE_CHECKING:
    from predictive.accounts.view import Accounts
    from predictive.config import Config

EXAMPLE = "Example:\n  predictive accounts configs/demo.yaml --out accounts.csv"
SHOWN = 15


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive accounts`."""
    add_config(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, help="write every account as CSV")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Show accounts; exit 0."""
    with opened(args.config) as session:
        from predictive.accounts.view import find_accounts
        from predictive.errors import DataError
        from predictive.sinks import open_sink
        from predictive.spreadsheet import write_csv

        sink = open_sink(session.config.sink)
        scores = sink.read_current()
        if scores.empty:
            raise DataError(f"nothing is scored yet, so accounts have no chances. Type: predictive score {args.config}")
        progress("looking at accounts")
        found = find_accounts(session.con, session.tables, session.config, scores, sink.read_history(), now=session.now)
        if args.out is not None:
            write_csv(found.rows, args.out)
        if args.json:
            say_json(_as_json(found))
        else:
            _print(found, session.config)
            if args.out is not None:
                say(f"written to {args.out}")
    return 0


def _as_json(found: Accounts) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "assumption": found.assumption,
        "together": asdict(found.together),
        "without_account": found.without,
        "accounts": found.rows.to_dict("records"),
    }


def _print(found: Accounts, config: Config) -> None:
    from predictive.clock import format_duration

    say(f"{len(found.rows):,} accounts with scored contacts; {found.without:,} scored contacts have no account")
    rows = [["", "at least one", "least", "most", "contacts", "engaged", "best contact", "its own", "quadrant"]]
    for row in found.rows.head(SHOWN).to_dict("records"):
        chances = [f"{row[name]:.1%}" for name in ("at_least_one", "least", "most")]
        best = [str(row["best_contact"]), f"{row['best_probability']:.1%}", str(row["best_quadrant"])]
        rows += [[str(row["account_id"]), *chances, f"{row['contacts']:,}", f"{row['engaged']:,}", *best]]
    say(table(rows))
    if len(found.rows) > SHOWN:
        say(f"and {len(found.rows) - SHOWN:,} more")
    say(f"at least one: {found.assumption}")
    active = format_duration(config.accounts.active)
    points = config.accounts.rule_interest
    say(f"engaged: did something in the last {active}, and is high on interest (pursue or opportunistic;")
    say(f"  where there is no axis of interest, {points} or more points of rule interest)")
