"""Measurements: in turns, robust, and told with the machine they were made on."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salticid.engine import bench
from salticid.engine.bench import Timing, compare, machine, speedup, summarize, write_report
from salticid.errors import InputError


def test_candidates_take_turns_and_every_round_starts_with_another():
    order = []
    candidates = {name: (lambda name=name: order.append(name)) for name in "abc"}
    compare(candidates, warmup=1, repeats=3)
    assert "".join(order) == "abcbcacababc"


def test_warmup_is_not_timed_and_the_order_of_the_candidates_is_kept(monkeypatch):
    clock = iter(range(0, 10**9, 500_000))
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(clock))
    found = compare({"slow": lambda: None, "fast": lambda: None}, warmup=2, repeats=5)
    assert found == [Timing("slow", 0.5, 0.0, 5), Timing("fast", 0.5, 0.0, 5)]


def test_a_slower_function_is_seen_to_be_slower():
    numbers = np.random.default_rng(0).random(200_000)
    timings = compare({"sort": lambda: np.sort(numbers), "view": lambda: numbers[::2]}, warmup=1, repeats=5)
    assert speedup(timings, "view", over="sort") > 5
    assert speedup(timings, "sort", over="view") < 0.2


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=40))
def test_the_median_lies_within_the_times_and_the_spread_within_their_range(times):
    found = summarize("x", times)
    assert min(times) <= found.median_ms <= max(times)
    assert 0 <= found.spread_ms <= max(times) - min(times) + 1e-9
    assert found.runs == len(times)


def test_one_disturbed_round_in_ten_changes_neither_median_nor_spread():
    calm = summarize("x", [1.0] * 10)
    assert summarize("x", [1.0] * 9 + [1000.0]) == calm


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"candidates": {}}, "at least one candidate"),
        ({"candidates": {"a": int}, "repeats": 0}, "repeats at least 1"),
        ({"candidates": {"a": int}, "warmup": -1}, "warmup must be at least 0"),
    ],
)
def test_nothing_to_measure_is_an_input_error(arguments, words):
    with pytest.raises(InputError, match=words):
        compare(**arguments)


def test_a_speedup_of_something_untimed_is_an_input_error():
    with pytest.raises(InputError, match="'c' was timed, only a"):
        speedup([Timing("a", 1.0, 0.0, 1)], "a", over="c")


def test_the_machine_is_told_without_the_names_of_host_and_user_and_without_paths():
    told = machine()
    assert told["cpu"]
    assert told["cpus"] >= 1
    assert told["memory_gib"] > 0
    assert told["packages"]["numpy"] == np.__version__
    text = json.dumps(told)
    assert f'"{socket.gethostname()}"' not in text
    assert f'"{getpass.getuser()}"' not in text
    assert os.getcwd() not in text  # noqa: PTH109


def test_a_report_is_json_with_name_machine_and_rows(tmp_path):
    rows = [{"name": "a", "median_ms": np.float64(1.5), "runs": np.int64(3), "sizes": [1, 2]}]
    write_report("toy", rows, tmp_path / "toy.json")
    report = json.loads((tmp_path / "toy.json").read_text())
    assert report == {
        "name": "toy",
        "machine": machine(),
        "rows": [{"name": "a", "median_ms": 1.5, "runs": 3, "sizes": [1, 2]}],
    }


def test_a_report_without_a_file_goes_to_standard_output(capsys):
    write_report("toy", [])
    assert json.loads(capsys.readouterr().out)["rows"] == []


@pytest.mark.parametrize("value", [float("nan"), np.float32("inf"), {1, 2}, object()])
def test_a_value_that_json_does_not_know_is_an_input_error_and_writes_nothing(tmp_path, value):
    with pytest.raises(InputError, match="rows of 'toy'"):
        write_report("toy", [{"x": value}], tmp_path / "toy.json")
    assert list(tmp_path.iterdir()) == []


def test_packages_that_are_not_installed_are_left_out(monkeypatch):
    monkeypatch.setattr(bench, "PACKAGES", ("numpy", "no-such-package"))
    assert machine()["packages"] == {"numpy": np.__version__}
