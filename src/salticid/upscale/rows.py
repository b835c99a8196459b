"""What is done to an enlarged image while its rows come: sizes matched, bicubic mixed in, colors taken back to gray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from salticid.core.resample import StripResizer
from salticid.core.types import Array

CUT_ROWS = 8  # of an image that is whole already
BAND_PX = 1 << 18  # most pixels that are worked on at once: what is computed of them is several times as large


def cut(image: Array) -> Iterator[Array]:
    """Yield an image in strips."""
    for top in range(0, len(image), CUT_ROWS):
        yield image[top : top + CUT_ROWS]


def banded(parts: Iterable[Array]) -> Iterator[Array]:
    """Yield the same rows, a few at a time."""
    for part in parts:
        count = max(1, BAND_PX // part.shape[1])
        for top in range(0, len(part), count):
            yield part[top : top + count]


def resized(parts: Iterable[Array], size: tuple[int, int], target: tuple[int, int]) -> Iterator[Array]:
    """Yield the rows of the image that `parts` make up, at another size; as they are where it is the same."""
    if size == target:
        yield from parts
        return
    resizer = None
    for part in parts:
        resizer = resizer or StripResizer((*size, *part.shape[2:]), part.dtype, *target)
        made = resizer.push(part)
        if len(made):
            yield made


def together(*streams: Iterable[Array]) -> Iterator[tuple[Array, ...]]:
    """Yield the rows of several images of one height, as many at a time as all of them have.

    >>> [[len(part) for part in parts] for parts in together([np.zeros(2), np.zeros(3)], [np.zeros(5)])]
    [[2, 2], [3, 3]]
    """
    sources = [iter(stream) for stream in streams]
    held = [next(source, None) for source in sources]
    while all(part is not None for part in held):
        count = min(len(part) for part in held if part is not None)
        yield tuple(part[:count] for part in held if part is not None)
        left = [part[count:] for part in held if part is not None]
        held = [part if len(part) else next(source, None) for part, source in zip(left, sources, strict=True)]


def blended(large: Iterable[Array], bicubic: Iterable[Array], strengths: Iterable[Array]) -> Iterator[Array]:
    """Yield bicubic and, `strengths` (h, W) float32 of 0 to 1 times, what the network adds to it."""
    for found, plain, strength in together(large, bicubic, strengths):
        base, mixed = plain.astype(np.float32), found.astype(np.float32)
        mixed -= base
        mixed *= strength[..., None]
        mixed += base
        yield np.rint(mixed, out=mixed).astype(found.dtype)


def gray(parts: Iterable[Array]) -> Iterator[Array]:
    """Yield (h, W) for (h, W, 3)."""
    for part in parts:
        yield np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY))


def rgb(pixels: Array) -> Array:
    """Return (H, W, 3) for (H, W), and what is that already."""
    return pixels if pixels.ndim == 3 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))


def with_alpha(parts: Iterable[Array], alpha: Iterable[Array]) -> Iterator[Array]:
    """Yield pixels and alpha as one array, (h, W, 2) or (h, W, 4)."""
    for pixels, cover in together(parts, alpha):
        yield np.dstack([pixels, cover])
