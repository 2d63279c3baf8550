"""What only the Parquet and CSV sinks do: cells that spreadsheets run, names, locks, files that are not ours."""

import csv
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.config import FileSink
from predictive.errors import DataError
from predictive.sinks import open_sink

HOLD = """
import sys
from pathlib import Path
from predictive.sinks.journal import Journal
with Journal(folder=Path(sys.argv[1]), beside=()).locked():
    print("held", flush=True)
    sys.stdin.read()
"""
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"]


@pytest.fixture
def table(tmp_path):
    return open_sink(FileSink(kind="csv", path=tmp_path / "scores.csv"))


@pytest.fixture(params=["parquet", "csv"])
def sink(request, tmp_path):
    return open_sink(FileSink(kind=request.param, path=tmp_path / f"scores.{request.param}"))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_cell_starts_as_a_formula_and_reading_takes_the_apostrophe_away(table, nights, text):
    nights.write(table, 0, {text: {"reasons": text, "override": text}})
    for file in (table.path, *(table.path.parent / "scores_history").glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as opened:
            row = next(csv.DictReader(opened))
        assert [row[c] for c in ("contact_id", "reasons", "override")] == ["'" + text] * 3
        assert row["rule_fit"] == "-5"
    assert list(table.read_current()["contact_id"]) == [text]
    assert nights.write(table, 1, {text: {"reasons": text, "override": text}}).written == 0


TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.text("'=+-@\t\r\n\"\\, a", max_size=8)


@settings(max_examples=25, deadline=None)
@given(
    texts=st.dictionaries(TEXT, st.tuples(TEXT, st.none() | TEXT), min_size=1, max_size=6),
    number=st.floats(0, 1),
    whole=st.integers(-(2**63), 2**63 - 1),
)
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_any_value_comes_back_as_it_was(new_nights, kind, texts, number, whole):
    with TemporaryDirectory() as folder:
        nights = new_nights()
        sink = open_sink(FileSink(kind=kind, path=Path(folder) / f"scores.{kind}"))
        scores = {
            contact: {"probability": number, "rule_fit": whole, "reasons": reasons, "override": override}
            for contact, (reasons, override) in texts.items()
        }
        nights.write(sink, 0, scores)
        assert nights.preview(sink, 1, scores).unchanged == len(scores)
        found = sink.read_current().set_index("contact_id")
        assert {c: (r.reasons, None if pd.isna(r.override) else r.override) for c, r in found.iterrows()} == texts
        assert set(found["probability"]) == {number}
        assert set(found["rule_fit"]) == {whole}
        nights.con.close()


def test_a_file_read_by_others_has_utc_times_in_order_of_contacts(sink, nights):
    nights.write(sink, 0, dict.fromkeys("dzca", 0.1))
    nights.write(sink, 1, dict.fromkeys("ec", 0.2) | {"z": 0.1})
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv}[sink.kind]
    frame = read(sink.path)
    assert list(frame["contact_id"]) == ["c", "e", "z"]
    assert [pd.Timestamp(t).isoformat() for t in frame["as_of"]] == [
        "2026-11-02T00:00:00+00:00",
        "2026-11-02T00:00:00+00:00",
        "2026-11-01T00:00:00+00:00",
    ]


def test_each_written_night_has_one_file_of_its_own(sink, nights):
    for day, version in ((0, "v1"), (1, "v1"), (1, "V1"), (1, "v/1"), (0, "v1")):
        nights.write(sink, day, {"a": day / 10 + len(version) / 100 + nights.runs / 1000}, version=version)
    names = sorted(f.name for f in (sink.path.parent / "scores_history").glob(f"*.{sink.kind}"))
    assert [name.split("_")[:2] + name.split("_")[3:] for name in names] == [
        ["2026-11-01T000000Z", "v1"],
        ["2026-11-01T000000Z", "v1", f"past.{sink.kind}"],
        ["2026-11-02T000000Z", "V1"],
        ["2026-11-02T000000Z", "v-1"],
        ["2026-11-02T000000Z", "v1"],
    ]
    assert len({name.lower() for name in names}) == 5


def test_repeating_a_night_leaves_every_byte_and_time_of_the_files(sink, nights):
    def stamps():
        files = sink.path.parent.rglob("*[!k]")  # all but .lock
        return {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in files if f.is_file()}

    nights.write(sink, 0, {"a": 0.1})
    nights.write(sink, 1, {"a": 0.2})
    before = stamps()
    for day, probability in ((1, 0.2), (0, 0.1)):
        assert nights.write(sink, day, {"a": probability}).written == 0
    assert stamps() == before


def test_a_folder_whose_name_looks_like_a_pattern_is_read_by_its_name(sink, nights, tmp_path):
    near = open_sink(FileSink(kind=sink.kind, path=tmp_path / "d1" / "s"))
    odd = open_sink(FileSink(kind=sink.kind, path=tmp_path / "d[1]" / "s"))
    nights.write(near, 0, {"wrong": 0.1})
    nights.write(odd, 0, {"right": 0.1})
    assert list(odd.read_current()["contact_id"]) == ["right"]
    assert list(odd.read_history()["contact_id"]) == ["right"]


def test_columns_of_a_csv_may_be_in_another_order(table, nights):
    nights.write(table, 0, {"a": 0.1})
    frame = pd.read_csv(table.path, dtype=str, keep_default_na=False)
    frame[frame.columns[::-1]].to_csv(table.path, index=False)
    assert nights.preview(table, 1, {"a": 0.1}).unchanged == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace("tier", "class", 1), 'has no column "tier"'),
        (lambda text: text.replace("\n", ",\n", 1), 'has a further column ""'),
        (lambda text: text.replace("0.1", "0,1"), "cannot be read"),
        (lambda text: text.replace("2026-11-01T", "1 Nov 2026 "), "cannot be read"),
        (lambda text: text[:-5], "cannot be read"),
        (lambda _: "", 'has no column "contact_id"'),
    ],
)
def test_a_csv_that_was_changed_is_refused_and_kept(table, nights, change, problem):
    nights.write(table, 0, {"a": 0.1})
    table.path.write_text(change(table.path.read_text()))
    before = table.path.read_bytes()
    for write in (nights.preview, nights.write):
        with pytest.raises(DataError, match=f"scores.csv: .*{problem}.*nothing was written"):
            write(table, 1, {"a": 0.2})
    assert table.path.read_bytes() == before


def test_a_parquet_file_that_is_cut_short_or_not_ours_is_refused_and_kept(nights, tmp_path):
    sink = open_sink(FileSink(kind="parquet", path=tmp_path / "scores.parquet"))
    nights.write(sink, 0, {"a": 0.1})
    whole = sink.path.read_bytes()
    sink.path.write_bytes(whole[:-20])
    with pytest.raises(DataError, match=r"scores.parquet: cannot be read"):
        nights.write(sink, 1, {"a": 0.2})
    assert sink.path.read_bytes() == whole[:-20]
    pd.DataFrame({"contact_id": ["a"]}).to_parquet(sink.path)
    with pytest.raises(DataError, match=r'scores.parquet: has no column "as_of"'):
        nights.write(sink, 1, {"a": 0.2})


def test_a_folder_that_cannot_be_made_is_named(nights, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match=r"scores.csv: cannot be written: .*out"):
        nights.write(open_sink(FileSink(kind="csv", path=tmp_path / "out" / "scores.csv")), 0, {"a": 0.1})


def test_two_runs_at_once_do_not_mix_and_the_lock_of_a_dead_one_does_not_last(sink, nights):
    nights.write(sink, 0, {"a": 0.1})
    command = [sys.executable, "-c", HOLD, sink.path.parent / "scores_history"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603 - our own
        assert other.stdout.readline() == "held\n"
        with pytest.raises(
            DataError, match=rf"another process \({other.pid}\) is writing scores here; nothing was written"
        ):
            nights.write(sink, 1, {"a": 0.2})
        assert nights.preview(sink, 1, {"a": 0.2}).changed == 1
        other.kill()
    assert nights.write(sink, 1, {"a": 0.2}).changed == 1
