"""What is compared: our profiles with all their stages, and OpenCV's modes without anything of ours around them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2

from salticid.core.types import Image
from salticid.engine import bench
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.opencv_engine import OpencvEngine
from salticid.stereo.options import StereoOptions
from salticid.stereo.sgm import SemiGlobalMatcher
from salticid.stereo.simulate import simulate_pair

PROFILES = tuple(StereoOptions.PROFILES)
MODES = ("bm", "3way", "sgbm", "hh4", "hh")
CANDIDATES = (*PROFILES, *MODES)

# Where one size has to stand for all: a common machine vision sensor.
WIDTH, HEIGHT = 1456, 1088
NUM_DISPARITIES = 128
THREADS = 2

Pair = tuple[Image, Image]  # gray, rectified
Row = dict[str, Any]


def gray_pair(width: int, height: int) -> Pair:
    """Return a simulated pair in gray."""
    pair = simulate_pair(width, height)
    return cv2.cvtColor(pair.left, cv2.COLOR_RGB2GRAY), cv2.cvtColor(pair.right, cv2.COLOR_RGB2GRAY)


def candidate(name: str, pair: Pair, num_disparities: int, threads: int) -> Callable[[], Mapping[str, float]]:
    """Return a call that matches `pair`, and returns the milliseconds of its stages: of OpenCV's nothing is known.

    OpenCV takes the threads that `cv2.setNumThreads` gave to the whole process.
    """
    if name in PROFILES:
        matcher = StereoMatcher(profile=name, num_disparities=num_disparities, threads=threads)
        return lambda: matcher(*pair).latency_ms
    bare = opencv_matcher(name, num_disparities)
    return without_result(lambda: bare.compute(*pair))


def opencv_matcher(mode: str, num_disparities: int) -> Any:
    """Return the matcher inside our engine, so that it has the same parameters here and there."""
    options = StereoOptions(mode=mode, num_disparities=num_disparities)
    return OpencvEngine(options, mode, threads=1)._matcher


def native_matcher(
    profile: str, threads: int, *, num_disparities: int = NUM_DISPARITIES, **how: Any
) -> SemiGlobalMatcher:
    """Return the match stage of a profile alone; `how` replaces what the profile says."""
    options = StereoOptions.profile(profile)
    given = {
        "window": options.window,
        "paths": options.paths,
        "left_right_px": options.left_right_px,
        "coarse_to_fine": options.coarse_to_fine,
    }
    return SemiGlobalMatcher(num_disparities=num_disparities, threads=threads, **given | how)


def match_stage(
    profile: str, pair: Pair, threads: int, instruction_set: str | None = None
) -> Callable[[], Mapping[str, float]]:
    """Return a call of the match stage of a profile alone."""
    matcher = native_matcher(profile, threads, instruction_set=instruction_set)
    return without_result(lambda: matcher(*pair))


def without_result(match: Callable[[], object]) -> Callable[[], Mapping[str, float]]:
    """Return a call that gives the memory of its result back, as every candidate does, and knows of no stages."""

    def call() -> Mapping[str, float]:
        match()
        return {}

    return call


class Recorded:
    """A call that remembers what each of its runs took."""

    def __init__(self, match: Callable[[], Mapping[str, float]]) -> None:
        self._match = match
        self.total_ms: list[float] = []
        self.stage_ms: list[Mapping[str, float]] = []

    def __call__(self) -> None:
        begin = time.perf_counter_ns()
        stages = self._match()
        self.total_ms.append((time.perf_counter_ns() - begin) / bench.NANOSECONDS_PER_MS)
        self.stage_ms.append(stages)


def digits(value: float) -> float:
    """Return `value` with the digits that mean something."""
    return float(f"{value:.4g}")


def statistics(times_ms: Sequence[float]) -> Row:
    """Return median and interquartile range as columns of a row."""
    timing = bench.summarize("", times_ms)
    return {"median_ms": digits(timing.median_ms), "spread_ms": digits(timing.spread_ms), "runs": timing.runs}
