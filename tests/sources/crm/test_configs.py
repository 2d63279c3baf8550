from pathlib import Path

import pytest

from predictive.config_file import effective, load_config
from predictive.sinks.export import FIELDS, MARK
from predictive.sources.crm.raw import words
from predictive.sources.crm.spec import load

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_the_ready_configuration_needs_nothing_but_where_the_files_are(crm, monkeypatch, tmp_path):
    monkeypatch.setenv(f"{crm.upper()}_PATH", str(tmp_path))
    config = load_config(CONFIGS / f"{crm}.yaml")
    assert (config.source.kind, config.source.path) == (crm, tmp_path)
    assert effective(config).startswith(f"source:\n  kind: {crm}\n  path: {tmp_path}\n")


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_scores_that_were_imported_into_a_crm_never_come_back_as_features(crm):
    for field in (*FIELDS[crm].values(), MARK[crm]):
        assert load(crm).why_never("contact", words(field)) == "scores of this package, written back", field
