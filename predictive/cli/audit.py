"""Join past scores that have matured to what happened: were as many closes predicted as came?

The first score of each contact and month counts, if it was written at the time by a model trained before. Exit 4 when a
bound of the configuration's `audit` is broken, so that cron can alert.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, table

if TYPE_CHECKING:
    from predictive.audit import Audit
    from predictive.evaluation import Estimate

EXAMPLE = "Example:\n  predictive audit configs/demo.yaml"
ALERT = 4
SHOWN_INPUTS = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive audit`."""
    add_config(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Audit; exit 0, or 4 where a bound is broken."""
    with opened(args.config) as session:
        from predictive.audit import audit
        from predictive.sinks import open_sink

        progress("joining past scores to what happened")
        sink = open_sink(session.config.sink)
        found = audit(session.con, session.tables, session.config, sink, now=session.now)
    if args.json:
        say_json(found.as_dict())
    else:
        _print(found)
    return ALERT if found.broken else 0


def _print(found: Audit) -> None:
    say(f"outcomes are known until {found.observed_until[:10]}")
    for why, n in found.left_out.items():
        say(f"left out: {n:,} scores {why}")
    if found.lines:
        say()
        rows = [["", "scores", "predicted", "closed", "predicted/closed", "95 % interval", "luck"]]
        for line in found.lines:
            c = line.count
            cells = [f"{c.n:,}", f"{c.predicted:,.1f}", f"{c.actual:,.0f}", _ratio(c.ratio.value), _interval(c.ratio)]
            name = f"recent, {line.by} {line.name}" if line.by in ("tier", "band") else line.name
            rows.append([name, *cells, "unlikely" if c.luck < 0.05 else "possible"])
        say(table(rows))
        say()
        for name, e in found.metrics.items():
            say(f"{name.replace('_', ' ')}: {e.value:.4f} (95 % interval {e.low:.4f} to {e.high:.4f})")
    else:
        say("nothing has matured yet: no score that was written at the time is a whole horizon old")
    if found.waiting:
        say(f"waiting: {found.waiting:,} scores are not a whole horizon old yet")
    if found.trained_rate is not None and found.actual_rate is not None:
        say(f"base rate: {found.actual_rate:.2%} lately, {found.trained_rate:.2%} in training")
    _print_inputs(found)
    _print_people(found)
    say()
    for text in found.broken:
        say(f"BROKEN  {text}")
    say(f"{len(found.broken)} broken; exit {ALERT}" if found.broken else "every bound holds")


def _print_people(found: Audit) -> None:
    """What people did: the effect of the actions, decisions against the model, and who was touched in time."""
    for effect in found.effects:
        say(f"holdout: {effect.in_words}")
    decisions, touched = found.overrides, found.touched
    if decisions is not None and decisions.decisions:
        waiting = f", {decisions.waiting:,} of them not a whole horizon ago" if decisions.waiting else ""
        say(f"overrides: {decisions.decisions:,} decisions{waiting}")
        by = [f"{a.author} {a.decisions:,} ({a.in_force:,} in force, {a.expired:,} expired)" for a in decisions.authors]
        say(f"  by {'; '.join(by)}")
        for d in decisions.decided:
            kept = f"kept in {d.decided}" if d.own == d.decided else f"moved from {d.own} to {d.decided}"
            say(f"  {kept}: {d.predicted:.1f} closes predicted, closed {d.result.in_words}")
    if touched is not None and touched.share is not None:
        share, low, high = touched.share
        say(
            f"touched in time: {touched.in_time:,} of {touched.entered:,} who entered pursue: {share:.0%} "
            f"({low:.0%} to {high:.0%}); closed of those touched {touched.touched.in_words}, of those not "
            f"{touched.untouched.in_words}"
        )


def _print_inputs(found: Audit) -> None:
    if found.inputs.unknown is not None:
        say(f"inputs: not compared: {found.inputs.unknown}")
        return
    most = ", ".join(f"{s.name} {s.psi:.2f}" for s in found.inputs.shifts[:SHOWN_INPUTS])
    say(f"inputs: of {found.inputs.n:,} contacts; moved the most (stability index; below 0.1 is stable): {most}")


def _ratio(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _interval(ratio: Estimate) -> str:
    high = "…" if math.isnan(ratio.high) else f"{ratio.high:.2f}"
    return "–" if math.isnan(ratio.low) else f"{ratio.low:.2f}–{high}"
