import pytest

from predictive.config import TableSource
from predictive.errors import DataError
from predictive.sources.mapping import map_columns

THEIRS = ["Id", "first_contact_date", "landing_page_id", "Country", "origin"]
OURS = {"contact_id": "Id", "created_at": "first_contact_date"}


def mapped(table="contacts", theirs=THEIRS, **spec):
    """What fills each column that something fills."""
    mapping = map_columns(table, TableSource.model_validate({"file": "x", **spec}), theirs)
    return {
        c.name: c.constant if c.theirs is None else c.theirs
        for c in mapping.columns
        if c.theirs or c.constant is not None
    }


@pytest.mark.parametrize(
    ("choice", "rest"),
    [
        ({}, {"country": "Country", "landing_page_id": "landing_page_id", "origin": "origin"}),
        ({"drop": ["origin", "Country"]}, {"landing_page_id": "landing_page_id"}),
        ({"keep": ["origin"]}, {"country": "Country", "origin": "origin"}),
        ({"keep": []}, {"country": "Country"}),
    ],
)
def test_columns_map_themselves_or_become_attributes_as_chosen(choice, rest):
    assert mapped(columns=OURS, **choice) == {**OURS, **rest}


def test_constants_and_renamed_attributes_are_added():
    found = mapped(columns={**OURS, "page": "landing_page_id"}, constants={"market": "BR", "source": "form"}, keep=[])
    assert found == {**OURS, "country": "Country", "page": "landing_page_id", "market": "BR", "source": "form"}


def test_one_column_may_fill_several():
    columns = {"deal_id": "Id", "contact_id": "Id", "closed_at": "first_contact_date"}
    found = mapped("deals", columns=columns, constants={"is_won": False})
    assert found == {**columns, "is_won": False}


def test_unused_columns_are_noted():
    spec = TableSource(file="x", columns={"deal_id": "Id", "contact_id": "Id"}, drop=["origin"])
    notes = map_columns("deals", spec, THEIRS).notes
    assert [(str(n), n.count) for n in notes] == [
        ("deals: columns not used: first_contact_date, landing_page_id, Country", 3)
    ]
    spec = TableSource(file="x", columns={**OURS, "country": "origin"})
    assert [str(n) for n in map_columns("contacts", spec, THEIRS).notes] == [
        "contacts.Country: not used: country is filled from elsewhere"
    ]


def test_every_name_that_cannot_be_used_is_listed_with_the_nearest():
    with pytest.raises(DataError) as caught:
        mapped(columns={"contact_id": "Idd", "created": "first_contact_date"}, keep=["orgin"])
    example = "source.tables.contacts.columns: {created_at: THEIRS}"
    assert str(caught.value).splitlines() == [
        "source.tables.contacts.columns.contact_id: the source has no column 'Idd'; did you mean \"Id\"?",
        "source.tables.contacts.keep: the source has no column 'orgin'; did you mean \"origin\"?",
        'contacts.created_at: required, but nothing fills it; did you mean "created"?; write ' + example,
    ]


@pytest.mark.parametrize(
    ("table", "spec", "said"),
    [
        ("deals", {"columns": {"deal_id": "Id"}}, "deals.contact_id or account_id: required"),
        ("deals", {"columns": {"deal_id": "Id", "contact": "Id"}}, "no column 'contact'; did you mean \"contact_id\""),
        ("contacts", {"columns": OURS, "constants": {"created_at": "2026-01-01"}}, "both in columns and in constants"),
        ("contacts", {"columns": {**OURS, "a::b": "origin"}}, "cannot be named 'a::b'"),
        ("contacts", {"columns": OURS, "drop": ["nothing"]}, "contacts.drop: the source has no column 'nothing'"),
    ],
)
def test_a_mapping_that_makes_no_table_is_an_error(table, spec, said):
    with pytest.raises(DataError) as caught:
        mapped(table, **spec)
    assert said in str(caught.value)


def test_columns_that_differ_in_case_only_are_an_error():
    with pytest.raises(DataError, match="more than one column 'id'"):
        mapped(theirs=[*THEIRS, "id"], columns=OURS)


def test_a_missing_required_column_is_named_through_the_public_function(read):
    with pytest.raises(DataError, match=r'contacts\.created_at: required.* did you mean "created"'):
        read({"contacts.csv": "contact_id,created\nc1,2026-01-01\n"})


def test_names_with_dots_quotes_and_spaces_are_kept(read):
    tables = read({"contacts.csv": 'contact_id,created_at,emp.var.rate,"the ""real"" size"\nc1,2026-01-01,1.5,2\n'})
    assert tables.attributes["contacts"] == {"emp.var.rate": "number", 'the "real" size': "number"}
    assert tables.contacts.collect()["emp.var.rate"].to_list() == [1.5]


def test_constants_are_bound_not_pasted(read, rows):
    constants = {"source": "it's; DROP TABLE contacts", "day": "2026-01-01", "size": 7, "vip": True}
    tables = read(contacts={"file": "contacts.csv", "constants": constants})
    assert tables.attributes["contacts"] == {"day": "text", "size": "number", "vip": "boolean"}
    assert rows("SELECT DISTINCT source, day, size, vip FROM contacts") == [tuple(constants.values())]
