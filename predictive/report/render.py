"""The page: a summary through the template into one file."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from predictive.config import Config
from predictive.errors import DataError
from predictive.model.bundle import Bundle
from predictive.report import charts, details, findings, titles, words
from predictive.report.attention import attention
from predictive.report.summary import Summary, summarise
from predictive.sinks import Sink

TEMPLATE = "template.html.j2"


def write_report(bundle: Bundle, sink: Sink, config: Config, path: Path, *, now: datetime) -> Summary:
    """Write the report to `path`, all of it or nothing; missing folders are made. Returns the numbers in it.

    Args:
        bundle: the model to report on, with what its training found.
        sink: where the scores are; it may hold none yet.
        config: says the time zone.
        path: the HTML file; one that is there is replaced.
        now: when the report is made, aware.

    Raises:
        DataError: `path` cannot be written.
    """
    summary = summarise(bundle, sink.read_current(), sink.read_runs(), config, now=now)
    _replace(path, render(summary))
    return summary


def render(summary: Summary) -> str:
    """The whole page as HTML that needs nothing else: no script, no font, no image from anywhere."""
    page = _environment(summary.timezone).get_template(TEMPLATE)
    return str(page.render(_page(summary)))


def _page(summary: Summary) -> dict[str, Any]:
    """Everything that the template prints, by the name that it has there."""
    work, evidence = summary.work, summary.evidence
    scored = work.everyone.contacts > 0
    return {
        "s": summary,
        "headline": findings.headline(summary),
        "hold": findings.what_they_hold(summary),
        "cards": findings.cards(work, summary.actions) if scored else (),
        "trust": findings.trust(summary),
        "attention": attention(summary),
        "reliability": charts.reliability_chart(evidence.bins["model"]),
        "gain": charts.gain_chart(evidence),
        "tiers": charts.tier_chart(tuple(work.tiers.values())),
        "drivers": charts.driver_chart(summary.drivers),
        "titles": _titles(summary),
        "metrics": details.metric_rows(evidence),
        "recipes": {name: details.in_words(recipe) for name, recipe in summary.making.recipes.items()},
        "sides": titles.sides(summary),
        "side_keys": [(side.name, side.words) for side in titles.sides(summary)],
        "names": charts.NAMES,
        "actions": {name: action.in_words for name, action in summary.actions.items()},
        "scored": scored,
    }


def _titles(summary: Summary) -> dict[str, str]:
    """What stands above each chart and table that the page has."""
    work, evidence = summary.work, summary.evidence
    always = {
        "reliability": titles.reliability_title(evidence),
        "gain": titles.gain_title(evidence),
        "drivers": titles.drivers_title(summary),
        "groups": titles.groups_title(summary),
    }
    if work.everyone.contacts == 0:
        return always
    return always | {
        "matrix": titles.matrix_title(work),
        "tiers": titles.tier_title(work),
        "stages": titles.stage_title(work),
        "top": titles.top_title(work),
    }


@cache
def _environment(timezone: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("predictive", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count,
        "expected": words.expected,
        "percent": words.percent,
        "factor": words.factor,
        "many": words.many,
        "duration": words.duration,
        "day": partial(words.day, zone=timezone),
        "moment": partial(words.moment, zone=timezone),
    }
    environment.globals |= {"percent_range": words.percent_range, "number_range": words.number_range}
    return environment


def _replace(path: Path, text: str) -> None:
    """Write beside the target and rename, so that a reader finds the old page or the new one, never half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".writing")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            # mkstemp makes files that only their owner reads; a report is for others, as any new file is.
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, path)  # noqa: PTH105 - Path.replace is not documented as atomic
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{path}: the report cannot be written: {error.strerror}. What was there is as it was; name a file in a "
            "folder that you may write to (report in the configuration, or --out)"
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
