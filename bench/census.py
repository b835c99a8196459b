"""Time the census transform of one image: numpy, every instruction set, and what this machine could do at best.

    python bench/census.py [--output bench/results/census.json]

Two floors stand beside each time. The memory floor reads the image once and writes the codes once, at the bandwidth of
a large copy on one thread. The arithmetic floor makes the same comparisons in the same vector registers, and loads,
orders and stores nothing. Both are measured here, on one thread, and divided by the number of threads.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core import native
from salticid.engine import bench
from salticid.stereo.census import WINDOWS, census, census_reference

WIDTH, HEIGHT = 1456, 1088  # the sensors of the reference rig
THREADS = (1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    parser.add_argument("--repeats", type=int, default=40)
    arguments = parser.parse_args()
    gray = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    rows = [row for window in WINDOWS for row in measure(gray, window, arguments.repeats)]
    bench.write_report("census", rows, arguments.output)


def measure(gray: np.ndarray, window: str, repeats: int) -> list[dict[str, Any]]:
    """Return one row per candidate and thread count, with its distance from both floors."""
    runs: dict[str, Callable[[], object]] = {"numpy": partial(census_reference, gray, window)}
    floors: dict[str, Callable[[], object]] = {"copy": copy_of(gray.size * 8)}
    for name in native.instruction_sets():
        floors[name] = partial(native.load().census_compare_only, gray.size * neighbors(window), name)
        for threads in THREADS:
            runs[f"{name} {threads}"] = partial(census, gray, window, threads=threads, instruction_set=name)
    timings = bench.compare(runs, repeats=repeats)
    floor_ms = {timing.name: timing.median_ms for timing in bench.compare(floors, repeats=repeats)}
    return [row(window, timing, floor_ms) for timing in timings]


def row(window: str, timing: bench.Timing, floor_ms: dict[str, float]) -> dict[str, Any]:
    """Return what was measured of one candidate; numpy is held against the memory floor alone."""
    name, _, threads = timing.name.partition(" ")
    # The copy moves 8 bytes in and 8 out for each pixel, the census 1 in and 8 out.
    floors = {"memory": floor_ms["copy"] * 9 / 16 / int(threads or 1)}
    if name in floor_ms:
        floors["arithmetic"] = floor_ms[name] / int(threads or 1)
    return {
        "window": window,
        "candidate": name,
        "threads": int(threads or 1),
        "median_ms": round(timing.median_ms, 3),
        "spread_ms": round(timing.spread_ms, 3),
        **{f"{floor}_floor_ms": round(ms, 3) for floor, ms in floors.items()},
        **{f"times_{floor}_floor": round(timing.median_ms / ms, 2) for floor, ms in floors.items()},
    }


def neighbors(window: str) -> int:
    width, height = WINDOWS[window]
    return width * height - 1


def copy_of(size: int) -> Callable[[], object]:
    """Return a call that copies `size` bytes from one buffer to another."""
    source, target = np.ones(size, np.uint8), np.ones(size, np.uint8)  # ones: pages of zeros may not exist yet
    return partial(np.copyto, target, source)


if __name__ == "__main__":
    main()
