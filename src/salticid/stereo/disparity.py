"""The result of matching: disparity of the rectified left view, how sure each pixel is, and what it took."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from salticid.core import draw, image, pfm
from salticid.core.atomic import replacing
from salticid.core.types import FloatMap, Image, Mask
from salticid.errors import InputError

if TYPE_CHECKING:
    from salticid.stereo.calibration import Calibration
    from salticid.stereo.cloud import PointCloud
    from salticid.stereo.matched import Evidence

PNG_SCALE = 256.0  # KITTI's 16-bit disparity PNG: value / 256, 0 = unknown
PNG_MIN_PX, PNG_MAX_PX = 1 / PNG_SCALE, 65535 / PNG_SCALE


@dataclass(frozen=True, slots=True, eq=False)
class DisparityMap:
    """Disparity of the rectified left view; nan where unknown.

    A refined map has one for every pixel that the rectified view shows. Its confidence is then the probability that the
    disparity is right within 1 px, and `measured` tells guesses from what was matched.
    """

    disparity_px: FloatMap  # (H, W) float32
    confidence: FloatMap  # (H, W) float32, 0..1; 0 where unknown
    image: Image  # (H, W) or (H, W, 3) uint8, the rectified left view
    engine: str  # who matched
    latency_ms: Mapping[str, float] = field(default_factory=dict)  # per stage
    evidence: Evidence | None = None  # what speaks for each disparity, where it was asked for
    measured: Mask | None = None  # (H, W) bool: of a refined map, what the matcher found; the rest are guesses

    @property
    def density(self) -> float:
        """Share of pixels with a disparity, 0..1."""
        return float(np.isfinite(self.disparity_px).mean())

    def draw(self) -> Image:
        """Return the disparity as colors, near warm and far cold, (H, W, 3) uint8; unknown is dark gray."""
        return draw.disparity_colors(self.disparity_px)

    def to_cloud(self, rig: Calibration, *, colors: Image | None = None, min_confidence: float = 0.0) -> PointCloud:
        """Return the points of all pixels with a disparity and at least `min_confidence`.

        Parameters
        ----------
        rig
            Calibration of the camera pair.
        colors
            (H, W) or (H, W, 3) uint8 in the geometry of the rectified left view; the matched view when None.
        """
        from salticid.stereo.cloud import from_disparity

        disparity_px = np.where(self.confidence >= min_confidence, self.disparity_px, np.float32(np.nan))
        return from_disparity(disparity_px, rig, colors=self.image if colors is None else colors)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write the disparity as .pfm or .npy (float32, exact) or .png (16 bit, px * 256, 0 = unknown).

        A PNG has no 0 px: known disparities below 1/256 px, the smallest that it can say, are stored as 1/256 px.

        Raises
        ------
        InputError
            Another suffix, or disparities that a PNG cannot hold (below 0 or above 255.99 px).
        """
        save_disparity(path, self.disparity_px, overwrite=overwrite)


def save_disparity(path: str | os.PathLike[str], disparity_px: FloatMap, *, overwrite: bool = True) -> None:
    """Write a disparity map, (H, W) float32, as `DisparityMap.save` does."""
    writers = {".pfm": pfm.write_pfm, ".npy": _write_npy, ".png": _write_png}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise InputError(f"cannot save a disparity map as {path}: use {', '.join(writers)} (or .ply for a cloud)")
    writers[suffix](path, disparity_px, overwrite=overwrite)


def _write_npy(path: str | os.PathLike[str], disparity_px: FloatMap, *, overwrite: bool) -> None:
    with replacing(path, overwrite=overwrite) as part, part.open("wb") as file:
        np.save(file, disparity_px)  # to a file: np.save appends .npy to a name that ends otherwise, as in .NPY


def _write_png(path: str | os.PathLike[str], disparity_px: FloatMap, *, overwrite: bool) -> None:
    known = np.isfinite(disparity_px)
    low, high = disparity_px[known].min(initial=PNG_MAX_PX), disparity_px[known].max(initial=0)
    if low < 0 or high > PNG_MAX_PX:
        raise InputError(
            f"cannot save {path}: a 16-bit PNG holds 0 to 255.99 px, this map goes from {low:.2f} to {high:.2f}: "
            "use .pfm or .npy"
        )
    stored_px = np.where(known, np.maximum(disparity_px, PNG_MIN_PX), 0)
    image.write_image(path, np.rint(stored_px * PNG_SCALE).astype(np.uint16), overwrite=overwrite)
