"""Every item comes back, whatever happens to a worker, and no process stays behind."""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pool_faults
import psutil
import pytest

from salticid.errors import InputError, IntegrityError
from salticid.runtime import hardware, pool, pool_process, pool_run

ROUNDS = 20
PARENT = Path(pool_faults.__file__).with_name("pool_parent.py")
MEGABYTE = 1 << 20


def children():
    return psutil.Process().children(recursive=True)


def map_all(function, items, **options):
    return list(pool.map(function, items, **options))


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_all_good_items_come_back_and_every_fault_is_an_outcome_of_its_kind(round_):
    items = [f"good-{number}" for number in range(40)] + list(pool_faults.FAULTS) + list(pool_faults.HARMLESS)
    random.Random(round_).shuffle(items)
    deadline = 1.5
    hangs = sum(kind == "timeout" for kind in pool_faults.FAULTS.values())
    start = time.monotonic()
    outcomes = map_all(pool_faults.behave, items, workers=2, timeout=deadline, peak_bytes=200 * MEGABYTE)
    seconds = time.monotonic() - start
    assert [outcome.item for outcome in outcomes] == items
    for outcome in outcomes:
        assert outcome.status == pool_faults.FAULTS.get(outcome.item, "ok"), outcome
        assert (outcome.error is None) == outcome.ok
    assert all(outcome.value == outcome.item for outcome in outcomes if outcome.item.startswith("good"))
    assert seconds < deadline * -(-hangs // 2) + 5
    assert children() == []


@pytest.mark.slow
def test_the_call_ends_within_the_deadline_plus_five_seconds_when_each_worker_meets_one_hang():
    items = [f"good-{number}" for number in range(40)] + ["hang", "hang-ignoring-sigterm", "segfault", "exit-0"]
    start = time.monotonic()
    outcomes = map_all(pool_faults.behave, items, workers=2, timeout=3.0)
    assert time.monotonic() - start < 3.0 + 5.0
    assert sum(outcome.ok for outcome in outcomes) == 40


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_parent_that_is_interrupted_or_killed(ending):
    for round_ in range(ROUNDS):
        token = uuid.uuid4().hex
        parent = start_parent(token, "faults")
        read_lines(parent, 1 + round_ % 9)
        parent.send_signal(ending)
        parent.communicate(timeout=10)
        assert wait_until(lambda token=token: not with_token(token), 5), with_token(token)
        assert parent.returncode != 0


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_ends_with_every_result_and_repeats_nothing_it_had_journalled(tmp_path):
    for round_ in range(ROUNDS):
        journal, counts = tmp_path / f"{round_}.journal", tmp_path / f"{round_}.counts"
        parent = start_parent(uuid.uuid4().hex, "resume", journal, counts)
        read_lines(parent, 1)
        time.sleep(random.Random(round_).uniform(0, 0.3))
        parent.kill()
        parent.communicate(timeout=10)
        finished = journalled(journal)
        before = counts.read_text().split()
        again = start_parent(uuid.uuid4().hex, "resume", journal, counts)
        output, _ = again.communicate(timeout=60)
        assert [line.split() for line in output.splitlines()] == [[str(n), "ok", str(n)] for n in range(30)]
        computed_again = counts.read_text().split()[len(before) :]
        assert set(computed_again) == {str(n) for n in range(30)} - finished
        assert len(computed_again) == len(set(computed_again))


def test_outcomes_come_in_the_order_of_the_items_and_carry_what_was_measured():
    outcomes = map_all(pool_faults.nothing, range(50), workers=2)
    assert [outcome.value for outcome in outcomes] == list(range(50))
    assert all(outcome.ran == "worker" and outcome.attempts == 1 for outcome in outcomes)
    assert all(5 * MEGABYTE < outcome.peak_bytes < 500 * MEGABYTE for outcome in outcomes)


def test_the_memory_of_a_worker_is_its_own_and_not_that_of_a_large_parent():
    hoard = bytearray(600 * MEGABYTE)
    hoard[::4096] = b"x" * len(hoard[::4096])
    [outcome] = map_all(pool_faults.nothing, [1], workers=1)
    assert len(hoard) > outcome.peak_bytes < 200 * MEGABYTE


def test_no_items_need_no_workers():
    assert map_all(pool_faults.nothing, []) == []


def test_nothing_starts_before_the_first_outcome_is_asked_for():
    outcomes = pool.map(pool_faults.nothing, range(3), workers=2)
    assert children() == []
    assert next(outcomes).value == 0
    outcomes.close()
    assert children() == []


def test_closing_the_iterator_early_ends_workers_that_hang():
    outcomes = pool.map(pool_faults.behave, ["good-1", "hang", "hang-ignoring-sigterm"], workers=2)
    assert next(outcomes).ok
    start = time.monotonic()
    outcomes.close()
    assert time.monotonic() - start < 3
    assert children() == []


def test_an_exception_is_reported_with_its_type_its_message_and_its_place():
    [outcome] = map_all(pool_faults.fail, ["apple"], workers=1)
    assert outcome.status == "error"
    assert outcome.error.startswith("ValueError: apple is no good (pool_faults.py:")


def test_an_item_whose_worker_was_killed_from_outside_is_tried_again_alone(tmp_path):
    [outcome] = map_all(pool_faults.die_once, [str(tmp_path / "marker")], workers=2)
    assert (outcome.status, outcome.value, outcome.attempts, outcome.ran) == ("ok", "back", 2, "alone")


def test_retries_are_as_many_as_asked_for():
    for retries in (0, 2):
        [outcome] = map_all(pool_faults.behave, ["exit-0"], workers=1, retries=retries)
        assert outcome.attempts == retries + 1


def test_a_crash_report_holds_the_worker_s_last_words():
    [outcome] = map_all(pool_faults.behave, ["segfault"], workers=1, retries=0)
    assert "SIGSEGV" in outcome.error
    assert "_segfault" in outcome.error


def test_a_worker_stays_within_its_memory_budget_or_its_item_is_an_oom():
    small, large = map_all(pool_faults.take_memory, [20, 400], workers=1, peak_bytes=150 * MEGABYTE, retries=0)
    assert small.ok
    assert large.status == "oom"
    assert "may take 150 MB" in large.error


def test_workers_share_the_cpus_instead_of_each_taking_all():
    share = str(max(1, hardware.cpu_count() // 2))
    for outcome in map_all(pool_faults.environment, range(2), workers=2):
        assert set(outcome.value.values()) == {share}


def test_without_workers_everything_runs_here():
    outcomes = map_all(pool_faults.nothing, range(3), workers=0)
    assert [(outcome.value, outcome.ran) for outcome in outcomes] == [(n, "parent") for n in range(3)]


def test_where_no_worker_can_be_started_the_items_run_here_and_say_so(monkeypatch, caplog):
    def refuse(*_):
        raise OSError("no more processes")

    monkeypatch.setattr(pool_run, "WorkerProcess", refuse)
    outcomes = map_all(pool_faults.nothing, range(3), workers=2)
    assert [(outcome.value, outcome.ran) for outcome in outcomes] == [(n, "parent") for n in range(3)]
    assert "runs in the calling process" in caplog.text


UNGUARDED = """
from salticid.runtime import pool

def double(number):
    return 2 * number

print([outcome.value for outcome in pool.map(double, [1, 2, 3], workers=2)])
"""
GUARDED = UNGUARDED.replace("print(", "if __name__ == '__main__':\n    print(")


def run_script(tmp_path, text):
    (tmp_path / "script.py").write_text(text)
    return subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)


def test_a_function_of_the_main_program_works(tmp_path):
    done = run_script(tmp_path, GUARDED)
    assert (done.stdout, done.stderr) == ("[2, 4, 6]\n", "")


def test_a_main_program_without_the_guard_is_told_so_instead_of_starting_itself_for_ever(tmp_path):
    done = run_script(tmp_path, UNGUARDED)
    assert done.returncode != 0
    assert "put it under if __name__ == '__main__'" in done.stderr.splitlines()[-1]


def test_a_function_that_workers_cannot_import_is_refused_and_does_not_run_here(tmp_path):
    done = subprocess.run(
        [sys.executable, "-"], input=GUARDED, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "a worker cannot load the function" in done.stderr


def test_an_item_that_killed_a_worker_never_runs_in_the_calling_process(monkeypatch):
    real, started = pool_process.WorkerProcess, []

    def first_only(threads):
        if started:
            raise OSError("no more processes")
        started.append(threads)
        return real(threads)

    monkeypatch.setattr(pool_run, "WorkerProcess", first_only)
    outcomes = map_all(pool_faults.behave, ["exit-0", "good-1"], workers=1)
    assert [(outcome.status, outcome.ran) for outcome in outcomes] == [("crash", "worker"), ("ok", "parent")]


def test_one_worker_measures_the_first_item_before_the_others_join(monkeypatch):
    monkeypatch.setattr(hardware, "memory_budget", lambda strategy: 600 * MEGABYTE)
    monkeypatch.setattr(hardware, "cpu_count", lambda: 4)
    outcomes = map_all(pool_faults.take_memory, [250] * 6, retries=0)
    assert all(outcome.ok for outcome in outcomes), outcomes
    assert outcomes[0].peak_bytes > 250 * MEGABYTE


def test_what_cannot_travel_is_refused_before_anything_starts():
    with pytest.raises(InputError, match="the function cannot be sent to a worker"):
        pool.map(lambda item: item, [1])
    with pytest.raises(InputError, match="item 1 cannot be sent"):
        pool.map(pool_faults.nothing, [1, lambda: None])
    with pytest.raises(InputError, match=r"item 0 has 1,000,\d+ bytes: save it"):
        pool.map(pool_faults.nothing, [b"x" * 1_000_000])


@pytest.mark.parametrize(
    "wrong", [{"workers": -1}, {"timeout": 0.0}, {"timeout": float("nan")}, {"retries": -1}, {"peak_bytes": 0}]
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        pool.map(pool_faults.nothing, [1], **wrong)


def test_a_result_too_large_for_the_pipe_is_an_error_that_says_what_to_do():
    [outcome] = map_all(functools.partial(bytes.ljust, b""), [3_000_000], workers=1)
    assert outcome.status == "error"
    assert "return the path" in outcome.error


def test_a_second_run_takes_everything_from_the_journal(tmp_path):
    journal = tmp_path / "run.journal"
    first = map_all(pool_faults.nothing, [("a", 1), ("a", 1), "b"], workers=1, resume=journal)
    second = map_all(pool_faults.nothing, [("a", 1), ("a", 1), "b"], workers=1, resume=journal)
    assert [outcome.value for outcome in first] == [["a", 1], ["a", 1], "b"]
    assert [(outcome.value, outcome.ran) for outcome in second] == [(outcome.value, "journal") for outcome in first]


def test_a_failed_item_is_not_journalled_and_gets_another_chance(tmp_path):
    journal = tmp_path / "run.journal"
    marker = str(tmp_path / "marker")
    [failed] = map_all(pool_faults.die_once, [marker], workers=1, retries=0, resume=journal)
    [again] = map_all(pool_faults.die_once, [marker], workers=1, retries=0, resume=journal)
    assert (failed.status, again.value, again.ran) == ("crash", "back", "worker")


def test_a_journal_of_other_work_is_refused(tmp_path):
    journal = tmp_path / "run.journal"
    map_all(pool_faults.nothing, [1], workers=0, resume=journal)
    with pytest.raises(InputError, match=r"journal of 'pool_faults\.nothing'"):
        pool.map(pool_faults.fail, [1], resume=journal)


@pytest.mark.parametrize("content", ['{"precious": 1}', "a,b\n1,2", '{"journal": 99}\n'])
def test_a_file_that_is_no_journal_is_refused_and_stays_as_it_is(tmp_path, content):
    (tmp_path / "mine").write_text(content)
    with pytest.raises(InputError, match="is not a journal"):
        pool.map(pool_faults.nothing, [1], resume=tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == content


@pytest.mark.parametrize("place", ["/dev/null", ".", "none/run.journal"])
def test_a_place_that_cannot_hold_a_journal_is_an_input_error(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="the journal"):
        pool.map(pool_faults.nothing, [1], resume=place)


def test_bound_arguments_are_part_of_the_work_that_a_journal_knows(tmp_path):
    journal = tmp_path / "run.journal"
    double, triple = (functools.partial(pool_faults.scaled, factor=factor) for factor in (2, 3))
    assert [outcome.value for outcome in map_all(double, [1, 2], workers=0, resume=journal)] == [2, 4]
    with pytest.raises(InputError, match='"factor":2'):
        pool.map(triple, [1, 2], resume=journal)
    with pytest.raises(InputError, match="resume= needs a function"):
        pool.map(pool_faults.Scale().run, [1], resume=tmp_path / "other.journal")


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_value_that_json_cannot_say_fails_its_item_alone(tmp_path, workers):
    outcomes = map_all(pool_faults.beyond_json, [1, 2, 3], workers=workers, resume=tmp_path / "run.journal")
    assert [outcome.status for outcome in outcomes] == ["error"] * 3
    assert "JSON" in outcomes[0].error


def test_an_answer_that_cannot_be_handled_fails_its_item_and_not_the_call(monkeypatch):
    def break_once(self, job, done):
        if job.index == 0:
            raise RuntimeError("our own fault")
        return done

    monkeypatch.setattr(pool_run.Run, "_journalled", break_once)
    outcomes = map_all(pool_faults.nothing, range(4), workers=2)
    assert [outcome.status for outcome in outcomes] == ["error", "ok", "ok", "ok"]


def test_an_item_that_forks_and_goes_on_twice_answers_once():
    items = ["good-1", "forks-and-both-go-on", "good-2", "good-3"]
    outcomes = map_all(pool_faults.behave, items, workers=1, retries=0)
    assert [outcome.value for outcome in outcomes] == ["good-1", "twice", "good-2", "good-3"]


def test_programs_that_items_started_do_not_outlive_the_call():
    sleepers = [outcome.value for outcome in map_all(pool_faults.start_a_sleeper, [1, 2], workers=2)]
    assert wait_until(lambda: not any(running(sleeper) for sleeper in sleepers), 3)


def test_on_a_machine_without_free_memory_small_items_still_run(monkeypatch):
    monkeypatch.setattr(hardware, "memory_budget", lambda strategy: 0)
    assert [outcome.status for outcome in map_all(pool_faults.take_memory, [20, 20], workers=2)] == ["ok", "ok"]


def test_without_workers_an_item_that_wants_to_exit_is_a_crash_and_the_others_run():
    outcomes = map_all(pool_faults.behave, ["sys-exit-0", "good-1"], workers=0, retries=0)
    assert [outcome.status for outcome in outcomes] == ["crash", "ok"]


def test_a_journal_damaged_in_the_middle_is_an_integrity_error_but_a_torn_last_line_is_not(tmp_path):
    journal = tmp_path / "run.journal"
    map_all(pool_faults.nothing, [1, 2], workers=0, resume=journal)
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-5])
    assert [outcome.ran for outcome in map_all(pool_faults.nothing, [1, 2], workers=0, resume=journal)] == [
        "journal",
        "parent",
    ]
    assert journal.read_bytes() == whole
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(lines[0] + lines[1][:9] + b"\n" + lines[2])
    with pytest.raises(IntegrityError, match="line 2 is damaged"):
        pool.map(pool_faults.nothing, [1, 2], resume=journal)


def test_a_call_that_is_never_iterated_gives_its_journal_back(tmp_path):
    pool.map(pool_faults.nothing, [1], resume=tmp_path / "run.journal")
    assert len(map_all(pool_faults.nothing, [1], workers=0, resume=tmp_path / "run.journal")) == 1


def test_two_runs_cannot_share_a_journal(tmp_path):
    journal = tmp_path / "run.journal"
    running = pool.map(pool_faults.nothing, [1], workers=0, resume=journal)
    with pytest.raises(InputError, match="in use"):
        pool.map(pool_faults.nothing, [1], workers=0, resume=journal)
    assert len(list(running)) == 1


def test_a_full_disk_costs_the_journal_entry_but_not_the_result(tmp_path, monkeypatch, caplog):
    journal = tmp_path / "run.journal"
    outcomes = pool.map(pool_faults.nothing, [1, 2], workers=0, resume=journal)
    size = journal.stat().st_size

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert [outcome.value for outcome in outcomes] == [1, 2]
    assert "No space left" in caplog.text
    assert journal.stat().st_size == size


def start_parent(token, *arguments):
    environment = os.environ | {"POOL_TEST_TOKEN": token, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(PARENT), *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
    )


def read_lines(process, count):
    for _ in range(count):
        assert process.stdout.readline()


def journalled(path):
    whole_lines = path.read_text().rpartition("\n")[0].splitlines()[1:]
    return {json.loads(line)["value"] for line in whole_lines}


def with_token(token):
    """Return the processes, whoever their parent is by now, that were started under `token`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("POOL_TEST_TOKEN") == token and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def running(number):
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
