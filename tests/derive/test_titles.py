from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.derive.text import unaccented
from predictive.derive.title_text import phrases
from predictive.derive.titles import buying_role, job_function, seniority

HERE = Path(__file__).parent


def corpus(name):
    lines = (line.split(" => ") for line in (HERE / name).read_text("utf-8").splitlines() if not line.startswith("#"))
    return [(line[0], tuple(None if w == "-" else w for w in line[1].split(", "))) for line in lines if len(line) == 2]


def read(title):
    return seniority(title), job_function(title), buying_role(title)


TITLES, HELD_OUT = corpus("titles.txt"), corpus("titles_held_out.txt")


@pytest.mark.parametrize(("title", "expected"), TITLES)
def test_a_title_says_what_a_reader_would_say(title, expected):
    assert read(title) == expected


def test_titles_the_rules_were_not_tuned_on_are_read_as_well():
    assert len(HELD_OUT) >= 60
    right = [read(title) == expected for title, expected in HELD_OUT]
    assert sum(right) / len(right) >= 0.9


@given(st.sampled_from(TITLES + HELD_OUT))
def test_case_accents_and_space_do_not_matter(example):
    title, _ = example
    for other in (title.upper(), unaccented(title), f"  {title}  ", title.replace(" ", "  ")):
        assert read(other) == read(title)


@given(st.sampled_from(HELD_OUT), st.sampled_from(["Acme Director S.L.", "the CEO Club"]))
def test_the_name_of_an_employer_changes_nothing(example, employer):
    title, _ = example
    assert read(f"{title} at {employer}") == read(title)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Chofer del Director General", "individual"),
        ("Adjunta al Presidente", "individual"),
        ("Executive Assistant, CEO", "individual"),
        ("Executive Assistant to CEO & Founder", "individual"),
        ("Assistant Director", "director"),
        ("Marketing Director Assistant", "individual"),
        ("Gerente asistente", "manager"),
        ("Ex-CEO / Board Member", "c-level"),
        ("Ex-CEO", None),
        ("Trainee, Vertrieb", "entry"),
        ("Junior Director", "director"),
        ("Senior Vice President", "vp"),
        ("Leiter*in Vertrieb (m/w/d)", "head"),
        ("Właściciel / Prezes", "founder or owner"),
        ("Partner", "founder or owner"),
        ("Associée", "founder or owner"),
        ("Channel Partner", "individual"),
        ("HR Partner", "individual"),
        ("总经理", None),
        ("", None),
        ("Sr.", None),
        ("Dra.", None),
    ],
)
def test_rank_belongs_to_who_holds_it(title, expected):
    assert seniority(title) == expected


def test_english_personal_is_not_the_spanish_department_of_personnel():
    assert job_function("Personal Trainer") == "other"
    assert job_function("Jefa de personal") == "human resources"


def test_a_title_is_cut_where_no_title_is_so_long():
    assert phrases("x" * 10_000 + " CEO") == ("x" * 300,)
