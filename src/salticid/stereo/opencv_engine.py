"""OpenCV's matchers: block matching, and semi-global matching along 3, 4, 5 or 8 paths.

They do the sub-pixel fit, the uniqueness test, the left-right check and the speckle filter.

    Hirschmueller 2008, "Stereo processing by semiglobal matching and mutual information", IEEE TPAMI 30(2)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from salticid.core.types import FloatMap, Image
from salticid.errors import InputError
from salticid.stereo.options import StereoOptions

STEP = 16  # OpenCV returns 1/16 px, and searches multiples of 16 disparities
DEFAULT_BLOCK = 5
DEFAULT_BM_BLOCK = 15
SGBM_MODES = {
    "sgbm": cv2.STEREO_SGBM_MODE_SGBM,
    "3way": cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    "hh": cv2.STEREO_SGBM_MODE_HH,
    "hh4": cv2.STEREO_SGBM_MODE_HH4,
}


def prepare(options: StereoOptions) -> Callable[[Image, Image], FloatMap]:
    """Return a function of two gray views, (H, W) uint8, to the disparity of the left one, nan where unknown.

    Raises
    ------
    InputError
        OpenCV does not take such a window.
    """
    matcher = _bm(options) if options.mode == "bm" else _sgbm(options)
    return lambda left, right: _match(matcher, left, right, options)


def _match(matcher: Any, left: Image, right: Image, options: StereoOptions) -> FloatMap:
    height, width = left.shape
    searched = _rounded_up(options.num_disparities)
    # OpenCV gives no disparity where the search would leave the right view; a replicated border lets it.
    before = max(0, options.min_disparity + searched) if options.full_width else 0
    after = max(0, -options.min_disparity) if options.full_width else 0
    if before + width + after <= searched + abs(options.min_disparity) or min(height, width) <= _block_size(options):
        # Too small for a single search: OpenCV would raise, and nothing is what is known.
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


def _block_size(options: StereoOptions) -> int:
    return options.block_size or (DEFAULT_BM_BLOCK if options.mode == "bm" else DEFAULT_BLOCK)


def _bm(options: StereoOptions) -> Any:
    block = _block_size(options)
    if block < DEFAULT_BLOCK:
        raise InputError(f"block_size must be at least {DEFAULT_BLOCK} for bm, not {block}")
    matcher = cv2.StereoBM.create(_rounded_up(options.num_disparities), block)
    matcher.setMinDisparity(options.min_disparity)
    matcher.setUniquenessRatio(options.uniqueness_percent)
    matcher.setDisp12MaxDiff(options.left_right_px)
    matcher.setSpeckleWindowSize(options.speckle_area_px)
    matcher.setSpeckleRange(options.speckle_range_px)
    return matcher


def _sgbm(options: StereoOptions) -> Any:
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
        mode=SGBM_MODES[options.mode],
    )
