import re
import shutil

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.clock import DAY
from predictive.model.bundle import load_bundle
from predictive.nights import live, live_nights, standing
from predictive.review import KINDS, review_list
from predictive.review.fired import sets_that_moved
from predictive.review.views import APART, JUMP, LOW_FIT
from predictive.rules import Rules, rule_features
from predictive.sinks import open_sink

pytest_plugins = ["tests.trained"]

NIGHTS = ("2026-06-28", "2026-06-30")


@pytest.fixture(scope="module")
def busy(demo):
    """A contact of little interest so far, with a deal neither open nor won."""
    with duckdb.connect(str(demo.database), read_only=True) as con:
        query = """select contact_id from contact_scores where stage not in ('opportunity', 'customer')
            and interest < 0.02 order by fit desc, contact_id limit 1"""
        return con.execute(query).fetchone()[0]


@pytest.fixture(scope="module")
def crm(demo, busy, run, tmp_path_factory):
    """The demo in which one contact was called and visited the prices between two nights that were scored."""
    folder = tmp_path_factory.mktemp("review") / "crm"
    shutil.copytree(demo.config.parent, folder)
    with duckdb.connect(str(folder / "crm.duckdb")) as con:
        for table in ("contact_scores", "contact_scores_history", "contact_scores_runs"):
            con.execute(f"drop table {table}")
        columns = [row[0] for row in con.execute("describe activities").fetchall()]
        rows = [("meeting", None)] + 2 * [("page_view", "/pricing")]
        for hour, (kind, detail) in enumerate(rows):
            at = pd.Timestamp("2026-06-29T09:00") + pd.Timedelta(hours=hour)
            given = {"contact_id": busy, "occurred_at": at, "recorded_at": at, "type": kind, "detail": detail}
            values = [given.get(c) for c in columns]
            con.execute(f"insert into activities values ({', '.join('?' * len(columns))})", values)
    config = folder / "demo.yaml"
    for night in NIGHTS:
        assert run("score", config, "--as-of", night).code == 0
    return config


def settle(config, **settings):
    changed = config.with_name("changed.yaml")
    changed.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | settings))
    return changed


@pytest.fixture(scope="module")
def listed(crm, opened, demo):
    """Everybody on the list, and the current scores."""
    with opened(settle(crm, review={"per_week": 5_000})) as (config, con, tables, _):
        sink = open_sink(config.sink)
        found = review_list(con, tables, config, load_bundle(demo.bundle), sink)
        yield found, sink.read_current().set_index("contact_id"), sink


def of_kind(found, kind):
    return {item.contact_id: item.why[item.kinds.index(kind)] for item in found if kind in item.kinds}


def test_a_jump_says_from_where_to_where_and_what_the_contact_did(listed, busy):
    found, scores, sink = listed
    before = standing(live(sink.read_history()), live_nights(sink.read_runs())[0]).set_index("contact_id")
    said = of_kind(found, JUMP)[busy]
    was, now = before.loc[busy, "probability"], scores.loc[busy, "probability"]
    assert said.startswith(f"{was:.1%} → {now:.1%}")
    assert " since 2026-06-28: " in said
    causes = said.partition(" since 2026-06-28: ")[2]
    assert re.search(r"\b(meeting|sales) once\b", causes)
    assert "twice" in causes
    assert causes.partition("; rules: ")[2] == "Met or called with sales +28, Looked at prices +10"
    for contact in of_kind(found, JUMP):
        odds = [p / (1 - p) for p in (before.loc[contact, "probability"], scores.loc[contact, "probability"])]
        points = abs(scores.loc[contact, "rule_score"] - before.loc[contact, "rule_score"])
        assert max(odds) / min(odds) >= 1.5 or points >= 20


RULES = Rules.model_validate(
    {
        "sets": [
            {"name": "Boss", "points": 10, "when": [{"attribute": "job_title", "contains": "boss"}]},
            {"name": "Lately", "points": 8, "when": [{"attribute": "created_at", "within": "30d"}]},
            {"name": "Germany", "points": -4, "when": [{"attribute": "country", "equals": "DE"}]},
        ]
    }
)


@pytest.mark.parametrize(
    ("points", "said"),
    [(6, ("Boss +10", "Germany +4")), (-6, ("Lately -8",)), (0, ())],
)
def test_the_sets_that_moved_the_points_are_those_that_gave_more_or_took_less(points, said):
    kinds = {"job_title": "text", "country": "text", "created_at": "time"}
    as_of = 1_800_000_000_000_000
    before = {"job_title": "clerk", "country": "DE", "created_at": as_of - 10 * DAY}
    after = {"job_title": "the boss", "country": "FR", "created_at": as_of - 40 * DAY}
    features = rule_features(RULES, kinds)
    frames = [
        pd.DataFrame([{"as_of": as_of, **{f.name: row[f.attribute] for f in features}}]) for row in (before, after)
    ]
    assert sets_that_moved(RULES, *frames, kinds, points=np.array([points])) == [said]


def test_low_fit_and_very_interested_is_what_it_says(listed, demo):
    found, scores, _ = listed
    rate = load_bundle(demo.bundle).cuts.base_rate
    named = of_kind(found, LOW_FIT)
    free = scores[~scores["stage"].isin(["opportunity", "customer"])]
    assert set(named) == set(free.index[(free["fit"] <= rate) & (free["interest"] > 2 * rate)])
    assert len(named) > 3


def test_model_and_rules_far_apart_differ_by_half_of_all_contacts(listed):
    found, scores, _ = listed
    named = of_kind(found, APART)
    for contact in list(named)[:40]:
        places = []
        for column in ("probability", "rule_score"):
            values, own = scores[column].to_numpy(dtype=float), scores.loc[contact, column]
            places.append(((values < own).sum() + (values == own).sum() / 2) / len(values))
        assert abs(places[0] - places[1]) >= 0.5
        assert f"above {places[0]:.0%} of contacts, the rules above {places[1]:.0%}" in named[contact]
    assert named


def test_the_most_important_come_first_and_each_once(listed):
    found, scores, _ = listed
    assert [i.stake for i in found] == sorted((i.stake for i in found), reverse=True)
    assert len({i.contact_id for i in found}) == len(found)
    assert set(KINDS) == {kind for item in found for kind in item.kinds}
    assert not scores.loc[[i.contact_id for i in found], "stage"].isin(["opportunity", "customer"]).any()


def test_the_command_prints_as_many_as_a_person_can_look_at_and_no_names_unless_wanted(crm, run, tmp_path, listed):
    config = settle(crm, review={"per_week": 4})
    found = run("review", config, "--json", "--out", tmp_path / "list.csv")
    assert (found.code, found.err) == (0, "")
    assert [i["contact_id"] for i in found.json["items"]] == [i.contact_id for i in listed[0][:4]]
    assert [i["why"] for i in found.json["items"]] == [list(i.why) for i in listed[0][:4]]
    assert {i["name"] for i in found.json["items"]} == {None}
    rows = pd.read_csv(tmp_path / "list.csv")
    assert rows["contact_id"].tolist() == [i.contact_id for i in listed[0][:4]]
    assert rows["name"].isna().all()
    said = run("review", settle(crm, review={"per_week": 1, "names": True})).out
    with duckdb.connect(str(crm.with_name("crm.duckdb")), read_only=True) as con:
        columns = [row[0] for row in con.execute("describe contacts").fetchall()]
        first = listed[0][0].contact_id
        name = (
            con.execute("select name from contacts where contact_id = ?", [first]).fetchone()
            if "name" in columns
            else None
        )
    assert said.startswith(f"{first} {name[0]}  " if name else f"{first}  ")


def test_whom_a_person_has_decided_on_and_the_holdout_are_left_out(crm, opened, demo, listed):
    with opened(settle(crm, review={"per_week": 5_000})) as (config, con, tables, _):

        class Marked:
            """The sink with its first contacts marked."""

            def __init__(self, sink):
                self.read_history, self.read_runs, self._current = sink.read_history, sink.read_runs, sink.read_current

            def read_current(self):
                frame = self._current()
                frame.loc[frame["contact_id"].eq(out[0]), "holdout"] = True
                frame["override"] = np.where(frame["contact_id"].eq(out[1]), "ann until 2027-01-01: x", None)
                return frame

        out = [item.contact_id for item in listed[0][:2]]
        found = review_list(con, tables, config, load_bundle(demo.bundle), Marked(open_sink(config.sink)))
    assert not {i.contact_id for i in found} & set(out)
    assert len(found) == len(listed[0]) - 2


def test_nobody_is_scored_yet(trained_tiny, run):
    done = run("review", trained_tiny[0])
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("nobody to look at")
