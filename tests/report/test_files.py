import sys

import pytest

from predictive.errors import DataError
from predictive.report.files import replace_text


def test_missing_folders_are_made_and_the_old_file_is_replaced(tmp_path):
    path = tmp_path / "not" / "there" / "report.html"
    replace_text(path, "old")
    replace_text(path, "ñ\n")
    assert path.read_bytes() == "ñ\n".encode()
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_folder_in_the_place_of_the_report_is_one_clear_error(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(DataError, match=r"report\.html: the report cannot be written"):
        replace_text(tmp_path / "report.html", "")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_others_may_read_the_report(tmp_path):
    replace_text(tmp_path / "report.html", "")
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "report.html").stat().st_mode == plain.stat().st_mode
