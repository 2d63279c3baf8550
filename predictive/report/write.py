"""From a bundle and a sink to the file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from predictive.config import Config
from predictive.model.bundle import Bundle
from predictive.report.examined import NOTHING, Examined
from predictive.report.files import replace_text
from predictive.report.language import load_language
from predictive.report.render import render
from predictive.report.summary import Summary, Written, summarise
from predictive.sinks import Sink


def write_report(
    bundle: Bundle,
    sink: Sink,
    config: Config,
    path: Path,
    *,
    now: datetime,
    language: str | None = None,
    examined: Examined = NOTHING,
) -> Summary:
    """Write the report to `path`, all of it or nothing; missing folders are made. Returns the numbers in it.

    Args:
        bundle: the model to report on, with what its training found.
        sink: where the scores are; it may hold none yet.
        config: says the time zone, the language, and how many contacts can be worked in a week.
        path: the HTML file; one that is there is replaced.
        now: when the report is made, aware.
        language: in place of the configured one, by its code.
        examined: what the tables say, as :func:`predictive.report.examine` finds it; nothing where they were not read.

    Raises:
        ConfigError: there is no such language.
        DataError: `path` cannot be written.
    """
    say = load_language(config.report_language if language is None else language, zone=config.timezone)
    written = Written(sink.read_current(), sink.read_history(), sink.read_runs())
    summary = summarise(bundle, written, config, now=now, examined=examined)
    replace_text(path, render(summary, say))
    return summary
