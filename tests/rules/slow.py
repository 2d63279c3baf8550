"""The manual score as its documentation says it, in plain Python over plain rows: slow, obvious, and nobody's copy."""

import re
from fractions import Fraction
from math import floor

from predictive.clock import DAY
from tests.features.reference import fixed

WORD = "0123456789abcdefghijklmnopqrstuvwxyz_äöüßéñç"


def in_window(view, condition):
    """The activities that a condition is about: of these types and details, in its window."""
    window = condition.get("within") or condition.get("not_within")
    found = []
    for row in view.activities:
        types, detail = condition["activity"], row["detail"]
        types = [types] if isinstance(types, str) else types
        if types != ["any"] and row["type"] not in types:
            continue
        if "detail" in condition and detail not in _list(condition["detail"]):
            continue
        if "contains" in condition and (detail is None or condition["contains"] not in detail):
            continue
        if window is not None and view.as_of - row["t"] >= int(window[:-1]) * DAY:
            continue
        found.append(row)
    return found


def holds(view, c):
    if "any" in c:
        return any(holds(view, inner) for inner in c["any"])
    if "tag" in c or "no_tag" in c:
        has = {t.strip().lstrip("#").casefold() for t in re.split("[;,]", view.contact.get("tags") or "")}
        wanted = {t.casefold() for t in _list(c.get("tag") or c["no_tag"])}
        return bool(has & wanted) == ("tag" in c)
    if "activity" in c:
        return _activity(view, c)
    return _attribute(view.contact[c["attribute"]], c)


def worth(view, rule):
    """(times, points) of one set, the points as a fraction rounded to the fixed point."""
    if not all(holds(view, c) for c in rule["when"]):
        return 0, Fraction(0)
    times, points = 1, Fraction(rule["points"])
    (counted,) = [c for c in rule["when"] if _counts(c)][:1] or [None]
    if "repeat" in rule:
        times = min(rule["repeat"]["up_to"], len(in_window(view, counted)) // rule["repeat"].get("every", 1))
    if "decay" in rule:
        age = min(view.as_of - row["t"] for row in in_window(view, {**counted, "within": "99999d"}))
        ((kind, length),) = rule["decay"].items()
        length = int(length[:-1]) * DAY
        kept = 2.0 ** (-age / length) if kind == "half_life" else max(0.0, (length - age) / length)
        times = 0 if kept == 0 else times
        points = Fraction(floor(times * rule["points"] * 2**20 * kept + 0.5), 2**20)
        return times, points
    return times, points * times


def score(view, rules):
    """The total, the score, rule fit, rule interest, and the names of the sets that fire."""
    fired, groups = [], {}
    for rule in rules["sets"]:
        times, points = worth(view, rule)
        if times:
            fired.append(rule["name"])
        explicit = all(_explicit(c) for c in rule["when"])
        group = rule["group"]
        groups.setdefault(group, [Fraction(0), Fraction(0)])[0 if explicit else 1] += points
    fit = interest = Fraction(0)
    for name, (stated, did) in groups.items():
        cap = rules.get("groups", {}).get(name, {})
        inside = [max(cap.get("min", -(10**9)), min(cap.get("max", 10**9), x)) for x in (stated, stated + did)]
        fit, interest = fit + inside[0], interest + inside[1] - inside[0]
    total = fit + interest
    return {
        "total": float(total), "score": max(0, min(100, half_up(total))), "fit": half_up(fit),
        "interest": half_up(interest), "fired": fired,
    }  # fmt: skip


def half_up(x):
    return floor(x + Fraction(1, 2))


def _counts(c):
    if "activity" not in c or "not_within" in c:
        return False
    value = c.get("value_at_least") or 0
    low = c["between"][0] if "between" in c else c.get("at_least")
    if low is None:
        low = 0 if "at_most" in c or "value_at_least" in c or "value_at_most" in c else 1
    return low >= 1 or value > 0


def _explicit(c):
    if "any" in c:
        return all(map(_explicit, c["any"]))
    return "activity" not in c


def _activity(view, c):
    rows = in_window(view, c)
    if "not_within" in c:
        return not rows
    summed = sum(v for row in rows for v in [fixed(row["value"])] if v is not None)
    if summed < c.get("value_at_least", -1e18) * 10_000 or summed > c.get("value_at_most", 1e18) * 10_000:
        return False
    ends = c.get("between", (c.get("at_least"), c.get("at_most")))
    if ends == (None, None):
        return bool(rows) or "value_at_least" in c or "value_at_most" in c
    return (ends[0] or 0) <= len(rows) <= (1e18 if ends[1] is None else ends[1])


def _attribute(value, c):
    if value is None:
        return set(c) <= {"attribute", "known", "unknown"} and c.get("unknown") is not False and not c.get("known")
    said = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    text = said.casefold()
    checks = {
        "known": lambda w: w, "unknown": lambda w: not w,
        "equals": lambda w: text == w.casefold(), "is_not": lambda w: text != w.casefold(),
        "one_of": lambda w: text in [x.casefold() for x in w],
        "none_of": lambda w: text not in [x.casefold() for x in w],
        "contains": lambda w: any(has_word(text, x.casefold()) for x in _list(w)),
        "matches": lambda w: re.search(w, said, re.IGNORECASE) is not None,
        "between": lambda w: w[0] <= value <= w[1],
        "at_least": lambda w: value >= w, "at_most": lambda w: value <= w,
    }  # fmt: skip
    return all(checks[name](wanted) for name, wanted in c.items() if name != "attribute")


def has_word(text, word):
    """Whether a word or phrase stands in a text between other signs."""
    for start in range(len(text) - len(word) + 1):
        end = start + len(word)
        around = text[start - 1 : start] + text[end : end + 1]
        if text[start:end] == word and not any(sign in WORD for sign in around):
            return True
    return False


def _list(value):
    return value if isinstance(value, list) else [value]
