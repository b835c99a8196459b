"""What all tests need of the process they run in."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Let the programs that tests start be interrupted, also where the runner itself was started in the background.

    A shell starts background jobs with SIGINT ignored, children inherit that, and Python then ignores Ctrl-C as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
