"""Matching a rectified pair: for each pixel of the left view, how far to the left the right view shows the same thing.

Engine `opencv`: block matching and the semi-global modes of OpenCV (Hirschmueller 2008), which do the sub-pixel fit,
the uniqueness test, the left-right check and the speckle filter.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from salticid.core.types import Array, FloatMap, Image
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.stereo.calibration import Calibration, Rectifier
from salticid.stereo.confidence import match_confidence
from salticid.stereo.disparity import DisparityMap
from salticid.stereo.options import StereoOptions

OPENCV_STEP = 16  # OpenCV returns 1/16 px and searches multiples of 16 disparities
OPENCV_SGBM_MODES = {
    "sgbm": cv2.STEREO_SGBM_MODE_SGBM,
    "3way": cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    "hh": cv2.STEREO_SGBM_MODE_HH,
    "hh4": cv2.STEREO_SGBM_MODE_HH4,
}


class StereoMatcher:
    """Matches pairs of views; holds the rectification maps and the matcher's buffers.

    >>> matcher = StereoMatcher(profile="speed", num_disparities=64)
    >>> matcher.options.mode
    '3way'
    """

    def __init__(
        self, rig: Calibration | None = None, *, profile: str = "quality", threads: int | None = None, **options: Any
    ) -> None:
        """Prepare for pairs that `rig` took; without a rig the pairs must be rectified already.

        Parameters
        ----------
        profile
            speed, quality or memory: a row of `StereoOptions.PROFILES`.
        threads
            CPU threads of the steps that are ours; None: all that this process may use.
        options
            Any field of `StereoOptions`.
        """
        self.options = StereoOptions.profile(profile).replace(**options)
        self.rig = rig
        self.threads = hardware.threads() if threads is None else threads
        self._rectifier = Rectifier(rig) if rig is not None and not rig.is_rectified else None
        self._opencv = _opencv_matcher(self.options)

    def __call__(self, left: Image, right: Image) -> DisparityMap:
        """Match one pair.

        Parameters
        ----------
        left, right
            (H, W) gray or (H, W, 3) RGB, uint8, of one size. Rectified unless the matcher has a rig.

        Raises
        ------
        InputError
            The views are not such arrays, or their size is not the rig's.
        """
        _check_pair(left, right)
        clock = _Clock()
        if self._rectifier is not None:
            with clock("rectify"):
                left, right = self._rectifier(left, right)
        grays = _gray(left), _gray(right)
        with clock("match"):
            disparity_px = match_opencv(*grays, self.options, matcher=self._opencv)
        with clock("confidence"):
            confidence = match_confidence(*grays, disparity_px, threads=self.threads)
        engine = f"{self.options.engine}:{self.options.mode}"
        return DisparityMap(disparity_px, confidence, left, engine, clock.latency_ms)


def match_opencv(left: Image, right: Image, options: StereoOptions, *, matcher: Any = None) -> FloatMap:
    """Return the disparity of gray `left`, (H, W) uint8, as (H, W) float32 px, nan where unknown."""
    matcher = matcher or _opencv_matcher(options)
    searched = _rounded_up(options.num_disparities)
    # OpenCV gives no disparity where the search would leave the right view; a replicated border lets it.
    before = max(0, options.min_disparity + searched) if options.full_width else 0
    after = max(0, -options.min_disparity) if options.full_width else 0
    padded = [cv2.copyMakeBorder(view, 0, 0, before, after, cv2.BORDER_REPLICATE) for view in (left, right)]
    width = padded[0].shape[1]
    if width <= searched + abs(options.min_disparity) or min(left.shape) <= _block_size(options):
        # Too small for a single search: OpenCV would raise or read nothing, and nothing is what is known.
        return np.full(left.shape, np.nan, np.float32)
    raw = matcher.compute(*padded)[:, before : before + left.shape[1]]
    disparity_px: FloatMap = raw.astype(np.float32) / OPENCV_STEP
    disparity_px[raw < options.min_disparity * OPENCV_STEP] = np.nan
    return disparity_px


class _Clock:
    """Milliseconds per stage."""

    def __init__(self) -> None:
        self.latency_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.latency_ms[stage] = 1000 * (time.perf_counter() - start)


def _check_pair(left: Array, right: Array) -> None:
    for name, view in (("left", left), ("right", right)):
        if not isinstance(view, np.ndarray) or view.dtype != np.uint8:
            raise InputError(
                f"the {name} view must be a uint8 array, not {getattr(view, 'dtype', type(view).__name__)}"
            )
        if view.ndim not in (2, 3) or (view.ndim == 3 and view.shape[2] != 3) or view.size == 0:
            raise InputError(f"the {name} view must be (H, W) or (H, W, 3) and not empty, not {view.shape}")
    if left.shape[:2] != right.shape[:2]:
        raise InputError(f"the views differ in size: left {left.shape[:2]}, right {right.shape[:2]}")


def _gray(view: Image) -> Image:
    if view.ndim == 2:
        return np.ascontiguousarray(view)
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.uint8)


def _rounded_up(num_disparities: int) -> int:
    return -(-num_disparities // OPENCV_STEP) * OPENCV_STEP


def _block_size(options: StereoOptions) -> int:
    size = options.block_size or (15 if options.mode == "bm" else 5)
    if size % 2 == 0:
        raise InputError(f"block_size must be odd, not {size}")
    return size


def _opencv_matcher(options: StereoOptions) -> Any:
    return (_opencv_bm if options.mode == "bm" else _opencv_sgbm)(options)


def _opencv_bm(options: StereoOptions) -> Any:
    block = _block_size(options)
    if block < 5:
        raise InputError(f"block_size must be at least 5 for bm, not {block}")
    matcher = cv2.StereoBM.create(_rounded_up(options.num_disparities), block)
    matcher.setMinDisparity(options.min_disparity)
    matcher.setUniquenessRatio(options.uniqueness_percent)
    matcher.setDisp12MaxDiff(options.left_right_px)
    matcher.setSpeckleWindowSize(options.speckle_area_px)
    matcher.setSpeckleRange(options.speckle_range_px)
    return matcher


def _opencv_sgbm(options: StereoOptions) -> Any:
    block = _block_size(options)
    return cv2.StereoSGBM.create(
        minDisparity=options.min_disparity,
        numDisparities=_rounded_up(options.num_disparities),
        blockSize=block,
        P1=8 * block * block,  # the penalties that OpenCV's own documentation recommends
        P2=32 * block * block,
        disp12MaxDiff=options.left_right_px,
        preFilterCap=63,
        uniquenessRatio=options.uniqueness_percent,
        speckleWindowSize=options.speckle_area_px,
        speckleRange=options.speckle_range_px,
        mode=OPENCV_SGBM_MODES[options.mode],
    )
