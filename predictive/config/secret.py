"""URLs that hold credentials: kept whole for the driver, masked for everybody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import PlainSerializer, PlainValidator

MASK = "***"
SENSITIVE = r"(?:[A-Za-z_]*(?:password|passwd|pwd|secret|token)|[A-Za-z_]*api_?key)"
PARAMETER = re.compile(rf"([?&]{SENSITIVE}=)([^&#\s'\"]+)", re.IGNORECASE)
USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#]*@")
URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^@/?]*)@)?(?P<rest>[^\s]*)", re.DOTALL)
PLAIN = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*")
FILES = ("sqlite", "duckdb")
"""Schemes whose URL is a path: ``sqlite:///crm.db`` is relative, ``sqlite:////data/crm.db`` is not."""


def mask(text: str) -> str:
    """Text with the credentials of every URL in it masked.

    >>> mask("cannot open postgresql://ann:s3cret@db/crm?sslmode=require&password=x")
    'cannot open postgresql://***@db/crm?sslmode=require&password=***'
    """
    return PARAMETER.sub(rf"\1{MASK}", USERINFO.sub(rf"\1{MASK}@", text))


def holds_password(text: str) -> bool:
    """Whether a text of a configuration file, as it stands there, holds a password that is not ``${…}``.

    >>> holds_password("postgresql://ann:s3cret@db/crm"), holds_password("postgresql://ann:${PASSWORD}@db/crm")
    (True, False)
    """
    # A default stands in the file as well; what comes from the environment becomes a character that no URL has.
    literal = re.sub(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-([^}]*))?\}", lambda m: "\0" if m[1] is None else m[1], text)
    found = [match[1] for match in re.finditer(r"://[^/?#\s:@]*:([^/?#\s]+)@", literal)]
    found += [match[2] for match in PARAMETER.finditer(literal)]
    return any("\0" not in value for value in found)


@dataclass(frozen=True, repr=False)
class SecretUrl:
    """The URL of a database. Printed, logged or written anywhere, it shows no credentials; `reveal` gives them.

    >>> url = SecretUrl("postgresql://ann:s3cret@db.example.com:5433/crm?connect_timeout=5")
    >>> url, url.reveal()[:22]
    (SecretUrl('postgresql://***@db.example.com:5433/crm?connect_timeout=5'), 'postgresql://ann:s3cre')
    """

    _whole: str

    def reveal(self) -> str:
        """The URL with its credentials, for nothing but the driver."""
        return self._whole

    def __str__(self) -> str:
        return mask(self._whole)

    def __repr__(self) -> str:
        return f"SecretUrl({str(self)!r})"

    @property
    def scheme(self) -> str:
        """What stands before ``://``."""
        return self._whole.partition("://")[0]

    @property
    def path(self) -> Path:
        """The file that a URL of :data:`FILES` names."""
        return Path(unquote(self._whole.partition(":///")[2].partition("?")[0]))

    def at(self, resolve: Callable[[Path], Path]) -> SecretUrl:
        """The same URL; the path of a file resolved."""
        return SecretUrl(f"{self.scheme}:///{resolve(self.path)}") if self.scheme in FILES else self

    def hide(self, text: str) -> str:
        """What a driver says, without this URL's secrets in any form that drivers print.

        >>> SecretUrl("postgresql://ann:s%20x@db/crm").hide('user "ann" failed with "s x" (s%20x)')
        'user "ann" failed with "***" (***)'
        """
        match = URL.match(self._whole)
        _, _, password = ((match and match["user"]) or "").partition(":")
        secrets = [password, *(value for _, value in PARAMETER.findall(self._whole))]
        text = mask(text.replace(self._whole, str(self)))
        for secret in sorted({form for one in secrets if one for form in (one, unquote(one))}, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
        return text


def _read(value: object) -> SecretUrl:
    """A URL from a configuration; what is wrong is said without showing it."""
    if isinstance(value, SecretUrl):
        return value
    match = URL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a URL; write one such as postgresql://HOST/DATABASE or sqlite:///FILE, or ${NAME}")
    if match["scheme"] in FILES:
        if not match["rest"].startswith("/") or match["rest"] == "/":
            raise ValueError(f"names no file; write {match['scheme']}:///FILE, or {match['scheme']}:////ABSOLUTE/FILE")
        return SecretUrl(match[0])
    path, _, _ = match["rest"].partition("?")
    if not PLAIN.fullmatch(match["user"] or "") or "@" in path:
        raise ValueError("user or password hold a character that a URL cannot: write @ as %40, / as %2F, : as %3A")
    return SecretUrl(match[0])


DatabaseUrl = Annotated[SecretUrl, PlainValidator(_read), PlainSerializer(str, return_type=str)]
