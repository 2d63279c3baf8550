"""The page put together from its parts."""

from __future__ import annotations

from predictive.report.blocks import Page, Text
from predictive.report.language import Language
from predictive.report.summary import Summary
from predictive.report.views import first
from predictive.report.views.findings import headline, trust, what_they_hold
from predictive.report.views.health import health_section
from predictive.report.views.made import made_section
from predictive.report.views.todo import todo_section
from predictive.report.views.trusted import trusted_section
from predictive.report.views.why import why_section


def make_page(summary: Summary, say: Language) -> Page:
    """The report of a summary in a language, ready to print."""
    title = headline(summary, say)
    sections = [make(summary, say) for make in (trusted_section, todo_section, why_section, health_section)]
    changed = first.changed(summary, say)
    panels = (first.trusted(summary, say), first.needs(summary, say), *(() if changed is None else (changed,)))
    return Page(
        language=say.code,
        title=say("page.title", headline=title),
        kicker=first.kicker(summary, say),
        headline=title,
        lead=_lead(summary, say),
        skip=say("page.skip"),
        contents=say("page.contents"),
        first=panels,
        cards=first.cards(summary, say),
        sections=(*sections, made_section(summary, say)),
        footer=say("page.footer", at=say.moment(summary.made_at), zone=summary.timezone),
    )


def _lead(summary: Summary, say: Language) -> tuple[Text, ...]:
    hold = what_they_hold(summary, say)
    found = [] if hold is None else [Text(hold, "lead")]
    if summary.night is None:
        found.append(Text(say("lead.unscored"), "lead"))
    if trust(summary, say).level == "no":
        found.append(Text(say("lead.stop"), "stop"))
    return tuple(found)
