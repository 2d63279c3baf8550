"""Per activity and attribute: who had it at a cut, how many closed within the horizon, and whether it could be luck.

One cut: by default the newest whose whole horizon has been observed. The adjusted lift compares with contacts whose
records are as old, since older ones have had more time for anything; q says how likely luck is among so many rows.
Below it: what buyers did before their close, beside contacts alike who had not bought by then.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from predictive.cli.common import (
    add_config,
    add_json,
    opened,
    parse_as_of,
    progress,
    say,
    say_json,
    shorten,
    table,
)

if TYPE_CHECKING:
    from predictive.closerates import Buyers, CloseRates, Rate

EXAMPLE = "Example:\n  predictive rules closerates configs/demo.yaml --out closerates.csv --chart closerates.svg"
MOST = 25


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predictive rules closerates`."""
    add_config(parser)
    parser.add_argument("--as-of", metavar="TIME", help="date or time of the cut (default: the newest fully observed)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write every row into this CSV file")
    parser.add_argument("--chart", metavar="FILE", type=Path, help="draw the surest rows into this .svg or .png file")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Count, compare and print; exit 0."""
    from predictive.closerates.chart import check_ending

    if args.chart is not None:
        check_ending(args.chart)
    with opened(args.config) as session:
        from predictive.closerates import buyers, close_rates

        tables, config = session.tables, session.config
        as_of = parse_as_of(args.as_of, config, tables, session.now)
        rates = close_rates(tables, config, now=session.now, as_of=as_of, progress=progress)
        beside = buyers(tables, config, rates.types, now=session.now, progress=progress)
    written = _write(rates, args.out, args.chart)
    if args.json:
        found = [] if beside is None else [kind.as_dict() for kind in beside.kinds]
        said = None if beside is None else beside.in_words
        say_json(rates.as_dict() | {"buyers": found, "buyers_said": said})
        return 0
    _print(rates)
    _print_buyers(rates, beside)
    for path in written:
        say(f"wrote {shorten(path)}")
    return 0


def _write(rates: CloseRates, out: Path | None, chart: Path | None) -> list[Path]:
    from predictive.closerates.chart import draw
    from predictive.spreadsheet import write_rows

    if chart is not None:
        draw(rates, chart)
    if out is not None:
        rows = [vars(rate) for rate in rates.rows]
        write_rows(list(rows[0]) if rows else [], (list(row.values()) for row in rows), out)
    return [path for path in (out, chart) if path is not None]


def _print(rates: CloseRates) -> None:
    from predictive.closerates.chart import label, shown

    deals = "" if rates.closes == rates.closed else f" ({rates.closes:,} deals)"
    each = "" if rates.age_days is None else f", each {rates.age_days} days after it was created, the last"
    say(
        f"{rates.contacts:,} contacts{each} as of {rates.as_of[:10]}; {rates.closed:,} closed{deals} within "
        f"{rates.horizon_days:g} days: {rates.average:.1%} on average"
    )
    for text in rates.said:
        say(f"warning: {text}")
    say()
    rows = shown(rates.rows, MOST)
    heading = ["", "contacts", "closed", "rate", "95 %", "lift", "adjusted", "q"]
    say(table([heading, *([label(row), *_numbers(row)] for row in rows)]))
    more = len(rates.rows) - len(rows)
    if more:
        say(f"and {more:,} more: --out FILE.csv has them all")
    say()
    for note in rates.notes:
        say(f"note: {note}")


def _numbers(row: Rate) -> list[str]:
    interval = f"{row.low:.1%}–{row.high:.1%}"
    q = f"{row.q:.2g}" if row.q >= 1e-4 else "<0.0001"
    return [
        f"{row.contacts:,}", f"{row.closed:,}", f"{row.rate:.1%}", interval, f"{row.lift:.2f}",
        f"{row.adjusted_lift:.2f}", q,
    ]  # fmt: skip


def _print_buyers(rates: CloseRates, beside: Buyers | None) -> None:
    say()
    if beside is None:
        none = "no activities" if not rates.types else "too few buyers with contacts alike"
        say(f"What buyers did before their close cannot be said: there are {none}.")
        return
    say(f"{beside.in_words}. Activities per contact:")
    say()
    rows = [["", "buyers", "95 %", "median", "others", "95 %", "median", "more", "95 %"]]
    for kind in beside.kinds:
        cells = [kind.type]
        for mean, median in ((kind.mean, kind.median), (kind.mean_others, kind.median_others)):
            cells += [f"{mean.value:.2f}", f"{mean.low:.2f}–{mean.high:.2f}", f"{median.value:g}"]
        rows.append([*cells, f"{kind.more.value:+.2f}", f"{kind.more.low:+.2f} to {kind.more.high:+.2f}"])
    say(table(rows))
