"""Two CRMs to train on, as a pytest plugin: a module that needs one says `pytest_plugins = ["tests.trained"]`."""

import contextlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.cli import main
from predictive.config_file import load_config
from predictive.demo import AS_OF, generate

CONTACTS, SEED = 1_500, 3
TINY_YAML = """
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
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON object on standard output."""
        return json.loads(self.out)


def run(*arguments):
    """Run a command in this process, with both outputs caught."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(a) for a in arguments])
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class TrainedDemo:
    """A small demo CRM, trained and scored once; nobody may change it: copy `database` to write to it."""

    folder: Path
    training: Ran
    scoring: Ran
    littered: list[str]

    @property
    def yaml(self):
        return self.folder / "demo.yaml"

    @property
    def config(self):
        return load_config(self.yaml)

    @property
    def database(self):
        return self.folder / "crm.duckdb"

    @property
    def bundle(self):
        return Path(self.training.json["bundle"])


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """`predictive demo`, `train` and `score` in an empty working folder, which `littered` lists afterwards."""
    folder, elsewhere = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("elsewhere")
    assert run("demo", "--contacts", CONTACTS, "--seed", SEED, "--out", folder).code == 0
    here = Path.cwd()
    os.chdir(elsewhere)
    try:
        training = run("train", folder / "demo.yaml", "--json")
        scoring = run("score", folder / "demo.yaml", "--json")
    finally:
        os.chdir(here)
    assert (training.code, scoring.code) == (0, 0), training.err + scoring.err
    return TrainedDemo(folder, training, scoring, sorted(p.name for p in elsewhere.iterdir()))


def write_tiny(folder, *, contacts=800, seed=1, rate=1.0, **settings):
    """A CRM of two activity types that is learned in seconds, in CSV files; returns the path of its configuration.

    Each contact is looked at 14 days after it was created; software firms and frequent visitors close more often.
    `rate` scales the chance of closing; `settings` replace parts of the configuration.
    """
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    ids = np.array([f"T{i:04}" for i in range(contacts)])
    created = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.sort(random.uniform(0, 400, contacts)), unit="D")
    sector = random.choice(["software", "retail", ""], contacts, p=[0.4, 0.4, 0.2])
    size = np.where(random.random(contacts) < 0.3, np.nan, random.lognormal(4, 1, contacts).round())
    visits = random.poisson(3, contacts)
    odds = np.exp(-2.5 + 2.0 * (sector == "software") + 0.7 * (visits - 3))
    won = random.random(contacts) < rate * odds / (1 + odds)
    closed = created + pd.to_timedelta(random.uniform(15, 43, contacts), unit="D")
    who = np.repeat(np.arange(contacts), visits + 1)
    when = created[who] + pd.to_timedelta(random.uniform(0, 40, len(who)), unit="D")
    early = created[who] + pd.to_timedelta(random.uniform(0, 13, len(who)), unit="D")
    visit = np.arange(len(who)) - np.searchsorted(who, who) > 0
    activities = pd.DataFrame(
        {
            "contact_id": ids[who],
            "occurred_at": np.where(visit, early, when),
            "type": np.where(visit, "page_view", "email_open"),
        }
    )
    pd.DataFrame({"contact_id": ids, "created_at": created, "sector": sector, "size": size}).to_csv(
        folder / "contacts.csv", index=False
    )
    activities.to_csv(folder / "activities.csv", index=False)
    deals = pd.DataFrame({"deal_id": [f"D{i}" for i in ids], "contact_id": ids, "closed_at": closed, "is_won": "true"})
    deals[won].to_csv(folder / "deals.csv", index=False)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(yaml.safe_load(TINY_YAML) | settings), encoding="utf-8")
    return folder / "tiny.yaml"


__all__ = ["AS_OF", "CONTACTS", "SEED", "Ran", "TrainedDemo", "generate", "run", "trained", "write_tiny"]
