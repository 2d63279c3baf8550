from datetime import timedelta

from predictive.actions import DEFAULTS, Action, action_for, actions_of
from predictive.config_file import load_config
from predictive.tables import QUADRANTS

LEAST = "source: {kind: files, path: data, tables: {contacts: {file: c.csv}, deals: {file: d.csv}}}\n"


def configured(tmp_path, text=""):
    file = tmp_path / "config.yaml"
    file.write_text(LEAST + text)
    return load_config(file)


def test_without_configuration_the_actions_are_those_of_the_design(tmp_path):
    found = actions_of(configured(tmp_path))
    assert found == DEFAULTS
    assert tuple(found) == QUADRANTS
    assert found["pursue"].in_words == "sales calls within 24 hours"


def test_what_is_given_replaces_its_part_and_a_cell_starts_from_its_quadrant(tmp_path):
    text = """
quadrants:
  grid: {fit: [2, 0.5], interest: [2, 0.5]}
  actions:
    A1: {respond_within: 2h}
    pursue: {action: the inside team calls, respond_within: 3d}
    nurture: {owner: sales}
"""
    found = actions_of(configured(tmp_path, text))
    assert found["pursue"] == Action("the inside team calls", "sales", timedelta(days=3))
    assert found["A1"].in_words == "the inside team calls within 2 hours"
    assert (found["nurture"].action, found["nurture"].owner) == (DEFAULTS["nurture"].action, "sales")
    assert action_for(found, "pursue", "A1") == found["A1"]
    assert action_for(found, "pursue", "B1") == action_for(found, "pursue", None) == found["pursue"]
    # A person moved it out of pursue: what its cell calls for no longer counts.
    assert action_for(found, "disengage", "A1") == found["disengage"]
