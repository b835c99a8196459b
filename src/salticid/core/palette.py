"""Colors for classes: as many as asked for, always the same, apart for readers with any usual sight.

The first seven are those of Okabe and Ito (2008), in another order. Every further one is, of a grid of colors, the one
that stands farthest from all before it: in CIELAB, as people see it who have three kinds of cones, and as those see it
who lack the red or the green one (about one man in twelve has them or lacks most of them).
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array
from salticid.errors import InputError

OKABE_ITO = (
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermillion
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (204, 121, 167),  # reddish purple
    (230, 159, 0),  # orange
)

GRID_LEVELS = 9  # per channel
LIGHTNESS = (25.0, 96.0)  # L* of the colors that are tried: darker ones hide what they are painted over

# What is left of linear RGB without the red or the green cones: Machado, Oliveira and Fernandes 2009, severity 1.
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))


def class_palette(count: int) -> NDArray[np.uint8]:
    """Return `count` colors, (count, 3) uint8 RGB, read-only; a longer palette begins with the shorter ones.

    Beyond several hundred the colors come again.

    Raises
    ------
    InputError
        `count` is not at least 1.
    """
    if count < 1:
        raise InputError(f"a palette needs at least 1 color, not {count}")
    return _colors(count)


def seen(colors: Array) -> NDArray[np.float32]:
    """Return how colors look, (N, 3, 3) float32: CIELAB with all cones, without red and without green ones.

    Parameters
    ----------
    colors
        (N, 3) uint8 RGB.
    """
    linear = _linear(np.asarray(colors, np.uint8))
    sights = (np.eye(3), np.array(PROTANOPIA), np.array(DEUTERANOPIA))
    return np.stack([_lab((linear @ sight.T).clip(0, 1)) for sight in sights], axis=1)


@functools.cache
def _colors(count: int) -> NDArray[np.uint8]:
    grid = _grid()
    looks, known = seen(grid), np.array(OKABE_ITO, np.uint8)
    distance = np.min([_distance(looks, look) for look in seen(known)], axis=0)
    chosen = list(known)
    for _ in range(min(count - len(known), len(grid))):
        best = int(distance.argmax())
        chosen.append(grid[best])
        distance = np.minimum(distance, _distance(looks, looks[best]))
    colors = np.array(chosen, np.uint8)[np.arange(count) % len(chosen)]
    colors.flags.writeable = False
    return colors


def _grid() -> NDArray[np.uint8]:
    levels = np.linspace(0, 255, GRID_LEVELS).round()
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.uint8)
    lightness = seen(grid)[:, 0, 0]
    return grid[(lightness >= LIGHTNESS[0]) & (lightness <= LIGHTNESS[1])]


def _distance(looks: Array, look: Array) -> Array:
    """Return the distance of each color to one, (N,): that of the sight which tells them apart least."""
    return np.asarray(np.linalg.norm(looks - look, axis=-1).min(axis=-1))


def _linear(colors: NDArray[np.uint8]) -> Array:
    """Undo the gamma of sRGB (IEC 61966-2-1)."""
    value = colors / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: Array) -> NDArray[np.float32]:
    lab = cv2.cvtColor(linear.astype(np.float32)[None], cv2.COLOR_LRGB2Lab)
    return np.asarray(lab[0], np.float32)
