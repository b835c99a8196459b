"""How sure each disparity is: do the matched pixels look alike, are the neighbors known, do they agree?

confidence = agreement * support / (1 + spread / SPREAD_PX), each in 0..1:

    agreement   share of equal census bits of the matched pixels, mean over a window; 0 where the view is flat, since
                two flat surroundings always look alike
    support     share of neighbors that have a disparity at all
    spread      standard deviation of the neighbors' disparities

It ranks pixels, it is not a probability: 0.8 does not mean right in four of five cases. `bench/stereo.py` reports how
well it tells right from wrong (ROC AUC).
"""

from __future__ import annotations

import cv2
import numpy as np

from salticid.core.types import FloatMap, Image, Mask
from salticid.stereo.census import census, hamming

CENSUS_BITS = 62  # of the 9x7 window
AGREEMENT_WINDOW = (7, 7)
SUPPORT_WINDOW = (15, 15)
SPREAD_WINDOW = (9, 9)
SPREAD_PX = 4.0


def match_confidence(left: Image, right: Image, disparity_px: FloatMap, *, threads: int = 1) -> FloatMap:
    """Return how far to trust each disparity, (H, W) float32 in 0..1; 0 where there is none.

    Parameters
    ----------
    left, right
        (H, W) uint8, the rectified gray views.
    disparity_px
        (H, W) float32 of the left view, nan where unknown.
    """
    known = np.isfinite(disparity_px)
    disparity_px = np.where(known, disparity_px, np.float32(0))
    support = cv2.blur(known.astype(np.float32), SUPPORT_WINDOW)
    confidence: FloatMap = _agreement(left, right, disparity_px, known, threads) * support
    confidence /= 1 + _spread(disparity_px, known) / np.float32(SPREAD_PX)
    return np.where(known & _textured(left), confidence, np.float32(0))


def _agreement(left: Image, right: Image, disparity_px: FloatMap, known: Mask, threads: int) -> FloatMap:
    width = left.shape[1]
    matched = np.arange(width) - np.rint(disparity_px).astype(np.intp)
    codes = np.take_along_axis(census(right, threads=threads), matched.clip(0, width - 1), axis=1)
    different = np.where(known, hamming(census(left, threads=threads), codes), np.float32(0)).astype(np.float32)
    mean = np.asarray(cv2.blur(different, AGREEMENT_WINDOW), np.float32) / _share(known, AGREEMENT_WINDOW)
    return np.float32(1) - mean / np.float32(CENSUS_BITS)


def _textured(view: Image) -> Mask:
    """Return where not all pixels of the census window are equal."""
    window = np.ones((7, 9), np.uint8)
    textured: Mask = np.not_equal(cv2.dilate(view, window), cv2.erode(view, window))
    return textured


def _spread(disparity_px: FloatMap, known: Mask) -> FloatMap:
    """Return the standard deviation of the known disparities in the window, 0 where there is none."""
    share = _share(known, SPREAD_WINDOW)
    mean = cv2.blur(disparity_px, SPREAD_WINDOW) / share
    mean_square = cv2.blur(disparity_px * disparity_px, SPREAD_WINDOW) / share
    spread: FloatMap = np.sqrt(np.maximum(mean_square - mean * mean, np.float32(0)))
    return spread


def _share(known: Mask, window: tuple[int, int]) -> FloatMap:
    """Return the share of known pixels in the window, never 0."""
    return np.maximum(np.asarray(cv2.blur(known.astype(np.float32), window), np.float32), np.float32(1e-6))
