"""What each stage of a piece of work took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Milliseconds per stage, in the order in which the stages began.

    >>> clock = StageClock()
    >>> with clock("match"):
    ...     pass
    >>> list(clock.latency_ms)
    ['match']
    """

    def __init__(self) -> None:
        self.latency_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside the with block."""
        start = time.perf_counter()
        yield
        self.latency_ms[stage] = 1000 * (time.perf_counter() - start)
