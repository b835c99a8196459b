"""What each step of the refinement is worth: cross-validated by scene, on pairs with truth.

    python bench/refine_accuracy.py [--data DATA] [--output bench/results/refine_accuracy.json]

The networks of each fold are trained here as `salticid train refine` trains the one of the package, on the scenes of
the other folds and on simulated pairs. Takes minutes, and needs torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from stereo_candidates import Row

from salticid.engine import bench
from salticid.stereo.evaluate import find_scenes
from salticid.stereo.refine_ablation import Plan, cross_validated, means
from salticid.stereo.refine_samples import read_pair, simulated_pair, training_views

DATA = Path(os.environ.get("SALTICID_DATA", "../shared/data"))
SIMULATED, VARIANTS, THREADS = 8, 2, 2


def main() -> None:
    """Train, measure, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "stereo")
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    arguments = parser.parse_args()
    bench.write_report("refine_accuracy", list(accuracy(arguments.data)), arguments.output)


def accuracy(data: Path) -> Iterator[Row]:
    """Yield one row per way of refining, over all scenes and over each set."""
    scenes = find_scenes(data)
    pairs = [*map(read_pair, scenes), *map(simulated_pair, range(SIMULATED))]
    views = list(training_views(pairs, variants=VARIANTS, seed=0, threads=THREADS))
    rows = cross_validated(
        views[: len(scenes)], views[len(scenes) :], Plan(), lambda line: print(line, file=sys.stderr)
    )
    for row in means(list(rows)):
        yield {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}


if __name__ == "__main__":
    main()
