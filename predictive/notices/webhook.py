"""A signed POST that is tried again: what a receiver can trust, and what a night may rely on."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from predictive.errors import DeliveryError

PAUSES = (1.0, 4.0, 16.0)
"""Seconds before each further attempt."""
TIMEOUT = 10.0
"""Seconds that an attempt may take to connect, and to be answered."""
AGAIN = frozenset({408, 429, *range(500, 600)})
"""Answers after which it is tried again; any other but 2xx is an answer that will not change."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed body goes to the address that was configured, and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the header `X-Predictive-Signature` says: HMAC-SHA256 of the timestamp, a dot and the body, in hex.

    A receiver computes the same, compares in constant time, and refuses old timestamps.

    >>> signature("secret", "1700000000", b"{}")[:18]
    'sha256=b8569b78799'
    """
    message = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def post(
    address: str,
    secret: str,
    body: bytes,
    *,
    delivery: str,
    pauses: Sequence[float] = PAUSES,
    timeout: float = TIMEOUT,
) -> None:
    """Send a JSON body, signed; on network errors and 5xx again after each of `pauses` seconds.

    `delivery` names the content: the same in every attempt, so that a receiver can tell a repetition. Raises
    :class:`~predictive.errors.DeliveryError` where no attempt succeeds; neither address nor secret is in it.
    """
    opener = urllib.request.build_opener(_NoRedirect)
    said = ""
    for pause in (0.0, *pauses):
        time.sleep(pause)
        try:
            with opener.open(_request(address, secret, body, delivery), timeout=timeout):
                return
        except urllib.error.HTTPError as error:
            error.close()
            said = f"it answered {error.code}"
            if error.code not in AGAIN:
                raise DeliveryError(f"notices.webhook: {said}, so nothing more was tried") from None
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            said = f"it could not be reached ({type(reason).__name__})"
    raise DeliveryError(f"notices.webhook: {said} at the last of {1 + len(pauses)} attempts")


def _request(address: str, secret: str, body: bytes, delivery: str) -> urllib.request.Request:
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "predictive",
        "X-Predictive-Delivery": delivery,
        "X-Predictive-Timestamp": timestamp,
        "X-Predictive-Signature": signature(secret, timestamp, body),
    }
    # The configuration accepts addresses of http and https only.
    return urllib.request.Request(address, data=body, headers=headers, method="POST")  # noqa: S310
