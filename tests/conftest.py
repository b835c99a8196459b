"""What all tests need of the process they run in."""

from __future__ import annotations

import importlib
import signal
from pathlib import Path

import pytest
from stream_threads import ours


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Let the programs that tests start be interrupted, also where the runner itself was started in the background.

    A shell starts background jobs with SIGINT ignored, children inherit that, and Python then ignores Ctrl-C as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def bench():
    """Import a module of the folder bench by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).resolve().parents[1] / "bench")
        yield importlib.import_module


@pytest.fixture
def no_thread_is_left():
    """Check that the threads of a stream have ended with the test."""
    yield
    assert ours() == []
