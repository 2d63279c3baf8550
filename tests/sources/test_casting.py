# ruff: noqa: DTZ001 - times without a zone are what is tested
import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from predictive.clock import to_micros
from predictive.errors import DataError
from predictive.sources import casting

ZONES = [
    "UTC",
    "Europe/Madrid",
    "America/Sao_Paulo",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Apia",  # left out a whole day
    "Africa/Casablanca",  # winter time in Ramadan
]


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def cast(engine, values, kind, *, zone="UTC", type_="VARCHAR"):
    """Reads values as casting does, in the order given."""
    listed = engine.sql(f'SELECT unnest(CAST($v AS {type_}[])) AS "x::raw"', params={"v": values})
    return [x for (x,) in casting.read(listed, {"x": kind}, zone).project("x").fetchall()]


def reference(text, zone):
    """Microseconds UTC of a time by Python's own reader, the clock in `zone` with fold 0."""
    at = datetime.fromisoformat(text)
    return to_micros(at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone)))


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    times=st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2049, 12, 30)), min_size=1, max_size=50),
)
@example(zone="Europe/Madrid", times=[datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)])
@example(zone="Pacific/Apia", times=[datetime(2011, 12, 30, 12), datetime(2011, 12, 31, 12), datetime(2011, 12, 29)])
def test_times_without_an_offset_are_those_of_python(engine, zone, times):
    texts = [t.isoformat(sep=" ") for t in times]
    expected = [reference(t, zone) for t in texts]
    assert cast(engine, texts, "time", zone=zone) == expected
    assert cast(engine, times, "time", zone=zone, type_="TIMESTAMP") == expected


@pytest.mark.parametrize("zone", ZONES)
def test_every_half_hour_around_a_change_of_the_clock_is_that_of_python(engine, zone):
    here = ZoneInfo(zone)
    days = [datetime(2025, 1, 1) + timedelta(days=i) for i in range(730)]
    moved = [
        d
        for d in days
        if d.replace(tzinfo=here).utcoffset() != (d + timedelta(days=1)).replace(tzinfo=here).utcoffset()
    ]
    times = [d + timedelta(minutes=30 * i) for d in moved for i in range(-96, 192)] + days[:2]
    texts = [t.isoformat() for t in times]
    assert cast(engine, texts, "time", zone=zone) == [reference(t, zone) for t in texts]


@settings(max_examples=60, deadline=None)
@given(
    at=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    offset=st.sampled_from(["", "Z", "+00:00", "-03:00", "+05:30", "+0530", "-08", " +02:00", " UTC"]),
    separator=st.sampled_from("T "),
    cut=st.sampled_from(["auto", "milliseconds", "seconds", "minutes"]),
)
def test_every_way_to_write_an_iso_time_is_that_of_python(engine, at, offset, separator, cut):
    written = at.isoformat(sep=separator, timespec=cut)
    expected = reference(written + offset.replace(" UTC", "Z").strip(), "UTC")
    assert cast(engine, [written + offset, f" {written}{offset} "], "time") == [expected, expected]


@settings(max_examples=60, deadline=None)
@given(day=st.dates(date(1, 1, 2)))
def test_a_date_is_its_first_midnight(engine, day):
    assert cast(engine, [day.isoformat()], "time", zone="UTC") == [reference(day.isoformat(), "UTC")]
    assert cast(engine, [day], "time", zone="UTC", type_="DATE") == [reference(day.isoformat(), "UTC")]


@pytest.mark.parametrize(
    "text",
    [
        "31/12/2018",
        "2018-02-30",
        "2018-1-1",
        "2018-01-01 24:00:00",
        "2018-01-01 10:60",
        "2018-01-01 10",
        "2018-01-01T",
        "2018-01-01 10:00 PM",
        "2018-01-01+02:00",
        "2018-01-01 10:00+2",
        "2018-01-01 10:00+24:00",
        "20180101",
        "1519689600",
        "0000-01-01",
        "infinity",
        "epoch",
        "now",
        "12018-01-01",
    ],
)
def test_a_time_is_not_guessed(engine, text):
    assert cast(engine, [text], "time") == [None]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.floats(allow_nan=False), st.integers(), st.decimals(allow_nan=False, allow_infinity=False)))
def test_a_number_is_that_of_python(engine, number):
    expected = float(number) if math.isfinite(float(number)) else None
    assert cast(engine, [str(number)], "number") == [expected]


@pytest.mark.parametrize("text", ["1,5", "1_000", "0x1F", "inf", "nan", "1e400", "1d", "5%", "€5", "true", "1 2", "."])
def test_a_number_is_not_guessed(engine, text):
    assert cast(engine, [text], "number") == [None]


def test_booleans_are_read_in_the_usual_spellings_only(engine):
    yes, no = ["true", "T", "Yes", "y", "1", " TRUE "], ["false", "F", "No", "n", "0"]
    assert cast(engine, yes, "boolean") == [True] * len(yes)
    assert cast(engine, no, "boolean") == [False] * len(no)
    assert cast(engine, ["2", "ja", "won", "on"], "boolean") == [None] * 4
    assert cast(engine, [1.0, 0.0, 2.0], "boolean", type_="DOUBLE") == [True, False, None]


@pytest.mark.parametrize("type_", ["TINYINT", "BIGINT", "UINTEGER", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(9,2)"])
def test_a_whole_number_is_text_without_a_fraction(engine, type_):
    assert cast(engine, [7], "text", type_=type_) == ["7"]
    assert cast(engine, [7], "number", type_=type_) == [7.0]
    assert cast(engine, [7], "time", type_=type_) == [None]


def test_long_ids_keep_every_digit(engine):
    ids = [2**63 - 1, -(2**53) - 1]
    assert cast(engine, ids, "text", type_="BIGINT") == [str(i) for i in ids]
    assert cast(engine, ids, "text", type_="DECIMAL(38,0)") == [str(i) for i in ids]
    assert cast(engine, [1e20], "text", type_="DOUBLE") == ["1e+20"]


@pytest.mark.parametrize("type_", ["TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS"])
def test_timestamps_of_every_precision_are_local(engine, type_):
    at = datetime(2026, 7, 1, 12)
    assert cast(engine, [at], "time", zone="Europe/Madrid", type_=type_) == [
        reference("2026-07-01 12:00", "Europe/Madrid")
    ]
    assert cast(engine, ["infinity"], "time", type_="TIMESTAMP") == [None]


def test_a_timestamp_with_its_zone_is_taken_as_it_is(engine):
    texts = ["2026-07-01 12:00:00+02:00"]
    assert cast(engine, texts, "time", zone="Asia/Kolkata", type_="TIMESTAMPTZ") == [reference(texts[0], "UTC")]


CONTACTS = "contact_id,created_at,n,code,ok,day,text,none,mixed\n"


def test_attributes_of_a_csv_are_inferred_from_all_values(read, rows):
    text = (
        CONTACTS + "a,2026-01-01,1,007,true,2026-01-01,x,,1\nb,2026-01-01,-2e3,12,FALSE,2026-07-01 10:00+02:00,5,,n/a\n"
    )
    tables = read({"contacts.csv": text + "c,2026-01-01,,,,,,,\n"})
    kinds = {
        "n": "number",
        "code": "text",
        "ok": "boolean",
        "day": "time",
        "text": "text",
        "none": "text",
        "mixed": "text",
    }
    assert tables.attributes == {"contacts": kinds, "accounts": {}}
    assert rows("SELECT n, code, ok, day, text, mixed FROM contacts") == [
        (1.0, "007", True, 1767225600000000, "x", "1"),
        (-2000.0, "12", False, 1782892800000000, "5", "n/a"),
        (None,) * 6,
    ]


def test_an_attribute_of_dates_out_of_range_stays_text(read):
    tables = read({"contacts.csv": "contact_id,created_at,seen\na,2026-01-01,0001-01-01\nb,2026-01-01,2026-01-01\n"})
    assert tables.attributes["contacts"] == {"seen": "text"}


def test_one_value_that_is_no_number_makes_text_and_says_so(read, rows):
    text = "contact_id,created_at,n\n" + "".join(f"c{i},2026-01-01,{i or '?'}\n" for i in range(100))
    tables = read({"contacts.csv": text})
    assert tables.attributes["contacts"] == {"n": "text"}
    assert [str(n) for n in tables.notes if n.where == "contacts.n"] == [
        "contacts.n: kept as text: 1 of 100 values are no numbers; if they mean not known, list them in missing"
    ]
    tables = read(contacts={"file": "contacts.csv", "missing": ["?"]})
    assert tables.attributes["contacts"] == {"n": "number"}
    assert rows("SELECT count(n) FROM contacts") == [(99,)]


def test_missing_texts_are_missing_in_every_column(read, rows):
    text = "contact_id,created_at,country,n\na,2026-01-01,NA,-1\nb,2026-01-01,  ,2\nc,2026-01-01,NAM,3\n"
    read({"contacts.csv": text}, contacts={"file": "contacts.csv", "missing": ["NA", "-1"]})
    assert rows("SELECT country, n FROM contacts") == [(None, None), (None, 2.0), ("NAM", 3.0)]


def test_every_column_with_problems_is_named_at_once_with_row_line_and_value(read, tmp_path):
    activities = "contact_id,occurred_at,type,value\nc1,2026-01-01,visit,5\nc1,31/12/2025,,a lot\n,30/12/2025,visit,6\n"
    deals = "deal_id,contact_id,closed_at,is_won,amount\nd1,c1,2026-01-01,won,5\n"
    contacts = 'contact_id,created_at\n"c\n1",2026-01-01\nc2,jane@example.com\n'
    with pytest.raises(DataError) as caught:
        read(
            {"contacts.csv": contacts, "a.csv": activities, "deals.csv": deals},
            activities={"file": "a.csv", "columns": {"occurred_at": "occurred_at"}},
        )
    lines, end = str(caught.value).splitlines(), " of the file"
    places = ["contacts.csv", "deals.csv", "a.csv", "a.csv", "a.csv", "a.csv"]
    for line, file in zip(lines, places, strict=True):
        assert f" in {tmp_path / file}, row " in line
    assert [line.replace(f"{tmp_path}/", "").split("; ", 1)[0] for line in lines] == [
        "contacts.created_at: cannot be read as a time in 1 of 2 rows, first 'j…@…' in contacts.csv, row 2, line 4"
        + end,
        "deals.is_won: cannot be read as a boolean in 1 of 1 rows, first 'won' in deals.csv, row 1, line 2" + end,
        "activities.contact_id: missing in 1 of 3 rows, first in a.csv, row 3, line 4" + end,
        "activities.occurred_at: cannot be read as a time in 2 of 3 rows, first '31/12/2025' in a.csv, row 2, line 3"
        + end,
        "activities.type: missing in 1 of 3 rows, first in a.csv, row 2, line 3" + end,
        "activities.value: cannot be read as a number in 1 of 3 rows, first 'a lot' in a.csv, row 2, line 3" + end,
    ]
    kinds = ["time", "boolean", None, "time", None, "number"]
    for line, kind in zip(lines, kinds, strict=True):
        assert line.endswith("every row needs one" if kind is None else f"allowed: {casting.ALLOWED[kind]}")


def test_the_row_is_counted_within_its_part(read):
    parts = {f"a/{i}.csv": "contact_id,occurred_at,type\n" + "c1,2026-01-01,x\n" * 3 for i in range(3)}
    parts["a/1.csv"] += "c1,soon,x\n"
    with pytest.raises(DataError, match=r"'soon' in .*a/1\.csv, row 4, line 5 of the file"):
        read(parts, activities={"file": "a"})


def test_a_query_counts_the_rows_of_its_result(read):
    with pytest.raises(DataError, match=r"'soon' in row 2 of the result of source\.tables\.activities\.query"):
        read(
            activities={
                "query": "SELECT 'c1' AS contact_id, unnest(['2026-01-01', 'soon']) AS occurred_at, 'x' AS type"
            }
        )


def test_choices_are_checked(read):
    changes = "object,object_id,attribute,value,changed_at\ncontact,c1,a,b,2026-01-01\nlead,c1,a,b,2026-01-01\n"
    with pytest.raises(
        DataError, match=r"changes\.object: not allowed in 1 of 2 rows, first 'lead' .* contact or account"
    ):
        read({"ch.csv": changes}, changes={"file": "ch.csv"})
    overrides = "contact_id,quadrant,author,reason,created_at,expires_at\nc1,chase,me,why,2026-01-01,2026-02-01\n"
    with pytest.raises(DataError, match=r"overrides\.quadrant: .*'chase'.* allowed: pursue or nurture or"):
        read({"o.csv": overrides}, overrides={"file": "o.csv"})
