"""Two CRMs to train on, as a pytest plugin: a module that needs them says ``pytest_plugins = ["tests.trained"]``."""

import contextlib
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.cli import main
from predictive.config_file import load_config
from predictive.sources import read_tables
from predictive.store import open_store

TINY = """
source:
  kind: files
  path: .
  tables:
    contacts: {file: contacts.csv}
    activities: {file: activities.csv}
    deals: {file: deals.csv}
horizon: 30d
snapshots: {at: age, days: [14]}
score: {as_of: latest}
tracking: {uri: "sqlite:///mlflow.db", experiment: tiny}
sink: {kind: duckdb, path: scores.duckdb}
"""


@dataclass(frozen=True)
class Ran:
    """A command's exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass(frozen=True)
class Demo:
    """A small demo CRM, trained and scored once by the command line. Copy `database` to write to it."""

    config: Path
    training: Ran
    scoring: Ran
    littered: list[str]

    @property
    def database(self):
        return self.config.with_name("crm.duckdb")

    @property
    def truth(self):
        return pd.read_parquet(self.config.with_name("truth.parquet"))

    @property
    def bundle(self):
        return Path(self.training.json["bundle"])


def run_command(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(a) for a in arguments])
    return Ran(code, out.getvalue(), err.getvalue())


def write_tiny(folder, *, contacts=800, rate=1.0, **settings):
    random = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    ids = np.array([f"T{i:04}" for i in range(contacts)])
    created = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.sort(random.uniform(0, 400, contacts)), unit="D")
    sector = random.choice(["software", "retail", ""], contacts, p=[0.4, 0.4, 0.2])
    size = np.where(random.random(contacts) < 0.3, np.nan, random.lognormal(4, 1, contacts).round())
    visits = random.poisson(3, contacts)
    odds = np.exp(-2.5 + 2.0 * (sector == "software") + 0.7 * (visits - 3))
    won = random.random(contacts) < rate * odds / (1 + odds)
    deals = {"deal_id": ids, "contact_id": ids, "closed_at": created + days(random.uniform(15, 43, contacts))}
    who = np.repeat(np.arange(contacts), visits + 1)
    opened = np.r_[True, who[1:] != who[:-1]]
    at = created[who] + days(np.where(opened, random.uniform(0, 40, len(who)), random.uniform(0, 13, len(who))))
    activities = {"contact_id": ids[who], "occurred_at": at, "type": np.where(opened, "email_open", "page_view")}
    contact = {"contact_id": ids, "created_at": created, "sector": sector, "size": size}
    pd.DataFrame(contact).to_csv(folder / "contacts.csv", index=False)
    pd.DataFrame(activities).to_csv(folder / "activities.csv", index=False)
    pd.DataFrame(deals).assign(is_won=True)[won].to_csv(folder / "deals.csv", index=False)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(yaml.safe_load(TINY) | settings), encoding="utf-8")
    return folder / "tiny.yaml"


def days(number):
    return pd.to_timedelta(number, unit="D")


@pytest.fixture(scope="session")
def run():
    """Runs a command in this process, and returns its exit code and outputs."""
    return run_command


@pytest.fixture(scope="session")
def tiny():
    """Writes a CRM that is learned in seconds into a folder, as CSV files, and returns its configuration's path.

    Each contact is looked at 14 days after it was created; software firms and frequent visitors close more often.
    `rate` scales the chance of closing; further settings replace parts of the configuration.
    """
    return write_tiny


@pytest.fixture(scope="session")
def trained_tiny(tmp_path_factory):
    """A tiny CRM, trained once: the path of its configuration, and what `train --json` said. Copy it to change it."""
    config = write_tiny(tmp_path_factory.mktemp("tiny"))
    training = run_command("train", config, "--json")
    assert training.code == 0, training.err
    return config, training


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """`predictive demo`, `train` and `score`, from an empty working folder; `littered` is what they left in it."""
    folder, elsewhere = tmp_path_factory.mktemp("crm"), tmp_path_factory.mktemp("elsewhere")
    with contextlib.chdir(elsewhere):
        assert run_command("demo", "--contacts", 1_500, "--seed", 3, "--out", folder).code == 0
        training = run_command("train", folder / "demo.yaml", "--json")
        scoring = run_command("score", folder / "demo.yaml", "--json")
    assert (training.code, scoring.code) == (0, 0), training.err + scoring.err
    return Demo(folder / "demo.yaml", training, scoring, sorted(f.name for f in elsewhere.iterdir()))


@pytest.fixture(scope="session")
def opened():
    """Opens a configuration: a context with the configuration, the working database, its tables and the time now."""

    @contextlib.contextmanager
    def open_config(path):
        config, now = load_config(path), time.time_ns() // 1_000
        with open_store() as con:
            yield config, con, read_tables(config, con, now=now), now

    return open_config
