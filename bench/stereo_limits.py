"""How far the match stage is from what this machine could do at best.

Two floors stand beside each time; neither can be reached together with the other unless they overlap perfectly.

memory      What the sweep down the image adds to the costs of its half of the rows is kept until the sweep up comes by,
            and the other way round: height x width x disparities bytes, more than a cache holds, written once and read
            once. A copy of so many bytes moves exactly that; the floor is its time, with the same number of threads.
arithmetic  The same kernels on a strip so small that what is kept stays near the core, on one thread: its time per
            pixel, times the pixels of the views, divided by the threads. What a match takes beyond that, it spends
            waiting for memory and for the other thread.

From coarse to fine both count for the part of all disparities that is searched: at half size an eighth, and what the
ranges say. What takes as long for few disparities as for many then stands beside the floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
from stereo_candidates import (
    HEIGHT,
    NUM_DISPARITIES,
    WIDTH,
    Pair,
    Recorded,
    Row,
    digits,
    match_stage,
    native_matcher,
    statistics,
    without_result,
)

from salticid.engine import bench

THREADS = (1, 2)
LIMITED = ("speed", "quality")
BYTES = WIDTH * HEIGHT * NUM_DISPARITIES  # 128 disparities fill the vectors of every instruction set
STRIP_WIDTH, STRIP_HEIGHT = 96, 32  # times 128 disparities: 0.4 MB
HALF_SIZE_PART = 1 / 8  # a quarter of the pixels, half of the disparities
STRIP_RUNS = 50  # in a row: one alone takes a fraction of a millisecond
WARMUP = 1


def limits(pair: Pair, repeats: int) -> Iterator[Row]:
    """Yield one row per profile and number of threads."""
    runs = {f"copy {threads}": copy_with(threads) for threads in THREADS}
    for profile in LIMITED:
        runs[f"{profile} strip"] = strip_of(pair, profile)
        runs |= {f"{profile} {threads}": match_stage(profile, pair, threads) for threads in THREADS}
    recorded = {name: Recorded(run) for name, run in runs.items()}
    bench.compare(recorded, warmup=WARMUP, repeats=repeats)
    times_ms = {name: run.total_ms[WARMUP:] for name, run in recorded.items()}
    for profile in LIMITED:
        part = searched_part(profile, pair)
        yield from (limit_row(profile, threads, part, times_ms) for threads in THREADS)


def searched_part(profile: str, pair: Pair) -> float:
    """Return what part of all disparities of all pixels is searched."""
    ranges = native_matcher(profile, threads=1).ranges(*pair)
    return 1.0 if ranges is None else float(ranges[..., 1].mean()) / NUM_DISPARITIES + HALF_SIZE_PART


def limit_row(profile: str, threads: int, part: float, times_ms: dict[str, list[float]]) -> Row:
    """Return what matching takes beside its floors."""
    copy_ms = median(times_ms[f"copy {threads}"])
    strip_ms = median(times_ms[f"{profile} strip"]) / STRIP_RUNS
    strips = WIDTH * HEIGHT / (STRIP_WIDTH * STRIP_HEIGHT)
    floors = {"memory": part * copy_ms, "arithmetic": part * strip_ms * strips / threads}
    matched = statistics(times_ms[f"{profile} {threads}"])
    return {
        "kind": "limit",
        "candidate": profile,
        "threads": threads,
        **matched,
        "searched_part": digits(part),
        "copy_gb_per_s": digits(2 * BYTES / copy_ms / 1e6),
        **{f"{floor}_floor_ms": digits(ms) for floor, ms in floors.items()},
        **{f"times_{floor}_floor": digits(matched["median_ms"] / ms) for floor, ms in floors.items()},
    }


def strip_of(pair: Pair, profile: str) -> Callable[[], Mapping[str, float]]:
    """Return a call of the match stage on a strip from the middle of the views, again and again."""
    matcher = native_matcher(profile, threads=1, coarse_to_fine=False)
    rows = slice((HEIGHT - STRIP_HEIGHT) // 2, (HEIGHT + STRIP_HEIGHT) // 2)
    columns = slice((WIDTH - STRIP_WIDTH) // 2, (WIDTH + STRIP_WIDTH) // 2)
    left, right = (np.ascontiguousarray(view[rows, columns]) for view in pair)

    def match() -> None:
        for _ in range(STRIP_RUNS):
            matcher(left, right)

    return without_result(match)


def copy_with(threads: int) -> Callable[[], Mapping[str, float]]:
    """Return a call that copies as many bytes as matching keeps, a part in each thread."""
    source, target = np.ones(BYTES, np.uint8), np.ones(BYTES, np.uint8)  # ones: pages of zeros may not exist yet
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    workers = ThreadPoolExecutor(threads)
    return without_result(lambda: list(workers.map(lambda part: np.copyto(*part), parts)))
