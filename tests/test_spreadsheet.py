import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.errors import DataError
from predictive.spreadsheet import safe, write_csv

CELLS = st.text(st.sampled_from("=+-@\t\r\n'a1.e ,\"＝"), max_size=8)


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


@given(CELLS)
def test_no_text_runs_as_a_formula_and_every_text_can_be_read_back(text):
    cell = safe(text)
    assert cell in (text, f"'{text}")
    assert not cell.startswith(tuple("=@\t\r\n＝"))
    assert not cell.startswith(("+", "-")) or is_number(cell)
    # An apostrophe is put in front exactly where the text would run without it, or looks as if one had been.
    assert cell == text or text.lstrip("'\t\r\n ")[:1] in tuple("=+-@＝") or text[:1].isspace() or text[:1] == "'"


def test_a_frame_is_written_with_numbers_as_numbers_and_times_in_utc(tmp_path):
    frame = pd.DataFrame(
        {
            "contact_id": ["=cmd()", "-5", None],
            "p": [-0.5, float("nan"), 1e-9],
            "at": [pd.Timestamp("2026-01-02", tz="UTC"), pd.NaT, pd.NaT],
        }
    )
    write_csv(frame, tmp_path / "new" / "x.csv")
    text = (tmp_path / "new" / "x.csv").read_text()
    assert list(csv.reader(io.StringIO(text))) == [
        ["contact_id", "p", "at"],
        ["'=cmd()", "-0.5", "2026-01-02T00:00:00Z"],
        ["-5", "", ""],
        ["", "1e-09", ""],
    ]
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_csv(frame, tmp_path / "file" / "x.csv")
