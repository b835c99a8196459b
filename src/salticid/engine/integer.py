"""Small networks in whole numbers: one arithmetic that numpy, vectors and microcontrollers do alike, bit by bit.

    accumulate   acc = bias + sum of weight * activation     s8 weights, u7 activations (0..127), s32 sum
    hidden       activation = clamp(acc >> shift, 0, 127)     one shift for a layer; the clamp is its ReLU
    output       output = clamp(acc >> shift, -32768, 32767)  a shift for each output

The bias holds half of `1 << shift`, so a shift rounds. Activations end at 127 so that two products fit 16 bits, the
most that AVX2 adds up at once: 2 * 127 * 127 < 2**15.

Shifts alone suffice, where others multiply (Jacob et al. 2018, "Quantization and training of neural networks for
efficient integer-arithmetic-only inference", CVPR, eq. 5), because a ReLU lets a positive factor through: each hidden
unit may have a scale of its own, which the next layer's weights undo (Nagel et al. 2019, "Data-free quantization
through weight equalization and bias correction", ICCV, eq. 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salticid.core.types import Array
from salticid.errors import InputError

MOST_ACTIVATION = 127
MOST_WEIGHT = 127
MOST_SHIFT = 24
FIRST_OUTPUT, LAST_OUTPUT = -(1 << 15), (1 << 15) - 1

# What a unit's largest activation is taken for when the network becomes whole numbers: rarer ones are cut off.
RANGE_QUANTILE = 0.9995


@dataclass(frozen=True, slots=True, eq=False)
class FloatLayer:
    """A layer as it was trained: dense with (outputs, inputs) weights, or a convolution."""

    weights: Array  # (outputs, inputs) or (outputs, channels, height, width) float
    bias: Array  # (outputs,) float
    relu: bool
    stride: int = 1
    padding: int = 0  # of a convolution: rows and columns of zeros around its input


@dataclass(frozen=True, slots=True, eq=False)
class IntegerLayer:
    """A layer in whole numbers; what its values stand for is in `scale`."""

    weights: NDArray[np.int8]  # (outputs, inputs) or (outputs, channels, height, width), -127..127
    bias: NDArray[np.int32]  # (outputs,), with the rounding of the shift
    shift: NDArray[np.int32]  # (outputs,), 0..24; the same for all units of a hidden layer
    scale: NDArray[np.float64]  # (outputs,) what one step of each output is worth
    relu: bool
    stride: int = 1
    padding: int = 0

    @property
    def is_convolution(self) -> bool:
        """Whether the weights slide over an image."""
        return self.weights.ndim == 4

    @property
    def macs(self) -> int:
        """Products per evaluation; of a convolution, per pixel of its output."""
        return self.weights.size

    def largest_sum(self) -> int:
        """Return what no partial sum of this layer exceeds in magnitude, whatever its input and order.

        Below 2**31 for every layer of an `IntegerNetwork`: that is the proof that nothing overflows.
        """
        rows = np.abs(self.weights.reshape(len(self.weights), -1).astype(np.int64)).sum(axis=1)
        return int((np.abs(self.bias.astype(np.int64)) + MOST_ACTIVATION * rows).max())


@dataclass(frozen=True, slots=True, eq=False)
class IntegerNetwork:
    """Layers one after the other; convolutions first, then dense ones. The last has no ReLU.

    Calling it is the readable definition of the arithmetic; kernels and exported C give the same bits.
    """

    layers: tuple[IntegerLayer, ...]
    input_shape: tuple[int, ...]  # (inputs,) or (channels, height, width)
    input_scale: float  # a real input is (u7 - input_zero) * input_scale
    input_zero: int  # 0..127; what lies around an image

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError("a network has at least one layer")
        if not 0 <= self.input_zero <= MOST_ACTIVATION:
            raise InputError(f"input_zero must be 0..{MOST_ACTIVATION}, not {self.input_zero}")
        if any(layer.relu != (number < len(self.layers) - 1) for number, layer in enumerate(self.layers)):
            raise InputError("every layer but the last has a ReLU, and the last has none")
        shape = self.input_shape
        for number, layer in enumerate(self.layers):
            _check_layer(layer, number)
            shape = output_shape(layer, shape, number)

    @property
    def outputs(self) -> int:
        """Numbers that come out for one input."""
        return int(np.prod(self.shapes()[-1]))

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(layer.weights.size + layer.bias.size for layer in self.layers)

    def shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of the input and of every layer's output."""
        found = [self.input_shape]
        for number, layer in enumerate(self.layers):
            found.append(output_shape(layer, found[-1], number))
        return found

    def __call__(self, inputs: ArrayLike) -> NDArray[np.int32]:
        """Return the outputs, (N, *shape of the last layer) int32.

        Parameters
        ----------
        inputs
            (N, *input_shape), whole numbers 0..127.

        Raises
        ------
        InputError
            The inputs have another shape, or lie outside of 0..127.
        """
        values = np.asarray(inputs)
        if values.shape[1:] != self.input_shape or values.dtype.kind not in "iu":
            raise InputError(f"inputs must be (N, {self.input_shape}) whole numbers, not {values.shape} {values.dtype}")
        if values.size and (values.min() < 0 or values.max() > MOST_ACTIVATION):
            raise InputError(f"inputs must be 0..{MOST_ACTIVATION}, not {values.min()}..{values.max()}")
        around = self.input_zero
        for layer in self.layers:
            values = _apply(layer, values.astype(np.int32), around)
            around = 0
        return values

    def real_outputs(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Return the outputs in the units that the network was trained in."""
        scale = self.layers[-1].scale
        return self(inputs) * (scale[:, None, None] if self.layers[-1].is_convolution else scale)


def quantize(
    layers: Sequence[FloatLayer],
    inputs: ArrayLike,
    *,
    input_scale: float,
    input_zero: int,
    output_scale: Sequence[float | None] | None = None,
) -> IntegerNetwork:
    """Turn a trained network into whole numbers.

    Parameters
    ----------
    layers
        The network; every layer but the last has a ReLU.
    inputs
        (N, *input_shape), whole numbers 0..127 that are typical: how far activations reach is measured on them.
    input_scale, input_zero
        A real input is `(u7 - input_zero) * input_scale`.
    output_scale
        What one step of each output is to be worth; None: as fine as the weights allow.

    Raises
    ------
    InputError
        The layers do not fit each other, an output cannot be as fine as asked, or a sum could overflow.
    """
    samples = np.asarray(inputs)
    if samples.ndim < 2 or not len(samples):
        raise InputError(f"inputs must be (N, *input_shape) with N at least 1, not {samples.shape}")
    return quantize_to(
        layers,
        activation_ranges(layers, (samples.astype(np.float64) - input_zero) * input_scale),
        input_shape=samples.shape[1:],
        input_scale=input_scale,
        input_zero=input_zero,
        output_scale=output_scale,
    )


def activation_ranges(layers: Sequence[FloatLayer], inputs: Array) -> list[Array]:
    """Return for each hidden layer how far its units reach, (units,) float, on real inputs (N, *input_shape)."""
    values, ranges = inputs, []
    for number, layer in enumerate(layers[:-1]):
        output_shape(layer, values.shape[1:], number)  # raises where the layer cannot take them
        values = np.maximum(real_layer(layer, values), 0)
        units = np.moveaxis(values, 1, 0).reshape(len(layer.weights), -1)
        ranges.append(np.quantile(units, RANGE_QUANTILE, axis=1))
    return ranges


def quantize_to(
    layers: Sequence[FloatLayer],
    ranges: Sequence[Array],
    *,
    input_shape: tuple[int, ...],
    input_scale: float,
    input_zero: int,
    output_scale: Sequence[float | None] | None = None,
) -> IntegerNetwork:
    """Do what `quantize` does where the ranges of activations are known: see `activation_ranges`."""
    scale, zero, found = np.full(input_shape[0], input_scale), input_zero, []
    for number, layer in enumerate(layers):
        _check_float(layer, scale, number)
        weights = layer.weights.astype(np.float64) * _by_input(scale, layer.weights)
        if number < len(layers) - 1:
            made = _hidden(layer, weights, ranges[number], zero)
        else:
            made = _output(layer, weights, zero, output_scale or [None] * len(weights))
        found.append(made)
        scale, zero = made.scale, 0
    return IntegerNetwork(tuple(found), input_shape, input_scale, input_zero)


def real_layer(layer: FloatLayer, values: Array) -> Array:
    """Return the layer's sums for (N, ...) real inputs, before its ReLU."""
    if layer.weights.ndim == 2:
        return values.reshape(len(values), layer.weights.shape[1]) @ layer.weights.T.astype(np.float64) + layer.bias
    return _convolve(values, layer.weights.astype(np.float64), layer.stride, layer.padding, 0) + _over_pixels(
        layer.bias
    )


def output_shape(layer: IntegerLayer | FloatLayer, shape: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Return the shape that layer `number` makes of an input of `shape`; InputError where it cannot take it."""
    if layer.weights.ndim == 2:
        if int(np.prod(shape)) != layer.weights.shape[1]:
            raise InputError(f"layer {number} takes {layer.weights.shape[1]} inputs, not {shape}")
        return (len(layer.weights),)
    outputs, channels, *kernel = layer.weights.shape
    if len(shape) != 3 or shape[0] != channels:
        raise InputError(f"layer {number} is a convolution of {channels} channels, its input is {shape}")
    sizes = [(length + 2 * layer.padding - k) // layer.stride + 1 for length, k in zip(shape[1:], kernel, strict=True)]
    if min(sizes) < 1:
        raise InputError(f"layer {number} has a window of {kernel[0]}x{kernel[1]}, larger than its input {shape}")
    return (outputs, *sizes)


def _hidden(layer: FloatLayer, weights: Array, ranges: Array, zero: int) -> IntegerLayer:
    """Give each unit the finest scale that neither its weights nor its activations outgrow, with one shift for all."""
    reach = np.maximum(ranges, 1e-9) / MOST_ACTIVATION
    finest = np.maximum(_largest(weights) / MOST_WEIGHT, 1e-12)
    shift = int(np.clip(np.rint(np.median(np.log2(reach / finest))), 0, MOST_SHIFT))
    step = np.maximum(finest, reach / (1 << shift))  # what one step of the sum is worth
    return _rounded(layer, weights, step, np.full(len(weights), shift), zero)


def _output(layer: FloatLayer, weights: Array, zero: int, asked: Sequence[float | None]) -> IntegerLayer:
    finest = np.maximum(_largest(weights) / MOST_WEIGHT, 1e-12)
    largest = (np.abs(weights.reshape(len(weights), -1)).sum(axis=1) * MOST_ACTIVATION + np.abs(layer.bias)) / finest
    fits = np.maximum(np.ceil(np.log2(largest / LAST_OUTPUT)), 0).astype(int)  # the largest sum is then 16 bits long
    scales = [finest[k] * (1 << fits[k]) if asked[k] is None else float(asked[k] or 0) for k in range(len(weights))]
    shift = np.floor(np.log2(scales / finest) + 1e-9).astype(int)
    if shift.min() < 0:
        k = int(shift.argmin())
        raise InputError(
            f"output {k} cannot have steps of {scales[k]:g}: its weights allow {finest[k]:g} at the finest"
        )
    shift = np.minimum(shift, MOST_SHIFT)
    return _rounded(layer, weights, np.asarray(scales) / (1 << shift), shift, zero)


def _rounded(layer: FloatLayer, weights: Array, step: Array, shift: Array, zero: int) -> IntegerLayer:
    whole = np.rint(weights / _by_output(step, weights)).clip(-MOST_WEIGHT, MOST_WEIGHT).astype(np.int8)
    offset = zero * whole.reshape(len(whole), -1).astype(np.int64).sum(axis=1)
    half = (1 << shift) >> 1
    bias = np.rint(layer.bias / step) - offset + half
    if np.abs(bias).max() > np.iinfo(np.int32).max:
        raise InputError("a bias is too large beside its weights: it does not fit 32 bits")
    return IntegerLayer(
        whole,
        bias.astype(np.int32),
        shift.astype(np.int32),
        step * (1 << shift),
        layer.relu,
        layer.stride,
        layer.padding,
    )


def _apply(layer: IntegerLayer, values: NDArray[np.int32], around: int) -> NDArray[np.int32]:
    weights = layer.weights.astype(np.int32)
    if layer.is_convolution:
        sums = _convolve(values, weights, layer.stride, layer.padding, around) + _over_pixels(layer.bias)
        shifted = sums >> _over_pixels(layer.shift)
    else:
        shifted = (values.reshape(len(values), weights.shape[1]) @ weights.T + layer.bias) >> layer.shift
    first, last = (0, MOST_ACTIVATION) if layer.relu else (FIRST_OUTPUT, LAST_OUTPUT)
    clamped: NDArray[np.int32] = np.clip(shifted, first, last)
    return clamped


def _convolve(values: Array, weights: Array, stride: int, padding: int, around: int) -> Array:
    """Correlate (N, channels, H, W) with (outputs, channels, height, width), as networks do."""
    margins = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    padded = np.pad(values, margins, constant_values=around)
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2:], axis=(2, 3))
    sums = np.tensordot(windows[:, :, ::stride, ::stride], weights, ((1, 4, 5), (1, 2, 3)))
    moved: Array = np.moveaxis(sums, 3, 1)
    return moved


def _check_layer(layer: IntegerLayer, number: int) -> None:
    outputs = len(layer.weights)
    if layer.weights.dtype != np.int8 or layer.weights.ndim not in (2, 4) or layer.weights.size == 0:
        raise InputError(f"layer {number}: weights must be int8, of 2 or 4 dimensions, not {layer.weights.shape}")
    if layer.weights.min() < -MOST_WEIGHT:
        raise InputError(f"layer {number}: weights must be {-MOST_WEIGHT}..{MOST_WEIGHT}")
    if layer.bias.shape != (outputs,) or layer.shift.shape != (outputs,) or layer.bias.dtype != np.int32:
        raise InputError(f"layer {number}: a bias (int32) and a shift for each of its {outputs} outputs")
    if layer.shift.min() < 0 or layer.shift.max() > MOST_SHIFT:
        raise InputError(f"layer {number}: shifts must be 0..{MOST_SHIFT}")
    if layer.relu and layer.shift.min() != layer.shift.max():
        raise InputError(f"layer {number}: a hidden layer has one shift")
    if layer.largest_sum() > np.iinfo(np.int32).max:
        raise InputError(f"layer {number}: a sum could reach {layer.largest_sum()}, which 32 bits do not hold")


def _check_float(layer: FloatLayer, scale: Array, number: int) -> None:
    if layer.weights.ndim not in (2, 4):
        raise InputError(f"layer {number}: weights must have 2 or 4 dimensions, not {layer.weights.shape}")
    if not np.isfinite(layer.weights).all() or not np.isfinite(layer.bias).all():
        raise InputError(f"layer {number}: weights and bias must be finite")
    if layer.weights.shape[1] % len(scale):
        raise InputError(f"layer {number} takes {layer.weights.shape[1]} inputs, not a multiple of {len(scale)}")


def _by_input(scale: Array, weights: Array) -> Array:
    """Return the scale of each weight's input; a dense layer may take the pixels of several channels, one by one."""
    if weights.ndim == 2:
        return np.repeat(scale, weights.shape[1] // len(scale))
    return scale[:, None, None]


def _by_output(step: Array, weights: Array) -> Array:
    return step.reshape(-1, *[1] * (weights.ndim - 1))


def _over_pixels(values: Array) -> Array:
    return values[:, None, None]


def _largest(weights: Array) -> Array:
    largest: Array = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    return largest
