"""Small worlds for close rates: histories in which it is known what goes with closing."""

import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.config import Config
from predictive.features import behaviour, catalog
from tests.features.histories import History, changed, contact, did, won

CUT = 400 * DAY
HORIZON = 90 * DAY
OBSERVED = CUT + HORIZON + DAY


def config(**changes):
    source = {"kind": "duckdb", "path": "unused", "tables": {n: {"table": n} for n in ("contacts", "deals")}}
    return Config.model_validate({"source": source, "observed_until": "1971-05-07", **changes})


def world(seed, *, contacts=400, told=True, rate=0.12):
    """Contacts of the source "fair", and those with a demo, close more often, if `told`; else nobody can tell.

    Demos take place within 60 days before the cut, page views at any time. Some close before the cut, with a demo.
    """
    random = np.random.default_rng(seed)
    people, activities, deals = [], [], []
    for number in range(contacts):
        name, born = f"c{number:04}", int(random.integers(0, 390 * DAY))
        source = "fair" if random.random() < 0.3 else "web"
        demo = random.random() < 0.25
        people.append(contact(name, born, source=source, plan="basic" if number % 2 else "gold"))
        if demo:
            activities.append(did(name, CUT - int(random.integers(1, 60 * DAY)), "demo"))
        viewed = random.integers(born, OBSERVED, random.poisson(3))
        activities.extend(did(name, int(at), "page_view") for at in viewed)
        odds = rate / (1 - rate) * (np.exp(1.6 * demo + 1.0 * (source == "fair") - 0.6) if told else 1.0)
        if random.random() < odds / (1 + odds):
            closed = CUT + 1 + int(random.integers(0, HORIZON))
            deals.append(won(f"d{number}", closed, contact_id=name))
            activities.append(did(name, closed + 1, "onboarding"))
            activities.append(did(name, closed + 1, "demo"))
    people.append(contact("early", 0, source="fair"))
    activities.append(did("early", CUT - DAY, "demo"))
    deals.append(won("d early", CUT - DAY + 1, contact_id="early"))
    return History(contacts=people, activities=activities, deals=deals)


def later(history, seed):
    """The same history with much that happened after the cut to those who closed."""
    random = np.random.default_rng(seed)
    rows = {"activities": [], "changes": []}
    for deal in history.deals:
        if deal["closed_at"] > CUT:
            name, at = deal["contact_id"], int(random.integers(CUT + 1, OBSERVED))
            rows["activities"] += [did(name, at, kind) for kind in random.choice(["demo", "page_view", "fair"], 3)]
            rows["activities"].append(did(name, CUT - DAY, "page_view", recorded=CUT + 1))
            rows["changes"].append(changed(name, "seats", "9", at))
    return history.plus(**rows)


def frame(seed, *, rows=6_000, rate=0.05, effect=None, horizon=HORIZON):
    """Examples as the search sees them, at five as-ofs a horizon apart, and the features that they have.

    `effect` takes the values by name and gives the log-odds that they add (None: nothing matters).
    """
    random = np.random.default_rng(seed)
    counts = [
        behaviour.count(("download",), 90), behaviour.count(("visit",), 30), behaviour.count(("visit",), 90),
        behaviour.count(("unsubscribe",), 365), behaviour.count(("form",), 90, detail="demo"),
        behaviour.count(("visit",), 90, detail="/careers"),
    ]  # fmt: skip
    attributes = [catalog.attribute("source"), catalog.attribute("employees", of="accounts", kind="number")]
    means = (3.0, 2.0, 6.0, 0.2, 0.2, 0.3)
    values = {f.name: random.negative_binomial(1, 1 / (1 + m), rows) for f, m in zip(counts, means, strict=True)}
    values["source"] = random.choice(["fair", "web", "mail"], rows)
    values["account_employees"] = np.where(random.random(rows) < 0.2, np.nan, random.lognormal(4, 1.5, rows).round())
    as_of = np.sort(random.integers(1, 6, rows)) * horizon
    z = np.log(rate / (1 - rate)) + (np.zeros(rows) if effect is None else effect(values))
    label = (random.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64)
    ids = np.array([f"c{i}" for i in range(rows)], dtype=object)
    lead = {
        "contact_id": ids, "as_of": as_of, "label": label, "cluster": ids, "deal_id": np.where(label == 1, ids, None),
        "record_age_days": random.uniform(0, 900, rows), "followed": horizon, "offset": 0.0,
    }  # fmt: skip
    return pd.DataFrame(lead | values), counts, attributes
