"""What the refinement network looks at: six maps made of a disparity map, its confidence and the view.

rows         holes filled from their row, `fill.rows_reference`                                1/16 px
filled       holes filled by votes, `fill.fill_holes`                                          1/16 px
near         the weighted median of `filled` among 5x5 pixels, 2 px apart, where they differ   1/16 px
far          the same, 6 px apart, at the pixels where the near ones differ                    1/16 px
confidence   that of the matcher, 0..127; 0 where nothing was known
gray         the view, 0..255
"""

from __future__ import annotations

import numpy as np

from salticid.core import native
from salticid.core.types import FloatMap, Image
from salticid.engine.patches import Plane
from salticid.stereo.fill import HOLE_BALLOT, channels_of, rows_reference, too_large
from salticid.stereo.votes import Ballot, weighted_median

MAPS = ("rows", "filled", "near", "far", "confidence", "gray")
ROWS, FILLED, NEAR, FAR, CONFIDENCE, GRAY = range(len(MAPS))

NEAR_BALLOT = Ballot(spacing=2, alike=16)  # what differs by up to 1 px is a surface, not an edge
FAR_BALLOT = Ballot(spacing=6, alike=16, sparse=True)

CONFIDENCE_STEPS = 127


def refinement_maps(
    disparity_px: FloatMap, confidence: FloatMap, image: Image, *, threads: int = 1
) -> tuple[Plane, ...]:
    """Return the six maps, (H, W) int16 each.

    Parameters
    ----------
    disparity_px
        (H, W) float32, -2047 to 2047 px; unknown where it is not finite.
    confidence
        (H, W) float32, 0..1; nan counts as 0.
    image
        (H, W) or (H, W, 3) uint8.
    threads
        Threads to work with. The result does not depend on it.

    Raises
    ------
    InputError
        A disparity is too large.
    """
    kernels = native.load()
    if kernels is None:
        return refinement_maps_reference(disparity_px, confidence, image)
    maps = tuple(np.empty(disparity_px.shape, np.int16) for _ in MAPS)
    given = np.ascontiguousarray(disparity_px), np.ascontiguousarray(confidence), channels_of(image)
    if not kernels.Refinement(native.choose()).maps(*given, maps, threads):
        raise too_large(disparity_px)
    return maps


def refinement_maps_reference(disparity_px: FloatMap, confidence: FloatMap, image: Image) -> tuple[Plane, ...]:
    """Return what `refinement_maps` returns, computed with numpy."""
    colors = channels_of(image)
    rows, known = rows_reference(disparity_px)
    filled = np.where(known, rows, weighted_median(rows, colors, HOLE_BALLOT)[0])
    near, settled = weighted_median(filled, colors, NEAR_BALLOT)
    far = np.where(settled, filled, weighted_median(filled, colors, FAR_BALLOT)[0])
    sure = np.nan_to_num(confidence, nan=0).clip(0, 1)
    steps = np.where(known, np.rint(np.float32(CONFIDENCE_STEPS) * sure), 0).astype(np.int16)
    return rows, filled, near, far, steps, _gray(colors)


def _gray(colors: Image) -> Plane:
    """Return the brightness, (H, W) int16: ITU-R BT.601 in 1/256."""
    values = colors.astype(np.int32)
    if colors.shape[2] == 1:
        return values[..., 0].astype(np.int16)
    gray: Plane = ((values @ np.array([77, 150, 29]) + 128) >> 8).astype(np.int16)
    return gray
