"""Where to search: around the disparities that the views show at half their size.

Most of an image is far from depth edges, where few disparities come into question. Matching at half size costs an
eighth of a full search, and tells for each tile of the image which disparities are worth a look.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.core.types import FloatMap, Image, Mask
from salticid.stereo.filters import remove_speckles

TILE_WIDTH, TILE_HEIGHT = 64, 8  # px
GROUP = 32  # the disparities of a range come in whole groups of so many
WORTHWHILE = 2 * GROUP  # up to so many disparities a full search takes no longer
MARGIN = 6  # disparities beyond those found that are searched too
REACH = 16  # px around a tile that have a say
SPECKLE_AREA_PX, SPECKLE_RANGE_PX = 100, 2  # at half size: islands that have none

Ranges = NDArray[np.uint32]  # (tiles down, tiles across, 2): the first disparity from the smallest on, and how many


def half_size(view: Image) -> Image:
    """Return the means of 2x2 pixels, halves rounded up; of an odd size the last row or column counts twice."""
    height, width = view.shape
    even = cv2.copyMakeBorder(view, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA))


def half_search(min_disparity: int, num_disparities: int) -> tuple[int, int]:
    """Return first and number of the disparities that a search becomes at half size."""
    first = min_disparity // 2
    return first, (min_disparity + num_disparities - 1) // 2 - first + 1


def search_ranges(coarse_px: FloatMap, min_disparity: int, num_disparities: int, *, threads: int = 1) -> Ranges:
    """Return which disparities each tile has to search, given those at half size.

    A tile looks at what was found in it and up to `REACH` px around it, without small islands, and searches from the
    smallest of these disparities to the largest and `MARGIN` beyond. What is missing to a whole group is added at both
    ends alike. A tile that finds nothing takes what the nearest tiles in its row to the left and to the right found;
    a row of tiles that finds nothing searches everything.

    Parameters
    ----------
    coarse_px
        (H, W) float32 at half size, in its px; nan where unknown.
    min_disparity, num_disparities
        The search at full size, px.
    """
    believed_px = remove_speckles(coarse_px, SPECKLE_AREA_PX, SPECKLE_RANGE_PX, threads=threads)
    smallest = _over_tiles(np.fmin(believed_px, np.float32(np.inf)), largest=False)  # infinite where unknown
    largest = _over_tiles(np.fmax(believed_px, np.float32(-np.inf)), largest=True)
    nothing = smallest > largest  # infinite, or OpenCV's own kind of infinite beyond the border
    smallest, largest = _nearest(np.minimum, smallest, nothing), _nearest(np.maximum, largest, nothing)
    empty = np.isnan(smallest)

    first = np.floor(2 * np.where(empty, 0, smallest)).astype(np.int64) - min_disparity - MARGIN
    end = np.ceil(2 * np.where(empty, 0, largest)).astype(np.int64) - min_disparity + MARGIN + 1
    first = np.where(empty, 0, first.clip(0, num_disparities - 1))
    end = np.where(empty, num_disparities, end.clip(first + 1, num_disparities))
    count = -(-(end - first) // GROUP) * GROUP
    first -= (count - (end - first)) // 2
    return np.stack([first.clip(0, np.maximum(0, num_disparities - count)), count], axis=-1).astype(np.uint32)


def _over_tiles(coarse_px: FloatMap, *, largest: bool) -> FloatMap:
    """Return the smallest or the largest value around each tile, (tiles down, tiles across)."""
    pick = cv2.dilate if largest else cv2.erode
    reach, rows, columns = REACH // 2, TILE_HEIGHT // 2, TILE_WIDTH // 2
    down = pick(coarse_px, np.ones((rows + 2 * reach, 1), np.uint8), anchor=(0, reach))[::rows]
    picked = pick(down, np.ones((1, columns + 2 * reach), np.uint8), anchor=(reach, 0))[:, ::columns]
    return np.asarray(picked, np.float32)


def _nearest(pick: np.ufunc, values: FloatMap, missing: Mask) -> FloatMap:
    """Return `values`, and where they are missing the one that `pick` takes of the nearest to the left and right."""
    columns = np.arange(values.shape[1])
    before = np.maximum.accumulate(np.where(missing, -1, columns), axis=1)
    after = np.minimum.accumulate(np.where(missing, len(columns), columns)[:, ::-1], axis=1)[:, ::-1]
    padded = np.pad(values, ((0, 0), (1, 1)), constant_values=np.nan)
    left, right = np.take_along_axis(padded, before + 1, axis=1), np.take_along_axis(padded, after + 1, axis=1)
    left, right = np.where(np.isnan(left), right, left), np.where(np.isnan(right), left, right)
    return np.asarray(pick(left, right))
