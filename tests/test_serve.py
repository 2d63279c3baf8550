import hashlib
import importlib
import shutil
import threading
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from predictive import serve, staging
from predictive.breaker import BreakerError
from predictive.clock import parse_instant, to_micros
from predictive.config import DuckdbSink, FileSink
from predictive.config_file import load_config
from predictive.errors import ModelError
from predictive.features.examples import examples
from predictive.model.bundle import load_bundle
from predictive.quadrants import quadrant, tier
from predictive.scores import features_of
from predictive.sinks import open_sink
from predictive.sources import read_tables
from predictive.store import open_store
from predictive.tables import SCORES
from predictive.tonight import eligible_tonight

pytest_plugins = ["tests.trained"]

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def micros(text):
    return to_micros(parse_instant(f"{text}T00:00:00+00:00"))


@pytest.fixture(scope="module")
def session(demo, opened):
    """The demo's tables, open, and its bundle."""
    with opened(demo.config) as (config, con, tables, _):
        yield config, con, tables, load_bundle(demo.bundle)


@pytest.fixture
def scored_copy(demo, tmp_path):
    """A sink that holds what the demo's run wrote."""
    return open_sink(DuckdbSink(kind="duckdb", path=shutil.copy(demo.database, tmp_path / "scored.duckdb")))


@pytest.fixture
def score(session):
    """Scores the demo into a sink, at a later time than its own run."""

    def run(sink, *, as_of=None, dry_run=False, force=False):
        config, con, tables, bundle = session
        night = None if as_of is None else micros(as_of)
        return serve.score(
            con, tables, config, bundle, sink,
            now=to_micros(LATER), as_of=night, dry_run=dry_run, force=force,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def current(session):
    """The scores that the demo's run wrote."""
    return open_sink(session[0].sink).read_current()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_written_scores_are_as_the_schema_has_them(demo, session, current):
    SCORES.validate(current, lazy=True)
    assert len(current) == demo.scoring.json["rows"] == demo.scoring.json["written"] > 1_000
    assert set(current["run_id"]) == {demo.scoring.json["run_id"]}
    assert set(current["model_version"]) == {demo.bundle.name}
    assert set(current["as_of"]) == {pd.Timestamp("2026-06-30", tz="UTC")}
    cuts = session[3].cuts
    assert (current["tier"] == tier(current["probability"].to_numpy(), cuts)).all()
    assert (current["quadrant"] == quadrant(current["fit"].to_numpy(), current["interest"].to_numpy(), cuts)).all()
    assert {"pursue", "nurture", "opportunistic", "disengage"} == set(current["quadrant"])
    assert set(current["tier"]) == {"very high", "high", "medium", "low"}
    assert "opportunity" in set(current["stage"])
    assert current["override"].isna().all()
    assert not current["reasons"].str.contains("@").any()


def test_who_is_not_scored_is_counted_by_reason(demo, current):
    found = demo.scoring.json["not_eligible"]
    assert sum(found.values()) + len(current) == 1_500
    with duckdb.connect(str(demo.database), read_only=True) as con:
        query = "select contact_id from deals where is_won and closed_at <= '2026-06-30' and contact_id is not null"
        won = {row[0] for row in con.execute(query).fetchall()}
    assert not won & set(current["contact_id"])
    assert found["already closed"] >= len(won)


def test_a_second_run_of_the_night_writes_nothing_whatever_the_blocks(score, scored_copy, monkeypatch):
    before = scored_copy.read_current(), scored_copy.read_history()
    monkeypatch.setattr(staging, "BLOCK", 331)
    scored = score(scored_copy)
    assert scored.difference.written == 0
    assert scored.difference.unchanged == len(before[0])
    pd.testing.assert_frame_equal(scored_copy.read_current(), before[0])
    pd.testing.assert_frame_equal(scored_copy.read_history(), before[1])


def test_tables_cut_into_parts_give_the_same_scores_to_the_last_bit(demo, opened, scored_copy, current, monkeypatch):
    monkeypatch.setattr(importlib.import_module("predictive.sources.arrange"), "ACTIVITIES_PER_PART", 30_000)
    monkeypatch.setattr(staging, "BLOCK", 200)
    told = []
    with opened(demo.config) as (config, con, tables, _):
        assert tables.parts > 1
        scored = serve.score(
            con, tables, config, load_bundle(demo.bundle), scored_copy,
            now=to_micros(LATER), done=lambda stage, numbers: told.append((stage, numbers["rows"])),
        )  # fmt: skip
    assert (scored.difference.written, scored.difference.unchanged) == (0, len(current))
    assert scored.not_eligible == demo.scoring.json["not_eligible"]
    assert told == [("features", len(current)), ("score", len(current)), ("write", 0)]


def test_a_run_that_breaks_off_leaves_no_thread_at_work(demo, opened, scored_copy, monkeypatch):
    monkeypatch.setattr(staging, "BLOCK", 200)
    before = threading.active_count()

    def stop(_):
        raise KeyboardInterrupt

    with opened(demo.config) as (config, con, tables, _), pytest.raises(KeyboardInterrupt) as broken:
        serve.score(con, tables, config, load_bundle(demo.bundle), scored_copy, now=to_micros(LATER), progress=stop)
    # The traceback still holds every frame of the run.
    assert broken.tb is not None
    assert threading.active_count() == before


def test_a_dry_run_over_scores_changes_no_byte_and_says_what_would_change(score, scored_copy):
    before = digest(scored_copy.store.path)
    scored = score(scored_copy, as_of="2026-07-15", dry_run=True)
    assert scored.dry_run
    assert scored.difference.changed > 100
    assert digest(scored_copy.store.path) == before
    assert [f.name for f in scored_copy.store.path.parent.iterdir()] == [scored_copy.store.path.name]
    written = score(scored_copy, as_of="2026-07-15", force=True)
    assert written.difference == scored.difference


def test_a_night_without_news_is_refused_and_written_only_by_force(score, scored_copy):
    before = scored_copy.read_current()
    assert score(scored_copy).broken == ()
    with pytest.raises(BreakerError, match=r"nothing was written:\n  newest activity: 15.\d days before") as caught:
        score(scored_copy, as_of="2026-07-15")
    assert caught.value.code == 5
    assert caught.value.broken[0].bound == "age"
    pd.testing.assert_frame_equal(scored_copy.read_current(), before)
    assert list(scored_copy.read_runs(refused=True)["outcome"]) == ["written", "refused"]
    forced = score(scored_copy, as_of="2026-07-15", force=True)
    assert forced.broken == caught.value.broken
    assert list(scored_copy.read_runs()["outcome"]) == ["written", "forced"]


def test_a_sink_into_the_contact_table_makes_no_attribute_of_its_columns(demo, tmp_path):
    raw = yaml.safe_load(demo.config.read_text())
    columns = {"probability": "lead_score", "tier": "lead_tier"}
    sink = {"table": "contacts", "key": "contact_id", "columns": columns, "create_columns": True}
    raw["sink"] = {"kind": "duckdb", "path": str(shutil.copy(demo.database, tmp_path / "crm.duckdb")), **sink}
    raw["source"]["path"] = raw["sink"]["path"]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(raw))
    config = load_config(path)
    bundle = load_bundle(demo.bundle)
    for _ in range(2):
        with open_store() as con:
            tables = read_tables(config, con, now=to_micros(LATER))
            assert not {*columns.values()} & {*tables.attributes["contacts"]}
            scored = serve.score(con, tables, config, bundle, open_sink(config.sink), now=to_micros(LATER))
    assert scored.difference.written == scored.difference.without_row == 0
    with duckdb.connect(raw["sink"]["path"]) as con:
        found = con.execute("SELECT count(lead_score) FROM contacts").fetchone()
    assert found == (scored.difference.rows,)


@pytest.mark.parametrize("kind", ["duckdb", "csv", "parquet"])
def test_the_first_dry_run_creates_nothing(score, tmp_path, kind):
    path = tmp_path / "out" / f"scores.{kind}"
    sink = open_sink(DuckdbSink(kind=kind, path=path) if kind == "duckdb" else FileSink(kind=kind, path=path))
    scored = score(sink, dry_run=True)
    assert scored.difference.new == scored.night.eligible > 1_000
    assert sum(after for _, _, after, _ in scored.difference.by_tier) == scored.difference.rows
    assert list(tmp_path.iterdir()) == []


def test_a_past_night_goes_to_the_history_only_and_is_known_to_be_hindsight(demo, score, scored_copy, session):
    before, history = scored_copy.read_current(), scored_copy.read_history()
    scored = score(scored_copy, as_of="2026-05-01")
    assert scored.difference.past
    assert scored.hindsight
    pd.testing.assert_frame_equal(scored_copy.read_current(), before)
    added = scored_copy.read_history().query("past")
    assert len(added) == scored.difference.rows == len(scored_copy.read_history()) - len(history)
    assert set(added["as_of"]) == {pd.Timestamp("2026-05-01", tz="UTC")}
    assert score(scored_copy, as_of="2026-05-01").difference.written == 0
    assert demo.scoring.json["hindsight"] is False
    born = duckdb.connect(str(session[0].source.path), read_only=True).execute(
        "select contact_id, created_at from contacts"
    )
    created = dict(born.fetchall())
    assert max(created[c] for c in added["contact_id"]) <= datetime(2026, 5, 1)  # noqa: DTZ001 - the demo's times are naive UTC


def test_the_registered_champion_scores_as_its_bundle_does(demo, run, tmp_path, scored_copy):
    raw = yaml.safe_load(demo.config.read_text())
    folder = demo.config.parent
    raw["source"]["path"] = str(demo.database)
    raw |= {
        "models": str(tmp_path / "no models here"),
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db", "experiment": "demo"},
        "sink": {"kind": "duckdb", "path": str(scored_copy.store.path)},
    }
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(raw))
    for model in ("models:/demo@champion", str(demo.bundle)):
        scored = run("score", config, "--model", model, "--json")
        assert scored.code == 0, scored.err
        assert (scored.json["written"], scored.json["unchanged"]) == (0, demo.scoring.json["rows"]), model
    for model, said in (
        ("models:/demo@nobody", "models:/demo@nobody: MLflow at sqlite"),
        (str(tmp_path), "no model bundle there"),
    ):
        refused = run("score", config, "--model", model)
        assert refused.code == 1
        assert refused.err.startswith("error: ")
        assert said in refused.err
    none = run("score", config)
    assert (none.code, none.out) == (1, "")
    assert "no champion in" in none.err


def test_features_at_scoring_are_those_of_training_bit_for_bit(session):
    config, con, tables, bundle = session
    night = micros("2026-03-01")
    trained = examples(tables, config, bundle.features, first=night, last=night).frame
    assert len(trained) > 800
    assert set(trained["as_of"]) == {night}
    block = trained[["contact_id", "as_of"]].sample(frac=0.5, random_state=1)
    served, _ = features_of(con, tables, config, bundle, block.reset_index(drop=True))
    expected = trained[trained["contact_id"].isin(block["contact_id"])].reset_index(drop=True)
    names = [f.name for f in bundle.features]
    pd.testing.assert_frame_equal(served[["contact_id", *names]], expected[["contact_id", *names]], check_exact=True)
    one, _ = features_of(con, tables, config, bundle, block.head(1).reset_index(drop=True))
    row = expected[expected["contact_id"] == one["contact_id"].iloc[0]].reset_index(drop=True)
    pd.testing.assert_frame_equal(one[names], row[names], check_exact=True, check_dtype=False)  # no text at all: object


def test_who_is_learned_from_at_a_past_night_is_who_was_scored_then(session):
    config, _, tables, _ = session
    night = micros("2026-03-01")
    eligible, _ = eligible_tonight(tables, config, night)
    trained = examples(tables, config, (), first=night, last=night).frame
    assert sorted(trained["contact_id"]) == list(eligible["contact_id"])


def test_a_decision_in_force_wins_over_quadrant_and_tier_and_never_over_the_probability(
    demo, opened, scored_copy, current, tmp_path
):
    path = shutil.copy(demo.database, tmp_path / "crm.duckdb")
    a, b, c, d = current["contact_id"].head(4)
    rows = [
        (a, "pursue", "very high", "ann", "asked for a call", "2026-06-01", "2026-07-01"),
        (b, "disengage", None, "ben", "left the firm", "2026-06-01", "2026-07-01"),
        (c, "pursue", "high", "ann", "over by then", "2026-05-01", "2026-06-30"),
        (d, "pursue", "high", "ann", "not yet", "2026-07-01", "2026-08-01"),
    ]
    with duckdb.connect(path) as con:
        con.execute(
            "create table overrides (contact_id text, quadrant text, tier text, author text, reason text, "
            "created_at timestamp, expires_at timestamp)"
        )
        con.executemany("insert into overrides values (?, ?, ?, ?, ?, ?, ?)", rows)
    raw = yaml.safe_load(demo.config.read_text())
    raw["source"]["path"] = str(path)
    raw["source"]["tables"]["overrides"] = {"table": "overrides"}
    config = tmp_path / "overrides.yaml"
    config.write_text(yaml.safe_dump(raw))
    with opened(config) as (settings, con, tables, _):
        serve.score(con, tables, settings, load_bundle(demo.bundle), scored_copy, now=to_micros(LATER))
    before, after = (frame.set_index("contact_id") for frame in (current, scored_copy.read_current()))
    assert list(after.loc[a, ["quadrant", "tier"]]) == ["pursue", "very high"]
    assert after.loc[a, "override"] == "ann until 2026-07-01: asked for a call"
    assert after.loc[b, "quadrant"] == "disengage"
    assert after.loc[b, "tier"] == before.loc[b, "tier"]
    numbers = ["probability", "uncorrected", "fit", "interest", "rule_score", "stage", "reasons"]
    pd.testing.assert_frame_equal(after[numbers], before[numbers])
    changed = (after["scored_at"] != before["scored_at"]).to_numpy()
    assert list(after.index[changed]) == [a, b]


def test_a_deal_makes_an_opportunity_whatever_the_points(demo, current):
    with duckdb.connect(str(demo.database), read_only=True) as con:
        query = """select distinct contact_id from deals where contact_id is not null and created_at <= '2026-06-30'
            and (closed_at is null or is_won is null or closed_at > '2026-06-30')"""
        open_now = {row[0] for row in con.execute(query).fetchall()}
    staged = current.set_index("contact_id")["stage"]
    busy = staged.index.isin(open_now)
    assert busy.sum() > 10
    assert set(staged[busy]) == {"opportunity"}


def test_tables_that_lack_an_attribute_of_the_model_are_refused(demo, opened, tmp_path, scored_copy):
    raw = yaml.safe_load(demo.config.read_text())
    raw["source"]["path"] = str(demo.database)
    raw["source"]["tables"]["contacts"]["drop"] = ["signup_channel"]
    raw["sink"]["path"] = str(scored_copy.store.path)
    (tmp_path / "less.yaml").write_text(yaml.safe_dump(raw))
    before = digest(scored_copy.store.path)
    with opened(tmp_path / "less.yaml") as (config, con, tables, now), pytest.raises(ModelError) as caught:
        serve.score(con, tables, config, load_bundle(demo.bundle), scored_copy, now=now)
    assert "was trained with the attribute 'signup_channel', which no table has now" in str(caught.value)
    assert digest(scored_copy.store.path) == before


@pytest.mark.parametrize(
    ("configured", "given", "night"),
    [
        ("midnight", None, "2026-10-24T22:00:00+00:00"),
        ("midnight", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"),
        (datetime(2026, 6, 30), None, "2026-06-29T22:00:00+00:00"),  # noqa: DTZ001 - naive on purpose
    ],
)
def test_the_night_is_as_given_else_as_configured_else_the_last_midnight_of_the_time_zone(
    session, configured, given, night
):
    config, _, tables, _ = session
    score = config.score.model_copy(update={"as_of": configured})
    config = config.model_copy(update={"timezone": "Europe/Madrid", "score": score})
    now = to_micros(datetime(2026, 10, 25, 12, tzinfo=UTC))  # the clocks went back that night
    as_of = None if given is None else to_micros(parse_instant(given))
    assert serve.night_of(config, tables, now=now, as_of=as_of) == to_micros(parse_instant(night))


def test_latest_is_the_newest_time_in_the_tables(session, demo):
    config, _, tables, _ = session
    config = config.model_copy(update={"score": config.score.model_copy(update={"as_of": "latest"})})
    now = to_micros(LATER)
    night = serve.night_of(config, tables, now=now, as_of=None)
    with duckdb.connect(str(demo.database), read_only=True) as con:
        newest = con.execute(
            """select max(t) from (
            select max(greatest(occurred_at, coalesce(recorded_at, occurred_at))) as t from activities
            union all select max(greatest(created_at, coalesce(closed_at, created_at))) from deals
            union all select max(created_at) from contacts union all select max(changed_at) from changes)"""
        ).fetchone()[0]
    assert night == to_micros(newest.replace(tzinfo=UTC))
    assert np.datetime64(newest) < np.datetime64("2026-07-01")
