"""What each stage of a piece of work took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Milliseconds per stage, in the order in which the stages began; a stage that comes again adds up.

    Stages may run in several threads, but each in one of them.

    >>> clock = StageClock()
    >>> with clock("prepare"):
    ...     pass
    >>> list(clock.latency_ms)
    ['prepare']
    """

    def __init__(self) -> None:
        self.latency_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside the with block."""
        start = time.perf_counter()
        yield
        self.add({stage: 1000 * (time.perf_counter() - start)})

    def add(self, latency_ms: dict[str, float]) -> None:
        """Add what another clock has measured."""
        for stage, value in latency_ms.items():
            self.latency_ms[stage] = self.latency_ms.get(stage, 0.0) + value
