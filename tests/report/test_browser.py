"""The report in a real browser: Chromium of the system (`apt-get install chromium`), driven by Playwright.

The packages `playwright` and `axe-playwright-python` are in the group dev. Where something is missing these tests skip;
in CI (the variable CI is set) that is a failure.
"""

import os
import shutil
from importlib.util import find_spec

import pytest

from predictive.report import load_language, render, summarise
from predictive.tables import QUADRANTS, STAGES, TIERS

ATTACK = "<script>document.title = 'taken'</script>"
FORMULA = '=HYPERLINK("http://example.com","x")'
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
MISSING += [] if CHROMIUM else ["chromium (apt-get install chromium)"]

if MISSING and os.environ.get("CI"):
    pytest.fail(f"the report cannot be tested in a browser: missing {', '.join(MISSING)}", pytrace=False)
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"missing: {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Containers have no user namespaces for its sandbox; the pages are this test's own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def rows(make):
    """Contacts of every kind, some with ids and reasons that are code elsewhere."""
    kinds = zip(QUADRANTS * 12, TIERS * 15, STAGES * 10, strict=True)
    found = [
        make.score(f"C{i:03}", (i + 1) / 100, quadrant=quadrant, tier=tier, stage=stage, rule_score=i * 7 % 101)
        for i, (quadrant, tier, stage) in enumerate(kinds)
    ]
    odd = {"reasons": f"for: industry: {ATTACK} (+0.80); level (-3.00)", "stage": "MQL"}
    return [*found, make.score(ATTACK, 0.99, **odd), make.score(FORMULA, 0.98, **odd)]


@pytest.fixture(scope="module")
def files(tiny_bundle, config, make, tmp_path_factory):
    """The report as files, per language."""
    folder = tmp_path_factory.mktemp("report")
    summary = summarise(tiny_bundle, make.read(make.sink(folder, rows(make))), config, now=make.now)
    found = {code: folder / f"{code}.html" for code in ("en", "es")}
    for code, path in found.items():
        path.write_text(render(summary, load_language(code, zone=config.timezone)), encoding="utf-8")
    return found


@pytest.fixture
def opened(browser, files):
    """Opens the report in a language; `page.said` is what its console said, `page.asked` what it requested."""
    contexts = []

    def of(code="en", *, viewport=DESKTOP, scheme="light", scripts=True):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=scripts)
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(files[code].as_uri())
        return page

    yield of
    for context in contexts:
        context.close()


def test_the_page_opens_silently_and_asks_nobody_for_anything(opened, files):
    page = opened()
    page.keyboard.press("End")
    page.wait_for_load_state("networkidle")
    assert page.said == []
    assert page.asked == [files["en"].as_uri()]


def test_what_comes_from_the_data_is_text(opened):
    page = opened()
    assert page.title().startswith("Lead scores: ")
    for text in (ATTACK, FORMULA):
        assert page.get_by_role("rowheader", name=text, exact=True).count() >= 1
    assert page.locator("script").count() == 1


@pytest.mark.parametrize(
    ("code", "viewport", "scheme"),
    [("en", DESKTOP, "light"), ("es", DESKTOP, "dark"), ("es", PHONE, "light"), ("en", PHONE, "dark")],
)
def test_axe_finds_nothing(opened, code, viewport, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(code, viewport=viewport, scheme=scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_slider_works_by_keyboard_and_shows_the_row_of_its_table(opened):
    page = opened()
    slider, shown = page.get_by_role("slider"), page.locator(".planner dd")
    table = [row.split("\t") for row in page.locator("#planner-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.textContent.trim()).join('\\t'))"
    )]  # fmt: skip
    slider.focus()
    for key, row in (("Home", table[0]), ("ArrowRight", table[1]), ("End", table[-1])):
        page.keyboard.press(key)
        assert shown.all_text_contents() == row[1:]
        assert slider.get_attribute("aria-valuetext") == row[0]
    assert table[0] != table[-1]


def test_every_chart_is_read_by_keyboard_and_has_its_table(opened):
    page = opened()
    charts = page.locator("svg.chart")
    assert charts.count() == 5
    for i in range(charts.count()):
        chart = charts.nth(i)
        name = chart.get_attribute("data-reading").removesuffix("-reading")
        chart.focus()
        hovers = chart.locator(".point > title").evaluate_all("titles => titles.map(title => title.textContent)")
        page.keyboard.press("ArrowRight")
        assert page.locator(f"#{name}-reading").text_content() == hovers[0]
        for _ in hovers:
            page.keyboard.press("ArrowRight")
        assert page.locator(f"#{name}-reading").text_content() == hovers[-1]
        table = page.locator(f"#{name}-table")
        if table.evaluate("element => element.tagName") == "DETAILS":
            table.locator("summary").focus()
            page.keyboard.press("Enter")
        assert table.get_by_role("row").count() > 1


def test_without_scripts_the_tables_say_it_all(opened):
    page = opened(scripts=False)
    assert page.get_by_role("slider").count() == 0
    page.locator("#planner-table summary").click()
    assert page.locator("#planner-table tbody tr").count() > 10


def test_on_paper_every_part_is_there_and_no_control(opened, tmp_path):
    page = opened()
    page.emulate_media(media="print")
    assert not page.get_by_role("slider").is_visible()
    assert all(page.locator(f"#{name}").is_visible() for name in ("trust", "work", "why", "health", "made"))
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 10_000
