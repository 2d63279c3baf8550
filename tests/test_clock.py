from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.clock import (
    DAY,
    calendar,
    format_duration,
    from_micros,
    instant,
    iso,
    last_midnight,
    parse_duration,
    parse_instant,
    to_micros,
)

# São Paulo and Beirut change their clocks at midnight, Lord Howe by half an hour, Havana back to midnight.
ZONES = [
    "UTC",
    "Europe/Madrid",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Beirut",
]
NOWS = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(lambda d: to_micros(d.replace(tzinfo=UTC)))  # noqa: DTZ001 - UTC is added


@given(st.integers(to_micros(datetime(1, 1, 1, tzinfo=UTC)), to_micros(datetime(9999, 12, 31, tzinfo=UTC))))
def test_microseconds_and_times_are_the_same_thing_in_two_ways(micros):
    assert to_micros(from_micros(micros)) == micros
    assert to_micros(datetime.fromisoformat(iso(micros))) == micros


@given(st.integers(1, 10_000), st.sampled_from("mhdw"))
def test_a_length_of_time_reads_back_as_it_is_written(n, unit):
    length = parse_duration(f"{n}{unit}")
    assert parse_duration(format_duration(length)) == length == parse_duration(length)
    assert (
        length == n * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(1), "w": timedelta(7)}[unit]
    )


@pytest.mark.parametrize("text", ["90", "90 d", "0d", "-3d", "1.5d", "3y", "d", "", "٣d", "3d\n", 90, None, True])
def test_what_is_no_length_of_time_is_refused_and_shown(text):
    with pytest.raises(ValueError, match="is not a length of time; write a whole number and a unit"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2018-13-01", "yesterday", "", 2018, None, "01/04/2018", "2018-02-30T00:00"])
def test_what_is_no_date_is_refused_and_shown(text):
    with pytest.raises(ValueError, match="is not a date or time; write 2026-11-22"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("value", "timezone", "expected"),
    [
        (date(2026, 3, 29), "UTC", "2026-03-29T00:00:00Z"),
        (date(2026, 3, 29), "Europe/Madrid", "2026-03-28T23:00:00Z"),
        (date(2026, 3, 30), "Europe/Madrid", "2026-03-29T22:00:00Z"),
        (datetime(2026, 3, 29, 12, tzinfo=UTC), "Europe/Madrid", "2026-03-29T12:00:00Z"),
        (parse_instant("2026-03-29T12:00:00"), "Europe/Madrid", "2026-03-29T10:00:00Z"),
        (parse_instant("2026-03-29T12:00:00-05:00"), "Europe/Madrid", "2026-03-29T17:00:00Z"),
        # The day on which São Paulo had no midnight began at one o'clock.
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ],
)
def test_a_naive_time_is_in_the_given_zone_and_a_date_is_its_first_instant(value, timezone, expected):
    assert iso(instant(value, timezone)) == expected


@given(NOWS, st.sampled_from(ZONES))
def test_the_last_midnight_is_the_first_instant_of_the_local_day(now, timezone):
    zone, found = ZoneInfo(timezone), last_midnight(now, timezone)
    today = from_micros(now).astimezone(zone).date()
    assert found <= now < instant(today + timedelta(days=1), timezone)
    assert from_micros(found).astimezone(zone).date() == today
    assert from_micros(found - 1).astimezone(zone).date() < today
    assert last_midnight(found, timezone) == found


@given(NOWS, st.integers(0, 500), st.sampled_from(["month", "week"]), st.sampled_from(ZONES))
def test_a_calendar_holds_every_local_midnight_that_begins_a_month_or_a_week(first, days, every, timezone):
    zone, last = ZoneInfo(timezone), first + days * DAY
    start = from_micros(first).astimezone(zone).date()
    dates = [start + timedelta(days=i) for i in range(days + 2)]
    begins = [d for d in dates if (d.day == 1 if every == "month" else d.weekday() == 0)]
    assert calendar(first, last, every, timezone) == [t for d in begins if first <= (t := instant(d, timezone)) <= last]
