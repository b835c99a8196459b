"""Measure functions against each other on a machine that does other things too.

Candidates take turns, and every round starts with another one: what disturbs the machine disturbs all of them alike.
Medians and interquartile ranges do not mind the rounds that were disturbed most.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core import atomic
from salticid.errors import InputError

# The packages that decide how fast things are.
PACKAGES = (
    "salticid",
    "numpy",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
    "onnxruntime",
    "openvino",
    "torch",
    "scipy",
    "av",
)

NANOSECONDS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one candidate took."""

    name: str
    median_ms: float
    spread_ms: float  # interquartile range
    runs: int


def compare(candidates: Mapping[str, Callable[[], object]], *, warmup: int = 3, repeats: int = 20) -> list[Timing]:
    """Time candidates in turns: A B C, then B C A, then C A B, and so on.

    Parameters
    ----------
    candidates
        Functions without arguments, by name.
    warmup
        Untimed rounds before the first timed one.
    repeats
        Timed rounds.

    Returns
    -------
    list of Timing
        One per candidate, in their order.

    Raises
    ------
    InputError
        There is no candidate, or a count is too small.
    """
    if not candidates:
        raise InputError("compare needs at least one candidate")
    if warmup < 0 or repeats < 1:
        raise InputError(f"warmup must be at least 0 and repeats at least 1, not {warmup} and {repeats}")
    names = list(candidates)
    times: dict[str, list[int]] = {name: [] for name in names}
    for turn in range(warmup + repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            begin = time.perf_counter_ns()
            candidates[name]()
            times[name].append(time.perf_counter_ns() - begin)
    return [summarize(name, np.array(times[name][warmup:]) / NANOSECONDS_PER_MS) for name in names]


def summarize(name: str, times_ms: Sequence[float] | np.ndarray[Any, Any]) -> Timing:
    """Return the median and the interquartile range of `times_ms`."""
    low, middle, high = np.percentile(times_ms, [25, 50, 75])
    return Timing(name, float(middle), float(high - low), len(times_ms))


def speedup(timings: Sequence[Timing], name: str, over: str) -> float:
    """Return how many times faster `name` is than `over`, by their medians."""
    medians = {timing.name: timing.median_ms for timing in timings}
    for wanted in (name, over):
        if wanted not in medians:
            raise InputError(f"nothing called {wanted!r} was timed, only {', '.join(medians)}")
    return medians[over] / medians[name]


def machine() -> dict[str, object]:
    """Return what a reader needs to compare numbers: CPU, memory, system and versions; no names and no paths."""
    from salticid.runtime import hardware

    return {
        "cpu": hardware.cpu_model(),
        "cpus": hardware.cpu_count(),
        "simd": list(hardware.instruction_sets()),
        "memory_gib": round(hardware.total_memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def write_report(name: str, rows: Sequence[Mapping[str, object]], output: Path | None = None) -> None:
    """Write `rows` with the machine that they were measured on as JSON, to `output` or to stdout for None.

    Raises
    ------
    InputError
        `output` cannot be written, or a value is nan or no number, text, list or mapping.
    """
    report = {"name": name, "machine": machine(), "rows": list(rows)}
    try:
        text = json.dumps(report, indent=1, allow_nan=False, default=_plain) + "\n"
    except (TypeError, ValueError) as error:
        raise InputError(f"the rows of {name!r} do not fit into JSON: {error}") from error
    if output is None:
        sys.stdout.write(text)
    else:
        atomic.write_bytes(output, text.encode())


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _plain(value: object) -> object:
    """Turn what numpy measures in into what JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is of type {type(value).__name__}")
