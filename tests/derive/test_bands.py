import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.derive.bands import REVENUES, SIZES, revenue_band, size_band, size_band_of_text


@pytest.mark.parametrize(
    ("first", "last", "band"),
    [
        (1, 1, "1"), (2, 10, "2–10"), (11, 50, "11–50"), (51, 200, "51–200"), (201, 500, "201–500"),
        (501, 1_000, "501–1,000"), (1_001, 5_000, "1,001–5,000"), (5_001, 10_000, "5,001–10,000"),
        (10_001, 3e6, "more than 10,000"),
    ],
)  # fmt: skip
def test_a_size_band_holds_both_its_ends(first, last, band):
    assert size_band(first) == size_band(last) == band
    if last < 10_001:
        for text in (f"{first}-{last}", f"{first:,} – {last:,} employees", f"{first} to {last}", f"{first} a {last}"):
            assert size_band_of_text(text) == band
        assert size_band_of_text(f"{first:,}-{last:,}".replace(",", ".")) == band


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("1,000+", "1,001–5,000"), ("10k", "5,001–10,000"), ("10k+", "more than 10,000"),
        ("10 001+", "more than 10,000"),
        ("> 500", "501–1,000"), ("<50", "11–50"), ("powyżej 250", "201–500"), ("50-249", "51–200"),
        ("5-10k", "5,001–10,000"),
        ("2.5k", "1,001–5,000"), ("self-employed", "1"), ("Myself only", "1"), ("51 do 200", "51–200"),
        ("0", None), ("-5", None), ("", None), ("many", None), ("10-15-20", None), ("200-51", None), ("3 of 5", None),
    ],
)  # fmt: skip
def test_texts_of_databases_become_bands(text, band):
    assert size_band_of_text(text) == band


@given(st.integers(1, 10**7))
def test_a_number_and_its_text_are_in_the_same_band(count):
    assert size_band_of_text(str(count)) == size_band_of_text(f"{count:,}") == size_band(count)


@given(st.floats(1, 1e12), st.floats(1, 1e12))
def test_bands_ascend_with_what_they_measure(a, b):
    low, high = sorted((a, b))
    for band, names in ((size_band, SIZES), (revenue_band, REVENUES)):
        assert names.index(band(low)) <= names.index(band(high))


@pytest.mark.parametrize("value", [0.0, -1.0, -0.0, math.nan, math.inf, -math.inf])
def test_what_measures_nothing_has_no_band(value):
    assert size_band(value) is None
    assert revenue_band(value) is None


def test_a_revenue_band_holds_its_lower_end():
    ends = (999_999.99, 1e6, 1e7, 5e7, 1e8, 5e8, 1e9)
    assert tuple(revenue_band(end) for end in ends) == REVENUES
