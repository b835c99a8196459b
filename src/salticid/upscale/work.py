"""One image to be enlarged: what is asked for, and the rows of the result as they come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.image import Picture
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.runtime.clock import StageClock
from salticid.runtime.tiles import strips_of
from salticid.upscale import rows
from salticid.upscale.engines import Engine
from salticid.upscale.plan import target_size


@dataclass(frozen=True, slots=True)
class Work:
    """An image, the size that it shall have, and how much of the network shall be seen."""

    picture: Picture
    target: tuple[int, int]
    strength: float
    strengths: Array | None  # (H, W) float32, times `strength`; None where it is the same everywhere

    @classmethod
    def of(
        cls,
        image: Array | Picture,
        scale: float | None,
        sides: tuple[int | None, int | None],
        strength: float,
        strengths: Array | None,
    ) -> Work:
        """Check what is asked for; `sides` are width and height.

        Raises
        ------
        InputError
            The image is none, or the size or the strengths are out of range.
        """
        picture = image if isinstance(image, Picture) else Picture(image)
        pixels = picture.pixels
        if pixels.dtype not in (np.uint8, np.uint16) or not pixels.size or pixels.shape[2:] not in ((), (3,)):
            raise InputError(
                f"an image must be (H, W, 3) RGB or (H, W) gray, uint8 or uint16, not {pixels.shape} {pixels.dtype}"
            )
        size = (pixels.shape[0], pixels.shape[1])
        if strengths is not None:
            if strengths.shape != size or not ((strengths >= 0) & (strengths <= 1)).all():  # nan is neither
                raise InputError(f"strength must be 0 to 1 for each pixel of {size}, not {strengths.shape}")
            strengths = strengths.astype(np.float32)
        return cls(picture, target_size(size, scale, *sides), strength, strengths)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.picture.pixels.shape[0], self.picture.pixels.shape[1]

    @property
    def sixteen(self) -> bool:
        """Whether the image is one of 16 bits."""
        return bool(self.picture.pixels.dtype == np.uint16)

    @property
    def blended(self) -> bool:
        """Whether bicubic is mixed in."""
        return self.strength < 1 or self.strengths is not None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result, alpha included."""
        channels = (3 if self.picture.pixels.ndim == 3 else 1) + (self.picture.alpha is not None)
        return (*self.target, channels) if channels > 1 else self.target

    @property
    def result_bytes(self) -> int:
        """What the result takes as a whole."""
        return math.prod(self.shape) * self.picture.pixels.dtype.itemsize

    @property
    def held_bytes(self) -> int:
        """What the image takes, as RGB too."""
        pixels = self.picture.pixels
        return pixels.nbytes + (3 * pixels.nbytes if pixels.ndim == 2 else 0)

    def rows(self, engines: Sequence[Engine], tile_px: int, clock: StageClock) -> Iterator[Array]:
        """Yield the result from top to bottom; by bicubic where there are no engines."""
        pixels, alpha = self.picture.pixels, self.picture.alpha
        made = self._enlarged(engines, tile_px, clock) if engines else self._bicubic(pixels)
        if alpha is None:
            return made
        return rows.with_alpha(made, self._bicubic(alpha))

    def _enlarged(self, engines: Sequence[Engine], tile_px: int, clock: StageClock) -> Iterator[Array]:
        pixels = self.picture.pixels
        parts: Iterable[Array] = [rows.rgb(pixels)]
        size = self.size
        for engine in engines:
            halo, scale = engine.shape.halo, engine.shape.scale
            parts = strips_of(_timed(engine, clock), parts, size, tile=tile_px, halo=halo, scale=scale)
            size = size[0] * scale, size[1] * scale
        made = rows.resized(parts, size, self.target)
        if self.blended:
            made = rows.blended(made, self._bicubic(rows.rgb(pixels)), self._strengths())
        return made if pixels.ndim == 3 else rows.gray(made)

    def _bicubic(self, image: Array) -> Iterator[Array]:
        return rows.resized(rows.cut(image), self.size, self.target)

    def _strengths(self) -> Iterator[Array]:
        """Yield how much of the network is seen, row by row of the result, by the nearest pixel of the image."""
        if self.strengths is None:
            yield np.full((self.target[0], 1), self.strength, np.float32)
            return
        columns = np.arange(self.target[1]) * self.size[1] // self.target[1]
        for row in np.arange(self.target[0]) * self.size[0] // self.target[0]:
            yield self.strength * self.strengths[row : row + 1, columns]


def _timed(engine: Engine, clock: StageClock) -> Callable[[Array], Array]:
    def run(part: Array) -> Array:
        with clock("network"):
            return engine(part)

    return run
