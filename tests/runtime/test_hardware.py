"""What the machine offers to this process, not what the machine is."""

from __future__ import annotations

import os
import stat
from types import SimpleNamespace

import psutil
import pytest

from salticid.errors import InputError
from salticid.runtime import cgroup, hardware

GIB = 1 << 30


def test_cpus_are_those_of_the_affinity(monkeypatch):
    monkeypatch.setattr(cgroup, "cpu_quota", lambda: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    assert hardware.cpu_count() == 3


@pytest.mark.parametrize(("quota", "expected"), [(1.5, 1), (2.0, 2), (0.5, 1), (64.0, 4), (None, 4)])
def test_a_quota_lowers_the_count_but_not_below_one(monkeypatch, quota, expected):
    monkeypatch.setattr(cgroup, "cpu_quota", lambda: quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert hardware.cpu_count() == expected


def test_a_pool_worker_sees_its_share(monkeypatch):
    monkeypatch.setenv(hardware.THREADS_VARIABLE, "1")
    assert hardware.threads() == 1
    monkeypatch.setenv(hardware.THREADS_VARIABLE, "nonsense")
    assert hardware.threads() == hardware.cpu_count()


def test_available_memory_is_the_smaller_of_machine_and_container(monkeypatch):
    monkeypatch.setattr(cgroup, "memory_left", lambda: 12345)
    assert hardware.available_memory() == 12345
    monkeypatch.setattr(cgroup, "memory_left", lambda: 1 << 60)
    assert 0 < hardware.available_memory() <= hardware.total_memory()


def test_free_memory_is_what_psutil_says_whether_or_not_the_system_tells_it_in_a_file(monkeypatch):
    monkeypatch.setattr(cgroup, "memory_left", lambda: None)
    told = hardware.available_memory()
    assert told == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    monkeypatch.setattr(hardware, "_entries", lambda file: {})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=12345))
    assert hardware.available_memory() == 12345


def test_strategies_go_from_careful_to_bold(monkeypatch):
    monkeypatch.setattr(hardware, "available_memory", lambda: 10 * GIB)
    budgets = [hardware.memory_budget(name) for name in ("conservative", "moderate", "aggressive")]
    assert budgets == [5 * GIB, 7 * GIB, int(8.5 * GIB)]
    with pytest.raises(InputError, match="one of conservative, moderate, aggressive"):
        hardware.memory_budget("reckless")


def test_workers_are_as_many_as_memory_and_cpus_allow(monkeypatch):
    monkeypatch.setattr(hardware, "available_memory", lambda: 10 * GIB)
    monkeypatch.setattr(hardware, "cpu_count", lambda: 8)
    assert hardware.worker_count(2 * GIB, "moderate") == 3
    assert hardware.worker_count(1, "moderate") == 8
    assert hardware.worker_count(100 * GIB, "moderate") == 1


def test_gpus_come_from_the_driver_and_a_broken_driver_means_none(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", str(tmp_path))
    for text, expected in [
        ("echo 'NVIDIA T4, 15360, 550.1'", (hardware.Gpu("NVIDIA T4", 15360 << 20, "550.1"),)),
        ("echo failed; exit 9", ()),
        ("echo 'No devices were found'", ()),
    ]:
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        hardware.gpus.cache_clear()
        assert hardware.gpus() == expected
    hardware.gpus.cache_clear()


def test_instruction_sets_and_model_are_named():
    assert hardware.cpu_model()
    assert isinstance(hardware.instruction_sets(), tuple)
