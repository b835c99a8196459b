"""A dense map from a sparse one. Filled pixels are guesses: they never mix with measured ones in a `DisparityMap`."""

from __future__ import annotations

import numpy as np

from salticid.core.types import FloatMap


def fill_background(disparity_px: FloatMap) -> FloatMap:
    """Return a map without holes: each takes the farther of its nearest known neighbors on the row.

    What the right view does not show is usually background beside a nearer object, hence the farther one (the smaller
    disparity). This is the fill of the Middlebury evaluation. A row without any known pixel becomes 0.
    """
    known = np.isfinite(disparity_px)
    width = disparity_px.shape[1]
    columns = np.arange(width)
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], axis=1)[:, ::-1]
    padded = np.pad(disparity_px, ((0, 0), (1, 1)), constant_values=np.nan)
    neighbors = np.take_along_axis(padded, before + 1, axis=1), np.take_along_axis(padded, after + 1, axis=1)
    filled: FloatMap = np.nan_to_num(np.where(known, disparity_px, np.fmin(*neighbors)))
    return filled
