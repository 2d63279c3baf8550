import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predictive.report import Written, render, summarise
from predictive.report.export import as_csv, as_json
from predictive.report.markdown import as_markdown
from predictive.tables import QUADRANTS, SCORES, STAGES, TIERS

VOID = {"meta", "input"}
ATTACK = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Reads a page: its tags, their attributes and its text; fails on a tag that is not closed where it should be."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.open, self.tags, self.text, self.charts = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "svg":
            self.charts.append([])
        if tag == "title" and "svg" in self.open:
            self.charts[-1].append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing, at {self.getpos()}"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def said(self, text):
        return text in " ".join("".join(self.text).split()).replace("\u00a0", " ")


@pytest.fixture
def write(summarised, english):
    """Makes the page of rows and reads it."""

    def of(*rows, language=english):
        return Page(render(summarised(*rows), language))

    return of


def test_a_full_report_says_what_it_should(write, make):
    page = write(*[make.score(f"c{i}", 0.1 + i / 100) for i in range(30)])
    for text in (
        "30 of 30 contacts to pursue this week", "1 July 2026, 00:00 (Europe/Madrid)", "Yes: the test found nothing",
        "1,100 examples whose 90 days", "7 examples: already closed", "phone: looks like e-mail addresses",
        "industry: software", "×2.2", "50 % boosted trees (LightGBM, 80 rounds)", "0.95 0.85–1.06",
    ):  # fmt: skip
        assert page.said(text), text


def test_whatever_comes_from_the_data_is_text(write, make, report):
    report["importance"][0]["description"] = ATTACK
    report["notes"] = [f"contacts.{ATTACK}: odd"]
    report["said"] = [ATTACK]
    report["segments"][0]["level"] = ATTACK
    report["left_out"] = {ATTACK: ATTACK}
    report["not_eligible"] = {ATTACK: 3}
    report["why_null"] = {"fit": ATTACK}
    row = make.score(ATTACK, reasons=f"for: industry: {ATTACK} (+0.80); level (-3.00)", model_version=ATTACK)
    page = write(row, make.score('" onmouseover="alert(2)', override=ATTACK))
    assert sum(tag == "script" for tag, _ in page.tags) == 1  # the page's own
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert "".join(page.text).count(ATTACK) >= 10


def test_nothing_outside_the_file_is_asked_for(write, make):
    page = write(make.score("a"))
    for tag, attrs in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "href", "xlink:href", "action", "poster"):
            assert attrs.get(name, "#").startswith("#")
    assert "://" not in page.html
    assert "@import" not in page.html
    assert all(inner.startswith("#") for inner in re.findall(r"url\((.*?)\)", page.html))
    (policy,) = [attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_links_and_labels_point_at_what_is_there_once(write, make):
    page = write(make.score("a"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = [attrs["href"][1:] for _, attrs in page.tags if "href" in attrs]
    for name in ("aria-labelledby", "for", "data-table", "data-reading"):
        wanted += [attrs[name] for _, attrs in page.tags if name in attrs]
    assert set(wanted) <= set(ids)


def test_every_chart_has_a_title_and_a_table_behind_it(write, make):
    page = write(make.score("a"))
    charts = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("class") == "chart"]
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    named = {attrs["aria-labelledby"].removesuffix("-t") for attrs in charts}
    assert named == {"reliability", "gain", "tiers", "stages", "drivers"}
    assert {f"{name}-table" for name in named} <= ids


def test_without_scores_the_report_says_what_to_type(write):
    page = write()
    assert page.said("Nothing has been scored yet")
    assert page.said("predictive score CONFIG")
    assert page.said("In 1 of 2 groups contacts closed as often as predicted")


def test_one_contact_is_not_many(write, make):
    page = write(make.score("only"))
    assert page.said("1 of 1 contact to pursue this week")
    assert page.said("Work this contact first")


def test_null_axes_are_explained_in_place_of_the_matrix(write, make, report):
    report["why_null"] = {"fit": "too few closes", "interest": "too few closes"}
    report["recipes"] |= {"fit": None, "interest": None}
    page = write(make.score("a", quadrant="unknown", fit=None, interest=None, tier="low"))
    assert page.said("There is no fit × interest matrix: work by tier")
    assert page.said("The fit axis is null: too few closes.")
    assert page.said("Nobody is in the two highest tiers")


def test_a_test_without_closes_is_no_evidence(write, make, report):
    nothing = {"value": None, "low": None, "high": None}
    for found in report["comparison"]["evaluations"].values():
        found |= {"closes": 0, "base_rate": 0.0, "values": dict.fromkeys(found["values"], nothing)}
    for found in report["comparison"]["advantages"].values():
        found |= dict.fromkeys(found, nothing)
    report["reliability"] = {name: [] for name in report["reliability"]}
    report["gain"] = {name: [] for name in report["gain"]}
    report["importance"] = []
    page = write(make.score("a"))
    assert page.said("Not yet: the test does not support working by it")
    assert page.said("The test holds only 0 closes")
    assert page.said("could not be compared with the manual rules")


@st.composite
def some_scores(draw, make):
    rows = draw(st.lists(st.tuples(
        st.floats(0, 1), st.sampled_from(QUADRANTS), st.sampled_from(TIERS), st.sampled_from(STAGES),
        st.integers(0, 100), st.text(max_size=60), st.none() | st.text(max_size=9),
    ), max_size=30))  # fmt: skip
    return [
        make.score(f"c{i}{why[:3]}", p, quadrant=q, tier=t, stage=s, rule_score=r, reasons=why, override=o)
        for i, (p, q, t, s, r, why, o) in enumerate(rows)
    ]


@settings(max_examples=20, database=None, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_report_can_be_made_of_any_valid_scores(data, bundle, config, make, tmp_path, english, spanish):
    rows = data.draw(some_scores(make))
    scores = pd.DataFrame(rows, columns=list(SCORES.columns))
    times = {c: pd.to_datetime(scores[c], utc=True).astype("datetime64[us, UTC]") for c in ("as_of", "scored_at")}
    nothing = make.read(make.empty(tmp_path))
    written = Written(SCORES.validate(scores.assign(**times)), nothing.history, nothing.runs)
    summary = summarise(bundle, written, config, now=make.now)
    language = data.draw(st.sampled_from([english, spanish]))
    Page(render(summary, language))
    assert as_markdown(summary, language).count("\n") < 40
    assert json.loads(json.dumps(as_json(summary), allow_nan=False)) == as_json(summary)
    assert all(text.endswith("\n") for text in as_csv(summary).values())


def test_text_stands_out_from_its_ground_in_light_dark_and_print():
    style = (resources.files("predictive.report") / "templates" / "style.css").read_text(encoding="utf-8")
    themes = [dict(re.findall(r"--(\w+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)]
    assert len(themes) == 3
    for colors in themes:
        for ground in ("page", "card", "tint", "track"):
            for ink in ("ink", "soft", "accent", "good", "care", "bad"):
                if (ink, ground) not in {("good", "track"), ("care", "track"), ("bad", "track"), ("soft", "track")}:
                    assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)


def contrast(a, b):
    """Contrast ratio of two colours, WCAG 2.2."""
    lights = sorted((luminance(a), luminance(b)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def luminance(color):
    digits = color[1:] if len(color) == 7 else "".join(2 * c for c in color[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_template_engine_is_loaded_only_when_a_page_is_made():
    code = "import sys, predictive.report; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), check=False).returncode == 0  # noqa: S603 - own code
