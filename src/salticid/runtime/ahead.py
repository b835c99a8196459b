"""Work ahead of whoever asks for the next result: each step in a thread of its own, the order kept.

    for result in ahead(read(paths), segment):
        write(result)                           # meanwhile the next item is in work, and the one after it is read

A pool is for many heavy items in processes; this is for a stream, whose items are large and whose steps wait for a
device or run in C. Only a few items are ever in flight. An exception in any thread ends the others, and is raised where
the results are asked for, after the results of all items before it. Whatever way the loop ends, by its end, by an
exception, by Ctrl-C or by `break`, no thread is left when it has.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

DEPTH = 2  # finished items that wait between two steps: enough to smooth what steps take, few enough to hold


class Closed(Exception):  # noqa: N818  # no error: the signal to a thread that nobody listens any more
    """The channel was closed by the other side."""


@dataclass(slots=True)
class Dropped:
    """How many items of a live source made room for newer ones."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing in a channel: no more comes, and why."""

    error: BaseException | None = None


@dataclass(slots=True)
class _Channel:
    """Items on their way from one thread to the next."""

    depth: int
    dropped: Dropped | None = None  # when given, a full channel drops its oldest item instead of waiting
    items: deque[Any] = field(default_factory=deque)
    changed: threading.Condition = field(default_factory=threading.Condition)
    closed: bool = False

    def put(self, item: Any) -> None:
        """Add an item, as soon as there is room (the end needs none); raise `Closed` when nobody will take it."""
        with self.changed:
            if not isinstance(item, _End):
                self._wait_for_room()
            if self.closed:
                raise Closed
            self.items.append(item)
            self.changed.notify_all()

    def get(self) -> Any:
        """Take the oldest item, as soon as there is one; raise `Closed` when none will come."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.items)
            if self.closed:
                raise Closed
            item = self.items.popleft()
            self.changed.notify_all()
            return item

    def close(self) -> None:
        """Wake up both sides and let go of all items."""
        with self.changed:
            self.closed = True
            self.items.clear()
            self.changed.notify_all()

    def _wait_for_room(self) -> None:
        if self.dropped is None:
            self.changed.wait_for(lambda: self.closed or len(self.items) < self.depth)
        elif len(self.items) >= self.depth:
            self.items.popleft()
            self.dropped.count += 1


def ahead(
    source: Iterable[Any], *steps: Callable[[Any], Any], depth: int = DEPTH, dropped: Dropped | None = None
) -> Generator[Any, None, None]:
    """Yield what the `steps`, one after the other, make of each item of `source`.

    Parameters
    ----------
    source
        Is read in a thread of its own; where it has a `close`, that is called there at the end.
    steps
        Each runs in a thread of its own.
    depth
        Items that may wait between two threads.
    dropped
        The source is live: the first step always takes the newest item there is, and older ones that have not been
        taken are dropped and counted here. None: nothing is dropped, the source waits.

    Raises
    ------
    Exception
        Whatever the source or a step raised.
    """
    first = _Channel(1, dropped) if dropped is not None else _Channel(depth)
    channels = [first, *(_Channel(depth) for _ in steps)]
    threads = [threading.Thread(target=_read, args=(source, first), name="salticid-read", daemon=True)]
    for step, before, after in zip(steps, channels, channels[1:], strict=False):
        work = threading.Thread(target=_work, args=(step, before, after), name="salticid-step", daemon=True)
        threads.append(work)
    try:
        for thread in threads:
            thread.start()
        yield from _results(channels[-1])
    finally:
        for channel in channels:
            channel.close()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def _read(source: Iterable[Any], out: _Channel) -> None:
    with contextlib.suppress(Closed), _telling(out):
        try:
            for item in source:
                out.put(item)
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()


def _work(step: Callable[[Any], Any], given: _Channel, out: _Channel) -> None:
    with contextlib.suppress(Closed), _telling(out):
        while not isinstance(item := given.get(), _End):
            out.put(step(item))
        if item.error is not None:
            raise item.error


@contextlib.contextmanager
def _telling(out: _Channel) -> Iterator[None]:
    """Tell the next thread that the end is reached, or the exception that ended this one."""
    try:
        yield
    except Closed:
        raise
    except BaseException as error:  # noqa: BLE001  # the boundary of a thread: the caller's thread raises it
        out.put(_End(error))
    else:
        out.put(_End())


def _results(channel: _Channel) -> Iterator[Any]:
    while not isinstance(item := channel.get(), _End):
        yield item
    if item.error is not None:
        raise item.error
