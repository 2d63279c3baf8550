"""List every feature with what it means and how full it is, one contact's values, the query, or the whole matrix."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictive.cli.common import add_as_of, add_config, add_json, opened, parse_as_of, say, say_json, shorten

if TYPE_CHECKING:
    from predictive.features.matrix import Listed

EXAMPLE = "Example:\n  predictive features configs/demo.yaml --contact C0000042 --as-of 2026-03-01"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive features`."""
    add_config(parser)
    add_as_of(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--contact", metavar="ID", help="print one contact's values")
    what.add_argument("--sql", action="store_true", help="print the query that computes the features")
    what.add_argument("--out", type=Path, metavar="FILE", help="write the matrix to a .parquet or .csv file")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """List, show, print or write; exit 0, or 1 with the reason."""
    with opened(args.config) as session:
        from predictive.clock import iso
        from predictive.features import matrix
        from predictive.serve import night_of

        tables, config = session.tables, session.config
        given = parse_as_of(args.as_of, config, tables, session.now)
        night = night_of(config, tables, now=session.now, as_of=given)
        choice = matrix.default_features(tables, config, night)
        features = choice.features
        if args.sql:
            say(matrix.query(tables, config, features, night))
        elif args.out is not None:
            rows = matrix.write_matrix(tables, config, features, night, args.out)
            _tell({"rows": rows, "features": len(features), "file": str(args.out)}, args)
        elif args.contact is not None:
            _contact(matrix.of_contact(tables, config, features, night, args.contact), features, args)
        else:
            listed = matrix.fill_rates(tables, config, features, night)
            _list(listed, choice.left_out, iso(night), args)
    return 0


def _tell(written: dict[str, Any], args: argparse.Namespace) -> None:
    if args.json:
        say_json(written)
    else:
        say(f"wrote {written['features']} features of {written['rows']:,} contacts to {shorten(args.out.resolve())}")


def _contact(values: dict[str, Any], features: Any, args: argparse.Namespace) -> None:
    from predictive.clock import iso

    if args.json:
        say_json({**values, "as_of": iso(values["as_of"])})
        return
    say(f"{values['contact_id']}, as of {iso(values['as_of'])}")
    width = max(len(f.name) for f in features)
    for feature in features:
        value = values[feature.name]
        shown = "-" if value is None else f"{value:,.4g}" if isinstance(value, float) else str(value)
        say(f"  {feature.name:<{width}}  {shown:<24}  {feature.description}".rstrip())


def _list(listed: list[Listed], left_out: dict[str, str], night: str, args: argparse.Namespace) -> None:
    if args.json:
        rows = [
            {"name": x.feature.name, "side": x.feature.side, "filled": x.filled, "description": x.feature.description}
            for x in listed
        ]
        say_json({"as_of": night, "features": rows, "left_out": left_out})
        return
    say(f"{len(listed)} features as of {night}: name, side, share of contacts with a value, meaning")
    width = max(len(x.feature.name) for x in listed)
    for x in listed:
        say(f"  {x.feature.name:<{width}}  {x.feature.side:<8}  {x.filled:>4.0%}  {x.feature.description}")
    if left_out:
        say()
        say("not used")
        for name, why in left_out.items():
            say(f"  {name:<{width}}  {why}")
