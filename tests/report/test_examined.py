"""What `examine` finds in real tables: files that are read, a working database, and a sink with a night."""

from datetime import timedelta

import pandas as pd
import pytest
import yaml

from predictive.clock import to_micros
from predictive.config import DuckdbSink
from predictive.config_file import load_config
from predictive.report import examine
from predictive.sinks import open_sink
from predictive.sources import read_tables
from predictive.store import open_store
from tests.sinks.conftest import Nights

TODAY = pd.Timestamp("2026-07-01", tz="UTC")
IDS = [f"C{i}" for i in range(10)]


@pytest.fixture
def crm(tmp_path):
    """Reads ten contacts, one of them without an industry, one won deal and two calls; with any settings beside."""
    created = ["2026-06-20"] * 2 + ["2025-06-01"] * 8
    contacts = pd.DataFrame({"contact_id": IDS, "created_at": created, "name": "Ann Lee", "industry": "retail"})
    contacts.loc[0, "industry"] = None
    contacts.to_csv(tmp_path / "contacts.csv", index=False)
    deal = {"deal_id": "D1", "contact_id": "C9", "created_at": "2026-05-01", "closed_at": "2026-05-20", "is_won": True}
    pd.DataFrame([deal]).to_csv(tmp_path / "deals.csv", index=False)
    calls = [("C1", "2026-06-29T10:00:00Z"), ("C2", "2027-01-01T00:00:00Z")]
    calls = pd.DataFrame(calls, columns=["contact_id", "occurred_at"]).assign(type="call")
    calls.to_csv(tmp_path / "activities.csv", index=False)
    tables = {name: {"file": f"{name}.csv"} for name in ("contacts", "deals", "activities")}
    settings = {"source": {"kind": "files", "path": ".", "tables": tables}, "horizon": "30d"}
    settings |= {"sink": {"kind": "duckdb", "path": "scores.duckdb"}}

    def of(bundle, **more):
        (tmp_path / "crm.yaml").write_text(yaml.safe_dump(settings | more))
        config = load_config(tmp_path / "crm.yaml")
        now = to_micros(TODAY + timedelta(hours=6))
        with open_store() as con:
            return examine(con, read_tables(config, con, now=now), config, bundle, open_sink(config.sink), now=now)

    of.folder = tmp_path
    return of


@pytest.fixture
def scored(crm):
    """A night in which the model ranks C1 high and the rules rank it last; the others are in the rules' order."""
    sink = open_sink(DuckdbSink(kind="duckdb", path=crm.folder / "scores.duckdb"))
    nights = Nights()
    rows = {i: {"probability": 0.01 + n / 100, "rule_score": 10 + 5 * n, "fit": 0.2} for n, i in enumerate(IDS[:9])}
    rows["C1"] |= {"probability": 0.5, "rule_score": 0}
    nights.write(sink, 0, rows, version="m1")
    nights.con.close()


@pytest.mark.usefixtures("scored")
def test_everything_is_examined_as_of_today(crm, tiny_bundle):
    found = crm(tiny_bundle)
    assert found.why_not == ()
    assert {f.table: f"{f.newest:%Y-%m-%d}" for f in found.fresh} == {
        "contacts": "2026-06-20", "deals": "2026-05-20", "activities": "2026-06-29",
    }  # fmt: skip
    assert [(f.rows, f.known) for f in found.filled if f.name == "industry"] == [(10, 9)]
    assert (found.hygiene.contacts, found.hygiene.could_buy) == (10, 9)
    assert found.hygiene.not_eligible == {"already closed": 1}
    assert [n.count for n in found.hygiene.impossible if n.where == "activities"] == [1]  # C2's call of next year
    assert found.audit.waiting + sum(found.audit.left_out.values()) == 9
    assert "C1" in [item.contact_id for item in found.review]


@pytest.mark.usefixtures("scored")
def test_names_are_on_the_review_list_only_where_the_configuration_says_so(crm, tiny_bundle):
    assert {item.name for item in crm(tiny_bundle).review} == {None}
    assert {item.name for item in crm(tiny_bundle, review={"names": True}).review} == {"Ann Lee"}


@pytest.mark.usefixtures("scored")
def test_what_cannot_be_examined_is_said_and_the_rest_is_there(crm, tiny_bundle):
    found = crm(tiny_bundle, quadrants={"by": "share", "fit": 0.2, "interest": 0.2})
    assert found.review is None
    assert len(found.why_not) == 1
    assert "Train again, or cut by lift" in found.why_not[0]
    assert found.hygiene.contacts == 10
    assert found.audit is not None


def test_before_the_first_night_there_is_nobody_to_look_at(crm, tiny_bundle):
    found = crm(tiny_bundle)
    assert (found.review, found.hygiene.marketing, found.audit.lines) == ((), (), ())
