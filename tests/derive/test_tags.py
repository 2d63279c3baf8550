import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.derive.tags import split_tags, tag_kind, tags_of_kind

KINDS = {
    "relationship": "customer|Partner|proveedor|klient|fornecedor|competitor|ex-customer|inversor|prasa|imprensa"
    "|relationship:anything|rel=x|software partner",
    "place": "Spain|POLSKA|place:nowhere|city/Soria|lugar=x|EMEA|Kraków|sao paulo|UK|kraj: X|New York office",
    "industry": "industry/machinery|sector: x|SaaS|maquinaria|budownictwo|agronegócio|Branża=Y|food and beverage",
    "source": "source=webinar|origin:x|Webinar attendee|met at event|LinkedIn|targi 2024|feria de Madrid"
    "|indicação|partner referral"
    "|utm_source=google|newsletter|Google Ads",
    "other": "VIP|student|hot|2024|IT|HR|AI|http://x.y|:|=x|#",
}


@pytest.mark.parametrize(("kind", "tag"), [(k, tag) for k, tags in KINDS.items() for tag in tags.split("|")])
def test_a_tag_is_of_its_kind(kind, tag):
    assert tag_kind(tag) == kind


def test_a_prefix_that_means_nothing_leaves_the_words_to_speak():
    assert tag_kind("team a: webinar") == "source"
    assert tag_kind("place:webinar") == "place"


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a;b, c|d\ne", ("a", "b", "c", "d", "e")),
        (" #a ;; #B;b ", ("a", "B")),
        ('["a", "b;c", 3, null, {"x": 1}]', ("a", "b;c", "3")),
        ("['a', 'b']", ("a", "b")),
        ("[" * 5_000, ()),
        ("[]", ()),
        ("", ()),
        (";,|", ()),
    ],
)
def test_tags_are_split_at_every_separator(text, tags):
    assert split_tags(text) == tags


@given(st.lists(st.sampled_from([t for tags in KINDS.values() for t in tags.split("|") if t.strip("#")]), max_size=8))
def test_every_tag_is_in_exactly_one_kind_however_they_are_written(tags):
    listed = json.dumps(tags)
    assert split_tags(listed) == split_tags(";".join(tags))
    found = [tag for kind in KINDS for tag in (tags_of_kind(listed, kind) or "").split("; ") if tag]
    assert sorted(found) == sorted(split_tags(listed))
    assert all(
        tags_of_kind(listed, k) == tags_of_kind(json.dumps(tags[::-1]), k)
        for k in KINDS
        if len({*map(str.casefold, tags)}) == len(tags)
    )
