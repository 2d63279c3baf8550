import json
import shutil
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml

from predictive.config import Config, Notices
from predictive.errors import DataError, DeliveryError
from predictive.notices import notify
from tests.sinks.conftest import KINDS, Nights, make_sink

pytest_plugins = ["tests.trained"]

PURSUE, NURTURE = {"quadrant": "pursue", "tier": "high"}, {"quadrant": "nurture"}


@pytest.fixture
def nights():
    made = Nights()
    yield made
    made.con.close()


@pytest.fixture
def config(tmp_path, receiver):
    notices = {
        "file": tmp_path / "notices.json", "webhook": receiver.address, "secret": "s", "state": tmp_path / "state.json",
    }  # fmt: skip
    tables = {"contacts": {"file": "c.csv"}, "deals": {"file": "d.csv"}}
    return Config(source={"kind": "files", "path": tmp_path, "tables": tables}, notices=notices)


def announce(config, sink):
    return notify(config, sink, pauses=(0.0,))


def in_file(config):
    return [n["contact_id"] for n in json.loads(config.notices.file.read_text())]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "postgresql"])
def test_who_newly_entered_is_announced_once_with_the_deadline(nights, config, receiver, tmp_path, kind):
    sink = make_sink(kind, tmp_path / "out")
    nights.write(sink, 0, {"stays": PURSUE, "enters": NURTURE, "leaves": PURSUE, "held": NURTURE})
    first = announce(config, sink)
    assert (first.entered, first.sent, first.first) == (0, 0, True)
    assert receiver.got == []
    tonight = {
        "stays": PURSUE | {"probability": 0.3},
        "enters": PURSUE | {"probability": 0.2},
        "leaves": NURTURE,
        "held": PURSUE | {"holdout": True},
        "new": PURSUE | {"probability": 0.5},
        "decided": PURSUE | {"override": "ann until 2027-01-01: asked for a call"},
    }
    nights.write(sink, 1, tonight)
    for sent in (3, 0):
        done = announce(config, sink)
        assert (done.entered, done.sent) == (3, sent)
        assert in_file(config) == ["new", "enters", "decided"]
    assert receiver.contacts == [["new", "enters", "decided"]]
    content = config.notices.file.read_bytes()
    assert nights.write(sink, 1, tonight).written == 0  # the night is run again
    assert announce(config, sink).sent == 0
    assert config.notices.file.read_bytes() == content
    assert len(receiver.got) == 1
    told = {n["contact_id"]: n for n in json.loads(receiver.got[0][1])["notices"]}
    scored = sink.read_current().set_index("contact_id")["scored_at"]
    assert pd.Timestamp(told["new"]["due"]) == scored["new"] + timedelta(hours=24)
    assert told["new"]["action"] == "sales calls within 24 hours"
    assert told["decided"]["override"].startswith("ann until")


def test_what_was_not_delivered_is_sent_by_the_next_night_unless_it_left(nights, config, receiver, tmp_path):
    sink = make_sink("duckdb", tmp_path / "out")
    nights.write(sink, 0, {"a": NURTURE, "b": NURTURE, "c": NURTURE})
    nights.write(sink, 1, {"a": PURSUE, "b": PURSUE, "c": NURTURE})
    receiver.answers = [503, 503]
    with pytest.raises(DeliveryError):
        announce(config, sink)
    assert in_file(config) == ["a", "b"]
    nights.write(sink, 2, {"a": PURSUE, "b": NURTURE, "c": PURSUE})
    receiver.got.clear()
    assert announce(config, sink).sent == 2
    assert receiver.contacts == [["a", "c"]]
    nights.write(sink, 3, {"a": PURSUE, "b": PURSUE, "c": PURSUE})
    assert announce(config, sink).sent == 1
    assert receiver.contacts[-1] == ["b"]


def test_a_night_that_adds_somebody_later_the_same_day_sends_only_that_one(nights, config, receiver, tmp_path):
    sink = make_sink("duckdb", tmp_path / "out")
    nights.write(sink, 0, {"a": NURTURE, "b": NURTURE})
    nights.write(sink, 1, {"a": PURSUE, "b": NURTURE})
    announce(config, sink)
    nights.write(sink, 1, {"a": PURSUE, "b": PURSUE}, version="v2")
    announce(config, sink)
    assert receiver.contacts == [["a"], ["b"]]


def test_a_run_for_a_past_night_announces_nobody(nights, config, receiver, tmp_path):
    sink = make_sink("duckdb", tmp_path / "out")
    nights.write(sink, 0, {"a": NURTURE})
    nights.write(sink, 5, {"a": NURTURE})
    nights.write(sink, 3, {"a": PURSUE})
    assert announce(config, sink).entered == 0
    assert receiver.got == []


def test_off_by_default(config, tmp_path):
    sink = make_sink("duckdb", tmp_path / "out")
    assert notify(config.model_copy(update={"notices": Notices()}), sink) is None


def test_a_state_that_cannot_be_read_is_named(nights, config, tmp_path):
    sink = make_sink("duckdb", tmp_path / "out")
    nights.write(sink, 0, {"a": NURTURE})
    config.notices.state.write_text("{")
    with pytest.raises(DataError, match=r"state\.json: cannot be read as what the webhook has received; remove it"):
        announce(config, sink)


def test_a_csv_holds_no_formula(nights, config, tmp_path):
    notices = Notices(file=tmp_path / "notices.csv")
    sink = make_sink("duckdb", tmp_path / "out")
    nights.write(sink, 0, {"a": NURTURE})
    nights.write(sink, 1, {"a": NURTURE, "=cmd()": PURSUE})
    notify(config.model_copy(update={"notices": notices}), sink)
    assert pd.read_csv(notices.file)["contact_id"].tolist() == ["'=cmd()"]


def test_scores_are_written_whether_or_not_the_webhook_answers(run, trained_tiny, tmp_path, receiver):
    config = Path(shutil.copytree(trained_tiny[0].parent, tmp_path / "crm")) / "tiny.yaml"
    settings = yaml.safe_load(config.read_text())
    # 400 is not tried again, so that this is quick.
    receiver.answers = [400]
    settings["notices"] = {"webhook": receiver.address, "secret": "s", "file": "new.csv"}
    settings["quadrants"] = {"fit": 0.01, "interest": 0.01}
    config.write_text(yaml.safe_dump(settings))
    assert run("score", config, "--as-of", "2026-01-20").code == 0
    failed = run("score", config, "--as-of", "2026-02-05", "--json")
    assert failed.code == 1
    assert json.loads(failed.out)["written"] > 0
    assert failed.err == (
        "error: notices.webhook: it answered 400, so nothing more was tried. The scores are written; the next run of "
        "score sends what was not delivered\n"
    )
    again = run("score", config, "--as-of", "2026-02-05", "--json")
    assert again.code == 0
    told = json.loads(again.out)["notices"]
    assert told["entered"] == told["sent"] == len(pd.read_csv(config.with_name("new.csv"))) > 0
    assert run("score", config, "--as-of", "2026-02-05", "--json").json["notices"]["sent"] == 0
    assert run("score", config, "--as-of", "2026-02-06", "--dry-run", "--json").json["notices"] is None
