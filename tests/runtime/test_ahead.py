"""Work ahead of the reader: the order kept, few items in flight, and no thread left however the loop ends."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
import threading

import pytest
from stream_threads import ours

from salticid.runtime.ahead import Dropped, ahead

WAIT_S = 20.0  # far more than it takes: the tests wait for events, not for time


pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_results_come_in_order_through_all_steps():
    assert list(ahead(range(100), lambda x: x + 1, str)) == [str(x + 1) for x in range(100)]
    assert list(ahead([])) == []
    assert list(ahead("abc")) == ["a", "b", "c"]


def test_steps_work_at_the_same_time_on_different_items():
    meeting = threading.Barrier(3, timeout=WAIT_S)  # source, step and reader: passes only when all three are there

    def source():
        for number in range(6):
            if number == 5:
                meeting.wait()
            yield number

    def step(number):
        if number == 3:
            meeting.wait()
        return number

    for number in ahead(source(), step, depth=1):
        if number == 1:
            meeting.wait()


def test_only_a_few_items_are_in_flight():
    taken = []

    def source():
        for number in itertools.count():
            taken.append(number)
            yield number

    most = 0
    for number in ahead(source(), lambda x: x, depth=2):
        most = max(most, len(taken) - number)
        if number == 50:
            break
    assert most <= 1 + 2 + 1 + 2 + 1  # here, waiting, in the step, waiting, in the source's hand


@pytest.mark.parametrize("place", ["source", "first", "last"])
def test_an_exception_anywhere_comes_after_the_results_before_it(place):
    def fail_at_five(here):
        def step(number):
            if number == 5 and place == here:
                raise KeyError(place)
            return number

        return step

    results = ahead(map(fail_at_five("source"), range(100)), fail_at_five("first"), fail_at_five("last"))
    assert list(itertools.islice(results, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match=place):
        next(results)


def test_leaving_the_loop_ends_the_threads_and_closes_the_source():
    closed = threading.Event()

    def endless():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    for number in ahead(endless(), lambda x: x):
        if number == 3:
            break
    assert closed.is_set()
    assert ours() == []


def test_an_exception_in_the_loop_ends_the_threads():
    def divide():
        for number in ahead(itertools.count(), lambda x: x):
            print(1 // (3 - number))

    with pytest.raises(ZeroDivisionError):
        divide()
    assert ours() == []


def test_of_a_live_source_the_newest_item_wins_and_the_others_are_counted():
    dropped, busy, all_out = Dropped(), threading.Event(), threading.Event()

    def camera():
        yield 0
        assert busy.wait(WAIT_S)  # the step works on 0 while these come
        yield from range(1, 10)
        all_out.set()

    def step(number):
        if number == 0:
            busy.set()
            assert all_out.wait(WAIT_S)
        return number

    assert list(ahead(camera(), step, dropped=dropped)) == [0, 9]
    assert dropped.count == 8


def test_the_end_of_a_live_source_drops_nothing():
    dropped, finished = Dropped(), threading.Event()

    def camera():
        yield 1
        finished.set()

    def slow(number):
        assert finished.wait(WAIT_S)
        return number

    assert list(ahead(camera(), slow, dropped=dropped)) == [1]
    assert dropped.count == 0


def test_ctrl_c_ends_the_threads_and_the_program():
    program = """
        import itertools, os, signal, threading
        from salticid.runtime.ahead import ahead
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            for number in ahead(itertools.count(), lambda x: x):
                if number == 20:
                    os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            print("interrupted,", threading.active_count(), "thread left")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("interrupted, 1 thread left\n", "")
