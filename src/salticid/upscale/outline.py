"""What is asked for, without the pixels: time and memory depend on nothing else.

Outline((480, 640), (1920, 2560), sixteen=True).result_bytes
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from salticid.upscale.shape import COLORS

Size = tuple[int, int]  # height and width
Held = Literal["rows", "image", "file", "webp"]

# Times the result that is held when all rows are made: where a file is encoded as a whole, as it is, with alpha, as
# OpenCV wants it, and the file twice; libwebp takes far more (measured).
ENDED = {"rows": 0, "image": 1, "file": 5, "webp": 17}


@dataclass(frozen=True, slots=True)
class Outline:
    """An image and what becomes of it."""

    size: Size
    target: Size
    gray: bool = False
    alpha: bool = False
    sixteen: bool = False  # bits, not 8
    blended: bool = False  # bicubic is mixed in
    held: Held = "rows"  # of the result: a few rows at a time, all of it, or all of it and the file

    @property
    def value_bytes(self) -> int:
        """What a value of a pixel takes."""
        return 2 if self.sixteen else 1

    @property
    def channels(self) -> int:
        """Of the result, alpha included."""
        return (1 if self.gray else COLORS) + self.alpha

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result, alpha included."""
        return (*self.target, self.channels) if self.channels > 1 else self.target

    @property
    def rgb_bytes(self) -> int:
        """What a gray image takes as RGB; any other is RGB."""
        return math.prod(self.size) * COLORS * (1 + self.blended) * self.value_bytes if self.gray else 0

    @property
    def result_bytes(self) -> int:
        """What the result takes as a whole."""
        return math.prod(self.target) * self.channels * self.value_bytes

    @property
    def kept_bytes(self) -> int:
        """What is held beside the image while rows are made."""
        return self.rgb_bytes + (0 if self.held == "rows" else self.result_bytes)

    @property
    def ended_bytes(self) -> int:
        """What is held beside the image when all rows are made."""
        if self.held == "webp":  # gray becomes RGB
            return ENDED["webp"] * math.prod(self.target) * (COLORS + self.alpha)
        copies = 2 if self.held == "image" and self.alpha else ENDED[self.held]
        return self.rgb_bytes + copies * self.result_bytes
