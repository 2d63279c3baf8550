import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from predictive import serve
from predictive.audit.inputs import known_until
from predictive.audit.outcome import BANDS, band_name
from predictive.clock import DAY
from predictive.model.bundle import load_bundle
from predictive.sinks import open_sink

pytest_plugins = ["tests.trained"]

TRAINED = "2025-09-01"
NIGHTS = pd.date_range("2025-09-05", "2026-01-25", freq="15D", tz="UTC")


@pytest.fixture(scope="module")
def scored(tiny, run, opened, tmp_path_factory):
    """A CRM whose model was trained in September, and which was scored at the time every fifteen nights since."""
    config = tiny(tmp_path_factory.mktemp("audit") / "crm", snapshots={"every": "week"}, observed_until=TRAINED)
    assert run("train", config, "--json").code == 0
    settings = yaml.safe_load(config.read_text())
    del settings["observed_until"]
    config.write_text(yaml.safe_dump(settings))
    with opened(config) as (settings, con, tables, _):
        (bundle,) = (p for p in settings.models.iterdir() if p.is_dir())
        model, sink = load_bundle(bundle), open_sink(settings.sink)
        for night in NIGHTS:
            at = night.value // 1_000
            serve.score(con, tables, settings, model, sink, now=at + DAY // 8, as_of=at, force=True)
    return config


@pytest.fixture
def crm(scored, tmp_path):
    return Path(shutil.copytree(scored.parent, tmp_path / "crm")) / "tiny.yaml"


def change(config, sql):
    with duckdb.connect(str(config.with_name("scores.duckdb"))) as con:
        con.execute(sql)


def settle(config, **settings):
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | settings))


WIDE = {"calibration": 9, "base_rate": 9, "psi": 99}


def test_past_scores_are_held_against_what_happened_month_by_month(crm, run):
    settle(crm, audit=WIDE, observed_until="2026-02-01")
    done = run("audit", crm, "--json")
    assert done.code == 0, done.err
    found = done.json
    lines = {(line["by"], line["name"]): line["count"] for line in found["lines"]}
    months = [name for by, name in lines if by == "month"]
    assert months == ["2025-09", "2025-10", "2025-11", "2025-12"]
    history = open_history(crm)
    deals = pd.read_csv(crm.with_name("deals.csv"), parse_dates=["closed_at"])
    won = deals.set_index("contact_id")["closed_at"].dt.tz_localize("UTC")
    for month in months:
        night = min(n for n in NIGHTS if f"{n:%Y-%m}" == month)
        # Every contact has a new score each night, as its record grows older: the first night of a month is its first.
        rows = history[history["night"].dt.strftime("%Y-%m") == month].sort_values("night")
        rows = rows[rows["probability"].notna()].drop_duplicates("contact_id")
        closed = rows["contact_id"].map(won)
        actual = ((closed > rows["night"]) & (closed <= rows["night"] + pd.Timedelta(days=30))).sum()
        count = lines["month", month]
        assert (count["n"], count["actual"]) == (len(rows), actual)
        assert count["predicted"] == pytest.approx(rows["probability"].sum())
        assert night in set(rows["night"])
    whole = lines["all", "all"]
    assert whole["actual"] == sum(lines["month", m]["actual"] for m in months) > 30
    assert whole["ratio"]["low"] < whole["ratio"]["value"] < whole["ratio"]["high"]
    assert {"all", "time", "month", "model", "tier", "band"} == {by for by, _ in lines}
    for part in ("tier", "band"):
        for what in ("n", "actual", "predicted"):
            assert sum(c[what] for (by, _), c in lines.items() if by == part) == pytest.approx(
                lines["time", "recent"][what]
            )
    bands = [
        (BANDS[[band_name(*ends) for ends in BANDS].index(name)], c) for (by, name), c in lines.items() if by == "band"
    ]
    assert all(low <= c["predicted"] / c["n"] < high for (low, high), c in bands)
    assert found["waiting"] > 0
    assert found["inputs"]["n"] > 0
    assert found["broken"] == []
    assert set(found["metrics"]) >= {"log_loss", "roc_auc"}


def open_history(config):
    from predictive.config_file import load_config

    return open_sink(load_config(config).sink).read_history()


def test_a_planted_miscalibration_exits_with_4_and_says_so(crm, run):
    settle(crm, audit=WIDE | {"calibration": 0.2})
    change(crm, "update contact_scores_history set probability = least(0.99, 4 * probability)")
    done = run("audit", crm)
    assert done.code == 4
    assert "BROKEN  calibration: " in done.out
    assert "too many, beyond the bound of 20%, and luck does not explain it" in done.out
    assert done.out.splitlines()[-1] == "1 broken; exit 4"
    assert run("audit", crm, "--json").json["broken"][0].startswith("calibration: ")


def test_a_base_rate_and_inputs_that_moved_exit_with_4(crm, run):
    deals = pd.read_csv(crm.with_name("deals.csv"))
    deals[deals["closed_at"] < "2025-09-10"].to_csv(crm.with_name("deals.csv"), index=False)
    contacts = pd.read_csv(crm.with_name("contacts.csv"))
    contacts.assign(sector="mining").to_csv(crm.with_name("contacts.csv"), index=False)
    settle(crm, audit={"calibration": 9, "base_rate": 0.5, "psi": 0.25, "features": 5}, observed_until="2026-01-20")
    done = run("audit", crm, "--json")
    assert done.code == 4
    kinds = [text.partition(":")[0] for text in done.json["broken"]]
    assert "base rate" in kinds
    (inputs,) = (text for text in done.json["broken"] if text.startswith("inputs: "))
    assert " most important have moved beyond the bound of 0.25 (stability index): sector " in inputs
    # Records grow older in any database: that is shown, and no alarm.
    assert "record_age_days" in {s["name"] for s in done.json["inputs"]["shifts"] if s["psi"] > 0.25}
    assert "record_age" not in inputs


def test_scores_written_later_or_with_hindsight_are_no_evidence(crm, run):
    change(crm, "update contact_scores_history set scored_at = scored_at + interval 3 day where night < '2025-11-01'")
    change(crm, "update contact_scores_runs set scored_at = scored_at + interval 3 day where as_of < '2025-11-01'")
    settle(crm, audit=WIDE, observed_until="2026-02-01")
    found = run("audit", crm, "--json").json
    assert found["left_out"]["written more than two days after their as-of"] > 0
    assert {line["name"] for line in found["lines"] if line["by"] == "month"} == {"2025-11", "2025-12"}


def test_nothing_matured_yet_is_said_and_no_alarm(crm, run):
    settle(crm, observed_until="2025-09-20", audit=WIDE)
    done = run("audit", crm)
    assert done.code == 0
    assert "nothing has matured yet: no score that was written at the time is a whole horizon old" in done.out
    assert done.out.splitlines()[-1] == "every bound holds"


def test_a_model_that_is_gone_or_damaged_is_known_by_when_it_was_made(crm, run):
    """It was made, by its name, after every night; what cannot be shown to be honest is no evidence."""
    settle(crm, audit=WIDE)
    (bundle,) = (p for p in (crm.parent / "models").iterdir() if p.is_dir())
    (bundle / "rules.yaml").write_text("{}")
    damaged = run("audit", crm, "--json")
    assert (damaged.code, damaged.json["lines"]) == (0, [])
    assert sum(damaged.json["left_out"].values()) > 0
    assert damaged.json["inputs"]["unknown"].endswith("does not hold the newest model's bundle, unaltered")
    shutil.rmtree(bundle)
    assert run("audit", crm, "--json").json == damaged.json
    assert known_until(crm.parent, "20250901T100000Z-abc") == pd.Timestamp("2025-09-01T10:00Z").value // 1_000
    assert known_until(crm.parent, "by-hand") is None


def test_nothing_scored_and_no_model_is_no_error(tiny, run, tmp_path):
    done = run("audit", tiny(tmp_path))
    assert (done.code, done.err) == (0, "")
    assert "inputs: not compared: nothing was scored yet" in done.out


def test_contacts_with_instants_of_their_own_are_audited_as_of_those(trained_tiny, run, opened, tmp_path):
    """Scored each fortnight at the time, by a model of which it is not known that it knew less."""
    config = Path(shutil.copytree(trained_tiny[0].parent, tmp_path / "crm")) / "tiny.yaml"
    settle(config, audit=WIDE)
    with opened(config) as (settings, con, tables, _):
        (bundle,) = (p for p in settings.models.iterdir() if p.is_dir())
        for night in pd.date_range("2026-01-01", "2026-03-12", freq="5D", tz="UTC"):
            at = night.value // 1_000
            sink = open_sink(settings.sink)
            serve.score(con, tables, settings, load_bundle(bundle), sink, now=at + DAY // 8, as_of=at, force=True)
    history = open_history(config)
    timely = history[(history["scored_at"] - history["as_of"] <= pd.Timedelta(days=2)) & history["probability"].notna()]
    found = run("audit", config, "--json").json
    left = found["left_out"]
    assert left["written more than two days after their as-of"] > 0
    known = pd.Timestamp(known_until(bundle.parent, bundle.name), unit="us", tz="UTC")
    honest = timely[timely["as_of"] >= known].drop_duplicates(["contact_id", "as_of"])
    assert left["by a model that had learned from later outcomes, or of which that is not known"] > 0
    assert sum(line["count"]["n"] for line in found["lines"] if line["by"] == "month") + found["waiting"] == len(honest)
    assert found["inputs"]["n"] > 0
