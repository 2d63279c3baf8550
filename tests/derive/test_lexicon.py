from importlib import resources

import pytest
import yaml

from predictive.derive.lexicon import compiled, lexicon, words
from predictive.derive.text import fold

LISTS = ("seniority", "function", "company", "company_industry", "tags")
SECTIONS = [(file, section) for file in LISTS for section in words(file)]


@pytest.mark.parametrize("file", [*LISTS, "countries", "domains"])
def test_yaml_reads_every_word_as_text(file):
    loaded = yaml.safe_load((resources.files("predictive.derive") / "words" / f"{file}.yaml").read_text("utf-8"))

    def leaves(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from leaves(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from leaves(inner)
        else:
            yield value

    assert [leaf for leaf in leaves(loaded) if not isinstance(leaf, str) or not leaf.strip()] == []


@pytest.mark.parametrize(("file", "section"), SECTIONS)
def test_no_phrase_of_a_section_means_two_things(file, section):
    meanings = {}
    for meaning, phrases in words(file)[section].items():
        for phrase in phrases:
            meanings.setdefault(fold(phrase), set()).add(meaning)
    assert {phrase: found for phrase, found in meanings.items() if len(found) > 1 or not phrase} == {}


@pytest.mark.parametrize(("file", "section"), SECTIONS)
def test_every_phrase_is_found_with_its_own_meaning(file, section):
    for meaning, phrases in words(file)[section].items():
        for phrase in phrases:
            example = fold(phrase).replace("*", "x")
            assert [hit.meaning for hit in lexicon(file, section).find(f"zz {example} zz")] == [meaning], phrase


def test_the_longest_phrase_wins_and_is_read_once():
    some = compiled({"vp": ["vice president"], "c-level": ["president", "president of the board"], "vice": ["vice"]})
    text = "vice president vice president of the board vicepresident"
    assert [hit.meaning for hit in some.find(text)] == ["vp", "vp"]
    assert some.first("the president of the board") == "c-level"
    assert some.find("") == ()


def test_a_star_stands_for_letters_or_one_word():
    some = compiled({"a": ["vertrieb*"], "b": ["chief * officer"], "c": ["*leiter"]})
    assert some.first("vertriebsleiter") == "a"
    assert some.first("abteilungsleiter") == "c"
    assert some.first("chief happiness officer") == "b"
    assert some.first("chief officer") is None
    assert some.first("leiterin") is None


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Właściciel/ka", "wlasciciel ka"),
        ("  C.E.O.  ", "ceo"),
        ("sp. z o.o.", "sp z oo"),
        ("R & D / I+D", "randd iandd"),
        ("director’s", "director"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("Größe Œuvre", "grosse oeuvre"),
        ("_a_ \x00", "a"),
    ],
)
def test_folding_leaves_plain_words(text, folded):
    assert fold(text) == folded
