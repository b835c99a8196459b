"""One image to be enlarged: what is asked for, and the rows of the result as they come."""

from __future__ import annotations

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
from salticid.upscale.outline import Held, Outline
from salticid.upscale.plan import target_size


@dataclass(frozen=True, slots=True)
class Work:
    """An image, the size that it shall have, and how much of the network shall be seen."""

    picture: Picture
    outline: Outline
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
        held: Held = "image",
    ) -> Work:
        """Check what is asked for; `sides` are width and height, `held` is what is of the result.

        Raises
        ------
        InputError
            The image is none, or the size or the strengths are out of range.
        """
        picture = image if isinstance(image, Picture) else Picture(image)
        _check_picture(picture)
        size = (picture.pixels.shape[0], picture.pixels.shape[1])
        if strengths is not None:
            strengths = _checked_strengths(strengths, size)
        outline = Outline(
            size,
            target_size(size, scale, *sides),
            gray=picture.pixels.ndim == 2,
            alpha=picture.alpha is not None,
            sixteen=bool(picture.pixels.dtype == np.uint16),
            blended=strength < 1 or strengths is not None,
            held=held,
        )
        return cls(picture, outline, strength, strengths)

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
        size = self.outline.size
        for engine in engines:
            halo, scale = engine.shape.halo, engine.shape.scale
            made = strips_of(_timed(engine, clock), parts, size, tile=tile_px, halo=halo, scale=scale)
            parts = rows.banded(made)
            size = size[0] * scale, size[1] * scale
        large = rows.resized(parts, size, self.outline.target)
        if self.outline.blended:
            large = rows.blended(large, self._bicubic(rows.rgb(pixels)), self._strengths())
        return large if pixels.ndim == 3 else rows.gray(large)

    def _bicubic(self, image: Array) -> Iterator[Array]:
        return rows.resized(rows.cut(image), self.outline.size, self.outline.target)

    def _strengths(self) -> Iterator[Array]:
        """Yield how much of the network is seen, row by row of the result, by the nearest pixel of the image."""
        (height, width), (tall, wide) = self.outline.size, self.outline.target
        if self.strengths is None:
            yield np.full((tall, 1), self.strength, np.float32)
            return
        columns = np.arange(wide) * width // wide
        for row in np.arange(tall) * height // tall:
            yield self.strength * self.strengths[row : row + 1, columns]


def _check_picture(picture: Picture) -> None:
    pixels, alpha = picture.pixels, picture.alpha
    if not (isinstance(pixels, np.ndarray) and pixels.dtype in (np.uint8, np.uint16)):
        found = f"{pixels.dtype}" if isinstance(pixels, np.ndarray) else f"a {type(pixels).__name__}"
        raise InputError(f"an image must be an array of uint8 or uint16, not {found}: see read_image and open_picture")
    if not pixels.size or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise InputError(f"an image must be (H, W, 3) RGB or (H, W) gray, not {pixels.shape}")
    if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype):
        raise InputError(
            f"alpha must be {pixels.shape[:2]} {pixels.dtype} as the pixels are, not {alpha.shape} {alpha.dtype}"
        )


def _checked_strengths(strengths: Array, size: tuple[int, int]) -> Array:
    if not isinstance(strengths, np.ndarray) or strengths.shape != size:
        found = strengths.shape if isinstance(strengths, np.ndarray) else f"a {type(strengths).__name__}"
        raise InputError(f"strength must be an array {size}, one for each pixel of the image, not {found}")
    if not ((strengths >= 0) & (strengths <= 1)).all():  # nan is neither
        raise InputError(f"strength must be 0 to 1, not {strengths.min()} to {strengths.max()}: divide it first")
    return strengths.astype(np.float32)


def _timed(engine: Engine, clock: StageClock) -> Callable[[Array], Array]:
    def run(part: Array) -> Array:
        with clock("network"):
            return engine(part)

    return run
