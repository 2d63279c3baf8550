"""A short version of the report in Markdown, to post where people talk."""

from __future__ import annotations

import re

from predictive.report.blocks import Card
from predictive.report.language import Language
from predictive.report.summary import Summary
from predictive.report.views import first
from predictive.report.views.attention import attention
from predictive.report.views.findings import headline, trust, what_they_hold

SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
SHOWN = 3


def as_markdown(summary: Summary, say: Language) -> str:
    """The first screen in a dozen lines: how many, by whom, whether to trust it, what needs attention."""
    found, hold = trust(summary, say), what_they_hold(summary, say)
    lines = [f"**{escape(headline(summary, say))}**"]
    if hold is not None:
        lines.append(escape(hold))
    lines += ["", *(f"- {escape(f'{c.who}: {c.figure}')}" + f" ({escape(c.how)})" for c in _cards(summary, say))]
    lines += ["", f"**{escape(found.answer)}**", *(f"- {escape(sentence)}" for sentence in found.why[:SHOWN])]
    needs = [item for item in attention(summary, say) if item.weight != "know"]
    if needs:
        heading = escape(say("attention.title"))
        lines += ["", f"**{heading}**", *(f"- {escape(item.text)}" for item in needs[:SHOWN])]
    return "\n".join([*lines, "", f"_{escape(first.kicker(summary, say))}_", ""])


def escape(text: str) -> str:
    r"""A text as it reads, whatever it holds.

    >>> escape("<b> is *not* bold, in one\nline")
    '\\<b\\> is \\*not\\* bold, in one line'
    """
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _cards(summary: Summary, say: Language) -> tuple[Card, ...]:
    return tuple(card for cards in first.cards(summary, say) for card in cards.cards)
