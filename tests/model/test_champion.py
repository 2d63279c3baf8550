import json
import shutil

import pytest

from predictive.errors import ModelError
from predictive.model.bundle import MANIFEST, champion, crown, previous, reign, uncrown


@pytest.fixture
def models(tmp_path):
    """Three folders that look like bundles; one of them lies elsewhere."""
    for name in ("models/a", "models/b", "elsewhere/c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / MANIFEST).write_text("{}")
    return tmp_path / "models"


def test_crowns_go_back_one_by_one_to_what_was_recorded(models):
    crown(models, models / "a")
    crown(models, models / "b", why={"by": "ann", "reason": "better"})
    crown(models, models.parent / "elsewhere" / "c", why={"by": "bob", "reason": "newer"})
    record = reign(models)
    assert (champion(models), record["by"]) == (models.parent / "elsewhere" / "c", "bob")
    assert [(p["version"], p.get("reason")) for p in record["previous"]] == [("b", "better"), ("a", None)]
    assert previous(models) == models / "b"
    uncrown(models)
    assert reign(models) == {
        "bundle": "b", "version": "b", "by": "ann", "reason": "better", "previous": [{"bundle": "a", "version": "a"}],
    }  # fmt: skip
    uncrown(models)
    assert reign(models) == {"bundle": "a", "version": "a"}
    with pytest.raises(ModelError, match="names no previous champion"):
        uncrown(models)


def test_a_champion_whose_bundle_is_gone_is_still_remembered(models):
    crown(models, models / "a")
    shutil.rmtree(models / "a")
    assert champion(models) is None
    crown(models, models / "b")
    assert reign(models)["previous"] == [{"bundle": "a", "version": "a"}]
    with pytest.raises(ModelError, match="the previous champion's bundle is gone"):
        uncrown(models)
    assert champion(models) == models / "b"


def test_there_is_nothing_before_the_first_and_a_broken_record_is_said(models):
    assert reign(models) == {}
    with pytest.raises(ModelError, match="names no previous champion"):
        previous(models)
    (models / "champion.json").write_text(json.dumps(["a"]))
    with pytest.raises(ModelError, match="does not name a bundle"):
        reign(models)
