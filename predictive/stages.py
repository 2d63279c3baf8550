"""How long each stage of a run took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Stages:
    """Adds up the seconds that are spent in each stage, however often it is entered.

    >>> stages = Stages()
    >>> for _ in range(2):
    ...     with stages.timed("read"):
    ...         pass
    >>> list(stages.seconds), stages.seconds["read"] < 1
    (['read'], True)
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes, however it ends."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
