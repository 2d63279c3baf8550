"""This week's review list: the few contacts where a person should look, each with why."""

from __future__ import annotations

from predictive.report.blocks import Cell, Column, Panel, Table, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.tables import rows
from predictive.review import ReviewItem
from predictive.review.causes import FIRED
from predictive.review.views import JUMP


def review_panel(summary: Summary, say: Language) -> Panel:
    """The panel; says plainly where there is no list."""
    found = summary.examined.review
    if not found:
        key = "review.not_examined" if found is None else "review.none"
        return Panel(say("review.title_none"), (Text(say(key)),))
    note = Text(say("review.note"), "soft small")
    return Panel(say("review.title", len(found)), (note, _table(found, say)))


def why(item: ReviewItem, say: Language) -> str:
    """Every reason to look at a contact, as sentences."""
    return "; ".join(_reason(kind, text, say) for kind, text in zip(item.kinds, item.why, strict=True))


def named(item: ReviewItem) -> str:
    """A contact by its id, and by its name where the configuration allows it."""
    return item.contact_id if item.name is None else f"{item.contact_id} · {item.name}"


def _reason(kind: str, text: str, say: Language) -> str:
    """A jump names its causes after a colon, each in words of its own; then the rule sets, by the company's names."""
    if kind != JUMP:
        return translate(text, say)
    model, _, sets = text.partition(FIRED)
    told, colon, causes = model.partition(": ")
    voiced = f": {', '.join(translate(cause, say) for cause in causes.split(', '))}" if colon else ""
    return translate(told, say) + voiced + (say("review.rules", sets=sets) if sets else "")


def _table(found: tuple[ReviewItem, ...], say: Language) -> Table:
    cells = [
        [
            Cell(item.contact_id, note="" if item.name is None else item.name),
            Cell(say.percent(item.probability), note=say(f"tier.{item.tier}"), strong=True),
            Cell(say(f"quadrant.{item.quadrant}")),
            Cell(say.count(item.rule_score), note=say(f"stage.{item.stage}"), label=say("top.rules")),
            Cell(why(item, say)),
        ]
        for item in found
    ]
    names = (
        ("top.column_contact", ""),
        ("top.column_probability", "top.column_tier"),
        ("top.column_quadrant", ""),
        ("top.column_rule_score", "top.column_stage"),
        ("review.column_why", ""),
    )
    columns = tuple(Column(say(head), words=True, note=say(note) if note else "") for head, note in names)
    return Table("review-table", say("review.table"), columns, rows(cells), list=True)
