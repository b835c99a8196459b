"""How the parameters of native matching were chosen: cross-validation over scenes.

usage: python bench/tuning.py [--data FOLDER] [--output FILE.json]

The scenes are dealt into folds. For every fold, the parameters that are best on all other scenes are used on it, so
the figure of a scene never comes from parameters that have seen the scene. That figure is reported beside the one of
the parameters that are best on all scenes, which is what `salticid.stereo.sgm` uses: their difference tells how much of
the accuracy is owed to the choice.

What is compared is the mean of bad-0.5, bad-1 and bad-2 (holes filled), each relative to the mean that OpenCV's HH4 has
over the same scenes, so that no threshold counts for more than another and hard scenes count as hard. The optimum is
flat: of all parameters within 2 % of the best, those are taken whose worst set of scenes comes off best.

With 4 paths the search goes from coarse to fine, as in the profile speed; how it does so is tried too.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from salticid.core import image, metrics
from salticid.core.types import FloatMap, Mask
from salticid.engine import bench
from salticid.runtime import hardware
from salticid.stereo import ranges
from salticid.stereo.evaluate import THRESHOLDS_PX, Scene, find_scenes, load_truth, search_range
from salticid.stereo.fill import fill_background
from salticid.stereo.filters import median_of_known, remove_speckles
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.sgm import SemiGlobalMatcher

FOLDS = 5
NEARLY = 1.02  # times the best score
GRIDS: dict[int, dict[str, tuple[Any, ...]]] = {
    4: {
        "MARGIN": (6, 9, 12),
        "REACH": (8, 16),
        "SPECKLE_AREA_PX": (20, 50, 100),
        "window": ("5x5", "7x7"),  # those of 3 bytes, for speed
        "p1": (14, 16, 18),
        "p2_least": (12, 18),
        "uniqueness_percent": (0, 3),
        "speckle_area_px": (100, 200),
    },
    8: {
        "window": ("5x5", "7x7", "9x7"),
        "p1": (12, 14, 16, 18),
        "p2": (45, 63),
        "p2_least": (12, 18),
        "p2_slope": (2, 4),
        "uniqueness_percent": (0, 3),
        "speckle_area_px": (100, 200, 400),
    },
}
OF_RANGES = ("MARGIN", "REACH", "SPECKLE_AREA_PX")  # constants of salticid.stereo.ranges
FIGURES = tuple(f"bad_{threshold:g}_fill" for threshold in THRESHOLDS_PX)
Parameters = tuple[Any, ...]


def main() -> None:
    """Try the whole grid on every scene, then choose with and without each fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "stereo")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    scenes = find_scenes(arguments.data)
    rows = [row for paths in GRIDS for row in tune(paths, scenes)]
    bench.write_report("tuning", rows, arguments.output)


def tune(paths: int, scenes: list[Scene]) -> Iterator[dict[str, object]]:
    """Yield the best parameters for so many paths with their figures, cross-validated and not."""
    names = tuple(GRIDS[paths])
    tried = list(itertools.product(*GRIDS[paths].values()))
    bad = np.stack([try_all(paths, names, tried, scene) for scene in scenes], axis=1)  # (parameters, scenes, figures)
    theirs = np.stack([reference(scene) for scene in scenes])  # (scenes, figures)
    groups = np.array([scene.group for scene in scenes])
    best = chosen_on(bad, theirs, groups)
    unseen = np.empty(len(scenes), np.intp)  # the parameters that each scene gets without a say
    for fold in range(FOLDS):
        held_out = np.arange(len(scenes)) % FOLDS == fold
        unseen[held_out] = chosen_on(bad[:, ~held_out], theirs[~held_out], groups[~held_out])
    for group in dict.fromkeys(groups.tolist()):
        inside = groups == group
        chosen = bad[best, inside].mean(axis=0)
        validated = bad[unseen[inside], np.flatnonzero(inside)].mean(axis=0)
        yield {
            "paths": paths,
            "group": group,
            "scenes": int(inside.sum()),
            **dict(zip(names, tried[best], strict=True)),
            **{figure: round(float(value), 3) for figure, value in zip(FIGURES, chosen, strict=True)},
            **{f"{figure}_unseen": round(float(value), 3) for figure, value in zip(FIGURES, validated, strict=True)},
            "tried": len(tried),
            "folds": FOLDS,
        }


def chosen_on(bad: np.ndarray, theirs: np.ndarray, groups: np.ndarray) -> int:
    """Return which parameters are best on these scenes."""
    score = relative(bad, theirs)
    worst = np.max([relative(bad[:, groups == group], theirs[groups == group]) for group in np.unique(groups)], axis=0)
    return int(np.where(score <= score.min() * NEARLY, worst, np.inf).argmin())


def relative(bad: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return how much is wrong relative to the reference, mean over the thresholds, (parameters)."""
    return (bad.mean(axis=1) / theirs.mean(axis=0)).mean(axis=1)


def try_all(paths: int, names: tuple[str, ...], tried: list[Parameters], scene: Scene) -> np.ndarray:
    """Return the figures of one scene under all parameters, (parameters, figures)."""
    left, right = image.read_gray(scene.left), image.read_gray(scene.right)
    truth_px, counted = load_truth(scene)
    threads = hardware.threads()
    figures = []
    for options, areas in by_speckle_area([dict(zip(names, values, strict=True)) for values in tried]):
        how = {name: value for name, value in options.items() if name not in OF_RANGES}
        how |= {"paths": paths, "coarse_to_fine": paths == 4, "num_disparities": search_range(scene)}
        with mock.patch.dict(vars(ranges), {name: options[name] for name in OF_RANGES if name in options}):
            found = SemiGlobalMatcher(threads=threads, **how)(left, right)
        smooth_px = median_of_known(found.disparity_px, threads=threads)
        cleaned = (remove_speckles(smooth_px, area, 2, threads=threads) for area in areas)
        figures.extend(wrong(disparity_px, truth_px, counted) for disparity_px in cleaned)
    return np.array(figures)


def by_speckle_area(tried: list[dict[str, Any]]) -> Iterator[tuple[Mapping[str, Any], list[int]]]:
    """Yield runs of parameters that differ in the last one alone, which needs no new match."""
    split = [({key: value for key, value in each.items() if key != "speckle_area_px"}, each) for each in tried]
    for options, run in itertools.groupby(split, key=lambda pair: pair[0]):
        yield options, [each["speckle_area_px"] for _, each in run]


def reference(scene: Scene) -> np.ndarray:
    """Return the figures of OpenCV's HH4 on one scene."""
    truth_px, counted = load_truth(scene)
    matcher = StereoMatcher(mode="hh4", num_disparities=search_range(scene))
    found = matcher(image.read_gray(scene.left), image.read_gray(scene.right))
    return np.array(wrong(found.disparity_px, truth_px, counted))


def wrong(disparity_px: FloatMap, truth_px: FloatMap, counted: Mask) -> list[float]:
    """Return percent of pixels off by more than each threshold, holes filled."""
    filled_px = fill_background(disparity_px)
    return [metrics.bad_n(filled_px, truth_px, threshold, counted) for threshold in THRESHOLDS_PX]


if __name__ == "__main__":
    main()
