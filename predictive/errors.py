"""The errors that `predictive` raises on purpose.

::

    PredictiveError            exit 1, one clear message, no traceback
    ├── ConfigError            the configuration file: what is wrong, where, and what is allowed
    ├── DataError              the tables: a column, a type, a row that cannot be used
    │   └── ConnectionLostError    a database that cannot be reached, or no longer: trying again may help
    ├── ModelError             a bundle that is missing, altered, or made for other features
    ├── NotEligibleError       a contact that is not scored, and why
    ├── DeliveryError          scores are written, but somebody could not be told of them
    └── BreakerError           exit 5: a night too far from the last, see :mod:`predictive.breaker`

Everything else that escapes is a bug: exit 3, with a traceback in a log file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PredictiveError(Exception):
    """Something that the user can put right; the message says what, where and how. `code` is the exit code."""

    code = 1


class ConfigError(PredictiveError):
    """The configuration cannot be used as it is."""


class DataError(PredictiveError):
    """The data cannot be used as it is."""


class ConnectionLostError(DataError):
    """A database cannot be reached, or the connection broke while it was read; trying again later may help."""


class ModelError(PredictiveError):
    """A model bundle cannot be loaded, or does not fit the data."""


class NotEligibleError(PredictiveError):
    """The contact exists but is not scored; the message says why."""


class DeliveryError(PredictiveError):
    """Scores are written, but notices of them could not be delivered; the message says what happens next."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known names, or all of them when there are few.

    >>> nearest("horizn", ["horizon", "timezone"])
    'did you mean "horizon"?'
    >>> nearest("x", ["horizon", "timezone"])
    'known: horizon, timezone'
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=3)
    if close:
        return "did you mean " + " or ".join(f'"{c}"' for c in close) + "?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known: {shown}" if names else "there are none"
