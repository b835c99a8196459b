"""OpenCV's matchers: block matching, and semi-global matching along 3, 4, 5 or 8 paths.

They do the sub-pixel fit, the uniqueness test, the left-right check and the speckle filter.

    Hirschmueller 2008, "Stereo processing by semiglobal matching and mutual information", IEEE TPAMI 30(2)
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from salticid.core.types import FloatMap, Image
from salticid.errors import InputError
from salticid.runtime.clock import StageClock
from salticid.stereo.confidence import match_confidence
from salticid.stereo.matched import Matched
from salticid.stereo.options import StereoOptions

STEP = 16  # OpenCV returns 1/16 px, and searches multiples of 16 disparities
DEFAULT_BLOCK = 5
DEFAULT_BM_BLOCK = 15
UNIQUENESS_PERCENT = 10
SGBM_MODES = {
    "sgbm": cv2.STEREO_SGBM_MODE_SGBM,
    "3way": cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    "hh": cv2.STEREO_SGBM_MODE_HH,
    "hh4": cv2.STEREO_SGBM_MODE_HH4,
}


class OpencvEngine:
    """Holds OpenCV's matcher."""

    def __init__(self, options: StereoOptions, mode: str, threads: int) -> None:
        """Prepare to match in `mode`, one of `MODES["opencv"]`.

        Raises
        ------
        InputError
            OpenCV does not take such a window.
        """
        self.options = options
        self.threads = threads
        self._matcher = _bm(options) if mode == "bm" else _sgbm(options, mode)
        self._block_size = _block_size(options, mode)

    def __call__(self, left: Image, right: Image, clock: StageClock, *, evidence: bool) -> Matched:
        """Match two gray views, (H, W) uint8.

        Raises
        ------
        InputError
            `evidence` was asked for: OpenCV keeps it to itself.
        """
        if evidence:
            raise InputError("engine opencv gives no evidence: leave it out, or say engine='native'")
        with clock("match"):
            disparity_px = _match(self._matcher, left, right, self.options, self._block_size)
        with clock("confidence"):
            confidence = match_confidence(left, right, disparity_px, threads=self.threads)
        return Matched(disparity_px, confidence)


def _match(matcher: Any, left: Image, right: Image, options: StereoOptions, block_size: int) -> FloatMap:
    height, width = left.shape
    searched = _rounded_up(options.num_disparities)
    # OpenCV gives no disparity where the search would leave the right view; a replicated border lets it.
    full_width = options.full_width and not options.low_memory
    before = max(0, options.min_disparity + searched) if full_width else 0
    after = max(0, -options.min_disparity) if full_width else 0
    too_narrow = before + width + after <= searched + abs(options.min_disparity) + block_size // 2
    misses = options.min_disparity > width - 1 or options.min_disparity + searched - 1 < 1 - width
    if too_narrow or misses or min(height, width) <= block_size:
        # No room for a single search, or none that meets the right view: OpenCV would raise or write beyond its memory.
        return np.full(left.shape, np.nan, np.float32)
    views = [cv2.copyMakeBorder(view, 0, 0, before, after, cv2.BORDER_REPLICATE) for view in (left, right)]
    raw = matcher.compute(*views)[:, before : before + width]
    disparity_px: FloatMap = raw.astype(np.float32) / STEP
    matched = np.arange(width, dtype=np.float32) - disparity_px
    # What lies outside the right view was matched with the replicated border: a guess, not a measurement.
    unknown = (raw < options.min_disparity * STEP) | (matched < 0) | (matched > width - 1)
    disparity_px[unknown] = np.nan
    return disparity_px


def _rounded_up(num_disparities: int) -> int:
    return -(-num_disparities // STEP) * STEP


def _block_size(options: StereoOptions, mode: str) -> int:
    return options.block_size or (DEFAULT_BM_BLOCK if mode == "bm" else DEFAULT_BLOCK)


def _bm(options: StereoOptions) -> Any:
    block = _block_size(options, "bm")
    if block < DEFAULT_BLOCK:
        raise InputError(f"block_size must be at least {DEFAULT_BLOCK} for bm, not {block}")
    matcher = cv2.StereoBM.create(_rounded_up(options.num_disparities), block)
    matcher.setMinDisparity(options.min_disparity)
    matcher.setUniquenessRatio(_uniqueness_percent(options))
    matcher.setDisp12MaxDiff(options.left_right_px)
    matcher.setSpeckleWindowSize(options.speckle_area_px)
    matcher.setSpeckleRange(options.speckle_range_px)
    return matcher


def _sgbm(options: StereoOptions, mode: str) -> Any:
    block = _block_size(options, mode)
    return cv2.StereoSGBM.create(
        minDisparity=options.min_disparity,
        numDisparities=_rounded_up(options.num_disparities),
        blockSize=block,
        P1=8 * block * block,  # the penalties that OpenCV's own documentation recommends
        P2=32 * block * block,
        disp12MaxDiff=_left_right_px(options),
        preFilterCap=63,
        uniquenessRatio=_uniqueness_percent(options),
        speckleWindowSize=options.speckle_area_px,
        speckleRange=options.speckle_range_px,
        mode=SGBM_MODES[mode],
    )


def _uniqueness_percent(options: StereoOptions) -> int:
    return UNIQUENESS_PERCENT if options.uniqueness_percent is None else options.uniqueness_percent


def _left_right_px(options: StereoOptions) -> int:
    """Return the largest difference as StereoSGBM takes it: what is not above 0 would count as 1."""
    no_limit = abs(options.min_disparity) + _rounded_up(options.num_disparities)
    return no_limit if options.left_right_px < 0 else max(1, options.left_right_px)
