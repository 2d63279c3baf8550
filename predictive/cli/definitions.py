"""Print the funnel as agreed, one page for the wall, as Markdown: stages and thresholds, quadrants, actions, response
times, owners, tiers and agreements. It is generated from the configuration, so that it is never out of date.
"""  # noqa: D205 - the sentence is what --help prints

from __future__ import annotations

import argparse
from pathlib import Path

from predictive.cli.common import add_config, add_json, say, say_json
from predictive.errors import DataError

EXAMPLE = "Example:\n  predictive definitions configs/demo.yaml --out funnel.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive definitions`."""
    add_config(parser)
    parser.add_argument("--out", metavar="FILE.md", help="write the page to a file instead")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print or write; exit 0. Reads the configuration and the rules, no table."""
    from predictive.config_file import load_config
    from predictive.definitions import funnel

    found = funnel(load_config(args.config))
    if args.out is not None:
        try:
            Path(args.out).write_text(found.markdown(), encoding="utf-8")
        except OSError as error:
            raise DataError(f"--out: {args.out} cannot be written: {error.strerror or error}") from None
    if args.json:
        say_json(found.as_dict())
    elif args.out is None:
        say(found.markdown().rstrip("\n"))
    else:
        say(f"written to {args.out}")
    return 0
