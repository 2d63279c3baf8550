"""Suggest a complete rule file from the history, beside today's rules and the model on the same later contacts.

Few sets, whole points, signs that make sense, and thresholds for as many contacts as sales can work. A person reviews
it: the file is written where --out says, and nothing else is changed. The comparison is fair to the others: there the
suggestion is made of what was known before the contacts that judge; the file is made of all that is known today.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import add_config, add_json, opened, progress, say, say_json, shorten, table
from predictive.errors import ConfigError

if TYPE_CHECKING:
    from predictive.suggest import Suggestion
    from predictive.suggest.beside import Beside

EXAMPLE = "Example:\n  predictive rules suggest configs/demo.yaml --out rules-suggested.yaml"
SHOWN = {"log_loss": ("log loss", ".4f"), "roc_auc": ("ROC-AUC", ".3f"), "lift_at_10": ("lift at 10 %", ".2f")}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive rules suggest`."""
    add_config(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the rule file here; it must not exist yet")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Suggest; exit 0, or 1 where the history gives nothing to suggest."""
    if args.out is not None and args.out.exists():
        raise ConfigError(
            f"--out {args.out}: is there already, and is not overwritten; name another file, or remove it"
        )
    with opened(args.config) as session:
        from predictive.suggest import suggest

        found = suggest(session.con, session.tables, session.config, now=session.now, progress=progress)
    if args.out is not None and found.page is not None:
        _write(args.out, found.page)
    if args.json:
        say_json(found.as_dict())
    else:
        _print(found, args.out)
    return 1 if found.rules is None else 0


def _write(path: Path, page: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise ConfigError(
            f"--out {path}: cannot be written: {error.strerror}; name a file that is not there yet, in a folder that is"
        ) from None


def _print(found: Suggestion, out: Path | None) -> None:
    if found.page is not None:
        say(found.page)
    if found.comparison is not None:
        _print_comparison(found.comparison)
    for text in found.said:
        say(text)
    for note in found.notes:
        say(f"note: {note}")
    if out is not None and found.page is not None:
        say(f"wrote {shorten(out)}; read it, then name it in the configuration: rules: {shorten(out)}")


def _print_comparison(beside: Beside) -> None:
    say(
        f"{beside.n:,} later examples with {beside.closes:,} closes, as of {beside.first[:10]} to {beside.last[:10]}; "
        "below each how much better the suggestion is"
    )
    say()
    rows = [["", *(title for title, _ in SHOWN.values()), f"closes a week, {beside.per_week:,} worked"]]
    for name, evaluation in beside.comparison.evaluations.items():
        worked = beside.worked[name]
        values = [format(evaluation.values[m].value, form) for m, (_, form) in SHOWN.items()]
        rows.append([name, *values, f"{worked.closes.value:.2f}"])
        ahead = beside.comparison.advantages.get((beside.comparison.baseline, name))
        if ahead is not None:
            gaps = [f"{ahead[m].low:+{form}} to {ahead[m].high:+{form}}" for m, (_, form) in SHOWN.items()]
            rows.append(["  95 %", *gaps, f"{worked.more.low:+.2f} to {worked.more.high:+.2f}"])
    say(table(rows))
    say()
    for text in beside.verdicts:
        say(text)
