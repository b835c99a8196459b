"""Motion: what is measured of simulated strides beside their truth, verdicts on motion capture, time for a baseline.

    python bench/motion.py [--splits 10] [--output bench/results/motion.json]

Simulated strides: keypoints of a side view with noise, clips that differ in chance alone. Motion capture: every model
learns from five random clips of the usual style and ranks the others; the autoencoder of the package was pre-trained on
simulated persons alone, so it has seen nobody of it. Time: five clips of 300 frames at 720p to a saved baseline,
processes and networks started anew, with an empty cache and with a full one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import motion_strides
from motion_clips import write_clips
from stereo_candidates import Row

from salticid.engine import bench
from salticid.motion.compare.evaluate import evaluate

VIEWS = ("room", "side")
VIDEO = "mgl_input.mp4"
REPEATS = 3


def main() -> None:
    """Read the command line, measure, write."""
    data = Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "motion"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="where mocap_walk/ and the videos are")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    given = parser.parse_args()
    rows = [*motion_strides.rows(), *creation(given.data / VIDEO), *verdicts(given.data / "mocap_walk", given.splits)]
    bench.write_report("motion", rows, given.output)


def creation(video: Path) -> Iterator[Row]:
    """Yield what `salticid motion baseline` takes as a command, from nothing and from the cache."""
    with tempfile.TemporaryDirectory(prefix="salticid-bench-") as name:
        folder = Path(name)
        clips = write_clips(video, folder)
        for repeat in range(REPEATS):
            for cached in (False, True):
                seconds = created_s(clips, folder / "made", folder / f"cache{repeat}")
                yield {"kind": "creation", "cached": cached, "repeat": repeat, "seconds": round(seconds, 2)}


def created_s(clips: list[Path], output: Path, cache: Path) -> float:
    """Return how long the command takes, its start included."""
    words = [sys.executable, "-m", "salticid", "motion", "baseline", *map(str, clips), "-o", str(output)]
    start = time.perf_counter()
    environment = os.environ | {"SALTICID_CACHE": str(cache)}
    subprocess.run([*words, "--overwrite", "-q"], check=True, env=environment)
    return time.perf_counter() - start


def verdicts(folder: Path, splits: int) -> Iterator[Row]:
    """Yield the table of `salticid eval motion` for each view."""
    for view in VIEWS:
        found = evaluate(folder, splits=splits, view=view)
        for row in found.rows:
            yield {"kind": "verdict", "view": view} | asdict(row)


if __name__ == "__main__":
    main()
