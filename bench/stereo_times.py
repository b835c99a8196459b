"""Time of every candidate at several sizes and numbers of threads, and how many times as long OpenCV takes.

All candidates take turns. A ratio is the median over the rounds of what OpenCV took divided by what we took in the same
round, so what slows the machine down for a while slows both. Ours counts everything from two gray views to a filtered
disparity map; OpenCV's is `matcher.compute` alone, on views that nothing was added to.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import cv2
import numpy as np
from stereo_candidates import (
    CANDIDATES,
    HEIGHT,
    NUM_DISPARITIES,
    PROFILES,
    WIDTH,
    Pair,
    Recorded,
    Row,
    candidate,
    digits,
    gray_pair,
    match_stage,
    statistics,
)

from salticid.core import native
from salticid.engine import bench

SIZES = {  # width, height, num_disparities
    "all": ((640, 480, 64), (1280, 720, 128), (WIDTH, HEIGHT, NUM_DISPARITIES), (1920, 1080, 256)),
    "small": ((640, 480, 64), (WIDTH, HEIGHT, NUM_DISPARITIES)),
}
THREADS = (1, 2)
OVER = ("3way", "hh4")  # OpenCV's fastest and its most accurate semi-global mode
WARMUP = 1


def times(sizes: str, repeats: int) -> Iterator[Row]:
    """Yield time and ratio rows of every size and number of threads."""
    for width, height, num_disparities in SIZES[sizes]:
        pair = gray_pair(width, height)
        for threads in THREADS:
            runs = measured(pair, num_disparities, threads, repeats)
            setting = {"width": width, "height": height, "num_disparities": num_disparities, "threads": threads}
            yield from (time_row(name, runs[name], setting) for name in CANDIDATES)
            yield from (ratio_row(name, over, runs, setting) for name in PROFILES for over in OVER)


def measured(pair: Pair, num_disparities: int, threads: int, repeats: int) -> dict[str, Recorded]:
    """Return what each candidate took when all took turns."""
    cv2.setNumThreads(threads)
    runs = {name: Recorded(candidate(name, pair, num_disparities, threads)) for name in CANDIDATES}
    bench.compare(runs, warmup=WARMUP, repeats=repeats)
    return runs


def time_row(name: str, run: Recorded, setting: Row) -> Row:
    """Return the time of one candidate."""
    stages = run.stage_ms[WARMUP:]
    stage_ms = {stage: digits(median(each[stage] for each in stages)) for stage in stages[0]}
    return {"kind": "time", "candidate": name, **setting, **statistics(run.total_ms[WARMUP:]), "stage_ms": stage_ms}


def ratio_row(name: str, over: str, runs: dict[str, Recorded], setting: Row) -> Row:
    """Return how many times as long as `name` OpenCV's mode `over` takes."""
    ratios = np.array(runs[over].total_ms[WARMUP:]) / runs[name].total_ms[WARMUP:]
    low, middle, high = (digits(value) for value in np.percentile(ratios, [25, 50, 75]))
    row = {"kind": "ratio", "candidate": name, "over": over, **setting}
    return row | {"times_faster": middle, "quarter": low, "three_quarters": high, "runs": len(ratios)}


def instruction_sets(pair: Pair, repeats: int) -> Iterator[Row]:
    """Yield the time of the match stage with the vectors of each instruction set, scalar where there are no others."""
    names = [name for name in native.instruction_sets() if name != "scalar"] or ["scalar"]
    settings = [(profile, name, threads) for profile in ("speed", "quality") for name in names for threads in THREADS]
    runs = {
        f"{profile} {name} {threads}": Recorded(match_stage(profile, pair, threads, name))
        for profile, name, threads in settings
    }
    bench.compare(runs, warmup=WARMUP, repeats=repeats)
    for (profile, name, threads), run in zip(settings, runs.values(), strict=True):
        row = {"kind": "instruction_set", "candidate": profile, "instruction_set": name, "threads": threads}
        yield row | statistics(run.total_ms[WARMUP:])
