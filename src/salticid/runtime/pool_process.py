"""The parent's side of one pool worker: start it, hand it an item, judge it, kill it.

`run` blocks its caller's thread until the worker answered or died; `watch`, called from another thread, kills a worker
that is past its deadline or its memory budget, which ends the blocked read. So nothing that a worker does, not even
half a message and then silence, can block the parent.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.spawn import get_preparation_data
from typing import IO, Any

import psutil

from salticid.errors import InputError, ResourceError
from salticid.runtime import cgroup
from salticid.runtime.hardware import THREADS_VARIABLE
from salticid.runtime.outcome import Attempt, Status
from salticid.runtime.pool_worker import READY

START_SECONDS = 120.0
GOODBYE_SECONDS = 1.0
TAIL_BYTES = 2000

# What OpenMP, OpenBLAS, MKL, Accelerate, numexpr and OpenCV read when they are loaded.
_THREAD_VARIABLES = (
    THREADS_VARIABLE,
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watch:
    """What is being waited for, and when patience ends."""

    started: float
    timeout: float | None
    budget_bytes: int | None
    highest_bytes: int = 0
    verdict: tuple[Status, str] | None = None


class WorkerProcess:
    """One spawned process in its own process group, with a socket, a lifeline and the tail of its output."""

    def __init__(self, threads: int) -> None:
        """Spawn the process; `introduce` makes it ready."""
        self._lock = threading.Lock()
        self._watch: _Watch | None = None
        self._tail = bytearray()
        self._oom_kills = cgroup.oom_kills()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = self._spawn(theirs.fileno(), threads)
            self._channel = Connection(ours.detach())
        self._drain = threading.Thread(target=self._keep_tail, daemon=True)
        self._drain.start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def highest_bytes(self) -> int:
        """Highest resident memory seen while the current item runs."""
        watch = self._watch
        return watch.highest_bytes if watch else 0

    def introduce(self, function: Callable[[Any], Any]) -> None:
        """Send what the child must know, and wait until it is ready.

        Raises
        ------
        ResourceError
            The process died or was silent.
        InputError
            It cannot import the main program or the function, and no other worker could.
        """
        self._begin(START_SECONDS, None)
        try:
            self._channel.send(_parent_main())
            self._channel.send(function)
            answer = self._channel.recv()
        except (EOFError, OSError):
            self._let_leave()
            raise ResourceError(f"a worker process did not start{self._last_words()}") from None
        finally:
            self._end()
        if answer != READY:
            raise InputError(f"a worker cannot load the function: {answer}")

    def run(self, item: Any, *, timeout: float | None, budget_bytes: int | None) -> Attempt:
        """Hand `item` over and wait; death, deadline and budget come back as an `Attempt` too."""
        watch = self._begin(timeout, budget_bytes)
        try:
            self._channel.send(item)
            done: Attempt | None = pickle.loads(self._channel.recv_bytes())
        except (EOFError, OSError):
            done = None
        except Exception as problem:  # noqa: BLE001 - a result class that cannot be rebuilt here is a failed item
            done = Attempt("error", None, f"the result cannot be read back: {problem!r}", 0.0, None)
        self._end()
        if done is not None and watch.verdict is None:
            return done
        self._let_leave()
        self.kill()
        self._process.wait()
        status, reason = watch.verdict or self._cause_of_death()
        return Attempt(status, None, reason, time.monotonic() - watch.started, watch.highest_bytes or None)

    def watch(self) -> None:
        """Kill the process when the current item is past its deadline or its memory budget."""
        with self._lock:
            watch = self._watch
            if watch is None or watch.verdict is not None:
                return
            watch.highest_bytes = max(watch.highest_bytes, self._resident_bytes())
            watch.verdict = _verdict(watch)
            if watch.verdict is not None:
                self.kill()

    def kill(self) -> None:
        """End the process and its group now; whoever waits for it takes notice."""
        if self._process.returncode is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # gone, or (macOS) a zombie
                _log.debug("worker %d was gone already", self._process.pid)

    def close(self) -> None:
        """Let the process leave by itself, make sure that it did, and give everything back."""
        self._channel.close()
        self._let_leave()
        self.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._drain.join(GOODBYE_SECONDS)

    def _spawn(self, descriptor: int, threads: int) -> subprocess.Popen[bytes]:
        serve = f"from salticid.runtime.pool_worker import serve; serve({descriptor})"
        code = f"import sys; sys.path[:] = {sys.path!r}; {serve}"
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
            env=os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads)),
            start_new_session=True,
        )

    def _begin(self, timeout: float | None, budget_bytes: int | None) -> _Watch:
        with self._lock:
            self._watch = _Watch(time.monotonic(), timeout, budget_bytes)
            return self._watch

    def _end(self) -> None:
        with self._lock:
            self._watch = None

    def _let_leave(self) -> None:
        """Give a process that is on its way out the time to end with its own exit status."""
        try:
            self._process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            _log.debug("worker %d does not leave by itself", self._process.pid)

    def _resident_bytes(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _cause_of_death(self) -> tuple[Status, str]:
        """Return what ended a process that nobody here killed."""
        if cgroup.oom_kills() > self._oom_kills:
            return "oom", "the kernel's OOM killer ended the worker: use fewer workers or smaller items"
        code = self._process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"
        return "crash", f"the worker {how} before it answered{self._last_words()}"

    def _last_words(self) -> str:
        text = bytes(self._tail).decode(errors="replace").strip()
        return f"; its last output:\n{text}" if text else ""

    def _keep_tail(self) -> None:
        """Read what the worker prints, so that it never blocks on it, and keep the end."""
        output: IO[bytes] | None = self._process.stdout
        if output is None:
            return
        with output:
            while chunk := os.read(output.fileno(), 1 << 16):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]
                _log.debug("worker %d: %s", self._process.pid, chunk[-TAIL_BYTES:].decode(errors="replace"))


def _parent_main() -> dict[str, Any]:
    """Return what a child needs to import the main module; the key of `multiprocessing` stays here."""
    data = get_preparation_data("salticid-worker")
    return {name: value for name, value in data.items() if name != "authkey"}


def _verdict(watch: _Watch) -> tuple[Status, str] | None:
    """Return why the watched process must go, or None."""
    if watch.timeout is not None and time.monotonic() - watch.started > watch.timeout:
        return "timeout", f"no answer within {watch.timeout:g} s"
    if watch.budget_bytes is not None and watch.highest_bytes > watch.budget_bytes:
        used, allowed = watch.highest_bytes >> 20, watch.budget_bytes >> 20
        return "oom", f"the worker took {used:,} MB and may take {allowed:,} MB"
    return None
