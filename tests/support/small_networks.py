"""Small networks in whole numbers, and their arithmetic once more, one product at a time in Python's own numbers."""

from __future__ import annotations

import numpy as np

from salticid.engine.integer import FloatLayer, IntegerLayer, quantize
from salticid.engine.patches import PatchNetwork, Tap


def integer_layer(random, shape, *, relu, shift=6, stride=1, padding=0):
    weights = random.integers(-127, 128, shape).astype(np.int8)
    bias = random.integers(-(1 << 12), 1 << 12, shape[0]).astype(np.int32)
    shifts = np.full(shape[0], shift) if relu else random.integers(0, 12, shape[0])
    return IntegerLayer(weights, bias, shifts.astype(np.int32), np.ones(shape[0]), relu, stride, padding)


def float_layer(random, shape, *, relu, **geometry):
    inputs = int(np.prod(shape[1:]))
    return FloatLayer(random.normal(size=shape) / inputs**0.5, random.normal(size=shape[0]) / 5, relu, **geometry)


def dense_network(sizes, seed=0):
    """Return a quantized network of dense layers."""
    random = np.random.default_rng(seed)
    layers = [float_layer(random, (sizes[k + 1], sizes[k]), relu=k < len(sizes) - 2) for k in range(len(sizes) - 1)]
    return quantize(layers, random.integers(0, 128, (300, sizes[0])), input_scale=1 / 64, input_zero=64)


def refinement_network():
    """Return a network of patches with the taps of the refinement of disparities, and random weights."""
    own = [Tap(plane, 0, 0, 0, 2) for plane in (1, 2, 3, 5)]
    around = [Tap(0, dy, dx, 0, 1) for dy in range(-6, 7, 3) for dx in range(-6, 7, 3) if (dy, dx) != (0, 0)]
    places = [(dy, dx) for dy in (-4, 0, 4) for dx in (-4, 0, 4)] + [(0, -8), (0, 8), (-8, 0), (8, 0)]
    confidence = [Tap(4, dy, dx, None, 0) for dy, dx in places]
    gray = [Tap(5, dy, dx, 5, 1) for dy in (-2, 0, 2) for dx in (-2, 0, 2) if (dy, dx) != (0, 0)]
    names = ("rows", "filled", "near", "far", "confidence", "gray")
    return PatchNetwork(names, (*own, *around, *confidence, *gray), dense_network([49, 32, 16, 4]))


def plain_patch_network():
    """Return a network of patches that looks at 7x7 values of one map, relative to the one in the middle."""
    taps = tuple(Tap(0, dy, dx, 0, 0) for dy in range(-3, 4) for dx in range(-3, 4))
    return PatchNetwork(("disparity",), taps, dense_network([49, 32, 16, 1], seed=1))


def scalar_layer(layer, values, shape, around):
    """Evaluate a layer one product at a time, in Python's whole numbers, which have no end."""
    first, last = (0, 127) if layer.relu else (-32768, 32767)

    def finish(total, unit):
        return max(first, min(last, total >> int(layer.shift[unit])))

    if layer.weights.ndim == 2:
        return [
            finish(sum((int(w) * v for w, v in zip(row, values, strict=True)), int(layer.bias[unit])), unit)
            for unit, row in enumerate(layer.weights)
        ], (len(layer.weights),)
    channels, height, width = shape
    outputs, _, rows, columns = layer.weights.shape
    sizes = [(n + 2 * layer.padding - k) // layer.stride + 1 for n, k in ((height, rows), (width, columns))]
    found = []
    for unit in range(outputs):
        for top in range(sizes[0]):
            for left in range(sizes[1]):
                total = int(layer.bias[unit])
                for channel, row, column in np.ndindex(channels, rows, columns):
                    y, x = top * layer.stride - layer.padding + row, left * layer.stride - layer.padding + column
                    inside = 0 <= y < height and 0 <= x < width
                    value = values[(channel * height + y) * width + x] if inside else around
                    total += int(layer.weights[unit, channel, row, column]) * value
                found.append(finish(total, unit))
    return found, (outputs, *sizes)


def scalar_network(network, one):
    values, shape, around = [int(value) for value in one.ravel()], network.input_shape, network.input_zero
    for layer in network.layers:
        values, shape = scalar_layer(layer, values, shape, around)
        around = 0
    return np.reshape(values, shape)


def image_network(*, ends_with_dense=True):
    """Return a network of convolutions with padding and strides on images of two channels."""
    random = np.random.default_rng(2)
    layers = [float_layer(random, (6, 2, 3, 3), relu=True, padding=1)]
    layers.append(float_layer(random, (5, 6, 2, 3), relu=ends_with_dense, stride=2, padding=1))
    if ends_with_dense:
        layers.append(float_layer(random, (3, 5 * 4 * 3), relu=False))
    return quantize(layers, random.integers(0, 128, (60, 2, 7, 6)), input_scale=1 / 64, input_zero=40)
