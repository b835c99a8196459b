"""Stereo matching: our profiles beside every mode of OpenCV, in one process, taking turns.

usage: python bench/stereo.py [--data FOLDER] [--output FILE.json] [--sizes all|small] [--repeats N]

The kinds of rows, each made by a file of its own or with its neighbor:

    time, ratio, instruction_set    stereo_times.py
    limit                           stereo_limits.py
    memory, large                   stereo_memory.py
    accuracy                        stereo_accuracy.py; without development data that of simulated scenes alone

`--sizes small` is a rehearsal of everything in a minute or two: two sizes, a smaller large pair, one scene of each set.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from stereo_accuracy import accuracy
from stereo_candidates import HEIGHT, WIDTH, Row, gray_pair
from stereo_limits import limits
from stereo_memory import large, memory
from stereo_times import instruction_sets, times

from salticid.engine import bench

REPEATS = 9


def main() -> None:
    """Measure everything that the command line asks for, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "stereo")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--sizes", choices=("all", "small"), default="all")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    rows = list(measured(arguments.data, arguments.sizes, arguments.repeats))
    bench.write_report("stereo", rows, arguments.output)


def measured(data: Path, sizes: str, repeats: int) -> Iterator[Row]:
    """Yield all rows."""
    pair = gray_pair(WIDTH, HEIGHT)
    yield from times(sizes, repeats)
    yield from instruction_sets(pair, repeats)
    yield from limits(pair, repeats)
    yield from memory(pair)
    yield from large(sizes)
    yield from accuracy(data, one_scene_per_set=sizes == "small")


if __name__ == "__main__":
    main()
