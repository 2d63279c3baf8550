"""The chart of close rates: the surest ones as points with their intervals, and the average as a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from predictive.closerates.rates import CloseRates, Rate
from predictive.errors import ConfigError

MOST = 20
FORMATS = (".svg", ".png")
FOUND = 0.05
"""The false discovery rate at which a difference is called one."""


def check_ending(path: Path) -> None:
    """Raise :class:`~predictive.errors.ConfigError` for a file that is neither SVG nor PNG by its ending."""
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"--chart {path}: the ending is {path.suffix or 'missing'}; write one of {', '.join(FORMATS)}"
        )


def draw(rates: CloseRates, path: Path) -> None:
    """Draw the chart into a file, SVG or PNG by its ending; errors are those of :func:`check_ending`."""
    check_ending(path)
    import matplotlib as mpl

    svg = path.suffix.lower() == ".svg"
    # Text stays text (a $ too), and neither ids nor dates change from run to run.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "predictive", "text.parse_math": False}):
        try:
            figure(rates).savefig(path, dpi=150, metadata={"Date": None} if svg else {})
        except OSError as error:
            raise ConfigError(
                f"--chart {path}: cannot be written: {error.strerror}; name a folder that is there"
            ) from None


def figure(rates: CloseRates) -> Any:
    """The chart as a `matplotlib` figure, legible in black and white."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    rows = shown(rates.rows, MOST)[::-1]
    drawn = Figure(figsize=(8.5, 1.6 + 0.3 * max(len(rows), 1)), layout="constrained")
    axes = drawn.subplots()
    for place, row in enumerate(rows):
        filled = "black" if row.q <= FOUND else "white"
        bars = [[row.rate - row.low], [row.high - row.rate]]
        axes.errorbar(
            [row.rate], [place], xerr=bars, fmt="o", color="black", markerfacecolor=filled, capsize=2, linewidth=1
        )
    axes.axvline(rates.average, color="black", linestyle="--", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [f"{label(r)}  ({r.closed:,} of {r.contacts:,})" for r in rows])
    axes.set_xlim(left=0)
    axes.set_xlabel(f"closed within {rates.horizon_days:g} days, with 95 % interval")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.spines[["top", "right"]].set_visible(False)
    drawn.suptitle(title(rates), x=0.01, ha="left", fontsize="large")
    key = f"dashed: average of {rates.average:.1%}; filled: more than luck, looking so often (q at most {FOUND:g})"
    drawn.supxlabel(key, fontsize="small")
    return drawn


def title(rates: CloseRates) -> str:
    """The finding, in a line."""
    told = [row for row in shown(rates.rows, len(rates.rows)) if row.q <= FOUND]
    if rates.said or not told:
        return f"Nothing tells who closes: {rates.closed:,} of {rates.contacts:,} contacts did"
    first = told[0]
    how = (
        f"{first.lift:.1f} times as often as the average" if first.lift >= 1 else f"at {first.lift:.0%} of the average"
    )
    return f"{label(first)}: these contacts close {how}"


def label(row: Rate) -> str:
    """A row in a few words.

    >>> label(Rate("attribute", "source", "event", 9, 1, 1, 0.1, 0.0, 0.4, 1.0, 1.0, 1.0, 1.0))
    'source: event'
    """
    return f"{row.name}: {row.value}" if row.kind == "attribute" else f"{row.name}, {row.value}"


def shown(rows: Sequence[Rate], most: int) -> list[Rate]:
    """The surest rows, of an activity only its surest window."""
    best: dict[tuple[str, ...], Rate] = {}
    for row in rows:
        best.setdefault((row.kind, row.name, "" if row.kind == "activity" else row.value), row)
    return list(best.values())[:most]
