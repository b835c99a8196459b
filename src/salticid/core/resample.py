"""Resize by a cubic kernel that is widened where an image shrinks, as MATLAB's imresize does.

    small = bicubic_uint8(image, height, width)

    resizer = StripResizer(shape, np.uint8, height, width)     # an image that is never whole in memory
    for strip in strips:
        write(resizer.push(strip))

Super-resolution has been trained and judged by this resize since Timofte et al. 2014; others differ in their halves of
a pixel, their borders or their antialiasing, and a network notices that.

The result is made in tiles, each by two products of small matrices. In which strips the rows arrive decides when a tile
is made, but never how: so the strips do not change a bit.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from salticid.core.types import Array
from salticid.errors import InputError

RADIUS = 2.0  # of the kernel, in pixels of the coarser image
SHARPNESS = -0.5  # Keys 1981, eq. 15: the kernel that reproduces quadratics

# A side of a tile: longer ones multiply more zeros, shorter ones take more calls. Products of these sizes are also too
# small for BLAS to start threads of its own, which the caller did not ask for.
_MOST_NEW, _MOST_OLD = 32, 64
_LEAST_NEW = 4

# In float32 sums of 8 bits over thousands of pixels are exact to 0.01; those of 16 bits are not.
_PRECISION = {np.dtype(np.uint8): np.dtype(np.float32), np.dtype(np.uint16): np.dtype(np.float64)}


class StripResizer:
    """Resize a large image that comes in strips from top to bottom; only the rows that the next tiles need are kept.

    The result is that of `bicubic`, cut off and rounded (halves up, as MATLAB rounds): the same bits for any strips.

    Parameters
    ----------
    shape
        Of the whole image: (H, W) or (H, W, C).
    dtype
        uint8 (computed in float32, so that a value very near to a half may round to its other side) or uint16
        (computed in float64).
    height, width
        Of the result; each axis is enlarged or reduced by itself, reduced with antialiasing.

    Raises
    ------
    InputError
        The shape has no pixels, the dtype is another, or a side is below 1.
        While pushing: a strip of another width, depth or dtype, or more rows than the image has.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike, height: int, width: int) -> None:
        _check_sizes(shape, height, width)
        self._shape, self._dtype = shape, np.dtype(dtype)
        if self._dtype not in _PRECISION:
            raise InputError(f"can resize strips of uint8 or uint16, not {self._dtype}: convert them first")
        precision = _PRECISION[self._dtype]
        self._to_make = deque(_blocks(shape[0], height, precision))
        self._columns = _blocks(shape[1], width, precision)
        self._kept = np.empty((math.prod(shape[2:]), 0, shape[1]), self._dtype)
        self._first = 0  # row of the image that is the first one kept
        self._new_row = (width, *shape[2:])

    def push(self, strip: Array) -> Array:
        """Take the next rows of the image, and return the rows of the result that are known by them.

        Parameters
        ----------
        strip
            (h, W) or (h, W, C); h may be anything from 0 to the rows that are left.

        Returns
        -------
        Array
            (n, width) or (n, width, C); n may be 0. With the last row of the image the last of the result are known.
        """
        self._check(strip)
        self._kept = np.concatenate([self._kept, _planes(strip)], axis=1)
        below = self._first + self._kept.shape[1]
        made = [np.empty((0, *self._new_row), self._dtype)]
        while self._to_make and self._to_make[0].stop <= below:
            made.append(self._next_rows())
        first = self._to_make[0].first if self._to_make else below
        if first > self._first:
            self._kept = self._kept[:, first - self._first :].copy()
            self._first = first
        return np.concatenate(made)

    def _check(self, strip: Array) -> None:
        if strip.ndim != len(self._shape) or strip.shape[1:] != self._shape[1:] or strip.dtype != self._dtype:
            wanted = f"(rows, {', '.join(map(str, self._shape[1:]))}) {self._dtype}"
            raise InputError(f"a strip of this image must be {wanted}, not {strip.shape} {strip.dtype}")
        left = self._shape[0] - self._first - self._kept.shape[1]
        if len(strip) > left:
            raise InputError(f"{left} of the {self._shape[0]} rows are left, so a strip cannot have {len(strip)}")

    def _next_rows(self) -> Array:
        block = self._to_make.popleft()
        planes = self._kept[:, block.first - self._first : block.stop - self._first]
        values = _rounded(_resized(planes, block, self._columns), self._dtype)
        return _pixels(values).reshape(-1, *self._new_row)


def bicubic(image: Array, height: int, width: int) -> Array:
    """Return an image at a size, in float64 and neither rounded nor cut off.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), of any number type.
    height, width
        Of the result; each axis is enlarged or reduced by itself, reduced with antialiasing.

    Raises
    ------
    InputError
        The image is empty or none, or a side is below 1.
    """
    _check_sizes(image.shape, height, width)
    kind = np.dtype(np.float64)
    planes = _planes(image)
    columns = _blocks(image.shape[1], width, kind)
    resized = np.empty((height, width, len(planes)))
    top = 0
    for block in _blocks(image.shape[0], height, kind):
        made = _resized(planes[:, block.first : block.stop], block, columns)
        resized[top : top + len(block.shares)] = _pixels(made)
        top += len(block.shares)
    return resized.reshape(height, width, *image.shape[2:])


def bicubic_uint8(image: Array, height: int, width: int) -> Array:
    """Return `bicubic` rounded to uint8, halves up, as MATLAB rounds."""
    return _rounded(bicubic(image, height, width), np.dtype(np.uint8))


def _check_sizes(shape: tuple[int, ...], height: int, width: int) -> None:
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise InputError(f"can resize (H, W) or (H, W, C) with pixels, not {shape}")
    if height < 1 or width < 1:
        raise InputError(f"cannot resize to {width} x {height}: both sides must be at least 1")


def _planes(image: Array) -> Array:
    """Return the channels one after the other, (C, H, W): a row of one is a row of a matrix."""
    return np.moveaxis(image.reshape(*image.shape[:2], math.prod(image.shape[2:])), 2, 0)


def _pixels(planes: Array) -> Array:
    """Return the channels side by side, (H, W, C)."""
    pixels = np.empty((*planes.shape[1:], len(planes)), planes.dtype)
    for channel, plane in enumerate(planes):  # many times faster than one assignment for all
        pixels[..., channel] = plane
    return pixels


@dataclass(frozen=True, slots=True)
class _Block:
    """What some old pixels, from `first` to before `stop`, give to some new ones."""

    first: int
    stop: int
    shares: Array  # (new pixels, stop - first)


@functools.lru_cache(maxsize=16)
def _blocks(old: int, new: int, kind: np.dtype[np.floating]) -> tuple[_Block, ...]:
    """Return the blocks of one axis, as many new pixels in each but the last."""
    taps, shares = _taps(old, new)
    step = max(_LEAST_NEW, min(_MOST_NEW, _MOST_OLD * new // old))
    return tuple(_block(taps[at : at + step], shares[at : at + step], kind) for at in range(0, new, step))


def _taps(old: int, new: int) -> tuple[Array, Array]:
    """Return which old pixels every new one is made of, and their shares, both (new, taps).

    Beyond a border the image is mirrored, the pixel at the border included.
    """
    scale = new / old
    spread = max(1.0, 1 / scale)  # the kernel is as wide as the coarser pixels
    centers = (np.arange(new) + 0.5) / scale - 0.5
    reach = math.ceil(RADIUS * spread) + 1
    taps = np.floor(centers)[:, None].astype(int) + np.arange(-reach, reach + 1)
    shares = _kernel((centers[:, None] - taps) / spread)
    shares /= shares.sum(axis=1, keepdims=True)
    used = shares.any(axis=0)
    mirrored = np.mod(taps[:, used], 2 * old)
    return np.minimum(mirrored, 2 * old - 1 - mirrored), shares[:, used]


def _kernel(x: Array) -> Array:
    """Return Keys' cubic convolution kernel (1981, eq. 4)."""
    x, a = np.abs(x), SHARPNESS
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < RADIUS, far, 0.0))


def _block(taps: Array, shares: Array, kind: np.dtype[np.floating]) -> _Block:
    first, stop = int(taps.min()), int(taps.max()) + 1
    dense = np.zeros((len(taps), stop - first))
    np.add.at(dense, (np.arange(len(taps))[:, None], taps - first), shares)  # mirrored pixels count more than once
    return _Block(first, stop, dense.astype(kind))


def _resized(planes: Array, rows: _Block, columns: tuple[_Block, ...]) -> Array:
    """Return a block of new rows, (C, rows, new W), of the old rows that it needs, (C, old rows, W)."""
    numbers = planes.astype(rows.shares.dtype)
    tiles = []
    for block in columns:
        down = np.matmul(rows.shares, numbers[..., block.first : block.stop])
        tiles.append(np.matmul(down.reshape(-1, down.shape[2]), block.shares.T))
    return np.concatenate(tiles, axis=1).reshape(len(planes), len(rows.shares), -1)


def _rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return values cut off and rounded to a type, halves up."""
    return np.clip(np.floor(values + 0.5), 0, np.iinfo(dtype).max).astype(dtype)
