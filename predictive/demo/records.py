"""The frames of the demo's tables: ids, names, addresses, today's attribute values, and what sales fills in late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from predictive.demo import catalog as c
from predictive.demo.facts import first_wins
from predictive.demo.simulate import History
from predictive.demo.world import Bools, Ints, World

GIVEN = ("Ash", "Basil", "Clover", "Fern", "Hazel", "Heath", "Iris", "Juniper", "Linden", "Rowan", "Sage", "Yarrow")
FAMILY = ("Alder", "Beech", "Birch", "Cedar", "Elder", "Elm", "Holly", "Larch", "Maple", "Oak", "Poplar", "Willow")
FIRST = (
    "Amber",
    "Blue",
    "Bright",
    "Copper",
    "Crystal",
    "Delta",
    "Golden",
    "Granite",
    "Iron",
    "Jade",
    "Lunar",
    "Silver",
)
SECOND = ("bridge", "brook", "field", "gate", "harbour", "hill", "line", "mark", "point", "stone", "wave", "works")
LEGAL = ("Ltd", "Inc", "GmbH", "SA", "BV", "LLC")
PERSONAL = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de", "icloud.com", "proton.me")
AGE_GROUPS = ("18-29", "30-44", "45-59", "60+")
CONTRACTS = ("annual", "monthly", "three years")
TEAMS = ("onboarding north", "onboarding south", "onboarding online")
NOTHING = np.array([None], dtype=object)
CONTACT_TRACKED = ("job_title", "country", "source", "lifecycle_stage", "marketing_status", "tags", "budget_confirmed")


@dataclass(frozen=True)
class Ids:
    """The ids of contacts and accounts by position, and the contacts' `account` ids (None without one)."""

    contact: np.ndarray
    account: np.ndarray
    of_contact: np.ndarray

    @classmethod
    def of(cls, world: World) -> Ids:
        """Ids numbered in order of position."""
        contact, account = numbered("C", len(world.created)), numbered("A", len(world.founded))
        return cls(contact, account, np.append(account, NOTHING)[world.account])


def numbered(prefix: str, size: int) -> np.ndarray:
    """Ids such as C0000001, as an array of objects.

    >>> list(numbered("D", 2))
    ['D0000001', 'D0000002']
    """
    return np.array([f"{prefix}{number:07d}" for number in range(1, size + 1)], dtype=object)


def contact_frame(
    world: World, history: History, ids: Ids, facts: pd.DataFrame, closed: Ints, rng: Generator
) -> pd.DataFrame:
    """The contacts table: today's value of each tracked attribute (from `facts`), and the untracked ones.

    `contract_type` and `onboarding_owner` are filled in by sales after a win, without history: they leak the label.
    `age_group` is sensitive, and acts on nothing.
    """
    size = len(world.created)
    words = (np.array(GIVEN)[rng.integers(0, len(GIVEN), size)], np.array(FAMILY)[rng.integers(0, len(FAMILY), size)])
    won = first_wins(history, closed, size) >= 0
    age = np.clip(rng.normal(world.level * 0.45 + 0.4, 0.9, size).round().astype(int), 0, len(AGE_GROUPS) - 1)
    frame = pd.DataFrame(
        {
            "contact_id": ids.contact,
            "created_at": stamps(world.created),
            "account_id": ids.of_contact,
            "email": _emails(world, ids, words, rng),
            "name": [f"{given} {family}" for given, family in zip(*words, strict=True)],
            "signup_channel": np.array(c.CHANNELS, dtype=object)[world.channel],
            "age_group": _some(AGE_GROUPS, age, rng.random(size) < 0.7),
            "contract_type": _some(CONTRACTS, rng.integers(0, 3, size), won & (rng.random(size) < 0.85)),
            "onboarding_owner": _some(TEAMS, rng.integers(0, 3, size), won & (rng.random(size) < 0.75)),
        }
    )
    today = _today(facts, "contact", size)
    return frame.assign(**{name: today[name] for name in CONTACT_TRACKED})


def account_frame(world: World, ids: Ids, facts: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """The accounts table; `revenue` is untracked, and follows the true head count loosely."""
    size = len(world.founded)
    today = _today(facts, "account", size)
    revenue = world.employees * np.exp(rng.normal(np.log(120_000), 0.6, size))
    return pd.DataFrame(
        {
            "account_id": ids.account,
            "created_at": stamps(world.founded),
            "company_name": _companies(world, rng),
            "industry": today["industry"],
            "employees": pd.to_numeric(today["employees"]).astype("Int64"),
            "revenue": np.where(rng.random(size) < 0.7, revenue.round(-3), np.nan),
        }
    )


def deal_frame(world: World, history: History, ids: Ids, created: Ints, closed: Ints, rng: Generator) -> pd.DataFrame:
    """The deals table, in order of creation; amounts grow with the account's size, and some are missing."""
    who = history.deal_contact
    employees = np.append(world.employees, 10)[world.account[who]]
    amount = np.exp(rng.normal(7.2 + 0.4 * np.log(employees), 0.5)).round(-1)
    frame = pd.DataFrame(
        {
            "contact_id": ids.contact[who],
            "account_id": ids.of_contact[who],
            "created_at": stamps(created),
            "closed_at": stamps(closed),
            "is_won": pd.array(history.deal_won, dtype="boolean"),
            "amount": np.where(rng.random(len(who)) < 0.92, amount, np.nan),
        }
    )
    frame["is_won"] = frame["is_won"].where(closed >= 0)
    frame = frame.sort_values(["created_at", "contact_id"], kind="stable", ignore_index=True)
    frame.insert(0, "deal_id", numbered("D", len(frame)))
    return frame


def change_frame(facts: pd.DataFrame, ids: Ids) -> pd.DataFrame:
    """The changes table, in order of time."""
    at_contact = (facts["object"] == "contact").to_numpy()
    row = facts["row"].to_numpy()
    name = np.empty(len(facts), dtype=object)
    name[at_contact], name[~at_contact] = ids.contact[row[at_contact]], ids.account[row[~at_contact]]
    frame = facts[["object", "attribute", "value", "old_value"]].assign(object_id=name, changed_at=stamps(facts["at"]))
    ordered = frame[["object", "object_id", "attribute", "value", "old_value", "changed_at"]]
    return ordered.sort_values(["changed_at", "object", "object_id", "attribute"], kind="stable", ignore_index=True)


def stamps(micros: pd.Series[int] | Ints) -> pd.Series[pd.Timestamp]:
    """Times of microseconds since the epoch, naive in UTC as the tables keep them; negative ones are missing."""
    values = np.asarray(micros, dtype=np.int64)
    return pd.Series(np.where(values < 0, np.iinfo(np.int64).min, values).view("M8[us]"))


def _today(facts: pd.DataFrame, of: str, size: int) -> pd.DataFrame:
    """The latest value of each attribute by position; missing where there is none."""
    latest = facts[facts["object"] == of].drop_duplicates(["row", "attribute"], keep="last")
    return latest.pivot(index="row", columns="attribute", values="value").reindex(
        index=range(size), columns=CONTACT_TRACKED if of == "contact" else ("industry", "employees")
    )


def _some(values: tuple[str, ...], code: Ints, filled: Bools) -> np.ndarray:
    found: np.ndarray = np.where(filled, np.array(values, dtype=object)[code], NOTHING)
    return found


def _companies(world: World, rng: Generator) -> list[str]:
    size = len(world.founded)
    parts = (np.array(words)[rng.integers(0, len(words), size)] for words in (FIRST, SECOND, LEGAL))
    return [f"{first}{second} {legal}" for first, second, legal in zip(*parts, strict=True)]


def _emails(world: World, ids: Ids, words: tuple[np.ndarray, np.ndarray], rng: Generator) -> list[str | None]:
    """Addresses: personal for most without an account and some with one, a reserved example domain for the rest."""
    size = len(world.created)
    personal = rng.random(size) < np.where(world.account < 0, 0.85, 0.07)
    personal_domain = np.array(PERSONAL, dtype=object)[rng.integers(0, len(PERSONAL), size)]
    company = np.append(np.array([f"{account.lower()}.example" for account in ids.account], dtype=object), NOTHING)
    domain = np.where(world.account < 0, "mail.example", company[world.account])
    domain = np.where(personal, personal_domain, domain)
    missing = rng.random(size) < 0.03
    return [
        None if gone else f"{given}.{family}.{contact}@{at}".lower()
        for given, family, contact, at, gone in zip(*words, ids.contact, domain, missing, strict=True)
    ]
