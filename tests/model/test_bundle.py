import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.errors import ModelError
from predictive.features.behaviour import count
from predictive.features.catalog import attribute
from predictive.model.bundle import Bundle, champion, crown, load_bundle, save_bundle, verify
from predictive.model.calibration import Calibration
from predictive.model.scoring import Recipes, fit_model
from predictive.model.side import Recipe, expit
from predictive.quadrants import cuts_at
from predictive.rules import load_rules

FILES = (
    "config.yaml",
    "features.json",
    "fit.json",
    "interest.json",
    "interest.trees.txt",
    "pending.parquet",
    "probability.json",
    "probability.trees.txt",
    "report.json",
    "rules.yaml",
    "scoring.json",
    "test_predictions.parquet",
)
BENT = Calibration("beta", slope=0.9, shift=-0.1, bend=0.05)
FEATURES = (attribute("sector"), attribute("size", kind="number"), count(("visit",), 30), count(("visit",), 7))


def draw(rows=1_500, seed=0):
    random = np.random.default_rng(seed)
    visits = random.poisson(2, rows)
    sector = random.choice(["software", "café", 'a "quoted", one', None], rows)
    return pd.DataFrame(
        {
            "label": (random.random(rows) < expit(-3 + visits / 2 + (sector == "software"))).astype(int),
            "sector": pd.Series(sector, dtype="str"),
            "size": np.where(random.random(rows) < 0.2, np.nan, random.lognormal(3, 1, rows)),
            "visit_count_30d": visits,
            "visit_count_7d": np.minimum(visits, random.poisson(1, rows)),
        }
    )


def make(version="20260101T000000Z-abcdef", *, axes=True):
    trees = Recipe(rounds=40, strength=0.03, weight=0.5, calibration=BENT, auc=(0.7, 0.02))
    fit = Recipe(strength=0.03) if axes else None
    recipes = Recipes(trees, fit, trees if axes else None, {})
    report = {"judged": {"examples": 1000, "closes": 60}, "shipped": {"examples": 1500, "closes": 90}}
    model = fit_model(FEATURES, draw(), recipes, seed=7)
    return Bundle(version, model, FEATURES, load_rules(None), cuts_at(0.03), 90 * DAY, report)


@pytest.fixture(scope="module")
def bundle():
    return make()


@pytest.fixture(scope="module")
def saved(bundle, tmp_path_factory):
    return save(bundle, tmp_path_factory.mktemp("models"))


def save(bundle, folder, **more):
    predictions = pd.DataFrame({"contact_id": ["c1"], "probability": [0.1]})
    return save_bundle(bundle, folder, config="timezone: UTC\n", predictions=predictions, **more)


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / saved.name)


def test_what_is_loaded_is_what_was_saved_and_scores_the_same_bytes(bundle, saved):
    loaded = load_bundle(saved)
    frame = draw(400, seed=5)
    assert loaded.model.score(frame).to_numpy().tobytes() == bundle.model.score(frame).to_numpy().tobytes()
    parts = [b.model.probability.contributions(frame).tobytes() for b in (loaded, bundle)]
    assert parts[0] == parts[1]
    for name in ("version", "features", "feature_hash", "rules", "cuts", "horizon", "report"):
        assert getattr(loaded, name) == getattr(bundle, name), name


def test_a_null_axis_stays_null(tmp_path):
    loaded = load_bundle(save(make(axes=False), tmp_path))
    assert loaded.model.fit is None
    assert loaded.model.interest is None
    assert loaded.model.score(draw(5))[["fit", "interest"]].isna().all(axis=None)


def test_the_manifest_names_every_file_the_libraries_and_judged_apart_from_shipped(bundle, saved):
    manifest = json.loads((saved / "manifest.json").read_text())
    assert sorted(manifest["sha256"]) == list(FILES)
    assert {f.name for f in saved.iterdir()} == {*FILES, "manifest.json"}
    assert manifest["judged"] == {"examples": 1000, "closes": 60}
    assert manifest["shipped"] == {"examples": 1500, "closes": 90}
    assert manifest["features"] == bundle.feature_hash
    assert {"predictive", "lightgbm", "scikit-learn", "numpy", "pandas"} <= set(manifest["libraries"])
    assert load_bundle(saved).libraries == manifest["libraries"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_one_changed_byte_in_a_file_is_refused_and_the_file_is_named(copy, name, where):
    content = bytearray((copy / name).read_bytes())
    content[int(where * (len(content) - 1))] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name}: its sha256 is not the one in the manifest.*train again"):
        load_bundle(copy)


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_no_changed_byte_of_the_manifest_is_believed(saved, tmp_path_factory, data):
    copy = shutil.copytree(saved, tmp_path_factory.mktemp("copy") / saved.name)
    content = bytearray((copy / "manifest.json").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(ModelError):
        load_bundle(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sha256": []}', '{"sha256": 1}', "\udcff"])
def test_a_manifest_that_says_nothing_is_refused(copy, content):
    (copy / "manifest.json").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ModelError):
        load_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: named in the manifest, but missing"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["model.joblib", "pickled.pkl", "fit.trees.txt"])
def test_a_file_that_the_manifest_does_not_name_is_refused(copy, name):
    (copy / name).write_text("run me")
    with pytest.raises(ModelError, match=rf"{name} is not in the manifest; remove it or train again"):
        verify(copy)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelError, match=r"no model bundle there \(no manifest.json\); train one"):
            load_bundle(path)


def test_nothing_is_left_behind_when_saving_fails(tmp_path):
    unsaveable = make(version="v2")
    unsaveable.report["judged"]["base_rate"] = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(unsaveable, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_saving_again_replaces_the_bundle_whole(bundle, tmp_path):
    path = save(bundle, tmp_path, estimator={"any": "thing"})
    assert (path / "model.joblib").exists()
    assert save(bundle, tmp_path) == path
    assert not (path / "model.joblib").exists()
    assert load_bundle(path).version == bundle.version


def test_a_dump_for_notebooks_is_in_the_manifest_and_never_loaded(bundle, tmp_path):
    path = save(bundle, tmp_path, estimator=Explosive())
    assert "model.joblib" in json.loads((path / "manifest.json").read_text())["sha256"]
    assert load_bundle(path).version == bundle.version


class Explosive:
    """Cannot be unpickled without being noticed."""

    def __setstate__(self, state):
        raise AssertionError("a dump was loaded")

    def __getstate__(self):
        return {"state": 1}


def test_the_champion_is_found_again_after_the_models_have_moved(saved, tmp_path):
    assert champion(tmp_path / "models") is None
    path = shutil.copytree(saved, tmp_path / "models" / saved.name)
    crown(tmp_path / "models", path)
    written = json.loads((tmp_path / "models" / "champion.json").read_text())
    assert written == {"bundle": saved.name, "version": saved.name}
    assert champion(tmp_path / "models") == path.resolve()
    moved = (tmp_path / "models").rename(tmp_path / "elsewhere")
    assert champion(moved) == (moved / saved.name).resolve()
    shutil.rmtree(moved / saved.name)
    assert champion(moved) is None


def test_a_champion_outside_the_models_is_kept_by_its_whole_path(copy, tmp_path):
    crown(tmp_path / "models", copy)
    assert champion(tmp_path / "models") == copy.resolve()
    assert [f.name for f in (tmp_path / "models").iterdir()] == ["champion.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"bundle": 3}'])
def test_a_champion_file_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / "champion.json").write_text(content)
    with pytest.raises(ModelError, match=r"champion\.json"):
        champion(tmp_path)
