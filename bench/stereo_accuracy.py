"""Accuracy of every candidate on all scenes, beside OpenCV's modes with a filter that OpenCV offers for them.

    Min et al. 2014, "Fast global image smoothing based on weighted least squares", IEEE TIP 23(12)

That filter is in opencv-contrib-python-headless alone; without it there are no such rows.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from stereo_candidates import MODES, PROFILES, Row, opencv_matcher

from salticid.core import image, metrics
from salticid.core.types import FloatMap, Image
from salticid.stereo.evaluate import Scene, find_scenes, load_truth, mean_by_group, measure, search_range
from salticid.stereo.matching import StereoMatcher
from salticid.stereo.opencv_engine import STEP
from salticid.stereo.simulate import simulate_pair

SIMULATED_SEEDS = range(3)
WLS_LAMBDA, WLS_SIGMA = 8000.0, 1.5  # what OpenCV's own sample uses

Found = tuple[FloatMap, FloatMap, float]  # disparity, confidence, milliseconds
Match = Callable[[Image, Image, Image, int], Found]  # left and right in gray, left in color, num_disparities


def accuracy(data: Path, *, one_scene_per_set: bool) -> Iterator[Row]:
    """Yield one row per candidate and set: simulated scenes, and those in the folder `data` if it is there."""
    cv2.setNumThreads(-1)  # as many as there are
    with tempfile.TemporaryDirectory() as folder:
        simulated = Path(folder) / "simulated"
        for seed in SIMULATED_SEEDS:
            simulate_pair(seed=seed).save(simulated / f"seed{seed}")
        scenes = [*find_scenes(simulated), *(find_scenes(data) if data.is_dir() else [])]
        if one_scene_per_set:
            scenes = list({scene.group: scene for scene in scenes}.values())
        for name, match in candidates().items():
            rows = mean_by_group([evaluate(match, scene) for scene in scenes])
            yield from ({"kind": "accuracy", "candidate": name, **rounded(row)} for row in rows)


def candidates() -> dict[str, Match]:
    """Return everything that is compared, by name."""
    found: dict[str, Match] = {}
    for profile in PROFILES:
        found[profile] = lambda *views, profile=profile: with_matcher({"profile": profile}, *views)
    for mode in MODES:
        found[mode] = lambda *views, mode=mode: with_matcher({"mode": mode}, *views)
    if hasattr(cv2, "ximgproc"):
        for mode in MODES:
            found[f"{mode}+wls"] = lambda *views, mode=mode: with_wls(mode, *views)
    return found


def evaluate(match: Match, scene: Scene) -> Row:
    """Return the accuracy on one scene."""
    truth_px, counted = load_truth(scene)
    views = image.read_gray(scene.left), image.read_gray(scene.right)
    disparity_px, confidence, ms = match(*views, image.read_image(scene.left), search_range(scene))
    known = counted & np.isfinite(disparity_px)
    auc = metrics.roc_auc(confidence[known], np.abs(disparity_px - truth_px)[known] <= 1)
    return {"group": scene.group, **measure(disparity_px, truth_px, counted), "auc": auc, "ms": ms}


def with_matcher(options: dict[str, str], left: Image, right: Image, _: Image, num_disparities: int) -> Found:
    """Match by a profile or by a mode of OpenCV, whose time our confidence is no part of."""
    found = StereoMatcher(num_disparities=num_disparities, **options)(left, right)
    ms = sum(found.latency_ms.values()) - found.latency_ms.get("confidence", 0.0)
    return found.disparity_px, found.confidence, ms


def with_wls(mode: str, left: Image, right: Image, color: Image, num_disparities: int) -> Found:
    """Match by a mode of OpenCV from both sides, and filter.

    The left border is treated as our engine does, and the filter sees colors: both make it better.
    """
    before = -(-num_disparities // STEP) * STEP
    padded = [cv2.copyMakeBorder(view, 0, 0, before, 0, cv2.BORDER_REPLICATE) for view in (left, right, color)]
    begin = time.perf_counter()
    matcher = opencv_matcher(mode, num_disparities)
    wls = cv2.ximgproc.createDisparityWLSFilter(matcher)  # switches off the matcher's own checks
    wls.setLambda(WLS_LAMBDA)
    wls.setSigmaColor(WLS_SIGMA)
    mirrored = cv2.ximgproc.createRightMatcher(matcher)
    from_left, from_right = matcher.compute(padded[0], padded[1]), mirrored.compute(padded[1], padded[0])
    filtered = wls.filter(from_left, padded[2], disparity_map_right=from_right)
    ms = 1000 * (time.perf_counter() - begin)
    disparity_px = filtered[:, before:].astype(np.float32) / STEP
    outside = disparity_px > np.arange(left.shape[1])
    disparity_px[(disparity_px < 0) | outside] = np.nan
    return disparity_px, wls.getConfidenceMap()[:, before:] / np.float32(255), ms


def rounded(row: Row) -> Row:
    """Return `row` with the digits that mean something."""
    return {key: float(np.round(value, 3)) if isinstance(value, float) else value for key, value in row.items()}
