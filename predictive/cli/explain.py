"""Say why one contact has its score: probability, fit, interest, rule points set by set, and the reasons."""

from __future__ import annotations

import argparse

from predictive.cli.common import add_as_of, add_config, add_json, opened, parse_as_of, say, say_json
from predictive.cli.score import add_model, find_bundle

EXAMPLE = "Example:\n  predictive explain configs/demo.yaml C0000042"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive explain`."""
    add_config(parser)
    parser.add_argument("contact_id", metavar="CONTACT_ID", help="the contact's id")
    add_model(parser)
    add_as_of(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Explain; exit 0, or 1 with the reason where the contact is not scored."""
    with opened(args.config) as session:
        from predictive.explain import explain
        from predictive.history import drift_of, scores_of
        from predictive.serve import night_of
        from predictive.sinks import open_sink

        bundle = find_bundle(session, args.model)
        given = parse_as_of(args.as_of, session.config, session.tables, session.now)
        night = night_of(session.config, session.tables, now=session.now, as_of=given)
        con, tables, config = session.con, session.tables, session.config
        history = scores_of(open_sink(config.sink), bundle)
        drift = drift_of(con, tables, config, bundle, history, night=night, now=session.now)
        found = explain(con, tables, config, bundle, args.contact_id, night=night, drift=drift)
        if args.json:
            say_json(found.as_dict())
        else:
            for line in found.lines():
                say(line)
    return 0
