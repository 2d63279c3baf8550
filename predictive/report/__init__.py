"""The score report: numbers ──► a frozen typed summary ──► one self-contained HTML file, and the same numbers as data.

::

    bundle.report ──► evidence, making ─┐
    sink ───────────► work, plan, ──────┼─► Summary ─► views (blocks of text, charts) ─► templates ─► HTML
                      changes, examples │      │             ▲
    tables ─────────► examined ─────────┘      │        a language
                                               └─► JSON, CSV, Markdown

Templates compute nothing; nothing before them knows HTML. All text is in ``text/``, a file per language.
"""

from predictive.report.examined import Examined, examine
from predictive.report.language import Language, languages, load_language
from predictive.report.render import render
from predictive.report.summary import Summary, Written, summarise
from predictive.report.write import write_report

__all__ = [
    "Examined",
    "Language",
    "Summary",
    "Written",
    "examine",
    "languages",
    "load_language",
    "render",
    "summarise",
    "write_report",
]
