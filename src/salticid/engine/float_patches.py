"""The network on the surroundings of every pixel as it was trained, in floating point.

It has the inputs of `patches.PatchNetwork`, whole numbers 0..127, so the two differ in the arithmetic of their layers
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array, Mask
from salticid.engine.integer import MOST_ACTIVATION, FloatLayer, output_shape, real_layer
from salticid.engine.patches import MIDDLE, Plane, Tap, check_planes, check_taps, gather
from salticid.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class FloatPatchNetwork:
    """Maps, the taps on them, and the trained layers; calling it is the readable definition."""

    planes: tuple[str, ...]  # what the maps are called
    taps: tuple[Tap, ...]
    layers: tuple[FloatLayer, ...]  # dense; every layer but the last has a ReLU
    input_scale: float  # a real input is (u7 - input_zero) * input_scale
    input_zero: int = MIDDLE

    def __post_init__(self) -> None:
        check_taps(self.taps, self.planes)
        if not self.layers or not 0 <= self.input_zero <= MOST_ACTIVATION:
            raise InputError(f"a network has at least one layer, and input_zero is 0..{MOST_ACTIVATION}")
        if not np.isfinite(self.input_scale):
            raise InputError(f"input_scale must be finite, not {self.input_scale}")
        shape: tuple[int, ...] = (len(self.taps),)
        for number, layer in enumerate(self.layers):
            if layer.weights.ndim != 2 or layer.bias.shape != layer.weights.shape[:1]:
                raise InputError(f"layer {number} must be dense, with a bias for each output")
            if layer.relu != (number < len(self.layers) - 1):
                raise InputError("every layer but the last has a ReLU, and the last has none")
            if not np.isfinite(layer.weights).all() or not np.isfinite(layer.bias).all():
                raise InputError(f"layer {number}: weights and bias must be finite")
            shape = output_shape(layer, shape, number)

    @property
    def outputs(self) -> int:
        """Numbers that come out for one pixel."""
        return len(self.layers[-1].weights)

    def __call__(self, planes: Sequence[Plane], mask: Mask | None = None) -> NDArray[np.float32]:
        """Return the network's outputs for every pixel, (H, W, outputs) float32; 0 where `mask` is False.

        Parameters
        ----------
        planes
            The maps, (H, W) int16 each, in the order of their names.
        mask
            (H, W) bool, the pixels to look at; None: all.

        Raises
        ------
        InputError
            The maps or the mask are not such arrays.
        """
        shape = check_planes(self.planes, planes, mask)
        wanted = np.ones(shape, bool) if mask is None else mask
        values: Array = (gather(self.taps, planes, wanted).astype(np.float64) - self.input_zero) * self.input_scale
        for layer in self.layers:
            values = real_layer(layer, values)
            values = np.maximum(values, 0) if layer.relu else values
        outputs = np.zeros((*shape, self.outputs), np.float32)
        outputs[wanted] = values
        return outputs
