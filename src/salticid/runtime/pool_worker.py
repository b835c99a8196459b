"""The child's side of a pool: a process that takes an item, calls the function, sends the reply.

Standard library only, and little of it, for every worker imports it at its start: what the function needs is imported
when the function arrives, after the thread counts are set. It dies with its parent, whatever the parent died of: a
thread waits on standard input, whose other end only the parent holds, and on Linux the kernel is asked as well, for
code that never gives that thread a turn.
"""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing.spawn
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from salticid.runtime.attempt import Attempt, Status

RESULT_LIMIT_BYTES = 1 << 20
READY = "ready"
PR_SET_PDEATHSIG = 1

_importing_main: ContextVar[bool] = ContextVar("importing_main", default=False)


def serve(descriptor: int) -> None:
    """Answer items on the socket `descriptor` until the parent closes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    os.set_inheritable(descriptor, False)  # a program that an item starts must not hold the socket open
    _die_with_parent()
    faulthandler.enable()
    channel = Connection(descriptor)
    try:
        function = _receive_function(channel)
    except Exception as problem:  # noqa: BLE001 - whatever it is, every other worker would meet it too
        channel.send(_describe(problem))
        return
    channel.send(READY)
    worker = os.getpid()
    while True:
        try:
            number, item = channel.recv()
        except EOFError:
            return
        done = attempt(function, item)
        if os.getpid() != worker:  # the item has forked and both went on: one answer is enough
            os._exit(0)
        channel.send_bytes(_reply(number, done))


def is_importing_main() -> bool:
    """Return whether this is a worker that is just importing the program which wants workers."""
    return _importing_main.get()


def attempt(function: Callable[[Any], Any], item: Any) -> Attempt:
    """Call `function(item)`; whatever it raises becomes text, so that no exception has to travel."""
    start = time.perf_counter()
    status: Status = "ok"
    value, error = None, None
    try:
        value = function(item)
    except MemoryError as problem:
        status, error = "oom", _describe(problem)
    except Exception as problem:  # noqa: BLE001 - a process boundary: reported as a failed item
        status, error = "error", _describe(problem)
    return Attempt(status, value, error, time.perf_counter() - start, peak_resident_bytes())


def peak_resident_bytes() -> int:
    """Return the highest resident memory that this process has had."""
    try:
        with open("/proc/self/status") as file:  # noqa: PTH123 - pathlib would be imported for this alone
            status = file.read()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    # Not ru_maxrss: after vfork and exec that counts what the parent had.
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def _receive_function(channel: Connection) -> Callable[[Any], Any]:
    """Make the parent's main module importable, as `multiprocessing` does, then load the function."""
    token = _importing_main.set(True)
    multiprocessing.spawn.prepare(channel.recv())
    _importing_main.reset(token)
    function: Callable[[Any], Any] = channel.recv()
    return function


def _reply(number: int, done: Attempt) -> bytes:
    """Return `done` as bytes for the pipe; a value that cannot travel becomes an error that says so."""
    try:
        message = pickle.dumps((number, done))
        problem = f"the result has {len(message):,} bytes: save it to a file and return the path"
    except Exception as failure:  # noqa: BLE001 - any class may refuse to be pickled in its own way
        message = b""
        problem = f"the result cannot be sent ({_describe(failure)}): return plain values or the path of a file"
    if 0 < len(message) <= RESULT_LIMIT_BYTES:
        return message
    return pickle.dumps((number, Attempt("error", None, problem, done.seconds, done.peak_bytes)))


def _describe(problem: BaseException) -> str:
    """Return the type, the message and the place, never the exception itself."""
    try:
        text = str(problem)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure
        text = "(its message cannot be shown)"
    return f"{type(problem).__name__}: {text}{_place(problem.__traceback__)}"


def _place(trace: TracebackType | None) -> str:
    """Return where it was raised, as text to append."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({trace.tb_frame.f_code.co_filename.rpartition(os.sep)[2]}:{trace.tb_lineno})"


def _die_with_parent() -> None:
    lifeline = os.dup(0)
    silence = os.open(os.devnull, os.O_RDONLY)
    os.dup2(silence, 0)
    os.close(silence)
    threading.Thread(target=_wait_for_parent, args=(lifeline,), daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_for_parent(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os._exit(1)
