"""Memory of every candidate: a new process for each, beyond one that only reads the views."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from stereo_candidates import (
    CANDIDATES,
    NUM_DISPARITIES,
    PROFILES,
    THREADS,
    Pair,
    Row,
    candidate,
    digits,
    gray_pair,
    native_matcher,
)

from salticid.runtime import pool
from salticid.runtime.outcome import Outcome
from salticid.stereo.options import StereoOptions

TILES = {"all": (1252, 4), "small": (626, 2)}  # side of a simulated view, and how many of them make a side
LARGE_NUM_DISPARITIES = 256


def memory(pair: Pair) -> Iterator[Row]:
    """Yield one row per candidate at the reference size."""
    height, width = pair[0].shape
    for name, outcome, beyond in peaks(pair, NUM_DISPARITIES, CANDIDATES):
        stated = stated_bytes(name, height, width, NUM_DISPARITIES) if name in PROFILES else None
        yield memory_row("memory", name, (width, height, NUM_DISPARITIES), outcome, beyond, stated)


def large(sizes: str) -> Iterator[Row]:
    """Yield one row: a pair of 25 megapixels, a mosaic of simulated views, matched once with profile memory."""
    side, tiles = TILES[sizes]
    pair = tuple(np.tile(view, (tiles, tiles)) for view in gray_pair(side, side))
    side *= tiles
    for name, outcome, beyond in peaks(pair, LARGE_NUM_DISPARITIES, ["memory"]):
        stated = stated_bytes(name, side, side, LARGE_NUM_DISPARITIES)
        row = memory_row("large", name, (side, side, LARGE_NUM_DISPARITIES), outcome, beyond, stated)
        yield row | {"seconds": digits(outcome.value)}


def memory_row(kind: str, name: str, size: tuple[int, int, int], outcome: Outcome, beyond: int, stated: int) -> Row:
    """Return what one process took, and what the matcher says of itself beforehand."""
    width, height, num_disparities = size
    row = {"kind": kind, "candidate": name, "width": width, "height": height, "num_disparities": num_disparities}
    row |= {"threads": THREADS, "measured_mb": round((outcome.peak_bytes - beyond) / 1e6)}
    return row | {"stated_mb": None if stated is None else round(stated / 1e6)}


def peaks(pair: Pair, num_disparities: int, names: list[str]) -> Iterator[tuple[str, Outcome, int]]:
    """Yield what became of a new process per candidate, and the highest memory of one that only reads, in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for view, name in zip(pair, ("left.npy", "right.npy"), strict=True):
            np.save(Path(folder) / name, view)
        match = partial(read_and_match, folder=folder, num_disparities=num_disparities)
        only_reads = run_alone(match, None).peak_bytes
        for name in names:
            yield name, run_alone(match, name), only_reads


def run_alone(match: partial, name: str | None) -> Outcome:
    """Return what became of one item in a process of its own."""
    [outcome] = pool.map(match, [name], workers=1, retries=0)
    if not outcome.ok or outcome.peak_bytes is None:
        raise RuntimeError(f"{name}: {outcome.error}")
    return outcome


def read_and_match(name: str | None, *, folder: str, num_disparities: int) -> float:
    """Read a pair, match it unless there is no candidate; return the seconds that matching took."""
    pair = (np.load(Path(folder) / "left.npy"), np.load(Path(folder) / "right.npy"))
    cv2.setNumThreads(THREADS)
    begin = time.perf_counter()
    if name is not None:
        candidate(name, pair, num_disparities, THREADS)()
    return time.perf_counter() - begin


def stated_bytes(profile: str, height: int, width: int, num_disparities: int) -> int:
    """Return what the match stage says that it will take."""
    matcher = native_matcher(profile, THREADS, num_disparities=num_disparities)
    return matcher.memory_bytes(height, width, low_memory=StereoOptions.profile(profile).low_memory)
