import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.features.behaviour import count
from predictive.features.catalog import attribute
from predictive.model.encode import FEWEST_ROWS, MOST_LEVELS, Encoder, fit_encoder

SECTOR, SIZE = attribute("sector"), attribute("size", kind="number")
VISITS = count(("visit",), 30)
FEATURES = (SIZE, SECTOR, VISITS)


def frame(sectors, sizes=None):
    rows = len(sectors)
    return pd.DataFrame(
        {
            "sector": pd.Series(sectors, dtype="str"),
            "size": pd.Series([1.5] * rows if sizes is None else sizes, dtype="float64"),
            VISITS.name: pd.Series(range(rows), dtype="int64"),
        }
    )


def slowly(encoder, rows):
    """The matrix, cell by cell."""
    matrix = []
    for _, row in rows.iterrows():
        cells = []
        for feature in encoder.features:
            value = row[feature.name]
            if feature.kind == "number":
                cells.append(float(value))
            elif pd.isna(value):
                cells += [np.nan] * (len(encoder.levels[feature.name]) + 1)
            else:
                own = encoder.levels[feature.name]
                cells += [float(value == level) for level in own] + [float(value not in own)]
        matrix.append(cells)
    return np.array(matrix).reshape(len(rows), -1)


texts = st.lists(st.none() | st.sampled_from(["a", "b", "nan", "None", "", "ü ;"]) | st.text(max_size=3), min_size=1)


@settings(deadline=None)
@given(seen=texts, new=texts, copies=st.integers(1, 12))
def test_the_matrix_is_the_one_made_cell_by_cell(seen, new, copies):
    encoder = fit_encoder(FEATURES, frame(seen * copies))
    np.testing.assert_array_equal(encoder.transform(frame(new)), slowly(encoder, frame(new)))


@settings(deadline=None)
@given(seen=texts, new=texts, copies=st.integers(1, 12))
def test_an_encoder_is_the_same_after_a_round_trip_through_json(seen, new, copies):
    encoder = fit_encoder(FEATURES, frame(seen * copies))
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(frame(new)), encoder.transform(frame(new)))


def test_a_level_has_its_own_column_from_ten_rows_on_and_the_others_share_one():
    encoder = fit_encoder([SECTOR], frame(["many"] * FEWEST_ROWS + ["few"] * (FEWEST_ROWS - 1)))
    assert encoder.levels == {"sector": ("many",)}
    assert encoder.transform(frame(["many", "few", "never seen"])).tolist() == [[1, 0], [0, 1], [0, 1]]


def test_a_missing_level_is_missing_in_all_columns_and_a_missing_number_stays_missing():
    encoder = fit_encoder([SECTOR, SIZE], frame(["a"] * 20))
    np.testing.assert_array_equal(
        encoder.transform(frame([None, "a"], [7.0, np.nan])), [[np.nan, np.nan, 7.0], [1.0, 0.0, np.nan]]
    )


def test_only_the_most_frequent_levels_have_columns_whatever_the_order_of_rows():
    sizes = {f"level {i:02}": FEWEST_ROWS + i for i in range(MOST_LEVELS + 5)}
    rows = frame([name for name, size in sizes.items() for _ in range(size)])
    encoder = fit_encoder([SECTOR], rows)
    assert encoder.levels["sector"] == tuple(sorted(sizes)[5:])
    shuffled = rows.sample(frac=1, random_state=1)
    assert fit_encoder([SECTOR], shuffled) == encoder


def test_each_column_knows_the_feature_that_it_comes_from():
    encoder = fit_encoder(FEATURES, frame(["a", "b"] * FEWEST_ROWS))
    assert encoder.source.tolist() == [0, 1, 1, 1, 2]


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_encoded_like_many(rows):
    encoder = fit_encoder(FEATURES, frame(["a"] * 20))
    assert encoder.transform(frame(["a"] * rows)).shape == (rows, 4)


def test_where_levels_are_too_many_the_words_that_several_share_have_columns():
    ranks, areas = ["VP", "Head of", "Junior", "Chief"], ["Sales", "Marketing", "IT", "HR", "Law", "Tax", "R&D", "PR"]
    titles = [f"{rank} {area}" for rank in ranks for area in areas]
    assert len(titles) > MOST_LEVELS
    rows = frame([*titles * FEWEST_ROWS, "Astronaut", None])
    encoder = fit_encoder(FEATURES, rows)
    words = encoder.words["sector"]
    assert {"vp", "head", "of", "junior", "chief", "sales", "tax"} <= set(words)
    assert "astronaut" not in words
    matrix = encoder.transform(frame(["VP Space", "head OF sales", None, "nothing known"]))
    columns = matrix[:, encoder.source == 1][:, -len(words) :]
    assert [{w for w, x in zip(words, row, strict=True) if x == 1} for row in columns] == [
        {"vp"}, {"head", "of", "sales"}, set(), set()
    ]  # fmt: skip
    assert np.isnan(matrix[2, encoder.source == 1]).all()
    assert matrix.shape == (4, len(encoder.source))
    assert Encoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder


def test_few_levels_need_no_words_and_neither_do_codes_that_share_none():
    assert fit_encoder(FEATURES, frame(["VP Sales", "VP Tax"] * FEWEST_ROWS)).words == {}
    codes = [f"{i:08x}" for i in range(MOST_LEVELS + 5)]
    assert fit_encoder(FEATURES, frame(codes * FEWEST_ROWS)).words == {}
