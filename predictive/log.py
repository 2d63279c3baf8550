"""What an unattended run says while it works: one line per event on standard error, as JSON or as text.

Lines hold times, numbers and names of stages; no contact details, and no secrets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Level = Literal["info", "warning", "error"]
KINDS = ("json", "text")


@dataclass(frozen=True)
class Log:
    """Writes events of the run `run_id` in the form `kind`; None writes nothing."""

    kind: Literal["json", "text"] | None = None
    run_id: str = ""

    def event(self, name: str, numbers: Mapping[str, Any] | None = None, *, level: Level = "info") -> None:
        """One line: when, how grave, what, of which run, and its numbers."""
        if self.kind is None:
            return
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        line = line_of(self.kind, now, level, name, self.run_id, {} if numbers is None else numbers)
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def line_of(
    kind: Literal["json", "text"], now: str, level: Level, event: str, run_id: str, numbers: Mapping[str, Any]
) -> str:
    """The line of an event; floats are rounded to milliseconds.

    >>> print(line_of("text", "2026-11-22T02:00:00Z", "info", "read", "r1", {"seconds": 1.2345, "contacts": 9}))
    2026-11-22T02:00:00Z info read run_id=r1 seconds=1.234 contacts=9
    >>> print(line_of("json", "2026-11-22T02:00:00Z", "info", "read", "r1", {"seconds": 1.2345}))
    {"time": "2026-11-22T02:00:00Z", "level": "info", "event": "read", "run_id": "r1", "seconds": 1.234}
    """
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in numbers.items()}
    whole = {"time": now, "level": level, "event": event, "run_id": run_id, **rounded}
    if kind == "json":
        return json.dumps(whole, allow_nan=False, default=str)
    told = " ".join(f"{k}={json.dumps(v) if isinstance(v, str) else v}" for k, v in rounded.items())
    return " ".join(filter(None, [now, level, event, f"run_id={run_id}", told]))
