"""Videos of one color after the other, and a camera that shows them."""

from __future__ import annotations

import numpy as np
from color_network import COLORS

from salticid.core.video import VideoWriter

ORDER = tuple(COLORS)
SIZE = (96, 64)  # width, height


def color_of(index):
    """Return the name of the color that frame `index` shows."""
    return ORDER[index % len(ORDER)]


def frame_image(index, size=SIZE):
    return np.full((size[1], size[0], 3), COLORS[color_of(index)], np.uint8)


def write_color_video(path, count=12, *, times=None, size=SIZE, codec="ffv1"):
    """Write frames of one color each; lossless by default."""
    with VideoWriter(path, fps=25, width=size[0], height=size[1], codec=codec) as video:
        for index in range(count):
            video.write(frame_image(index, size), None if times is None else times[index])
    return path


class FakeCapture:
    """Stands in for `cv2.VideoCapture`: as many pictures as told, then none."""

    def __init__(self, number, count=6, on_read=None):
        self.number, self.left, self.on_read = number, count, on_read
        self.released = 0
        self.settings = {}

    def isOpened(self):  # noqa: N802  # OpenCV's name
        return self.number == 0

    def set(self, key, value):
        self.settings[key] = value

    def get(self, key):
        return 30.0

    def read(self):
        if self.on_read is not None:
            self.on_read(self)
        if self.left == 0:
            return False, None
        self.left -= 1
        return True, np.full((48, 64, 3), COLORS["red"][::-1], np.uint8)

    def release(self):
        self.released += 1
