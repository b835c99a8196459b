"""A turned square of a picture as the networks want it, straight from the planes of a video.

    look = Cropper(256, low=0.0, high=1.0, outside="edge")
    tensor = look(frame.planes, region)

Only what the square shows is converted to RGB: of a picture of 1920x1080 that is a thirtieth. Brightness and color are
each sampled where they lie, so a square may be turned, and a phone's video lie on its side, at no further cost.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from salticid.core.types import Array, Image
from salticid.core.video_planes import Planes
from salticid.motion.pose.blazepose import Region, crop_matrix

_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class Cropper:
    """Cuts squares of one size; holds their memory, for new memory takes as long as the arithmetic.

    Parameters
    ----------
    size_px
        Side of the square that comes out.
    low, high
        What black and white become.
    outside
        What is seen beside the picture: its "edge" again and again, or "black".
    """

    def __init__(self, size_px: int, *, low: float, high: float, outside: Literal["edge", "black"]) -> None:
        self.size_px, self._low, self._high = size_px, low, high
        self._border = cv2.BORDER_REPLICATE if outside == "edge" else cv2.BORDER_CONSTANT
        self._planes = [np.empty((size_px, size_px), np.uint8) for _ in range(3)]
        self._stored, self._rgb = (np.empty((size_px, size_px, 3), np.uint8) for _ in range(2))
        self._tensor = np.empty((1, size_px, size_px, 3), np.float32)

    def __call__(self, planes: Planes, region: Region) -> Array:
        """Return the region in RGB, (1, size_px, size_px, 3) float32; the next call writes over it."""
        rgb = self.image(planes, region)
        np.multiply(rgb, np.float32((self._high - self._low) / 255), out=self._tensor[0])
        if self._low:
            self._tensor += np.float32(self._low)
        return self._tensor

    def image(self, planes: Planes, region: Region) -> Image:
        """Return the region in RGB, (size_px, size_px, 3) uint8; the next call writes over it."""
        matrix = to_stored(planes, crop_matrix(region, self.size_px))
        height, width = planes.y.shape
        sources = (planes.y, planes.u, planes.v)
        for plane, black, out in zip(sources, planes.black, self._planes, strict=True):
            own = to_plane(matrix, plane.shape[1] / width, plane.shape[0] / height)
            self._sample(plane, own, black, out)
        cv2.merge(self._planes, dst=self._stored)
        return np.asarray(cv2.transform(self._stored, planes.to_rgb, dst=self._rgb), np.uint8)

    def _sample(self, plane: Image, matrix: Array, black: int, out: Image) -> None:
        """Sample one plane linearly."""
        shape = (self.size_px, self.size_px)
        cv2.warpAffine(plane, matrix, shape, dst=out, flags=_FLAGS, borderMode=self._border, borderValue=(black,))


def to_stored(planes: Planes, matrix: Array) -> Array:
    """Return the (2, 3) matrix that ends in stored pixels, from one that ends in the upright picture."""
    turn = planes.upright
    back = turn[:, :2].T  # a quarter turn or a mirror: its inverse is its transpose
    stored = back @ matrix
    stored[:, 2] -= back @ turn[:, 2]
    return np.asarray(stored)


def to_plane(matrix: Array, share_x: float, share_y: float) -> Array:
    """Return the matrix that ends in a plane with fewer pixels, each in the middle of those that it stands for."""
    share = np.array([share_x, share_y])
    own = matrix * share[:, None]
    own[:, 2] += share / 2 - 0.5
    return np.asarray(own)
