"""Make a CRM to try everything on: contacts, accounts, activities, deals and attribute changes in one DuckDB file.

Beside it lies truth.parquet, the true 90-day close probabilities, which nothing else reads, and demo.yaml, a
configuration that the other commands take.
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

from predictive.cli.common import add_json, progress, say, say_json, shorten
from predictive.errors import ConfigError

EXAMPLE = "Example:\n  predictive demo --contacts 20000 --seed 7 --out demo"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive demo`."""
    parser.add_argument("--contacts", type=int, default=20_000, metavar="N", help="how many contacts (default 20000)")
    parser.add_argument("--seed", type=int, default=7, metavar="S", help="the same seed makes the same CRM (default 7)")
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="where to write it (default demo)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Make the CRM and its configuration; exit 0."""
    from predictive.demo import generate

    if args.contacts < 1 or args.seed < 0:
        raise ConfigError("--contacts takes a whole number from 1, and --seed one from 0")
    made = generate(contacts=args.contacts, seed=args.seed, out=args.out, progress=progress)
    config = args.out / "demo.yaml"
    config.write_text(
        (resources.files("predictive.defaults") / "demo.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    if args.json:
        counts = {name: getattr(made, name) for name in ("contacts", "activities", "deals")}
        say_json({"database": str(made.database), "truth": str(made.truth), "config": str(config), **counts})
        return 0
    say(f"made      {made.contacts:,} contacts, {made.activities:,} activities, {made.deals:,} deals")
    say(f"database  {shorten(made.database.resolve())}")
    say(f"next      predictive train {shorten(config.resolve())}")
    return 0
