from pathlib import Path

import pytest

from predictive.clock import DAY
from predictive.config_file import load_config
from predictive.sources import read_tables

CONFIGS = Path(__file__).parents[2] / "configs"
NOW = 1_893_456_000_000_000  # 2030


@pytest.fixture
def real(con, data_dir, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(data_dir))

    def run(name):
        config = load_config(CONFIGS / f"{name}.yaml")
        return config, read_tables(config, con, now=NOW)

    return run


def closes(rows, *, age, horizon, since=0):
    """How many contacts that had not closed by their as-of there are, and how many of them close in the horizon."""
    return rows(
        f"""WITH judged AS (
            SELECT c.created_at + {age * DAY} AS as_of, min(d.closed_at) AS closed_at
            FROM contacts AS c LEFT JOIN deals AS d USING (contact_id) WHERE c.created_at >= {since}
            GROUP BY contact_id, c.created_at)
        SELECT count(*), count(*) FILTER (closed_at <= as_of + {horizon * DAY}) FROM judged
        WHERE closed_at > as_of OR closed_at IS NULL"""
    )[0]


def test_olist_reads_as_published(real, rows):
    config, tables = real("olist")
    assert tables.attributes == {"contacts": {"landing_page_id": "text", "origin": "text"}, "accounts": {}}
    assert rows("SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM deals WHERE is_won)") == [(8000, 842)]
    assert config.split is not None
    leads, won = closes(rows, age=0, horizon=90, since=config.micros(config.split.train_from))
    assert leads == 5998 - 1  # one of them was won before its first contact
    assert won / leads == pytest.approx(0.113, abs=0.0005)
    assert [(note.where, note.count) for note in tables.notes] == [("deals", 1)]


def test_oulad_reads_as_published(real, rows):
    config, tables = real("oulad")
    enrolments, withdrawn = closes(rows, age=30, horizon=90)
    assert enrolments == 27_443
    assert withdrawn / enrolments == pytest.approx(0.098, abs=0.0005)
    assert {"final_result", "code_presentation"} & tables.attributes["contacts"].keys() == set()
    assert tables.attributes["contacts"]["registered_on_day"] == "number"
    submitted = "FROM activities WHERE type <> 'visited_before_start'"
    assert rows(f"SELECT count(DISTINCT type), count(value) {submitted}") == [(5, 0)]
    split = config.split
    assert split is not None
    train_until, test_from = config.micros(split.train_until), config.micros(split.test_from)
    years = rows(
        f"""SELECT created_at + {30 * DAY} < {train_until}, created_at + {30 * DAY} >= {test_from},
        contact_id LIKE '%-2013_-%', max(created_at) + {120 * DAY} <= {test_from}
        FROM contacts GROUP BY ALL ORDER BY 1"""
    )
    assert years == [(False, True, False, False), (True, False, True, True)]


def test_bank_reads_as_published(real, rows):
    config, tables = real("bank")
    assert "duration" not in tables.attributes["contacts"]
    assert tables.attributes["contacts"]["euribor3m"] == "number"
    assert closes(rows, age=0, horizon=1) == (41_188, 4_640)
    assert config.split is not None
    test_from = config.micros(config.split.test_from)
    ordered = (
        "SELECT *, CAST(contact_id AS INTEGER) AS row, lag(created_at) OVER (ORDER BY row) AS before FROM contacts"
    )
    assert rows(
        f"""SELECT min(row) FILTER (created_at >= {test_from}), count(*) FILTER (created_at >= {test_from}),
        bool_and(created_at > before), CAST(make_timestamp(min(created_at)) AS DATE) = DATE '2008-05-01',
        CAST(make_timestamp(max(created_at)) AS DATE) = DATE '2010-11-30' FROM ({ordered})"""
    ) == [(41_188 - 9_043 + 1, 9_043, True, True, True)]
    assert tables.notes == ()
