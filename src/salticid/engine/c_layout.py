"""How the numbers of a network lie in the flash of a microcontroller: words of 32 bits that one instruction reads.

Four units of a layer are summed up together. For every pair of activations come

    16 bits wide   four words, one for each unit, with its weights for the two activations
    8 bits wide    two words for two units each: a half word is `256 * a + b`, the weights of both for one activation

Multiplied as it is, `256 * a + b` gives the sums of two units at once; the sum of `b` alone is then what has to be
taken away. That needs sums that fit 32 bits when they are 257 times as large; a layer whose sums do not is stored wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array
from salticid.engine.integer import IntegerLayer

WeightKind = Literal["int8", "int16"]

TOGETHER = 4  # units that are summed up together
MOST_UNROLLED = 6  # pairs of activations that are taken without a jump
LEAST_ROUNDS = 3  # of a loop: compilers write out shorter ones
MOST_NARROW_SUM = ((1 << 31) - 1) // 257


@dataclass(frozen=True, slots=True, eq=False)
class PackedLayer:
    """A layer as its C reads it; units and inputs are filled up with zeros."""

    layer: IntegerLayer
    wide: bool  # 16 bits for a weight
    weights: NDArray[np.uint32]
    start: NDArray[np.int32]  # (units filled up,) what the sums start from
    pairs: int  # of activations that come in
    unroll: int

    @property
    def units(self) -> int:
        """Outputs of the layer; for a convolution, of one pixel."""
        return len(self.layer.weights)

    @property
    def inputs(self) -> int:
        """Activations that one output is made of."""
        return self.layer.macs // self.units

    @property
    def bytes(self) -> int:
        """Bytes of the weights, the biases, and the shifts of outputs."""
        return self.weights.nbytes + self.start.nbytes + (0 if self.layer.relu else self.units)


def packed(layer: IntegerLayer, weights: WeightKind) -> PackedLayer:
    """Return `layer` as it is stored: 8 bits wide where that was asked for and its sums allow it."""
    flat = layer.weights.reshape(len(layer.weights), -1)
    pairs = _pairs(flat.shape[1])
    units = -(-len(flat) // TOGETHER) * TOGETHER
    matrix = np.zeros((units, 2 * pairs), np.int32)
    matrix[: len(flat), : flat.shape[1]] = flat
    start = np.zeros(units, np.int32)
    start[: len(flat)] = layer.bias
    if weights == "int16" or layer.largest_sum() > MOST_NARROW_SUM:
        return PackedLayer(layer, True, _interleaved(matrix, TOGETHER), start, pairs, _unroll(pairs))
    start[::2] = 256 * start[::2] + start[1::2]
    narrow = 256 * matrix[::2] + matrix[1::2]
    return PackedLayer(layer, False, _interleaved(narrow, TOGETHER // 2), start, pairs, _unroll(pairs))


def _pairs(inputs: int) -> int:
    """Return how many pairs hold the inputs; one more where that makes a loop with fewer rounds, and is worth it.

    One more than an odd number: that many are written by the layer before, whose units are filled up by fours.
    """
    pairs = -(-inputs // 2)
    return pairs + 1 if pairs % 2 and _instructions(pairs + 1) < _instructions(pairs) else pairs


def _instructions(pairs: int) -> int:
    """Return about what a Cortex-M4 needs for four units."""
    return 8 * pairs + 3 * (pairs // _unroll(pairs))


def _unroll(pairs: int) -> int:
    most = min(MOST_UNROLLED, max(pairs // LEAST_ROUNDS, 1))
    return max(number for number in range(1, most + 1) if pairs % number == 0)


def _interleaved(halves: Array, rows: int) -> NDArray[np.uint32]:
    """Put `rows` rows of half words beside each other, a word of two neighbors at a time."""
    words = (halves[:, ::2] & 0xFFFF | (halves[:, 1::2] & 0xFFFF) << 16).astype(np.uint32)
    ordered: NDArray[np.uint32] = words.reshape(-1, rows, words.shape[1]).transpose(0, 2, 1).ravel()
    return ordered
