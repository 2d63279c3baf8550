"""On the demo and on real sets the leaks are found, and the honest columns are not suspected."""

import time
from dataclasses import dataclass
from datetime import date

import pytest

from predictive.clock import instant
from predictive.config import Config
from predictive.features.examples import examples
from predictive.leakage import audit, examine
from predictive.leakage.training import choose_honest
from predictive.splits import decide, observed_until
from predictive.tables import Tables
from tests.leakage.leaky import LEAKS, leaky

pytest_plugins = ["tests.trained"]
FINDING = {"high", "medium"}
START = instant(date(2025, 1, 1), "UTC")  # of the demo
REAL = ("bank", "olist", "oulad")


@pytest.fixture(scope="module")
def crm(run, tmp_path_factory):
    """A demo CRM with few closes."""
    folder = tmp_path_factory.mktemp("crm")
    assert run("demo", "--contacts", 2_000, "--seed", 1, "--out", folder).code == 0
    return folder / "crm.duckdb"


@dataclass(frozen=True)
class Case:
    """A set with its leaks left in, read."""

    name: str
    config: Config
    tables: Tables
    now: int

    @property
    def leaks(self):
        return LEAKS[self.name]


@pytest.fixture(scope="module", params=[*REAL, "demo"])
def case(request, opened, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "demo":
            path = leaky("demo", folder, source=request.getfixturevalue("crm"))
        else:
            patch.setenv("DATA_DIR", str(request.getfixturevalue("data_dir")))
            path = leaky(request.param, folder)
        with opened(path) as (config, _, tables, now):
            yield Case(request.param, config, tables, now)


def test_the_leaks_of_a_set_are_found_and_its_honest_columns_are_not_suspected(case):
    found = examine(case.tables, case.config, now=case.now)
    assert {s.column for s in found.suspects if s.confidence == "high"} == case.leaks
    assert {s.column for s in found.suspects if s.confidence in FINDING} == case.leaks
    assert all(column in str(found.line) for column in case.leaks)


def test_a_set_without_its_leaks_has_no_suspects(case):
    honest = case.config.features.model_copy(update={"exclude": sorted(case.leaks)})
    found = audit(case.tables, case.config.model_copy(update={"features": honest}), now=case.now)
    assert not [s for s in found if s.confidence in FINDING]


def test_at_the_split_the_leaks_are_found_too_and_training_leaves_them_out(case):
    observed = observed_until(case.tables, case.config, case.now)
    split = case.config.split
    first = case.config.micros(split.train_from) if split is not None else START
    outline = examples(case.tables, case.config, (), first=first, last=observed).frame
    day = decide(outline, case.config, observed).test_from
    choice, notes = choose_honest(case.tables, case.config, outline, until=day)
    betrayed = {key for key, why in choice.left_out.items() if why.startswith("betrays the outcome (")}
    assert betrayed == case.leaks
    assert not case.leaks & {f.attribute for f in choice.features}
    assert notes == ()


def test_no_name_of_a_column_decides(data_dir, tmp_path, monkeypatch, opened):
    """The bank's columns under names that mean nothing: the same verdicts."""
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    path = leaky("bank", tmp_path)
    with opened(path) as (config, _, tables, now):
        kinds = tables.attributes["contacts"]
        blind = {name: f"x{i}" for i, name in enumerate(sorted(kinds, reverse=True))}
        renamed = type(tables)(
            **{n: getattr(tables, n) for n in ("accounts", "activities", "deals", "changes", "overrides")},
            contacts=tables.contacts.rename(blind),
            attributes={**tables.attributes, "contacts": {blind[n]: kind for n, kind in kinds.items()}},
        )
        sensitive = config.features.model_copy(update={"sensitive": [blind[n] for n in config.features.sensitive]})
        started = time.perf_counter()
        found = audit(renamed, config.model_copy(update={"features": sensitive}), now=now)
    assert [(s.column, s.confidence) for s in found] == [(blind["duration"], "high")]
    assert time.perf_counter() - started < 30
