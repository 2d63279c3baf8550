"""A job title as folded phrases: without salutations, gender marks, the employer and whom an assistant helps."""

from __future__ import annotations

import re

from predictive.derive.text import fold, unaccented

LONGEST = 300
"""Longer texts are not titles; what follows is not read."""

_ENDINGS = "a|o|as|os|ra|ora|ka|czka|czyni|ni|in|innen|trice|rice|euse|ice|e|ne"
_OTHER_GENDER = re.compile(rf"(?<=\w{{4}})[/(*:_.·|]-?(?:{_ENDINGS})\)?(?!\w)")
_ALL_GENDERS = re.compile(
    r"\(\s*[mfwdkhxno*](?:\s*[/|,]\s*[mfwdkhxno*]){1,3}\s*\)|(?<!\w)[mfwkh]/[mfwkh](?:/[dx])?(?!\w)"
)
_SALUTATION = re.compile(r"^(?:mr|mrs|ms|miss|sr|sra|srta|dr|dra|prof|pan|pani|herr|frau|mme|m|sir|madam)\.?$")
_EMPLOYER = re.compile(r"(?:\bat|@|\bbei|\bchez) .*")
_HELPED = re.compile(
    r"\b(assistant|asst|advis[oe]r|secretary|aide|pa|ea|support|staff|consultant|counsel|deputy|liaison) to .*"
)
_BETWEEN = re.compile(r"[,;|/:()\[\]\n\t•·–—]| - ")
_NOTHING = frozenset({
    "n a", "na", "nan", "none", "null", "nil", "unknown", "undefined", "not applicable", "no title", "other", "test",
    "tbd", "xxx", "asdf", "otro", "otra", "sin cargo", "no aplica", "nd", "inne", "inny", "inna", "brak", "nie dotyczy",
    "outro", "outra", "nao informado", "nao se aplica", "sonstige", "sonstiges", "keine angabe", "autre",
})  # fmt: skip
_SPACES = re.compile(r"[^\S\n]+")
_LATIN = re.compile(r"[a-z]{2}")


def phrases(title: str) -> tuple[str, ...]:
    """The parts of a job title between commas, slashes, dashes and brackets, folded; empty where there is no title.

    >>> phrases("Director/a Comercial (H/M), Socio"), phrases("Marketing Manager at Owner Ltd"), phrases("n/a")
    (('director comercial', 'socio'), ('marketing manager',), ())
    >>> phrases("Assistant to the CEO & Founder")
    ('assistant',)
    """
    plain = _SPACES.sub(" ", unaccented(title[:LONGEST]).replace("’", "'")).strip(" .,;:-_/|\t\r\n\"'")
    if _SALUTATION.match(plain) or fold(plain) in _NOTHING:
        return ()
    plain = _ALL_GENDERS.sub(" ", _OTHER_GENDER.sub("", _ALL_GENDERS.sub(" ", plain)))
    plain = _HELPED.sub(r"\1", _EMPLOYER.sub("", plain))
    folded = (fold(part).replace("*", "") for part in _BETWEEN.split(plain))
    found = tuple(" ".join(part.split()) for part in folded if _LATIN.search(part))
    return () if found == () or " ".join(found) in _NOTHING else found
