"""What a rule file says that cannot be, found without looking at any contact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from predictive.rules.compiling import text_test, written
from predictive.rules.conditions import Condition
from predictive.rules.language import Rules, RuleSet, Stages
from predictive.rules.words import in_words


def cannot_hold(conditions: Sequence[Condition]) -> str | None:
    """Why no contact can fulfil all of these conditions, as far as that is sure; None where one may.

    >>> low = Condition(attribute="account_employees", at_most=10)
    >>> cannot_hold([low, Condition(attribute="account_employees", at_least=50)])
    'account employees is at most 10, and account employees is at least 50'
    """
    alone = [c for c in conditions if _impossible(c)]
    if alone:
        return f"{in_words(alone[0])}, which cannot be"
    for one, other in combinations(conditions, 2):
        if _clash(one, other) or _clash(other, one):
            return f"{in_words(one)}, and {in_words(other)}"
    return None


def reach(rules: Rules) -> tuple[int, int]:
    """The most and the least points that all sets and caps together allow."""
    most = least = 0
    for group in dict.fromkeys(rule.in_group for rule in rules.sets):
        mine = [rule.most for rule in rules.sets if rule.in_group == group]
        high, low = sum(p for p in mine if p > 0), sum(p for p in mine if p < 0)
        cap = rules.groups.get(group)
        most += high if cap is None or cap.max is None else min(high, cap.max)
        least += low if cap is None or cap.min is None else max(low, cap.min)
    return most, least


def out_of_reach(rules: Rules) -> Iterator[str]:
    """The stages whose threshold is above all the points that there are."""
    most, _ = reach(rules)
    for name in Stages.model_fields:
        threshold = getattr(rules.stages, name)
        if threshold > most:
            yield f"{name} begins at {threshold} points, and all sets together, with the caps of groups, give {most}"


def twins(sets: Sequence[RuleSet]) -> Iterator[tuple[RuleSet, RuleSet]]:
    """Pairs of sets with the same conditions."""
    for one, other in combinations(sets, 2):
        if sorted(map(repr, one.when)) == sorted(map(repr, other.when)):
            yield one, other


def _impossible(c: Condition) -> bool:
    """Whether one condition contradicts itself."""
    if c.any is not None:
        return all(_impossible(inner) for inner in c.any)
    missing = c.unknown or c.known is False
    if missing and (c.known or c.unknown is False or set(c.operators) - {"known", "unknown"}):
        return True
    if c.one_of == [] or c.contains == []:
        return True
    named = _named(c)
    test = text_test(c)
    return named is not None and test is not None and not any(test(v) for v in named)


def _clash(one: Condition, other: Condition) -> bool:
    """Whether the second condition can never hold where the first does."""
    if other.any is not None:
        return all(_clash(one, inner) or _clash(inner, one) for inner in other.any)
    if one.activity is not None and other.activity is not None:
        return _counts_clash(one, other)
    if one.tag is not None and other.no_tag is not None:
        return {t.casefold() for t in one.tag} <= {t.casefold() for t in other.no_tag}
    if one.attribute is None or one.attribute != other.attribute:
        return False
    missing = one.unknown or one.known is False
    if missing:
        return not (other.unknown or other.known is False)
    low, high = other.range
    lowest, highest = one.range
    if (lowest is not None and high is not None and lowest > high) or (
        highest is not None and low is not None and highest < low
    ):
        return True
    named, test = _named(one), text_test(other)
    return named is not None and test is not None and not any(test(v) for v in named)


def _named(c: Condition) -> list[str] | None:
    """The only values that a condition allows; None where it allows any number of them."""
    allowed = [texts for texts in (None if c.equals is None else [c.equals], c.one_of) if texts is not None]
    return [written(v) for v in allowed[0]] if allowed else None


def _counts_clash(one: Condition, other: Condition) -> bool:
    """At least so often in a window, but at most fewer times in one that is as long or longer, of the same or more."""
    low, high = one.times[0], other.times[1]
    if high is None or low <= high:
        return False
    longer = other.days is None or (one.days is not None and one.days <= other.days)
    wider = not other.types or (bool(one.types) and set(one.types) <= set(other.types))
    details = other.detail is None or (one.detail is not None and set(one.detail) <= set(other.detail))
    texts = other.contains is None or other.contains == one.contains
    return longer and wider and details and texts
