import re
from pathlib import Path

import pytest
import yaml

from predictive.rules import Cap, Condition, Decay, Lifecycle, QuadrantCuts, Repeat, Rules, RuleSet, Stages, load_rules

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_example_of_the_page_is_a_rule_file(tmp_path, number):
    file = tmp_path / "rules.yaml"
    file.write_text(BLOCKS[number], encoding="utf-8")
    rules = load_rules(file)
    said = yaml.safe_dump(rules.model_dump(mode="json", exclude_none=True))
    assert Rules.model_validate(yaml.safe_load(said)) == rules


def test_the_page_explains_every_key_and_shows_it_in_an_example():
    text, examples = PAGE.read_text(encoding="utf-8"), "\n".join(BLOCKS)
    for part in (Rules, RuleSet, Condition, Repeat, Decay, Cap, Stages, Lifecycle, QuadrantCuts):
        for key in part.model_fields:
            assert f"{key}:" in text, key
    for key in ("repeat", "decay", "groups", "lifecycle", "quadrant", "allow_sensitive", "people_only", "any"):
        assert f"{key}:" in examples, key


def test_the_page_says_the_defaults():
    defaults = next(block for block in BLOCKS if "lifecycle:" in block)
    loaded = Rules.model_validate(yaml.safe_load(defaults))
    assert (loaded.stages, loaded.quadrant, loaded.lifecycle) == (Stages(), QuadrantCuts(), Lifecycle())
