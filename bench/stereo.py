"""Stereo matching: accuracy and time of every mode, side by side in one process.

usage: python bench/stereo.py [--data FOLDER] [--output FILE.json]

Without development data the accuracy is that of simulated scenes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from salticid.core.image import read_image
from salticid.engine import bench
from salticid.runtime import pool
from salticid.stereo.evaluate import evaluate_scene, find_scenes, mean_by_group
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.simulate import ScenePair, simulate_pair

MODES = ("bm", "3way", "sgbm", "hh4", "hh")
SIZE = (1456, 1088)  # a common machine vision sensor
NUM_DISPARITIES = 128
REPEATS = 7
SIMULATED_SEEDS = range(3)


def main() -> None:
    """Time all modes on one large pair, alternating; then measure their accuracy on all scenes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "stereo")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = [*times(), *accuracy(arguments.data)]
    bench.write_report("stereo", rows, arguments.output)


def times() -> list[dict[str, object]]:
    """Return milliseconds per pair, as a whole and per stage, and the memory that one process took for it."""
    pair = simulate_pair(*SIZE)
    runs: dict[str, list[Mapping[str, float]]] = {mode: [] for mode in MODES}
    matchers = {mode: StereoMatcher(mode=mode, num_disparities=NUM_DISPARITIES) for mode in MODES}
    candidates = {
        mode: lambda mode=mode: runs[mode].append(matchers[mode](pair.left, pair.right).latency_ms) for mode in MODES
    }
    timings = bench.compare(candidates, warmup=1, repeats=REPEATS)
    memory_mb = memory(pair)
    return [time_row(timing, runs[timing.name][-REPEATS:], memory_mb[timing.name]) for timing in timings]


def time_row(timing: bench.Timing, runs: Sequence[Mapping[str, float]], memory_mb: float) -> dict[str, object]:
    """Return one mode's times as a row."""
    row = {"kind": "time", "mode": timing.name, "width": SIZE[0], "height": SIZE[1]}
    row |= {"num_disparities": NUM_DISPARITIES, "median_ms": timing.median_ms, "spread_ms": timing.spread_ms}
    row |= {f"{stage}_ms": statistics.median(run[stage] for run in runs) for stage in runs[0]}
    return row | {"memory_mb": round(memory_mb)}


def memory(pair: ScenePair) -> dict[str, float]:
    """Return what a process that matches one pair takes beyond one that only reads it, MB."""
    with tempfile.TemporaryDirectory() as folder:
        pair.save(folder)
        peaks = {mode: peak_mb(folder, mode) for mode in (None, *MODES)}
    return {mode: peak - peaks[None] for mode, peak in peaks.items()}


def peak_mb(folder: str, mode: str | None) -> float:
    """Return the highest resident memory of a new process that reads the pair and matches it in `mode`."""
    [outcome] = pool.map(read_and_match, [(folder, mode)], workers=1)
    if outcome.peak_bytes is None:
        raise RuntimeError(outcome.error)
    return outcome.peak_bytes / 1e6


def read_and_match(item: tuple[str, str | None]) -> None:
    """Be the item of a worker: read a pair, match it unless the mode is None."""
    folder, mode = item
    left, right = (read_image(Path(folder) / name) for name in ("left.png", "right.png"))
    if mode is not None:
        StereoMatcher(mode=mode, num_disparities=NUM_DISPARITIES)(left, right)


def accuracy(data: Path) -> list[dict[str, object]]:
    """Return one row per mode and set."""
    with tempfile.TemporaryDirectory() as folder:
        simulated = Path(folder) / "simulated"
        for seed in SIMULATED_SEEDS:
            simulate_pair(seed=seed).save(simulated / f"seed{seed}")
        scenes = [*find_scenes(simulated), *(find_scenes(data) if data.is_dir() else [])]
        return [row for mode in MODES for row in accuracy_of(mode, scenes)]


def accuracy_of(mode: str, scenes: list) -> list[dict[str, object]]:
    """Return one row per set for one mode."""
    rows = [evaluate_scene({"scene": asdict(scene), "options": {"mode": mode}}) for scene in scenes]
    return [{"kind": "accuracy", "mode": mode, **rounded(row)} for row in mean_by_group(rows)]


def rounded(row: dict[str, object]) -> dict[str, object]:
    """Return `row` with the digits that mean something."""
    return {key: float(np.round(value, 3)) if isinstance(value, float) else value for key, value in row.items()}


if __name__ == "__main__":
    main()
