"""What a training tells of itself while it runs; by default nothing to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from salticid.segment.curves import Epoch

T = TypeVar("T")


class Progress(Protocol):
    """Passes on items, of which there are `total`, and tells how far it is with `what`."""

    def __call__(self, items: Iterable[T], total: int, what: str, /) -> Iterator[T]:
        """Return the items."""


def silent(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass on items and tell nothing."""
    return iter(items)


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told."""

    say: Callable[[str], None] = lambda line: None  # a line of news
    progress: Progress = silent  # pairs that are read, steps of the first layers
    epoch: Callable[[Epoch], None] = lambda epoch: None  # after every one
