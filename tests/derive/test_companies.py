import pytest

from predictive.derive.companies import company_type

NAMES = {
    "government": "Ministry of Health|Ayuntamiento de Soria|Urząd Miasta Krakowa|Prefeitura de Santos"
    "|Stadt Köln|Mairie de Lyon"
    "|Câmara Municipal do Porto|Agencia Tributaria|City of Austin|Gmina Lesznowola|Ministerio de Educación",
    "health": "Hospital Universitario La Paz|Szpital Kliniczny nr 1|Clínica São Lucas Ltda"
    "|University Hospital Trust|Klinikum Nord",
    "education": "Universidad de Salamanca|Uniwersytet Warszawski|Universidade do Minho"
    "|Politechnika Gdańska|Hochschule München"
    "|Greenfield School District|Escola Secundária|Szkoła Podstawowa nr 5|Fundación Universidad Norte",
    "nonprofit": "Fundacja Rozwoju|Fundación Ejemplo|Stiftung Beispiel|Acme Foundation"
    "|Asociación de Vecinos|Associação Comercial|Hilfe e.V.",
    "agency or consultancy": "Foo Consulting GmbH|Agencia de Publicidad Foo S.L.|Agencja Reklamowa Foo"
    "|Foo Consultoria Ltda|Bar Digital Agency",
    "company": "Acme Inc.|Acme, Ltd|Foo LLC|Foo GmbH & Co. KG|Foo S.A.|Foo S.L.U.|Foo sp. z o.o."
    "|Foo Sp. z o. o.|FOO SP ZOO|Foo Ltda."
    "|Foo Lda|Foo S.A. de C.V.|Grupo Foo|Foo B.V.|Foo s.r.o.|Bank Foo|Foo Corporation|Foo S.p.A."
    "|Foo SARL|Foo Pty Ltd",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names.split("|")])
def test_a_name_says_its_type(kind, name):
    assert company_type(name) == company_type(name.upper()) == company_type(f" {name} ") == kind


@pytest.mark.parametrize(
    "name", ["", "Acme", "Incognito", "SA Labs", "AG Barr", "Biuro Podróży Foo", "Foo Travel Agency", "总公司"]
)
def test_a_name_without_words_of_a_type_has_none(name):
    assert company_type(name) is None


def test_industry_speaks_only_where_the_name_is_silent():
    assert company_type("Foo Inc", "Higher Education") == "education"
    assert company_type("Foo", "Hospital & Health Care") == "health"
    assert company_type("Foo Inc", "Machinery") == "company"
    assert company_type("Ayuntamiento de Soria", "Higher Education") == "government"
