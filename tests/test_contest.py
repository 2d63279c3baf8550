import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import log_loss

from predictive.clock import DAY
from predictive.config import Promotion
from predictive.contest import contest, enter
from predictive.errors import ModelError
from predictive.model.bundle import load_bundle
from predictive.promotion import calibrated
from predictive.scores import features_of

pytest_plugins = ["tests.trained"]


def rewrite(config, **settings):
    """The same CRM under other settings: the path of another configuration beside it."""
    other = config.with_name(f"{'-'.join(settings)}.yaml")
    other.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | settings))
    return other


@pytest.fixture(scope="module")
def crm(trained_tiny, run, tmp_path_factory):
    """A trained tiny CRM with a second model, which was never told the sector: config, champion, blind one."""
    config = Path(shutil.copytree(trained_tiny[0].parent, tmp_path_factory.mktemp("contest") / "crm")) / "tiny.yaml"
    blind = run("train", rewrite(config, features={"exclude": ["sector"]}), "--json").json
    (champion,) = (p for p in (config.parent / "models").iterdir() if p.is_dir() and p.name not in blind["bundle"])
    return config, champion, Path(blind["bundle"])


@pytest.fixture(scope="module")
def early(crm, run):
    """Both models again, from what was known on 2025-11-01, and so with much that they have not seen."""
    config = crm[0]
    bundles = []
    for features in ({}, {"exclude": ["sector"]}):
        settings = {"observed_until": "2025-11-01", "features": features, "models": "early"}
        bundles.append(Path(run("train", rewrite(config, **settings), "--json").json["bundle"]))
    return bundles


def test_models_of_one_split_are_compared_on_their_test_parts(crm, opened):
    config, champion, blind = crm
    with opened(config) as (settings, con, tables, now):
        found = contest(con, tables, settings, [enter("champion", champion), enter("blind", blind)], now=now)
    ours, theirs = (pd.read_parquet(b / "test_predictions.parquet") for b in (champion, blind))
    both = ours.merge(theirs, on=["contact_id", "as_of"])
    assert found.n == len(both) == found.refitted["champion"] == found.refitted["blind"]
    for name, side in (("champion", "x"), ("blind", "y")):
        expected = log_loss(both["label_x"], both[f"probability_{side}"])
        assert found.comparison.evaluations[name].values["log_loss"].value == pytest.approx(expected)
    assert found.closes == both["label_x"].sum()
    assert found.verdicts[0].startswith("The champion beat blind on log loss, lower by 0.")


def test_a_training_says_how_it_did_beside_the_champion_on_the_same_examples(crm, opened):
    config, champion, blind = crm
    report = load_bundle(blind).report
    with opened(config) as (settings, con, tables, now):
        found = contest(con, tables, settings, [enter("model", blind), enter("champion", champion)], now=now)
    assert report["champion"]["version"] == champion.name
    assert (report["champion"]["n"], report["champion"]["closes"]) == (found.n, found.closes)
    assert report["verdicts"][-1] == report["champion"]["verdict"] == found.verdicts[0]
    assert "champion" not in load_bundle(champion).report


def test_later_examples_are_scored_now_by_the_models_that_score(crm, early, opened):
    with opened(crm[0]) as (settings, con, tables, now):
        entries = [enter("a", early[0]), enter("b", early[1])]
        found = contest(con, tables, settings, entries, now=now)
        assert found.refitted["a"] == found.refitted["b"] < found.n
        first = min(e.judged_from for e in entries)
        assert pd.Timestamp(found.first).value // 1_000 >= first
        cut = entries[0].shipped_from
        assert cut <= pd.Timestamp("2025-11-01", tz="UTC").value // 1_000 + 1
        contacts = pd.read_csv(crm[0].with_name("contacts.csv"), parse_dates=["created_at"])
        at = contacts["created_at"].astype("datetime64[us]").astype("int64") + 14 * DAY
        block = pd.DataFrame({"contact_id": contacts["contact_id"], "as_of": at})[at >= cut].iloc[:40]
        frame, _ = features_of(con, tables, settings, entries[0].bundle, block)
        by_hand = entries[0].bundle.model.score(frame)["probability"].to_numpy()
        from predictive.contest import unseen

        p, refitted = unseen(con, tables, settings, entries[0], block.sort_values("contact_id", ignore_index=True))
        assert np.array_equal(p, by_hand)
        assert not refitted.any()


def test_what_a_model_has_learned_from_is_left_out_for_all(crm, early, opened):
    """The full model has learned from all that is mature, but for its test part; the early one from less."""
    with opened(crm[0]) as (settings, con, tables, now):
        found = contest(con, tables, settings, [enter("full", crm[1]), enter("early", early[0])], now=now)
    tested = pd.read_parquet(crm[1] / "test_predictions.parquet")
    assert found.refitted["full"] == found.n <= len(tested)
    assert found.first >= tested["as_of"].min().isoformat()[:10]


def test_too_few_closes_other_horizons_and_twins_are_refused(crm, opened):
    config, champion, blind = crm
    with opened(rewrite(config, observed_until="2025-11-01")) as (settings, con, tables, now):
        with pytest.raises(ModelError, match=r"^a and b cannot be compared: \d+ closes among \d+ examples are mature"):
            contest(con, tables, settings, [enter("a", champion), enter("b", blind)], now=now)
        with pytest.raises(ModelError, match="are the same model"):
            contest(con, tables, settings, [enter("a", champion), enter("b", champion)], now=now)
    refused = pytest.raises(ModelError, match="predicts another horizon than the configured 60d")
    with opened(rewrite(config, horizon="60d")) as (settings, con, tables, now), refused:
        contest(con, tables, settings, [enter("a", champion), enter("b", blind)], now=now)


def test_calibration_is_refused_only_where_it_is_shown_to_be_off():
    def passes(ratio, slope):
        values = {
            name: dict(zip(("value", "low", "high"), v, strict=True))
            for name, v in (("calibration_in_large", ratio), ("calibration_slope", slope))
        }
        return [check.passed for check in calibrated(values, Promotion(calibration=0.25))]

    assert passes((0.7, 0.5, 0.9), (1.4, 1.2, 1.6)) == [True, True]
    assert passes((0.7, 0.6, 0.79), (1.4, 1.26, 1.6)) == [False, False]
    assert passes((None, None, None), (1.0, 0.9, 1.1)) == [False, True]


def test_a_damaged_champion_does_not_keep_anybody_from_training_another(trained_tiny, run, tmp_path):
    config = Path(shutil.copytree(trained_tiny[0].parent, tmp_path / "crm")) / "tiny.yaml"
    (damaged,) = (p for p in (config.parent / "models").iterdir() if p.is_dir())
    (damaged / "rules.yaml").write_text("{}")
    found = run("train", config, "--json").json
    assert found["champion"] is False
    assert found["verdicts"][-1].startswith(
        f"the champion cannot be compared with: {damaged}/rules.yaml: its sha256 is"
    )
