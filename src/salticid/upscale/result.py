"""The result of enlarging: the image, what made it, and how long that took."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from salticid.core.image import Picture, write_image
from salticid.core.types import Array
from salticid.runtime.ladder import Skip


@dataclass(frozen=True, slots=True, eq=False)
class Upscaled:
    """An enlarged image."""

    picture: Picture  # with alpha, profile and EXIF where the image had them
    model: str  # which network; "bicubic" where none could be used
    step: str  # of the ladder: how it was computed
    scale: tuple[float, float]  # by how much height and width grew
    skipped: tuple[Skip, ...] = ()  # better ways that were not possible, and why
    latency_ms: Mapping[str, float] = field(default_factory=dict)  # per stage

    @property
    def image(self) -> Array:
        """(H, W, 3) RGB or (H, W) gray, uint8 or uint16 as the image was."""
        return self.picture.pixels

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True, png_level: int = 1) -> None:
        """Write the image in the format of the suffix; errors are those of `write_image`."""
        write_image(path, self.picture, overwrite=overwrite, png_level=png_level)
