"""Inputs for which the outputs are known: what an export is checked with, and what its self-test holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from salticid.core.types import Array, Mask
from salticid.engine.c_patch import reach
from salticid.engine.integer import MOST_ACTIVATION, IntegerNetwork
from salticid.engine.patches import PatchNetwork, Plane

SEED = 20_260_101
LEAST = 2_000  # inputs or pixels that an export is checked with
MOST_BYTES = 700_000  # of inputs and outputs, so that they fit the flash of the board
PLANE_STEP = 3  # columns between two planes, which share their memory
INSIDE = (44, 20, 4, 1)  # rows and columns whose taps do not look beyond the border: as many as memory allows
MIDDLE_SIZE = (17, 9)
MOST_OUTPUT_BYTES = 80_000  # of a picture, for the memory of the board
TEST_VECTORS = 16
MOST_TEST_BYTES = 4_096
MOST_TEST_MARGIN = 12  # px around the pixels of a self-test


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Maps that share one array, each a few columns further right, and what the network makes of them."""

    data: NDArray[np.int16]  # (H, stride)
    mask: Mask  # (H, W)
    outputs: NDArray[np.int16]  # (H, W, outputs)


def planes(data: NDArray[np.int16], count: int) -> list[Plane]:
    """Return the maps that lie in `data`."""
    width = data.shape[1] - PLANE_STEP * count
    return [data[:, k * PLANE_STEP : k * PLANE_STEP + width] for k in range(count)]


def pictures(network: PatchNetwork) -> list[Picture]:
    """Return pictures of many sizes, tiny ones first; the last has an inside."""
    random = np.random.default_rng(SEED)
    return [_picture(network, size, random, number) for number, size in enumerate(_sizes(network))]


def selftest_picture(network: PatchNetwork) -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]:
    """Return the maps of a self-test, its pixels (vectors, x and y), and what the network makes of these."""
    around = reach(network.taps)
    height, width = (
        min(sum(margins), 2 * MOST_TEST_MARGIN) + 3
        for margins in ((around.above, around.below), (around.left, around.right))
    )
    random = np.random.default_rng(SEED)
    picture = _picture(network, (height, width), random, 0)
    x, y = random.integers(0, width, TEST_VECTORS), random.integers(0, height, TEST_VECTORS)
    x[:5] = [0, width - 1, 0, width - 1, min(around.left + 1, width - 1)]
    y[:5] = [0, 0, height - 1, height - 1, min(around.above + 1, height - 1)]
    return picture.data, np.stack([x, y], axis=1).astype(np.int16), picture.outputs[y, x]


def inputs(network: IntegerNetwork) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Return inputs (N, *shape) and outputs (N, *shape): as many as are asked for, or fit the board."""
    return _with_outputs(network, LEAST, MOST_BYTES)


def selftest_inputs(network: IntegerNetwork) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Return the inputs and outputs of a self-test."""
    return _with_outputs(network, TEST_VECTORS, MOST_TEST_BYTES)


def _with_outputs(network: IntegerNetwork, most: int, most_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Return at most so many inputs and outputs, but one at least."""
    count = max(1, min(most, most_bytes // (prod(network.input_shape) + 2 * network.outputs)))
    random = np.random.default_rng(SEED)
    found = random.integers(0, MOST_ACTIVATION + 1, (count, *network.input_shape)).astype(np.uint8)
    # Random ones alone would hardly reach the ends of a sum: some lie near a value, some are nothing but extremes.
    found[1::4] = (found[1::4] >> 4) + random.integers(0, 120, (len(found[1::4]), *[1] * (found.ndim - 1)))
    found[2::4] = np.where(found[2::4] & 1, MOST_ACTIVATION, 0)
    found[3:4], found[7:8] = 0, MOST_ACTIVATION
    return found, network(found).astype(np.int16)


def _sizes(network: PatchNetwork) -> list[tuple[int, int]]:
    """Return heights and widths, of enough pixels in all."""
    around = reach(network.taps)
    height, width = around.above + around.below, around.left + around.right
    room = MOST_OUTPUT_BYTES // (2 * network.network.outputs)
    inside = next((size for size in INSIDE if (height + size) * (width + size) <= room), INSIDE[-1])
    sizes = [(1, 1), (1, 37), (23, 1), (2, 3), (around.above + 1, around.left + 1)]
    largest = (height + inside, width + inside)
    missing = LEAST - sum(rows * columns for rows, columns in (*sizes, largest))
    return [*sizes, *[MIDDLE_SIZE] * max(1, -(-missing // (MIDDLE_SIZE[0] * MIDDLE_SIZE[1]))), largest]


def _picture(network: PatchNetwork, size: tuple[int, int], random: Generator, number: int) -> Picture:
    count = len(network.planes)
    shape = (size[0], size[1] + PLANE_STEP * count)
    data = _extreme(shape, random) if number % 3 == 1 else _natural(shape, random)
    mask = random.random(size) < 0.4
    return Picture(data, mask, network(planes(data, count)))


def _natural(shape: tuple[int, int], random: Generator) -> NDArray[np.int16]:
    """Return a slope with noise, a few steps and a few wild values."""
    y, x = np.indices(shape)
    data = 3 * x + 2 * y + random.normal(0, 9, shape) + 120 * (x > shape[1] // 2)
    wild = random.random(shape) < 0.02
    return np.where(wild, random.integers(-(1 << 15), 1 << 15, shape), data).astype(np.int16)


def _extreme(shape: tuple[int, int], random: Generator) -> NDArray[np.int16]:
    """Return the values where 16 bits, or 7 bits with a shift, end."""
    ends: Array = np.array([-32768, 32767, -32767, 0, -1, 1, 63, 64, 127, 128, -64, -65, 255, 256], np.int16)
    return random.choice(ends, shape)
