import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.derive.countries import country
from predictive.derive.text import unaccented

SPELLINGS = {
    "US": "U.S.A.|USA|U.S.|us|United States of America|The United States|EE.UU.|Estados Unidos|EUA|Stany Zjednoczone",
    "GB": "UK|U.K.|England|Great Britain|Scotland|Reino Unido|Wielka Brytania|Grã-Bretanha|Grossbritannien|GBR",
    "NL": "Holland|The Netherlands|Netherlands, The|Países Bajos|Holandia|NLD|Pays-Bas|Niederlande",
    "BR": "Brasil|Brazil|Brazylia|Brésil|Brasilien|br|República Federativa do Brasil",
    "ES": "España|Spain|Hiszpania|Espanha|Espagne|Spanien|Kingdom of Spain|Spain (ES)|ES - España",
    "PL": "Polska|Poland|Polonia|Polônia|Polen|Pologne|Rzeczpospolita Polska|Republic of Poland",
    "PT": "Portugal|Portugalia|PRT|República Portuguesa",
    "DE": "Deutschland|Germany|Alemania|Niemcy|Alemanha|Allemagne|Federal Republic of Germany",
    "CZ": "Czech Republic|Czechia|Česko|Republika Czeska|República Checa|Tchéquie",
    "KR": "Korea|South Korea|Republic of Korea|Korea, Republic of|Corea del Sur|Korea Południowa",
    "KP": "North Korea|Korea, Democratic People's Republic of",
    "AE": "UAE|U.A.E.|United Arab Emirates|Emiratos Árabes Unidos",
    "CI": "Ivory Coast|Côte d’Ivoire|Cote d'Ivoire|Costa de Marfil",
    "CD": "DR Congo|Democratic Republic of the Congo|Congo - Kinshasa",
    "CG": "Congo|Republic of the Congo",
    "CN": "China|People's Republic of China|Chiny",
    "TW": "Taiwan|Taiwan, Province of China",
    "BA": "Bosnia and Herzegovina|Bosnia & Herzegovina|Bośnia i Hercegowina",
    "DO": "Dominican Republic|República Dominicana|Rep. Dominicana",
    "DM": "Dominica|Commonwealth of Dominica",
    "TR": "Turkey|Türkiye|Turquía|Turcja",
    "RU": "Russia|Russian Federation|Rosja",
    "NO": "NO|Norway|Noruega|Norwegia",
    "IE": "Ireland|Republic of Ireland|Éire",
}


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, all_ in SPELLINGS.items() for text in all_.split("|")]
)
def test_a_spelling_names_its_country(code, text):
    for other in (text, text.upper(), text.lower(), f"  {text}. ", unaccented(text)):
        assert country(other) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "n/a",
        "Madrid",
        "Spain and Portugal",
        "Spain, Portugal",
        "Republic",
        "the",
        "united",
        "EU",
        "UN",
        "ZZ",
        "Narnia",
        "Canary",
        "Republic of",
        "123",
        "None",
        "Bundesrepublik / Deutschland",
    ],
)
def test_what_names_no_country_or_several_has_none(text):
    assert country(text) is None


@pytest.mark.parametrize(
    ("text", "code"), [("Untied States", "US"), ("Germnay", "DE"), ("Potrugal", "PT"), ("Iarn", None)]
)
def test_two_swapped_letters_are_forgiven_in_names_long_enough(text, code):
    assert country(text) == code


@given(st.text(max_size=40))
def test_a_country_is_two_capital_letters(text):
    code = country(text)
    assert code is None or (len(code) == 2 and code.isalpha() and code.isupper())
    assert code is None or country(code) == code
