"""One call for work over many items that ends, whatever happens to a worker.

    for outcome in pool.map(measure, paths, workers=2, timeout=30.0):
        print(outcome.item, outcome.status, outcome.value)

Each worker is a spawned process. An item that outlives its deadline or its memory budget costs its worker's life, not
the call's; a new worker takes the place. An item whose worker died is tried again at the end, alone on the machine.
Where no worker can be started at all, the items run in the calling process. Every item comes back as an `Outcome`, in
order.
"""

from __future__ import annotations

import functools
import inspect
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from salticid.core.plain import to_json
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.runtime.attempt import Status
from salticid.runtime.hardware import Strategy
from salticid.runtime.journal import Journal, item_keys
from salticid.runtime.outcome import Outcome
from salticid.runtime.pool_run import Job, Limits, Run
from salticid.runtime.pool_worker import is_importing_main

ITEM_LIMIT_BYTES = 60_000  # an empty socket takes this much without anybody reading: handing out never blocks
RETRY_ON: frozenset[Status] = frozenset({"crash", "oom"})  # a hang or an exception would most likely come again


def map(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    retries: int = 1,
    retry_on: frozenset[Status] = RETRY_ON,
    peak_bytes: int | None = None,
    strategy: Strategy = "moderate",
    resume: str | os.PathLike[str] | None = None,
) -> Iterator[Outcome]:
    """Call `function(item)` for every item in worker processes, and yield an `Outcome` for each, in order.

    Nothing starts before the first outcome is asked for. Closing the iterator early ends every worker.

    Parameters
    ----------
    function
        What a worker can import: a function at the top of a module, or a `functools.partial` of one.
    items
        Small values that pickle, such as paths: 60 kB each at most. Results likewise, 1 MB at most.
    workers
        Number of processes. None: from the CPUs and from the memory that the first item really took.
        0: no processes; everything runs in the calling process, one by one and without a deadline.
    timeout
        Seconds that one attempt may take before its worker is killed.
    retries, retry_on
        How often an item with such a status is tried again. Retries run last, one at a time.
    peak_bytes
        Memory that one worker may take; past it the worker is killed. None: a worker's share of what `strategy` may
        plan with. Programs that an item starts are not counted.
    resume
        A journal file. What it holds is not computed again, and what gets done is added before it is yielded. Values
        then have to be what JSON can say.

    Raises
    ------
    InputError
        The function or an item cannot be sent to a worker, or the journal belongs to other work.
    """
    if is_importing_main():
        raise InputError(
            "pool.map was called while a worker imports the program: put it under if __name__ == '__main__':"
        )
    _check_numbers(workers=workers, timeout=timeout, retries=retries, peak_bytes=peak_bytes)
    items = list(items)
    _check_sendable(function, items)
    keys = item_keys(items) if resume is not None else [""] * len(items)
    jobs = [Job(index, item, key) for index, (item, key) in enumerate(zip(items, keys, strict=True))]
    limits = Limits(timeout, retries, retry_on, peak_bytes, hardware.memory_budget(strategy))
    journal = Journal(resume, _name(function)) if resume is not None else None
    first, most = _worker_numbers(len(jobs), workers, peak_bytes, strategy)
    return _outcomes(Run(function, jobs, limits, journal, most), first)


def _check_numbers(**values: float | None) -> None:
    least = {"workers": 0, "retries": 0, "timeout": 1e-3, "peak_bytes": 1}
    for name, value in values.items():
        if value is not None and not (isinstance(value, (int, float)) and value >= least[name]):
            raise InputError(f"{name} must be a number of at least {least[name]:g}, not {value!r}")


def _check_sendable(function: Callable[[Any], Any], items: list[Any]) -> None:
    """Refuse now what would fail in every worker later."""
    _pickled_size(function, "the function", "define it at the top of a module")
    for index, item in enumerate(items):
        size = _pickled_size(item, f"item {index}", "use plain values or the path of a file")
        if size > ITEM_LIMIT_BYTES:
            raise InputError(f"item {index} has {size:,} bytes: save it to a file and send the path")


def _pickled_size(value: Any, what: str, advice: str) -> int:
    try:
        return len(pickle.dumps(value))
    except Exception as problem:  # noqa: BLE001 - any class may refuse to be pickled in its own way
        raise InputError(f"{what} cannot be sent to a worker ({problem}): {advice}") from None


def _worker_numbers(jobs: int, workers: int | None, peak_bytes: int | None, strategy: Strategy) -> tuple[int, int]:
    """Return how many workers to start with, and how many there may be once the first item was measured."""
    if workers is not None:
        return min(workers, jobs), min(workers, jobs)
    if peak_bytes is not None:
        count = min(jobs, hardware.worker_count(peak_bytes, strategy))
        return count, count
    return min(1, jobs), min(jobs, hardware.cpu_count())


def _name(function: Callable[[Any], Any]) -> str:
    """Return the name under which a journal knows this work, arguments that are bound already included."""
    if isinstance(function, functools.partial):
        return f"{_name(function.func)} with {to_json([function.args, function.keywords])}"
    if not inspect.isroutine(function) or _is_bound_to_an_object(function):
        raise InputError(
            "resume= needs a function: what an object's method computes depends on more than the journal knows"
        )
    return f"{function.__module__}.{function.__qualname__}"


def _is_bound_to_an_object(function: Callable[[Any], Any]) -> bool:
    owner = getattr(function, "__self__", None)
    return owner is not None and not inspect.ismodule(owner) and not inspect.isclass(owner)


def _outcomes(run: Run, workers: int) -> Iterator[Outcome]:
    try:
        run.start(workers)
        for job in run.jobs:
            yield run.wait_for(job)
    finally:
        run.stop()
