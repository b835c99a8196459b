"""Time the filters of disparity maps: numpy, every instruction set, and what OpenCV has that comes nearest.

    python bench/filters.py [--output bench/results/filters.json]

OpenCV's are no filters of the same kind: its median does not know of holes, its speckle filter takes whole sixteenths
of a pixel, and its weighted median (opencv-contrib alone) looks at every pixel of a window of bytes, holes or not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
from stereo_candidates import HEIGHT, NUM_DISPARITIES, WIDTH

from salticid.core import native
from salticid.core.types import FloatMap, Image
from salticid.engine import bench
from salticid.stereo import votes
from salticid.stereo.fill import HOLE_BALLOT, fill_holes
from salticid.stereo.filters import (
    median_of_known,
    median_of_known_reference,
    remove_speckles,
    remove_speckles_reference,
)
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.simulate import simulate_pair

THREADS = (1, 2)
AREA_PX, RANGE_PX = 100, 2
STEP = 16  # of OpenCV, in a pixel
REFERENCE_REPEATS = 3
Runs = dict[str, Callable[[], object]]


def main() -> None:
    """Measure all filters, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    pair = simulate_pair(WIDTH, HEIGHT)
    disparity_px = StereoMatcher(num_disparities=NUM_DISPARITIES)(pair.left, pair.right).disparity_px
    cv2.setNumThreads(1)
    filters = {
        "median, 3x3": medians(disparity_px),
        "speckles": speckles(disparity_px),
        "holes filled": fills(disparity_px, pair.left),
    }
    rows = [row for name, runs in filters.items() for row in measure(name, runs, arguments.repeats)]
    bench.write_report("filters", rows, arguments.output)


def measure(name: str, runs: Runs, repeats: int) -> list[dict[str, Any]]:
    """Return one row per candidate; the references take their turns apart, since they take long."""
    references = {candidate: run for candidate, run in runs.items() if candidate.startswith("numpy")}
    others = {candidate: run for candidate, run in runs.items() if candidate not in references}
    timings = bench.compare(references, warmup=1, repeats=min(repeats, REFERENCE_REPEATS))
    return [row(name, timing) for timing in (*timings, *bench.compare(others, repeats=repeats))]


def row(name: str, timing: bench.Timing) -> dict[str, Any]:
    """Return what was measured of one candidate."""
    candidate, _, threads = timing.name.rpartition(" ")
    figures = {"median_ms": round(timing.median_ms, 3), "spread_ms": round(timing.spread_ms, 3)}
    return {"filter": name, "candidate": candidate, "threads": int(threads), **figures}


def medians(disparity_px: FloatMap) -> Runs:
    """Return the medians of the known pixels."""
    runs: Runs = {"numpy 1": partial(median_of_known_reference, disparity_px)}
    runs["cv2.medianBlur 1"] = partial(cv2.medianBlur, np.nan_to_num(disparity_px), 3)
    for name, threads in settings():
        runs[f"{name} {threads}"] = partial(median_of_known, disparity_px, threads=threads, instruction_set=name)
    return runs


def speckles(disparity_px: FloatMap) -> Runs:
    """Return the removal of small islands; the kernel is one for all instruction sets."""
    sixteenths = np.rint(np.nan_to_num(disparity_px, nan=-1) * STEP).astype(np.int16)

    def opencv() -> None:
        cv2.filterSpeckles(sixteenths.copy(), -STEP, AREA_PX, RANGE_PX * STEP)

    runs: Runs = {"numpy 1": partial(remove_speckles_reference, disparity_px, AREA_PX, RANGE_PX)}
    runs["cv2.filterSpeckles 1"] = opencv
    for threads in THREADS:
        runs[f"native {threads}"] = partial(remove_speckles, disparity_px, AREA_PX, RANGE_PX, threads=threads)
    return runs


def fills(disparity_px: FloatMap, image: Image) -> Runs:
    """Return the filling of holes."""

    def reference() -> None:
        with mock.patch.object(native, "load", return_value=None):
            fill_holes(disparity_px, image)

    runs: Runs = {"numpy 1": reference}
    if hasattr(cv2, "ximgproc"):
        coarse = np.nan_to_num(disparity_px).clip(0, 255).astype(np.uint8)
        radius = votes.REACH * HOLE_BALLOT.spacing
        runs["cv2.ximgproc.weightedMedianFilter 1"] = partial(cv2.ximgproc.weightedMedianFilter, image, coarse, radius)
    for name, threads in settings():
        runs[f"{name} {threads}"] = partial(fill_holes, disparity_px, image, threads=threads, instruction_set=name)
    return runs


def settings() -> list[tuple[str, int]]:
    """Return each instruction set with each number of threads."""
    return [(name, threads) for name in native.instruction_sets() for threads in THREADS]


if __name__ == "__main__":
    main()
