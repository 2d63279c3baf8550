import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.derive.email import domain_of, email_kind


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        *((d, "personal") for d in ("gmail.com", "yahoo.es", "yahoo.com.br", "hotmail.pl", "outlook.pl", "live.fr")),
        *((d, "personal") for d in ("icloud.com", "gmx.es", "wp.pl", "onet.pl", "interia.pl", "interia.eu", "o2.pl")),
        *((d, "personal") for d in ("terra.com.br", "uol.com.br", "bol.com.br", "globo.com", "telefonica.net")),
        *((d, "personal") for d in ("sapo.pt", "clix.pt", "web.de", "aol.de", "sfr.fr", "poczta.onet.eu", "tuta.io")),
        *((d, "disposable") for d in ("mailinator.com", "guerrillamail.com", "yopmail.com", "outlook.edu.pl")),
        *((d, "education") for d in ("mit.edu", "uw.edu.pl", "ox.ac.uk", "usal.es", "ufrj.br", "student.uni-koeln.de")),
        *((d, "education") for d in ("nus.edu.sg", "univ-lille.fr", "ulisboa.pt", "k12.tx.us", "isd.k12.tx.us")),
        *((d, "government") for d in ("nasa.gov", "mf.gov.pl", "sp.gov.br", "hacienda.gob.es", "cm-lisboa.pt")),
        *((d, "government") for d in ("um.wroc.pl", "army.mil", "tjsp.jus.br", "ec.europa.eu", "stadt-essen.de")),
        *((d, "company") for d in ("acme.com", "acme.com.br", "bonus.es", "gov.com", "edu.com", "yahoo-inc.com")),
        *(
            (d, "company")
            for d in ("telefonica.com", "universal.com", "uber.com", "mygmail.com.acme.pl", "umbrella.pl")
        ),
    ],
)
def test_a_domain_is_of_its_kind_in_every_form_of_address(domain, kind):
    for form in ("{}", "a@{}", "A.B+c@{}.", " Anybody <a@{}> ", "mailto:a@{}", "a@sub.{}", '"X, Y" <a@{}>'):
        assert email_kind(form.format(domain)) == kind
        assert email_kind(form.format(domain.upper())) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@",
        "a@",
        "a@b",
        "a@localhost",
        "10.0.0.1",
        "a@10.0.0.1",
        "a@b..com",
        "a b",
        "n/a",
        "https://a.com/b",
        "a@-b.com",
        "a@" + "x" * 64 + ".com",
        "a@�.com",
        "v1.2",
    ],
)
def test_what_is_no_address_has_no_kind(text):
    assert email_kind(text) is None


def test_an_international_domain_is_the_same_in_unicode_and_punycode():
    assert domain_of("a@BÜCHER.de") == domain_of("a@xn--bcher-kva.de") == "xn--bcher-kva.de"


def test_the_first_of_several_addresses_counts():
    assert email_kind("a@gmail.com; b@acme.com") == "personal"


@given(st.emails())
def test_every_valid_address_with_a_named_top_domain_has_a_kind(address):
    expected = address.rsplit(".", 1)[1].casefold()
    assert (email_kind(address) is not None) == (expected.isalpha() or expected.startswith("xn--"))
