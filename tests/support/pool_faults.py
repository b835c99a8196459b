"""Items that go wrong in every way, for the tests and the benchmark of the pool. `behave` is what the workers call."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MEGABYTE = 1 << 20

FAULTS = {
    "segfault": "crash",
    "killed": "crash",
    "hang": "timeout",
    "hang-ignoring-sigterm": "timeout",
    "hang-holding-the-gil": "timeout",
    "memory": "oom",
    "unpicklable-exception": "error",
    "unpicklable-result": "error",
    "exit-0": "crash",
    "sys-exit-0": "crash",
    "half-a-message": "timeout",
    "child-process": "timeout",
    "nameless-signal": "crash",
    "leaves-a-child-and-dies": "crash",
    "leaves-a-child-in-a-session": "timeout",
}
HARMLESS = {"prints-megabytes", "forks-and-both-go-on"}


class UnpicklableError(Exception):
    """An exception that refuses to travel."""

    def __reduce__(self):
        raise TypeError("not me")


def behave(item: str) -> str:
    """Do what `item` says: `good-N` returns itself after a moment, anything else is a fault."""
    name = item.partition(":")[0]
    if name.startswith("good"):
        time.sleep(0.02)
        return item
    return _ACTIONS[name]()


def note_and_return(item: str) -> str:
    """Append `item`'s number to the file it names, so that a test can count how often it was computed."""
    number, _, path = item.partition(":")
    time.sleep(0.02)
    with Path(path).open("a") as file:
        file.write(f"{number}\n")
    return number


def environment(_: int) -> dict[str, str | None]:
    """Return the thread counts that this process was started with, and what OpenCV made of them."""
    import cv2

    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SALTICID_THREADS")
    return {name: os.environ.get(name) for name in names} | {"cv2": str(cv2.getNumThreads())}


def die_once(path: str) -> str:
    """Kill the process at the first call, return at the second."""
    marker = Path(path)
    if marker.exists():
        return "back"
    marker.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


def take_memory(megabytes: int) -> int:
    """Hold that much memory for a moment."""
    data = bytearray(megabytes * MEGABYTE)
    data[::4096] = b"x" * len(data[::4096])
    time.sleep(0.3)
    return len(data)


def scaled(item, *, factor):
    """Return the item times a factor."""
    return item * factor


class Scale:
    """An object with a method."""

    def run(self, item):
        """Return the item."""
        return item


def beyond_json(_):
    """Return a number that JSON will not write."""
    return 10**5000


def start_a_sleeper(_):
    """Leave a program behind and return its process number."""
    return subprocess.Popen(["sleep", "1000"]).pid


def nothing(item):
    """Return the item."""
    return item


def fail(item):
    """Raise."""
    raise ValueError(f"{item} is no good")


def _segfault():
    ctypes.string_at(0)


def _killed():
    os.kill(os.getpid(), signal.SIGKILL)


def _hang():
    while True:
        time.sleep(1)


def _hang_ignoring_sigterm():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _hang()


def _hang_holding_the_gil():
    ctypes.PyDLL(None).sleep(1000)


def _memory():
    hoard = []
    while True:
        hoard.append(b"x" * (16 * MEGABYTE))
        time.sleep(0.005)


def _unpicklable_exception():
    raise UnpicklableError(lambda: None)


def _unpicklable_result():
    return lambda: None


def _prints_megabytes():
    for _ in range(64):
        sys.stdout.write("x" * (MEGABYTE // 8) + "\n")
        sys.stderr.write("y" * (MEGABYTE // 8) + "\n")
    return "printed"


def _exit_0():
    os._exit(0)


def _sys_exit_0():
    sys.exit(0)


def _half_a_message():
    """Write the length of a long message to every socket that is open, then say no more."""
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, (100_000).to_bytes(4, "big") + b"half")
        except OSError:
            continue
    _hang()


def _child_process():
    subprocess.run(["sleep", "1000"], check=False)


def _nameless_signal():
    os.kill(os.getpid(), signal.SIGRTMIN + 6)


def _leaves_a_child_and_dies():
    subprocess.Popen(["sleep", "1000"], close_fds=False)
    os._exit(3)


def _leaves_a_child_in_a_session():
    subprocess.Popen(["sleep", "4"], close_fds=False, start_new_session=True)
    _hang()


def _forks_and_both_go_on():
    if os.fork():
        time.sleep(0.1)
    return "twice"


_ACTIONS = {
    "nameless-signal": _nameless_signal,
    "leaves-a-child-and-dies": _leaves_a_child_and_dies,
    "leaves-a-child-in-a-session": _leaves_a_child_in_a_session,
    "forks-and-both-go-on": _forks_and_both_go_on,
    "segfault": _segfault,
    "killed": _killed,
    "hang": _hang,
    "hang-ignoring-sigterm": _hang_ignoring_sigterm,
    "hang-holding-the-gil": _hang_holding_the_gil,
    "memory": _memory,
    "unpicklable-exception": _unpicklable_exception,
    "unpicklable-result": _unpicklable_result,
    "prints-megabytes": _prints_megabytes,
    "exit-0": _exit_0,
    "sys-exit-0": _sys_exit_0,
    "half-a-message": _half_a_message,
    "child-process": _child_process,
}
