"""What needs a person's attention, in order of weight."""

from __future__ import annotations

from predictive.report.language import Language
from predictive.report.phrases import translate
from predictive.report.summary import Summary
from predictive.report.views.unclean import Attention, Weight, unclean

ORDER: tuple[Weight, ...] = ("act", "check", "know")
OLD_DAYS = 180
"""A model that knows no outcome newer than this, counted from its scores, may describe a market that is gone."""
TOO_GOOD = 0.95
"""A ROC-AUC from which a leak is likelier than a good model."""
LATE_DAYS = 2
"""Scores of live data that are older than this are late: a night was missed."""
SHIFTED = 2.0
"""How many times the training base rate, up or down, the mean score may be before somebody should look."""
STALE_DAYS = 7
"""A table that has had nothing new for so long, while another one has, is no longer fed."""
ANSWERED = 0.5
"""Less than this share of those who entered pursue touched in time, beyond luck, is told."""


def attention(summary: Summary, say: Language) -> tuple[Attention, ...]:
    """Everything that needs attention, the weightiest first."""
    found = [
        *_scoring(summary, say),
        *_audited(summary, say),
        *_fed(summary, say),
        *_axes(summary, say),
        *_training(summary, say),
        *_people(summary, say),
        *_unanswered(summary, say),
        *unclean(summary, say),
    ]
    return tuple(sorted(found, key=lambda a: ORDER.index(a.weight)))


def _scoring(summary: Summary, say: Language) -> list[Attention]:
    if summary.night is None:
        return [Attention("act", say("attention.unscored"))]
    found = []
    if summary.work.everyone.contacts == 0:
        found.append(Attention("act", say("attention.nobody")))
    others = [version for version in summary.work.models if version != summary.model_version]
    if others:
        text = say("attention.other_model", others=say.listed(others), mine=summary.model_version)
        found.append(Attention("act", text))
    age = (summary.made_at - summary.night.as_of).days
    if age > LATE_DAYS:
        key = "attention.late_live" if summary.live else "attention.late_fixed"
        found.append(Attention("act" if summary.live else "know", say(key, age, day=say.day(summary.night.as_of))))
    known = summary.making.observed_until
    if (summary.night.as_of - known).days > OLD_DAYS:
        found.append(Attention("check", say("attention.old_model", day=say.day(known))))
    return found + _shift(summary, say)


def _shift(summary: Summary, say: Language) -> list[Attention]:
    """Whether the scored contacts look like those that the model learned from."""
    mean, base = summary.work.everyone.probability, summary.making.shipped.base_rate
    if mean is None or base == 0 or 1 / SHIFTED <= mean / base <= SHIFTED:
        return []
    return [Attention("check", say("attention.shifted", mean=say.percent(mean), base=say.percent(base)))]


def _audited(summary: Summary, say: Language) -> list[Attention]:
    """Broken bounds of the audit, and what could not be examined."""
    examined = summary.examined
    broken = () if examined.audit is None else examined.audit.broken
    found = [Attention("act", _sentence(text, say)) for text in broken]
    return found + [Attention("check", say("attention.not_examined", why=why)) for why in examined.why_not]


def _fed(summary: Summary, say: Language) -> list[Attention]:
    """Tables that are no longer fed while another one is."""
    times = [fresh.newest for fresh in summary.examined.fresh]
    stale = [f for f in summary.examined.fresh if (max(times) - f.newest).days > STALE_DAYS]
    return [
        Attention("check", say("attention.stale", table=f.table, day=say.day(f.newest), newest=say.day(max(times))))
        for f in stale
    ]


def _axes(summary: Summary, say: Language) -> list[Attention]:
    why = summary.making.why_null
    said = [say("attention.null_axis", axis=say(f"axis_word.{axis}"), why=translate(w, say)) for axis, w in why.items()]
    return [Attention("check", f"{text} {say('attention.by_tier')}" if text is said[-1] else text) for text in said]


def _training(summary: Summary, say: Language) -> list[Attention]:
    making, found = summary.making, []
    auc = summary.evidence.metric("roc_auc").values["model"].value
    if auc is not None and auc > TOO_GOOD:
        found.append(Attention("check", say("attention.too_good", auc=say.number(auc))))
    # Axes that are null are told with their reasons already.
    told = {f"the {axis} axis is null: {why}" for axis, why in making.why_null.items()}
    found += [Attention("check", _sentence(text, say)) for text in making.said if text and text not in told]
    found += [Attention("check", f"{translate(text, say)}.") for text in _merged(making.notes)]
    if making.immature:
        places = {"within": say.duration(making.horizon)}
        found.append(Attention("know", say("attention.immature", making.immature, **places)))
    if making.left_out:
        found.append(Attention("know", say("attention.left_out", len(making.left_out))))
    return found


def _people(summary: Summary, say: Language) -> list[Attention]:
    work, found = summary.work, []
    if work.overridden:
        found.append(Attention("know", say("attention.overridden", work.overridden)))
    busy, held = work.quadrants["pursue"].open_deals, work.to_work.held_out
    if busy:
        found.append(Attention("know", say("attention.open_deals", busy)))
    if held:
        found.append(Attention("know", say("attention.held_out", held)))
    return found


def _unanswered(summary: Summary, say: Language) -> list[Attention]:
    """Whether sales is late with most of those who entered pursue."""
    audit = summary.examined.audit
    found = None if audit is None else audit.touched
    if found is None or found.share is None or found.share[2] >= ANSWERED:
        return []
    share, low, high = found.share
    text = say("attention.late_touch", share=say.percent(share), interval=say.percent_range(low, high))
    return [Attention("act", text)]


def _sentence(text: str, say: Language) -> str:
    """A stored text as a sentence."""
    said = translate(text, say)
    return f"{said[:1].upper()}{said[1:]}" + ("" if said.endswith(".") else ".")


def _merged(notes: tuple[str, ...]) -> list[str]:
    """Notes that say the same of several columns, as one.

    >>> _merged(("contacts.a: has no history", "deals: 3 rows", "contacts.b: has no history"))
    ['contacts.a, contacts.b: has no history', 'deals: 3 rows']
    """
    places: dict[str, list[str]] = {}
    for note in notes:
        where, _, what = note.partition(": ")
        places.setdefault(what, []).append(where)
    return [": ".join(filter(None, (", ".join(where), what))) for what, where in places.items()]
