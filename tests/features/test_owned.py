import sys
from textwrap import dedent

import pytest

from predictive.config import FeatureChoice
from predictive.errors import ConfigError
from predictive.features import behaviour, catalog, expression
from predictive.features.build import features_at
from predictive.features.choose import choose
from predictive.features.expression import Attribute, Constant, Formula, Total, total
from predictive.features.owned import own_feature
from tests.features.cases import FEATURES
from tests.features.histories import NIGHT, History, at, by_contact, contact, did, tables

MODULE = """
    from predictive.features.catalog import own
    from predictive.features.expression import Attribute, total

    visits = total("count", "page_view", days=30)
    forms_per_visit = own(
        "forms_per_visit", "forms per page view", side="interest", term=total("count", "form", days=30) / visits
    )
    number = 3
    everything = own("everything", "all activities", side="interest", term=total("count"))
    misspelt = own("misspelt", "a name that is not there", side="fit", term=Attribute("job_titel").known())
    titled = own("titled", "whether the job title is known", side="fit", term=Attribute("job_title").known())
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module of somebody's own, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "features_of_mine.py").write_text(dedent(MODULE), encoding="utf-8")
    yield "features_of_mine"
    sys.modules.pop("features_of_mine", None)


def test_an_own_feature_is_found_in_the_working_directory_chosen_and_built(module, con):
    rows = [did(t=NIGHT, type=type_) for type_ in ("page_view", "page_view", "form")]
    history = History(contacts=[contact(), contact("c2")], activities=rows, at={"c1": NIGHT, "c2": NIGHT})
    tables_ = tables(history, con)
    choice = choose(tables_, FeatureChoice(own=[f"{module}:forms_per_visit"]), until=NIGHT)
    (feature,) = (f for f in choice.features if f.name == "forms_per_visit")
    found = by_contact(features_at(tables_, at(history, "duckdb", con), [feature]))
    assert {c: row["forms_per_visit"] for c, row in found.items()} == {"c1": 0.5, "c2": None}


def test_an_own_feature_with_a_taken_name_is_told_apart(module, con):
    tables_ = tables(History(contacts=[contact()]), con)
    paths = [f"{module}:forms_per_visit"] * 2
    names = [f.name for f in choose(tables_, FeatureChoice(own=paths), until=NIGHT).features]
    assert names[-2:] == ["forms_per_visit", "forms_per_visit#2"]


def test_an_own_feature_is_blind_to_types_that_are_excluded(module, con):
    history = History(contacts=[contact()], activities=[did(t=NIGHT), did(t=NIGHT, type="contract")], at={"c1": NIGHT})
    tables_ = tables(history, con)
    wanted = FeatureChoice(own=[f"{module}:everything"], exclude=["contract"])
    (feature,) = (f for f in choose(tables_, wanted, until=NIGHT).features if f.name == "everything")
    assert by_contact(features_at(tables_, at(history, "duckdb", con), [feature]))["c1"]["everything"] == 1


@pytest.mark.parametrize(
    ("name", "sensitive", "said"),
    [
        ("misspelt", [], r"features\.own: 'misspelt' reads 'job_titel', no attribute; did you mean \"job_title\""),
        ("titled", ["job_title"], "'titled' reads 'job_title', which is declared sensitive"),
    ],
)
def test_an_own_feature_of_an_attribute_that_is_not_there_or_sensitive_is_refused(module, con, name, sensitive, said):
    tables_ = tables(History(contacts=[contact()]), con)
    with pytest.raises(ConfigError, match=said):
        choose(tables_, FeatureChoice(own=[f"{module}:{name}"], sensitive=sensitive), until=NIGHT)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("features_of_mine", r"features\.own: 'features_of_mine' is no import path; write module:name"),
        ("features_of_mine:", "is no import path; write module:name"),
        (":forms_per_visit", "is no import path; write module:name"),
        ("nowhere_to_be_found:x", "the module 'nowhere_to_be_found' cannot be imported .*install it, or run where it"),
        ("features_of_mine:form_per_visit", "has no feature 'form_per_visit'; did you mean \"forms_per_visit\""),
        ("features_of_mine:number", "has no feature 'number'; known: everything, forms_per_visit, misspelt, titled"),
        ("features_of_mine:visits", "has no feature 'visits'"),
        ("json:dumps", r"json has no feature 'dumps'; make one with predictive\.own"),
    ],
)
@pytest.mark.usefixtures("module")
def test_a_path_that_names_no_feature_says_what_is_wrong_and_what_to_do(path, said):
    with pytest.raises(ConfigError, match=said):
        own_feature(path)


def test_a_module_that_imports_what_is_not_there_says_so(module, tmp_path):
    (tmp_path / "features_of_mine.py").write_text("import nowhere_to_be_found", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"'{module}' cannot be imported .*nowhere_to_be_found"):
        own_feature(f"{module}:x")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"side": "both"}, "the side is 'both'; it is one of fit, interest, context"),
        ({"term": 3}, "the term is a int; make it of total"),
        ({"name": " "}, "needs a name"),
        ({"name": "a::b"}, "needs a name without '::'"),
        ({"description": ""}, "and a description"),
    ],
)
def test_an_own_feature_that_cannot_be_is_refused_when_it_is_made(wrong, said):
    made = {"name": "n", "description": "d", "side": "fit", "term": Attribute("plan").known(), **wrong}
    with pytest.raises(ConfigError, match=said):
        catalog.own(made.pop("name"), made.pop("description"), **made)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"measure": "counts"}, "'counts' is no measure; there are count, days"),
        ({"measure": "decay"}, "half_life goes with decay"),
        ({"measure": "count", "half_life": 3}, "half_life goes with decay"),
        *(({"measure": m, "days": 3}, "takes no days") for m in ("last", "first", "weeks")),
        ({"measure": "decay", "half_life": 3, "days": 3}, "takes no days"),
        *(({"measure": m, "detail": "x"}, "takes no detail") for m in ("days", "weeks", "breadth")),
        ({"measure": "count", "stream": "colleagues", "detail": "x"}, "of colleagues takes no detail"),
        *(({"measure": m}, "is not known of activities") for m in ("people", "active", "bought")),
        *(({"measure": m, "stream": "colleagues"}, "is not known of colleagues") for m in ("last", "days", "value")),
        ({"measure": "bought", "stream": "changes"}, "is not known of changes"),
    ],
)
def test_a_total_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(ConfigError, match=said):
        total(**wrong)


def test_every_feature_and_its_repr_and_json_are_the_same_value():
    names = {**vars(expression), **vars(catalog)}
    for feature in FEATURES:
        assert eval(repr(feature), names) == feature  # noqa: S307 - that a repr round-trips is the claim
        assert catalog.from_json(catalog.to_json(feature)) == feature
        assert repr(catalog.from_json(catalog.to_json(feature))) == repr(feature)


def test_a_number_beside_a_term_is_a_constant_on_either_side():
    visits = total("count", "page_view")
    assert 2 / visits == Formula("divide", (Constant(2.0), visits))
    assert (1 - visits, visits - 1) == (
        Formula("subtract", (Constant(1.0), visits)),
        Formula("subtract", (visits, Constant(1.0))),
    )
    assert (3 + visits, 3 * visits) == (
        Formula("add", (Constant(3.0), visits)),
        Formula("multiply", (Constant(3.0), visits)),
    )


def test_totals_that_differ_have_columns_of_their_own_whatever_the_case_of_their_types():
    different = [Total("count", (t,), d) for t in ("call", "Call", "a,b") for d in (7, 30)]
    different += [Total("count", ("a", "b"), 7), Total("count", ("call",), 7, stream="changes")]
    assert len({t.column.casefold() for t in different}) == len(different)


def test_a_set_of_features_has_another_name_when_anything_about_it_differs():
    sets = [FEATURES, FEATURES[::-1], FEATURES[1:], [behaviour.without(f, ["call"]) for f in FEATURES]]
    assert len({catalog.set_hash(some) for some in sets}) == len(sets)


def test_a_formula_takes_numbers_and_terms_only_and_a_window_holds_a_day():
    with pytest.raises(ConfigError, match="'x' is neither a number"):
        Attribute("plan") + "x"
    with pytest.raises(ConfigError, match="a window of 0 days holds nothing"):
        total("count", days=0)
