import ast
import re
import string
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path

import pytest

import predictive.report
from predictive.errors import ConfigError
from predictive.features import behaviour, catalog
from predictive.features.choose import NEVER
from predictive.report import languages, load_language
from predictive.report.phrases import translate

HERE = Path(predictive.report.__file__).parent
OTHERS = [code for code in languages() if code != "en"]


def forms(text):
    return text if isinstance(text, dict) else {"other": text}


def places(text):
    """The places of a text, over all its forms: a singular may leave out the number."""
    return {name for form in forms(text).values() for _, name, _, _ in string.Formatter().parse(form) if name}


@pytest.mark.parametrize("code", OTHERS)
def test_every_language_has_the_same_texts_with_the_same_places(code):
    english, other = load_language("en").texts, load_language(code).texts
    assert english.keys() == other.keys()
    assert {key: places(english[key]) for key in english} == {key: places(other[key]) for key in english}


@pytest.mark.parametrize("code", languages())
def test_plural_forms_are_those_of_the_language(code):
    from babel import Locale

    texts = load_language(code).texts
    tags = Locale.parse(texts["locale"]).plural_form.tags | {"other"}
    assert all(set(text) <= tags for text in texts.values() if isinstance(text, dict))


@pytest.mark.parametrize("code", OTHERS)
def test_sentences_are_translated(code):
    english, other = load_language("en").texts, load_language(code).texts
    same = [key for key, text in english.items() if text == other[key] and len(str(text).split()) > 3]
    assert [key for key in same if re.search(r"[a-z]{3}", re.sub(r"\{\w+\}", "", str(english[key])))] == []


def said_in_code():
    """The keys that the code asks for; what is computed in them is a star."""
    found = set()
    for file in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"\w+(\.\w+)+", node.value)
            ):
                found.add(node.value)
            if isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "*" for v in node.values]
                found.add("".join(parts))
    return found


def test_every_text_is_said_somewhere():
    asked = said_in_code()
    unused = [key for key in load_language("en").texts if not any(fnmatchcase(key, pattern) for pattern in asked)]
    assert [key for key in unused if not key.startswith("phrases.") and key not in ("locale", "percent")] == []


def test_templates_hold_no_text():
    for file in (resources.files("predictive.report") / "templates").iterdir():
        if file.name.endswith(".j2"):
            bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<[^<>]*>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
            assert re.findall(r"[^\W\d_]{2,}", bare) == [], file.name


def test_a_language_without_a_catalogue_names_those_that_there_are():
    with pytest.raises(ConfigError, match="no language 'xx'; it has en, es"):
        load_language("xx")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid"])
def test_what_training_stores_is_translated(zone):
    spanish = load_language("es", zone=zone)
    visit = ("page_view",)
    for feature in (
        behaviour.count(visit, 30), behaviour.active_days(30), behaviour.active_days(30, visit),
        behaviour.recency(visit), behaviour.first_touch_age(), behaviour.intensity(visit, 7), behaviour.trend(visit),
        behaviour.value_sum(visit, 90), behaviour.value_mean(visit, 90), behaviour.weeks_in_a_row(visit),
        behaviour.gap(visit), behaviour.overdue(visit), behaviour.breadth(30), behaviour.touch("first", visit),
        behaviour.touch("last", visit), behaviour.changes(None), behaviour.changes(90), behaviour.unchanged(("x",)),
        behaviour.time_in("x"), behaviour.colleagues("people"), behaviour.colleagues("bought"),
        behaviour.colleagues_active(30), behaviour.colleagues_count(30), behaviour.colleagues_intensity(30),
        catalog.record_age(), catalog.entry("month"), catalog.entry("weekday"), catalog.completeness(["a", "b"]),
    ):  # fmt: skip
        assert translate(feature.description, spanish) != feature.description, feature.description
    for why in (*NEVER.values(), "declared sensitive", "already closed", "always the same"):
        assert translate(why, spanish) != why, why


def test_what_nobody_translated_stays_as_it_is():
    assert translate("Großkunde <b>", load_language("es")) == "Großkunde <b>"
