"""The score report: numbers ──► a frozen typed summary ──► one self-contained HTML file.

::

    bundle.report ─► evidence, making ─┐
                                       ├─► summary ─► findings (sentences), charts (geometry) ─► template ─► file
    sink.read_current() ─► work ───────┘

Nothing in the template computes; nothing before it knows HTML.
"""

from predictive.report.render import write_report
from predictive.report.summary import Summary, summarise

__all__ = ["Summary", "summarise", "write_report"]
