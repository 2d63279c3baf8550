"""How clean and how alive the database is, in counts; contacts appear by id only."""

from __future__ import annotations

from predictive.hygiene import Hygiene
from predictive.hygiene.decay import QUOTED, Decay
from predictive.report.blocks import Panel, Point, Points, Text
from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.tables import heads, table
from predictive.tables import Note

FEW = 4
"""Ids of a group of duplicates that are shown."""


def hygiene_panels(summary: Summary, say: Language) -> tuple[Panel, ...]:
    """The panels; one that says why where the tables were not examined."""
    found = summary.examined.hygiene
    if found is None:
        return (Panel(say("hygiene.title_none"), (Text(say("hygiene.none")),), half=True),)
    parts = (_contacts, _decay, _duplicates, _defects, _stuck, _marketing)
    return tuple(part(found, say) for part in parts)


def _contacts(found: Hygiene, say: Language) -> Panel:
    counts = [("contacts", found.contacts), ("known", found.known), ("could_buy", found.could_buy)]
    cells = [[say(f"hygiene.{name}"), *_share(n, found.contacts, say)] for name, n in counts]
    cells += [
        [say("hygiene.not_eligible", why=translate(why, say)), *_share(n, found.contacts, say)]
        for why, n in found.not_eligible.items()
    ]
    cells.append([say("hygiene.inactive"), *_share(found.inactive, found.contacts, say)])
    numbers = table("hygiene", say("hygiene.table"), heads(say, "hygiene", ("what", "contacts", "share")), cells)
    note = Text(say("hygiene.known_means", means=translate(found.known_means, say)), "soft small")
    title = say("hygiene.title", found.contacts, could=say.count(found.could_buy))
    return Panel(title, (numbers, note), half=True)


def _share(n: int, of: int, say: Language) -> tuple[str, str]:
    return say.count(n), say.percent(n / of if of else None)


def _decay(found: Hygiene, say: Language) -> Panel:
    whole = found.decay[-1] if found.decay else None
    quoted = QUOTED.replace(" ", "\u00a0")
    cells = [_decayed(d, say) for d in found.decay] + [[say("decay.quoted"), quoted, "–", "–", "–"]]
    columns = heads(say, "decay", ("what", "share", "interval", "contacts", "years"))
    numbers = table("decay", say("decay.table"), columns, cells)
    unknown = [
        say("decay.unknown", what=translate(d.what, say), why=translate(d.unknown, say))
        for d in found.decay
        if d.unknown is not None
    ]
    note = Text(" ".join((say("decay.note"), *unknown)), "soft small")
    known = whole is not None and whole.share is not None
    share = say.percent(whole.share if whole is not None else None)
    title = say("decay.title", share=share, quoted=quoted) if known else say("decay.title_none", quoted=quoted)
    return Panel(title, (numbers, note), half=True)


def _decayed(d: Decay, say: Language) -> list[str]:
    counts = [say.count(d.events), say.count(round(d.years))] if d.share is not None else ["–", "–"]
    return [translate(d.what, say), say.percent(d.share), say.percent_range(d.low, d.high), *counts]


def _duplicates(found: Hygiene, say: Language) -> Panel:
    most = max((d.surplus for d in found.duplicates), default=0)
    if not most:
        return Panel(say("duplicates.title_none"), (Text(say("duplicates.none")),), half=True)
    cells = []
    for d in found.duplicates:
        ids = " = ".join(d.examples[0][:FEW]) if d.examples else "–"
        counts = (say.count(d.groups), say.count(d.contacts), say.count(d.surplus))
        cells.append([translate(d.by, say), *counts, ids])
    columns = heads(say, "duplicates", ("by", "groups", "contacts", "surplus", "example"), words=["example"])
    numbers = table("duplicates", say("duplicates.table"), columns, cells)
    return Panel(say("duplicates.title", most), (numbers, Text(say("duplicates.note"), "soft small")), half=True)


def _defects(found: Hygiene, say: Language) -> Panel:
    points = [
        Point(defect(note, say), say(f"defects.{kind}"), "care")
        for kind, notes in (("impossible", found.impossible), ("contradiction", found.contradictions))
        for note in sorted(notes, key=lambda n: -n.count)
    ]
    if not points:
        return Panel(say("defects.title_none"), (Text(say("defects.none")),), half=True)
    return Panel(say("defects.title", len(points)), (Points(tuple(points)),), half=True)


def defect(note: Note, say: Language) -> str:
    """What is impossible or contradicts itself, with the ids of a few."""
    ids = f" ({say.listed(note.examples)})" if note.examples else ""
    return f"{note.where}: {translate(note.text, say)}{ids}"


def _stuck(found: Hygiene, say: Language) -> Panel:
    if not found.stuck:
        return Panel(say("stuck.title_none"), (Text(say("stuck.none")),), half=True)
    cells = [
        [s.stage, say.count(s.contacts), say.count(s.in_stage), say.count(round(s.days)), say.count(s.moved_on)]
        for s in found.stuck
    ]
    columns = heads(say, "stuck", ("stage", "contacts", "in_stage", "days", "moved_on"))
    numbers = table("stuck", say("stuck.table"), columns, cells)
    title = say("stuck.title", sum(s.contacts for s in found.stuck))
    return Panel(title, (numbers, Text(say("stuck.note"), "soft small")), half=True)


def _marketing(found: Hygiene, say: Language) -> Panel:
    if not found.marketing:
        return Panel(say("unpaid.title_none"), (Text(say("unpaid.none")),), half=True)
    cells = [
        [
            translate(p.reason, say),
            say.count(p.contacts),
            say.count(p.unscored),
            say.expected(p.expected),
            f"{say.count(p.low)}–{say.count(p.high)}",
        ]
        for p in found.marketing
    ]
    columns = heads(say, "unpaid", ("reason", "contacts", "unscored", "expected", "interval"))
    numbers = table("unpaid", say("unpaid.table"), columns, cells)
    whole = found.marketing[-1]
    title = say("unpaid.title", whole.contacts, expected=say.expected(whole.expected))
    return Panel(title, (numbers, Text(say("unpaid.note"), "soft small")), half=True)
