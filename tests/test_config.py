from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from predictive.config import AgeSnapshots, CalendarSnapshots, DuckdbSink, FilesSource
from predictive.config_file import effective, load_config
from predictive.errors import ConfigError
from predictive.rules import load_rules

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
CONTRACT = """
source:
  kind: files                 # files here; databases, HubSpot and Salesforce come later
  path: ${DATA_DIR:-../data}/olist   # environment variables with defaults; relative to this file
  tables:                     # canonical name: where it comes from
    contacts:
      file: olist_marketing_qualified_leads_dataset.csv
      columns: {contact_id: mql_id, created_at: first_contact_date}   # canonical: theirs; the rest become attributes
    deals:
      file: olist_closed_deals_dataset.csv
      columns: {deal_id: mql_id, contact_id: mql_id, closed_at: won_date}
      constants: {is_won: true}
      drop: [lead_type]       # or keep: [...]
timezone: America/Sao_Paulo   # of times without one; default UTC
horizon: 30d                  # default 90d; Olist's history is too short for a purged 90-day split
snapshots: {at: age, days: [0]}   # so many days after the contact appeared; default {every: month}
observed_until: 2018-11-15    # optional; default: the latest time in the tables; decides what is mature
eligibility:
  customers: exclude          # include: repeat business; the label is then any won deal in the horizon
  lost: include               # exclude: a contact whose deal was lost is out
split:                        # optional; default: the last mature quarter of snapshots is the test
  train_from: 2018-01-01
  train_until: 2018-04-01     # as-of before this; what happens from test_from on is unknown to training:
                              # an example whose window reaches past it is immature, and left out
  test_from: 2018-04-01
  test_until: 2018-06-01
features: {exclude: [], keep: [], sensitive: []}   # a name that no table has is an error with the nearest ones
rules: rules/olist.yaml       # optional; a sensible default otherwise
model: {seed: 7}
score: {as_of: latest}        # default: last midnight
tracking: {uri: "sqlite:///mlflow.db", experiment: lead-scoring}
sink: {kind: duckdb, path: scores.duckdb, table: contact_scores}   # also parquet, csv
"""
LEAST = "source: {kind: files, path: data, tables: {contacts: {file: c.csv}, deals: {file: d.csv}}}\n"


@pytest.fixture
def load(tmp_path):
    """Loads a configuration from its text."""

    def run(text):
        file = tmp_path / "here" / "config.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return load_config(file)

    return run


@pytest.fixture
def problems(load):
    """The lines of what is wrong with a configuration, without the heading."""

    def run(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        heading, *lines = str(caught.value).splitlines()
        assert heading.endswith(f"config.yaml: {len(lines)} problem{'s' if len(lines) > 1 else ''}")
        return [line.removeprefix("  ") for line in lines]

    return run


def test_the_contract_loads_and_means_what_it_says(load, tmp_path, monkeypatch):
    monkeypatch.delenv("DATA_DIR", raising=False)
    config = load(CONTRACT)
    assert config.source.path == tmp_path / "data" / "olist"
    assert config.source.tables["deals"].constants == {"is_won": True}
    assert config.horizon == timedelta(days=30)
    assert config.snapshots == AgeSnapshots(at="age", days=[0])
    assert config.observed_until == date(2018, 11, 15)
    assert config.micros(config.observed_until) == 1_542_247_200_000_000  # midnight in São Paulo, in summer time
    assert config.split.test_until == date(2018, 6, 1)
    assert config.score.as_of == "latest"
    assert config.rules == tmp_path / "here" / "rules" / "olist.yaml"
    assert config.tracking.uri == f"sqlite:///{tmp_path}/here/mlflow.db"
    assert config.sink == DuckdbSink(kind="duckdb", path=tmp_path / "here" / "scores.duckdb", table="contact_scores")


def test_what_is_not_given_has_the_documented_default(load):
    config = load(LEAST)
    assert isinstance(config.source, FilesSource)
    assert (config.timezone, config.horizon, config.snapshots) == ("UTC", timedelta(days=90), CalendarSnapshots())
    assert (config.observed_until, config.split, config.rules) == (None, None, None)
    assert (config.model.seed, config.score.as_of) == (7, "midnight")
    assert (config.eligibility.customers, config.eligibility.lost) == ("exclude", "include")


def test_every_problem_is_reported_at_once_with_its_path(problems, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    found = problems(
        """
        source:
          kind: files
          path: ${NOWHERE}
          tables:
            contacts: {file: c.csv, query: "select 1"}
            deals: {files: d.csv}
            activites: {file: a.csv}
        horizn: 30d
        horizon: ninety
        timezone: Europe/Atlantis
        snapshots: {every: day}
        split: {test_from: soon}
        eligibility: {lost: maybe}
        features: {exclude: country}
        model: {seed: -1}
        score: {as_of: yesterday}
        sink: {kind: excel, path: x}
        """
    )
    paths = [line.partition(": ")[0] for line in found]
    assert set(paths) == (
        {
            "source.path",
            "source.tables.contacts",
            "source.tables.deals.files",
            "source.tables.activites",
            "horizn",
            "horizon",
            "timezone",
            "snapshots.every",
            "split.test_from",
            "eligibility.lost",
            "features.exclude",
            "model.seed",
            "score.as_of",
            "sink",
        }
    )
    text = "\n".join(found)
    assert (
        "source.path: the environment variable NOWHERE is not set; set it, or write a default: ${NOWHERE:-value}"
        in text
    )
    assert 'horizn: unknown key; did you mean "horizon"?' in text
    assert "horizon: 'ninety' is not a length of time; write a whole number and a unit: 30m, 12h, 90d or 4w" in text
    assert 'source.tables.activites: unknown key; did you mean "activities"?' in text
    assert "source.tables.contacts: give exactly one of file, table and query" in text
    assert "'Europe/Atlantis' is not a time zone; write one such as UTC or Europe/Madrid" in text
    assert "'soon' is not a date or time; write 2026-11-22 or 2026-11-22T08:00:00+01:00" in text
    assert "snapshots.every: input should be 'month' or 'week'; found 'day'" in text
    assert "model.seed: input should be greater than or equal to 0; found -1" in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("snapshots: {at: age, dayz: [1], days: [2]}", 'snapshots.dayz: unknown key; did you mean "days"?'),
        ("snapshots: {at: age, days: []}", "snapshots.days: List should have at least 1 item"),
        (
            "snapshots: {at: age, days: [0, -1]}",
            "snapshots.days[1]: input should be greater than or equal to 0; found -1",
        ),
        ("sink: {kind: csv, path: a, table: t}", "sink.table: unknown key; known: columns, format, kind"),
        ("tracking: {experimnt: x}", 'tracking.experimnt: unknown key; did you mean "experiment"?'),
        ("split: {train_from: 2025-01-01}", "split.test_from: required, but not given"),
        ("eligibility: {non_marketing: {status: staff}}", "eligibility.non_marketing.status: "),
    ],
)
def test_a_problem_deep_inside_is_named_with_the_nearest_known_key(problems, text, problem):
    assert [line for line in problems(LEAST + text) if line.startswith(problem)]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{kind: files, path: ., tables: {contacts: {file: c}}}", "source.tables: deals required but not mapped"),
        ("{kind: duckdb, path: x, tables: {deals: {file: d}}}", "source: deals: a source of kind duckdb takes table"),
        ("{kind: files, path: x, tables: {deals: {table: d}}}", "source: deals: a source of kind files takes file"),
        (
            "{kind: files, path: x, tables: {deals: {file: c, drop: [a], keep: []}}}",
            "source.tables.deals: give drop or",
        ),
        ("{path: x, tables: {}}", "source: "),
        ("{kind: oracle, path: x, tables: {}}", "source: "),
    ],
)
def test_a_source_that_cannot_be_read_is_named(problems, source, problem):
    assert problems(f"source: {source}")[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "not valid YAML"),
        ("", "a configuration is a mapping with at least the key source; found NoneType"),
        ("- a\n- b", "a configuration is a mapping with at least the key source; found list"),
        (LEAST + "true: 3", "keys should be strings; found True"),
        (LEAST + "observed_until: 2026-13-01", "month must be in 1..12"),
    ],
)
def test_what_is_no_configuration_is_said(load, text, problem):
    with pytest.raises(ConfigError, match=problem):
        load(text)


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"absent.yaml: no such file; name a configuration such as configs/demo.yaml"):
        load_config(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "binary.yaml")


def test_variables_are_filled_in_everywhere_and_a_default_holds_when_unset_or_empty(load, monkeypatch, tmp_path):
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("CRM_DIR", "/srv/crm")
    monkeypatch.setenv("STATUS", "gone")
    monkeypatch.delenv("UNSET", raising=False)
    config = load(
        "source: {kind: files, path: '${CRM_DIR:-x}/a', tables: {contacts: {file: '${UNSET:-c}.csv', "
        "missing: ['${STATUS}']}, deals: {file: '${EMPTY:-d}.csv'}}}\nhorizon: ${UNSET:-30}d"
    )
    assert config.source.path == Path("/srv/crm/a")
    assert config.source.tables["contacts"].file == "c.csv"
    assert config.source.tables["contacts"].missing == ["gone"]
    assert config.source.tables["deals"].file == "d.csv"
    assert config.horizon == timedelta(days=30)
    assert load(LEAST + "models: ${UNSET:-}models").models == tmp_path / "here" / "models"


def test_paths_are_relative_to_the_file_and_whole_ones_stay(load, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    config = load(LEAST + "models: ../m\nreport: /r/x.html\ntracking: {uri: 'sqlite:///../runs/m.db'}")
    assert config.source.path == tmp_path / "here" / "data"
    assert config.models == tmp_path / "m"
    assert config.report == Path("/r/x.html")
    assert config.tracking.uri == f"sqlite:///{tmp_path}/runs/m.db"
    for uri in ("sqlite:////whole/m.db", "http://mlflow.example:5000", "databricks"):
        assert load(LEAST + f"tracking: {{uri: '{uri}'}}").tracking.uri == uri


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_of_the_checkout_loads_with_its_rules(path):
    config = load_config(path)
    assert load_rules(config.rules).sets


def test_there_are_configurations_to_load():
    assert {path.stem for path in CONFIGS} >= {"bank", "demo", "olist", "oulad"}


@pytest.mark.parametrize("text", [CONTRACT, LEAST, *(path.read_text() for path in CONFIGS)])
def test_the_effective_configuration_loads_as_the_same_one(load, text):
    config = load(text)
    shown = effective(config)
    assert load(shown) == config
    assert "horizon: " in shown
    assert effective(load(shown)) == shown


def test_the_effective_configuration_of_a_time_keeps_its_zone(load):
    config = load(LEAST + "observed_until: 2026-01-01T08:00:00+01:00\nscore: {as_of: 2026-01-02T00:00:00}")
    assert config.observed_until == datetime.fromisoformat("2026-01-01T08:00:00+01:00")
    assert load(effective(config)) == config


def test_the_demo_of_the_checkout_is_the_demo_that_the_package_writes_but_for_paths():
    def without_paths(path):
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        for part in ("source", "sink"):
            assert raw[part].pop("path").endswith("crm.duckdb")
        assert raw["tracking"].pop("uri").endswith("mlflow.db")
        raw.pop("models", None)
        raw.pop("report", None)
        return raw

    ours = without_paths(ROOT / "configs" / "demo.yaml")
    assert ours == without_paths(ROOT / "predictive" / "defaults" / "demo.yaml")
    assert ours["features"]["exclude"]


def test_what_is_looked_at_and_what_alerts_is_configured_with_defaults(load, problems):
    config = load(LEAST + "capacity: {per_week: 200, cost: 15, value: 900}\nsegments: [source]\naudit: {psi: 0.1}\n")
    assert (config.capacity.per_week, config.capacity.cost, config.capacity.value) == (200, 15, 900)
    assert (config.segments, config.audit.psi, config.audit.calibration) == (["source"], 0.1, 0.2)
    assert (config.promotion.margin, config.promotion.calibration) == (0.02, 0.2)
    assert (load(LEAST).capacity, load(LEAST).segments) == (None, None)
    assert problems(LEAST + "capacity: {per_week: 200, cost: 15}\n") == ["capacity: give cost and value, or neither"]
    wrong = "capacity: {per_week: 0}\naudit: {psy: 1}\npromotion: {margin: 2}\n"
    paths = [line.strip().partition(":")[0] for line in problems(LEAST + wrong)]
    assert sorted(paths) == ["audit.psy", "capacity.per_week", "promotion.margin"]


ON_SPARK = """
engine: spark
source: {kind: spark, tables: {contacts: {table: crm.contacts}, deals: {table: crm.deals}}}
sink: {kind: spark, table: crm.scores}
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("", "lists: {hot: {tier: [very high]}}", "lists: Spark keeps no membership of lists and tags"),
        ("", "tags: {'#form': [{activity: [form]}]}", "tags: Spark keeps no membership of lists and tags"),
        ("crm.scores}", "crm.scores, key: id, columns: {tier: tier}}", "sink.columns: unknown key; known: kind, table"),
        ("crm.scores}", "crm.scores, left: kept}", "sink.left: unknown key; known: kind, table"),
        ("crm.deals}", "crm.deals, incremental: {column: id}}", "source: deals: a source of kind spark is read where"),
        ("kind: spark, table: crm", "kind: csv, path: crm", "engine is spark, but sink.kind is csv: Spark needs"),
        ("engine: spark", "engine: duckdb", "engine is duckdb, but source.kind is spark: Spark needs engine,"),
    ],
)
def test_what_spark_cannot_do_is_refused_before_anything_is_read(problems, load, old, new, problem):
    load(ON_SPARK)
    found = problems(ON_SPARK.replace(old, new, 1) if old else ON_SPARK + new)
    assert [line for line in found if line.startswith(problem)], found
