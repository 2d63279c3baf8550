"""Contacts that may be one person: by their address, and by name and company. Only ids are ever shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.derive.lexicon import words
from predictive.derive.text import fold
from predictive.engines import Frame
from predictive.hygiene.words import local
from predictive.tables import Tables

SHOWN = 20
ACCENTS = {
    "[àáâãäåāăą]": "a", "[çćĉċč]": "c", "[ďđ]": "d", "[èéêëēĕėęě]": "e", "[ĝğġģ]": "g", "[ìíîïĩīĭįı]": "i",
    "[ĺļľł]": "l", "[ñńņň]": "n", "[òóôõöøōŏő]": "o", "[ŕŗř]": "r", "[śŝşšș]": "s", "[ţťŧț]": "t",
    "[ùúûüũūŭůűų]": "u", "[ýÿŷ]": "y", "[źżž]": "z", "ß": "ss", "æ": "ae", "œ": "oe",
}  # fmt: skip
GMAIL = r"@(gmail|googlemail)\.com$"


@dataclass(frozen=True)
class Duplicates:
    """Groups of contacts with the same key: how many groups, contacts in them, and the first few groups of ids."""

    by: str
    groups: int
    contacts: int
    examples: tuple[tuple[str, ...], ...]

    @property
    def surplus(self) -> int:
        """How many contacts would go if each group became one."""
        return self.contacts - self.groups


def find_duplicates(tables: Tables) -> tuple[Duplicates, ...]:
    """The candidates by address, then by name and company."""
    return tuple(_counted(name, rows) for name, rows in _keyed(tables).items())


def every_duplicate(tables: Tables) -> pd.DataFrame:
    """All candidates: `by`, `group` (the smallest contact_id in it), `contact_id`; a contact may be in one of each."""
    parts = [local(rows.select("group", "contact_id")).assign(by=by) for by, rows in _keyed(tables).items()]
    whole = pd.concat(parts)[["by", "group", "contact_id"]]
    return whole.sort_values(["by", "group", "contact_id"], ignore_index=True)


def address_key(email: nw.Expr) -> nw.Expr:
    """What two spellings of one address have in common: no case, no +tag; at Gmail, no dots in what is before the @."""
    plain = email.str.to_lowercase().str.strip_chars().str.replace_all(r"^mailto:", "")
    plain = plain.str.replace_all(r"\+[^@]*@", "@")
    dotless = plain.str.replace_all(r"@.*$", "").str.replace_all(".", "", literal=True)
    return nw.when(plain.str.contains(GMAIL)).then(nw.concat_str(dotless, nw.lit("@gmail.com"))).otherwise(plain)


def name_key(name: nw.Expr) -> nw.Expr:
    """A name without case, accents and punctuation."""
    lower = plain = name.str.to_lowercase()
    for accented, letter in ACCENTS.items():
        plain = plain.str.replace_all(accented, letter)
    # Most names have no accents, and a dozen replacements for each cost as much as all the rest.
    plain = nw.when(lower.str.contains(r"[^\x00-\x7F]")).then(plain).otherwise(lower)
    return plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def company_key(name: nw.Expr) -> nw.Expr:
    """A company's name like :func:`name_key`, without its legal form at the end."""
    forms = sorted({fold(p) for some in words("company")["forms"].values() for p in some if "*" not in p}, key=len)
    spaced = "|".join(f.replace(" ", " ?") for f in reversed(forms) if f.replace(" ", "").isalnum())
    return name_key(name).str.replace_all(rf" ({spaced})$", "").str.strip_chars()


def _keyed(tables: Tables) -> dict[str, Frame]:
    addresses = tables.contacts.filter(nw.col("email").str.contains("@", literal=True))
    people = tables.contacts.filter(~nw.col("name").is_null() & ~nw.col("account_id").is_null())
    companies = tables.accounts.select("account_id", "company_name")
    people = people.select("contact_id", "account_id", "name").join(companies, on="account_id", how="left")
    # Without its name an account is still one company.
    company = nw.coalesce(company_key(nw.col("company_name")), nw.col("account_id"))
    both = nw.concat_str(name_key(nw.col("name")), nw.lit(" | "), company)
    named = people.filter(nw.col("name").str.contains(r"\p{L}"))
    return {
        "e-mail": _grouped(tables, addresses.select("contact_id", key=address_key(nw.col("email"))), "addresses"),
        "name and company": _grouped(tables, named.select("contact_id", key=both), "names"),
    }


def _grouped(tables: Tables, rows: Frame, name: str) -> Frame:
    """`group`, `contact_id`, for keys that several contacts have."""
    rows = tables.keep(rows, f"keys of {name}")
    counted = rows.group_by("key").agg(group=nw.col("contact_id").min(), size=nw.len()).filter(nw.col("size") > 1)
    return tables.keep(rows.join(counted, on="key", how="inner").select("group", "contact_id"), f"double {name}")


def _counted(by: str, rows: Frame) -> Duplicates:
    total: Any = rows.select(contacts=nw.len(), groups=nw.col("group").n_unique()).collect()
    first = rows.select("group").unique().sort("group").head(SHOWN)
    some = local(rows.join(first, on="group", how="inner")).sort_values(["group", "contact_id"])
    examples = tuple(tuple(map(str, ids)) for _, ids in some.groupby("group")["contact_id"])
    contacts = int(total["contacts"][0])
    return Duplicates(by, int(total["groups"][0]) if contacts else 0, contacts, examples)
