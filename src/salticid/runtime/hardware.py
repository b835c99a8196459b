"""What this machine really offers to this process: CPUs, memory, instruction sets, GPUs."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from salticid.errors import InputError
from salticid.runtime import cgroup

Strategy = Literal["conservative", "moderate", "aggressive"]

# The share of the free memory that worker processes may plan with.
MEMORY_SHARE: dict[Strategy, float] = {"conservative": 0.5, "moderate": 0.7, "aggressive": 0.85}

# A pool sets this in its workers, as it sets OMP_NUM_THREADS: the CPUs that are theirs.
THREADS_VARIABLE = "SALTICID_THREADS"

GPU_QUERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU as its driver describes it."""

    name: str
    memory_bytes: int
    driver: str


def cpu_count() -> int:
    """Return the CPUs that this process may use: by affinity and by quota, at least 1."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup.cpu_quota()
    # A quota of 1.5 runs two threads, then stops both for a quarter of the time: one steady thread is faster per frame.
    return max(1, cpus if quota is None else min(cpus, int(quota)))


def threads() -> int:
    """Return how many threads this process should use: all its CPUs, or its share in a pool's worker."""
    share = os.environ.get(THREADS_VARIABLE, "")
    return max(1, int(share)) if share.isdigit() else cpu_count()


def available_memory() -> int:
    """Return the bytes that can be taken without swapping or meeting a container's limit."""
    free, left = _free_memory(), cgroup.memory_left()
    return free if left is None else min(free, left)


def total_memory() -> int:
    """Return the memory of the machine, or of the container that this process lives in, in bytes."""
    import psutil

    total = int(psutil.virtual_memory().total)
    limit = cgroup.memory_limit()
    return total if limit is None else min(total, limit)


def own_memory() -> int:
    """Return the bytes of memory that this process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def memory_budget(strategy: Strategy = "moderate") -> int:
    """Return the bytes that worker processes may plan with under `strategy`."""
    if strategy not in MEMORY_SHARE:
        raise InputError(f"strategy must be one of {', '.join(MEMORY_SHARE)}, not {strategy!r}")
    return int(available_memory() * MEMORY_SHARE[strategy])


def worker_count(peak_bytes: int, strategy: Strategy = "moderate") -> int:
    """Return how many workers of `peak_bytes` each fit the CPUs and the memory, at least 1."""
    return max(1, min(cpu_count(), memory_budget(strategy) // max(1, peak_bytes)))


@functools.cache
def cpu_model() -> str:
    """Return the CPU's name as its maker wrote it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


@functools.cache
def instruction_sets() -> tuple[str, ...]:
    """Return the SIMD instruction sets of this CPU that kernels care about, widest first."""
    flags = set((_cpuinfo().get("flags") or _cpuinfo().get("Features") or "").split())
    known = (
        "amx_bf16",
        "avx512_bf16",
        "avx512_vnni",
        "avx512_bitalg",
        "avx512vbmi",
        "avx512bw",
        "avx512f",
        "avx_vnni",
        "avx2",
        "fma",
        "sse4_2",
        "asimddp",
        "asimd",
    )
    return tuple(name for name in known if name in flags)


@functools.cache
def gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA GPUs that the driver shows; empty where there is no driver or it does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=GPU_QUERY_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.splitlines()]
    return tuple(Gpu(row[0], int(row[1]) << 20, row[2]) for row in rows if len(row) == 3 and row[1].isdigit())


def _free_memory() -> int:
    """Return the bytes that the system can give away without swapping."""
    told = _entries(Path("/proc/meminfo")).get("MemAvailable", "").removesuffix(" kB")
    if told.isdigit():  # what psutil reads too, and importing that takes longer than enlarging a small image
        return int(told) << 10
    import psutil

    return int(psutil.virtual_memory().available)


def _cpuinfo() -> dict[str, str]:
    """Return the first CPU's entry of /proc/cpuinfo; empty where there is none."""
    return _entries(Path("/proc/cpuinfo"))


def _entries(file: Path) -> dict[str, str]:
    """Return what the first paragraph of a file of /proc says by name; nothing where there is no such file."""
    try:
        first = file.read_text().split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
