"""From an image to what the network takes: float32 in -1..1, channels first, sides that are multiples of its stride.

What is added on the right and below repeats the last column and row, and its labels are cut off again. Repeating takes
any size from one pixel on, which mirroring does not, and invents no edge, which a constant color would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.core.recycle import Recycler
from salticid.core.types import Image
from salticid.errors import InputError

HALF = np.float32(127.5)

# value / 127.5 - 1 for every value, rounded as a division of float32 is.
TABLE = np.arange(256, dtype=np.float32) / HALF - np.float32(1)


class Preparer:
    """Makes the network's input; the memory of one that nobody holds any longer is used again."""

    def __init__(self, stride: int) -> None:
        self.stride = stride
        self._memory = Recycler()

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """Return (1, 3, H', W') float32 in -1..1, H' and W' rounded up to the stride.

        Parameters
        ----------
        image
            (H, W) or (H, W, 3) RGB uint8, as `check_image` asks.
        """
        height, width = image.shape[:2]
        rows, columns = rounded_up(height, self.stride), rounded_up(width, self.stride)
        tensor = self._memory.empty((1, 3, rows, columns), np.float32)
        planes = tensor[0, :, :height, :width]
        if image.ndim == 2:
            cv2.LUT(image, TABLE, dst=planes[0])
            planes[1:] = planes[0]
        else:
            for channel, plane in zip(cv2.split(image), planes, strict=True):
                cv2.LUT(channel, TABLE, dst=plane)
        tensor[0, :, :height, width:] = tensor[0, :, :height, width - 1 : width]
        tensor[0, :, height:] = tensor[0, :, height - 1 : height]
        return tensor


def check_image(image: Any) -> None:
    """Raise `InputError`, with what to do, unless `image` is (H, W) or (H, W, 3) uint8 and not empty."""
    if not isinstance(image, np.ndarray):
        raise InputError(f"the image must be a numpy array, not {type(image).__name__}: read files with read_image")
    if image.dtype != np.uint8:
        raise InputError(f"the image must be uint8, 0 to 255, not {image.dtype}: scale and convert it first")
    if image.ndim == 3 and image.shape[2] == 4:
        raise InputError(f"the image is {image.shape}, with alpha: give image[..., :3], in the order RGB")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or not image.size:
        raise InputError(f"the image must be (H, W) or (H, W, 3) and not empty, not {image.shape}")


def reduced_size(shape: Sequence[int], long_side_px: int | None) -> tuple[int, int]:
    """Return height and width of a (H, W, ...) image with its longer side at most `long_side_px`; None: no limit."""
    height, width = shape[:2]
    if long_side_px is None or max(height, width) <= long_side_px:
        return height, width
    factor = long_side_px / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def rounded_up(length: int, stride: int) -> int:
    """Return the first multiple of `stride` from `length` on."""
    return -(-length // stride) * stride
