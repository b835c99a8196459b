"""Stereo matching: accuracy and time of every mode, side by side in one process.

usage: python bench/stereo.py [--data FOLDER] [--output FILE.json]

Without development data the accuracy is that of simulated scenes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from salticid.engine import bench
from salticid.stereo.evaluate import evaluate_scene, find_scenes, mean_by_group
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.simulate import simulate_pair

MODES = ("bm", "3way", "sgbm", "hh4", "hh")
SIZE = (1456, 1088)  # a common machine vision sensor
NUM_DISPARITIES = 128
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
    """Return milliseconds per pair and stage."""
    pair = simulate_pair(*SIZE)
    matchers = {mode: StereoMatcher(mode=mode, num_disparities=NUM_DISPARITIES) for mode in MODES}
    candidates = {mode: lambda matcher=matcher: matcher(pair.left, pair.right) for mode, matcher in matchers.items()}
    timings = bench.compare(candidates, warmup=1, repeats=5)
    stages = {mode: candidate().latency_ms for mode, candidate in candidates.items()}
    return [time_row(timing, stages[timing.name]) for timing in timings]


def time_row(timing: bench.Timing, stages: Mapping[str, float]) -> dict[str, object]:
    """Return one mode's times as a row."""
    row = {"kind": "time", "mode": timing.name, "width": SIZE[0], "height": SIZE[1]}
    row |= {"num_disparities": NUM_DISPARITIES, "median_ms": timing.median_ms, "spread_ms": timing.spread_ms}
    return row | {f"{stage}_ms": value for stage, value in stages.items()}


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
