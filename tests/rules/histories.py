"""Random rule files that say something about the histories of :mod:`tests.features.histories`."""

from dataclasses import replace

from tests.features.histories import DETAILS, TYPES

TAGS = (None, "vip", "VIP; partner", "#partner,not vip", "a;b")
TEXTS = {
    "job_title": ("CTO", "cto", "intern", "chief"),
    "lifecycle_stage": ("lead", "Partner", "opted out", "opted"),
    "plan": ("free", "paid", "a"),
    "account_industry": ("software", "a", "soft"),
    "seats": ("2", "2.5", "12"),
    "invoiced": ("true", "FALSE"),
}
DAYS = (7, 14, 30, 90)


def tagged(rng, history):
    """The history with tags on its contacts."""
    return replace(history, contacts=[{**c, "tags": rng.choice(TAGS)} for c in history.contacts])


def rule_file(rng, sets=10):
    """A rule file as plain values, as YAML gives them; every set names its group."""
    made = [_set(rng, f"set {i}") for i in range(sets)]
    caps = {"fit": {"max": rng.randint(0, 30)}, "website": {"max": rng.randint(0, 20), "min": -rng.randint(0, 5)}}
    return {"sets": made, "groups": {**caps, "negative": {"min": -rng.randint(0, 40)}}}


def _set(rng, name):
    when = [condition(rng) for _ in range(rng.choice([1, 1, 2]))]
    made = {"name": name, "points": rng.randint(-30, 40), "group": rng.choice(["fit", "website", "negative", "other"])}
    if rng.randint(0, 1):
        when = [c for c in when if "activity" not in c] + [counting(rng)]
        if rng.randint(0, 1):
            made["repeat"] = {"every": rng.randint(1, 3), "up_to": rng.randint(1, 4)}
        if rng.randint(0, 2):
            made["decay"] = {rng.choice(["half_life", "to_zero"]): f"{rng.choice(DAYS)}d"}
    return {**made, "when": when}


def condition(rng, depth=0):
    kind = rng.choice(["activity", "activity", "attribute", "attribute", "tag", "no_tag", "any"][: 6 + (depth == 0)])
    if kind == "any":
        return {"any": [condition(rng, 1) for _ in range(2)]}
    if kind in ("tag", "no_tag"):
        return {kind: rng.choice(["vip", ["Partner", "b"], ["not vip"]])}
    return _on_attribute(rng) if kind == "attribute" else rng.choice([counting, _absent, _summed])(rng)


def counting(rng):
    """A condition that holds because of activities that happened."""
    ends = rng.choice([{}, {"at_least": 1}, {"at_least": 2}, {"between": [1, 3]}, {"at_least": 1, "at_most": 2}])
    return {**_what(rng), **ends, **rng.choice([{}, *({"within": f"{d}d"} for d in DAYS)])}


def _absent(rng):
    ends = rng.choice([{"not_within": f"{d}d"} for d in DAYS] + [{"at_most": 1}, {"at_most": 0, "within": "30d"}])
    return {**_what(rng), **ends}


def _summed(rng):
    ends = rng.choice([{"value_at_least": 1.5}, {"value_at_most": 3}, {"value_at_least": -1, "value_at_most": 4.5}])
    return {**_what(rng), **ends, "within": f"{rng.choice(DAYS)}d"}


def _what(rng):
    detail = rng.choice([d for d in DETAILS if d is not None])
    which = rng.choice([{}, {}, {"detail": [detail, "pricing"]}, {"detail": detail}, {"contains": "ricing"}])
    return {"activity": rng.choice(["any", *TYPES, ["page_view", "form"]]), **which}


def _on_attribute(rng):
    if not rng.randint(0, 3):
        ends = rng.choice([{"at_least": 2}, {"at_most": 2.5}, {"between": [0, 9]}, {"known": True}, {"unknown": True}])
        return {"attribute": rng.choice(["seats", "account_employees"]), **ends}
    name = rng.choice(list(TEXTS))
    one, two = rng.choice(TEXTS[name]), rng.choice(TEXTS[name])
    said = [
        {"equals": one}, {"is_not": one}, {"one_of": [one, two]}, {"none_of": [one, two]}, {"contains": [one, two]},
        {"matches": f"^{one[:2]}"}, {"known": False}, {"unknown": False}, {"contains": one, "is_not": two},
    ]  # fmt: skip
    return {"attribute": name, **rng.choice(said)}
