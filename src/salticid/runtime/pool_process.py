"""The parent's side of one pool worker: start it, hand it an item, judge it, kill it.

`run` blocks its caller's thread until the worker answered or died; `watch`, called from another thread, kills a worker
that is past its deadline or its memory budget, which ends the blocked read. So nothing that a worker does, not even
half a message and then silence, can block the parent.
"""

from __future__ import annotations

import contextlib
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
from multiprocessing.connection import Connection, wait
from multiprocessing.spawn import get_preparation_data
from typing import IO, Any

import psutil

from salticid.errors import InputError, ResourceError
from salticid.runtime import cgroup
from salticid.runtime.attempt import Attempt, Status
from salticid.runtime.hardware import THREADS_VARIABLE
from salticid.runtime.pool_worker import READY

START_SECONDS = 120.0
GOODBYE_SECONDS = 1.0
LEAVING_POLL_SECONDS = 0.002
DRAIN_SECONDS = 0.2
LONGEST_TICK_SECONDS = 1.0
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
    looked: float  # when the watching thread was here last
    timeout: float | None
    budget_bytes: int | None
    oom_kills: int  # in this control group when the wait began
    waited: float = 0.0  # seconds; time in which this program was stopped does not count
    highest_bytes: int = 0
    verdict: tuple[Status, str] | None = None


class WorkerProcess:
    """One spawned process in its own process group, with a socket, a lifeline and the tail of its output."""

    def __init__(self, threads: int) -> None:
        """Spawn the process; `introduce` makes it ready.

        Raises
        ------
        OSError, RuntimeError
            The machine gives no process, no socket or no thread.
        """
        self._lock = threading.Lock()
        self._watch: _Watch | None = None
        self._tail = bytearray()
        self._closed = False
        self.ready = False  # to take an item
        self._sent = 0  # items so far; an answer carries the number of its item
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = self._spawn(theirs.fileno(), threads)
        self._channel = Connection(os.dup(self._socket.fileno()))
        self._drain = threading.Thread(target=self._keep_tail, daemon=True)
        try:
            self._drain.start()
        except RuntimeError:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return not self._has_ended()

    @property
    def busy_seconds(self) -> float:
        """How long the current item has been running; 0 when there is none."""
        watch = self._watch
        return time.monotonic() - watch.started if watch else 0.0

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
            self._bury()
            raise ResourceError(f"a worker process did not start{self._last_words()}") from None
        finally:
            self._end()
        if answer != READY:
            raise InputError(f"a worker cannot load the function; define it at the top of a module: {answer}")
        self.ready = True

    def run(self, item: Any, *, timeout: float | None, budget_bytes: int | None) -> Attempt:
        """Hand `item` over and wait; death, deadline and budget come back as an `Attempt` too."""
        watch = self._begin(timeout, budget_bytes)
        number, done = 0, None
        try:
            self._sent += 1
            self._channel.send((self._sent, item))
            number, done = pickle.loads(self._channel.recv_bytes())
        except (EOFError, OSError):
            _log.debug("worker %d has closed its socket", self._process.pid)
        except Exception as problem:  # noqa: BLE001 - a result class that cannot be rebuilt here is a failed item
            number, done = self._sent, Attempt("error", None, f"the result cannot be read back: {problem!r}", 0.0)
        self._end()
        if isinstance(done, Attempt) and number == self._sent and watch.verdict is None:
            return done
        if done is not None:
            self.kill()  # it answers something that was not asked
        self._bury()
        status, reason = watch.verdict or self._cause_of_death(watch)
        return Attempt(status, None, reason, time.monotonic() - watch.started, watch.highest_bytes or None)

    def watch(self) -> None:
        """Kill the process when the current item is past its deadline or its memory budget, or when it is dead.

        A dead process has to be noticed here: a child of its own may still hold its end of the socket.
        """
        with self._lock:
            watch = self._watch
            if watch is None or watch.verdict is not None:
                return
            now = time.monotonic()
            watch.waited += min(now - watch.looked, LONGEST_TICK_SECONDS)
            watch.looked = now
            watch.highest_bytes = max(watch.highest_bytes, self._resident_bytes())
            watch.verdict = _verdict(watch)
            if watch.verdict is not None or self._has_ended():
                self.kill()

    def kill(self) -> None:
        """End the process and its group now; whoever waits for an answer gets the end of the stream."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or (macOS) a zombie
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):  # closed already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let the process leave by itself, make sure that it did, and give everything back."""
        self._channel.close()
        self._socket.close()
        self._bury()
        self._closed = True
        if self._process.stdin:
            self._process.stdin.close()
        if self._drain.ident is not None:
            self._drain.join()

    def _bury(self) -> None:
        """Wait for a process that is on its way out, take its group along, and only then reap it."""
        end = time.monotonic() + GOODBYE_SECONDS
        while not self._has_ended() and time.monotonic() < end:
            time.sleep(LEAVING_POLL_SECONDS)
        self.kill()
        self._process.wait()

    def _has_ended(self) -> bool:
        """Return whether the process is dead, without reaping it: until then its number belongs to its group."""
        if self._process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _spawn(self, descriptor: int, threads: int) -> subprocess.Popen[bytes]:
        serve = f"from salticid.runtime.pool_worker import serve; serve({descriptor})"
        code = f"import sys; sys.path[:] = {[os.fspath(entry) for entry in sys.path]!r}; {serve}"
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
            now = time.monotonic()
            self._watch = _Watch(now, now, timeout, budget_bytes, cgroup.oom_kills())
            return self._watch

    def _end(self) -> None:
        with self._lock:
            self._watch = None

    def _resident_bytes(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except (psutil.Error, OSError):  # it is gone, or this program has no descriptors left
            return 0

    def _cause_of_death(self, watch: _Watch) -> tuple[Status, str]:
        """Return what ended a process that nobody here killed."""
        code = self._process.returncode
        if code == -signal.SIGKILL and cgroup.oom_kills() > watch.oom_kills:
            return "oom", "the kernel's OOM killer ended the worker: use fewer workers or smaller items"
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"exited with status {code}"
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
            while not self._closed or wait([output.fileno()], 0):
                if not wait([output.fileno()], DRAIN_SECONDS):
                    continue
                chunk = os.read(output.fileno(), 1 << 16)
                if not chunk:
                    return
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def _parent_main() -> dict[str, Any]:
    """Return what a child needs to import the main module; the key of `multiprocessing` stays here."""
    data = get_preparation_data("salticid-worker")
    return {name: value for name, value in data.items() if name != "authkey"}


def _verdict(watch: _Watch) -> tuple[Status, str] | None:
    """Return why the watched process must go, or None."""
    if watch.timeout is not None and watch.waited > watch.timeout:
        return "timeout", f"no answer within {watch.timeout:g} s"
    if watch.budget_bytes is not None and watch.highest_bytes > watch.budget_bytes:
        used, allowed = watch.highest_bytes >> 20, watch.budget_bytes >> 20
        return "oom", f"the worker took {used:,} MB and may take {allowed:,} MB: use fewer workers, or set peak_bytes"
    return None
