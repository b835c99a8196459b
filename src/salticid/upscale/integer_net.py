"""A network of plain 3x3 convolutions in 8 bits: the same result, bit by bit, from every engine and every CPU.

    large = enlarge(net, image, threads=2)        # the kernel; native/plain_net.h says how it goes about it
    large = enlarge_reference(net, image)         # the definition, in numpy

Every number between two layers is a uint8 and stands for itself / 255, the image and the result included. A layer is

    acc = bias[o] + sum over y, x and i of weights[o, i, y, x] * inputs[.., i]      whole numbers; 0 outside the image
    output = clip(round(float32(acc) * multiplier[o]), 0, 255)                      of two as near, the even one

The last layer takes the features and after them `repeats` copies of the image, and makes 3 * scale² channels, which are
shuffled to the large image (Shi et al. 2016).

Two things keep the result free of the order of sums and of the instructions that CPUs have. Sums stay below 2^24, so
that float32 holds them exactly. And where products are added up in 16 bits, which would cut off what is larger, weights
are so small that it is never larger; who makes a network sees to that, and `IntegerNet` checks it:

- AVX2 adds two neighboring products, and the kernel two such sums: `LARGEST_SUM` holds for those four weights.
- onnxruntime adds two neighboring products, without the zeros that pad our channels: it holds for those two.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salticid.core import native
from salticid.core.out import check_out
from salticid.core.types import Array, Image
from salticid.errors import InputError
from salticid.upscale.shape import COLORS

LARGEST_SUM = 128  # of weights of one sign, whose products are added up in 16 bits: 255 * 128 < 2^15
MOST_ACC = (1 << 24) - 1
MOST_MULTIPLIER = 64.0
MOST_CHANNELS, MOST_LAYERS, MOST_SCALE = 1024, 64, 8
STEP = 4  # weights that are multiplied at once
NETS_KEPT = 4  # packed for their kernel

Features = NDArray[np.uint8]  # (H, W, channels)


@dataclass(frozen=True, slots=True, eq=False)
class IntegerLayer:
    """A convolution in whole numbers; its arrays are not to be changed any more."""

    weights: NDArray[np.int8]  # (O, I, 3, 3)
    bias: NDArray[np.int32]  # (O,)
    multiplier: NDArray[np.float32]  # (O,) 0..64


@dataclass(frozen=True, slots=True, eq=False)
class IntegerNet:
    """Layers that fit each other, one after another, and keep the rules above; `InputError` where they do not."""

    layers: tuple[IntegerLayer, ...]
    scale: int  # how many times as large the image becomes, 1..8
    repeats: int  # copies of the image that the last layer takes beside the features

    def __post_init__(self) -> None:
        if not 2 <= len(self.layers) <= MOST_LAYERS or not 1 <= self.scale <= MOST_SCALE or self.repeats < 0:
            raise InputError(
                f"a network has 2 to {MOST_LAYERS} layers, a scale of 1 to {MOST_SCALE} and at least 0 copies of the "
                f"image, not {len(self.layers)}, {self.scale} and {self.repeats}"
            )
        channels = COLORS
        for number, layer in enumerate(self.layers, start=1):
            last = number == len(self.layers)
            channels += self.repeats * COLORS if last else 0
            _check_arrays(number, layer, channels, COLORS * self.scale**2 if last else None)
            _check_sums(number, layer)
            channels = len(layer.weights)


def enlarge(
    net: IntegerNet,
    image: Image,
    *,
    threads: int = 1,
    instruction_set: str | None = None,
    out: Image | None = None,
) -> Image:
    """Return the image that the network makes of an image, `scale` times as large.

    Parameters
    ----------
    net
        The network. It is packed for the kernel the first time, and the last few networks stay packed.
    image
        (H, W, 3) uint8, of any strides, at least 1x1.
    threads
        Threads to work with. The result does not depend on it.
    instruction_set
        One of `salticid.core.native.instruction_sets()`, or None for the best. The result is the same for all, and the
        same as `enlarge_reference` gives, which is used where no kernels were built.
    out
        (scale H, scale W, 3) uint8 for the result, apart from `image` in memory; a new array when None.

    Returns
    -------
    NDArray[np.uint8]
        (scale H, scale W, 3).

    Raises
    ------
    InputError
        `image` or `out` is no such array, or an option has a value that is not allowed.
    MissingError
        `instruction_set` names one that this machine does not run.
    """
    size = _large_size(net, image)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, not {threads!r}")
    check_out(out, size, "result")
    chosen = native.choose(instruction_set)
    if chosen is None:
        return _into(out, enlarge_reference(net, image))
    source = image if _has_plain_rows(image) else np.ascontiguousarray(image)
    reuse = out is not None and _has_plain_rows(out) and not np.may_share_memory(out, source)
    large = out if out is not None and reuse else np.empty(size, np.uint8)
    _packed(net, chosen).enlarge(source, large, threads)
    return _into(out, large)


def enlarge_reference(net: IntegerNet, image: Image) -> Image:
    """Return what `enlarge` returns, computed with numpy, one layer after another."""
    _large_size(net, image)
    features: Features = image
    for layer in net.layers[:-1]:
        features = _convolved(layer, features)
    small = _convolved(net.layers[-1], np.concatenate([features, *[image] * net.repeats], axis=2))
    height, width, _ = image.shape
    shares = small.reshape(height, width, COLORS, net.scale, net.scale)
    return shares.transpose(0, 3, 1, 4, 2).reshape(height * net.scale, width * net.scale, COLORS)


def _convolved(layer: IntegerLayer, inputs: Features) -> Features:
    height, width, _ = inputs.shape
    padded = np.pad(inputs, ((1, 1), (1, 1), (0, 0))).astype(np.float32)
    weights = layer.weights.transpose(2, 3, 1, 0).astype(np.float32)
    acc = np.broadcast_to(layer.bias.astype(np.float32), (height, width, len(layer.bias)))
    for y, x in np.ndindex(3, 3):  # sums below 2^24 are exact in float32, in whichever order
        acc = acc + padded[y : y + height, x : x + width] @ weights[y, x]
    outputs: Features = np.clip(np.rint(acc * layer.multiplier), 0, 255).astype(np.uint8)
    return outputs


@functools.lru_cache(maxsize=NETS_KEPT)
def _packed(net: IntegerNet, instruction_set: str) -> Any:
    kernels: Any = native.load()
    layers = [tuple(map(np.ascontiguousarray, (layer.weights, layer.bias, layer.multiplier))) for layer in net.layers]
    return kernels.PlainNet(layers, net.scale, net.repeats, instruction_set)


def _check_arrays(number: int, layer: IntegerLayer, inputs: int, outputs: int | None) -> None:
    weights, bias, multiplier = layer.weights, layer.bias, layer.multiplier
    made = len(weights) if outputs is None and weights.ndim > 0 else outputs
    dtypes = [str(array.dtype) for array in (weights, bias, multiplier)]
    if dtypes != ["int8", "int32", "float32"]:
        raise InputError(
            f"layer {number} must have int8 weights, an int32 bias and a float32 multiplier, not {', '.join(dtypes)}"
        )
    if weights.shape != (made, inputs, 3, 3) or bias.shape != (made,) or multiplier.shape != (made,):
        raise InputError(
            f"layer {number} must have weights ({made}, {inputs}, 3, 3), a bias ({made},) and a multiplier ({made},), "
            f"not {weights.shape}, {bias.shape} and {multiplier.shape}"
        )
    if not 1 <= len(weights) <= MOST_CHANNELS:
        raise InputError(f"layer {number} has {len(weights)} channels: give it 1 to {MOST_CHANNELS}")


def _check_sums(number: int, layer: IntegerLayer) -> None:
    """Raise InputError where a sum might not be what it should be."""
    if not ((layer.multiplier >= 0) & (layer.multiplier <= MOST_MULTIPLIER)).all():
        raise InputError(f"the multipliers of layer {number} must be 0 to {MOST_MULTIPLIER:g}, not {layer.multiplier}")
    wide = layer.weights.astype(np.int64).reshape(len(layer.weights), -1)
    largest = int((255 * np.abs(wide).sum(axis=1) + np.abs(layer.bias.astype(np.int64))).max())
    if largest > MOST_ACC:
        raise InputError(
            f"a sum of layer {number} can reach {largest}, but float32 holds whole numbers below 2^24 only"
        )
    for what, added in (("two neighbors", neighbors(layer.weights)), ("two steps", pairs_of_steps(layer.weights))):
        positive, negative = largest_sums(added)
        if max(positive, negative) > LARGEST_SUM:
            raise InputError(
                f"layer {number} has weights of {what} of one sign that add up to {max(positive, negative)}, but the "
                f"products of more than {LARGEST_SUM} do not fit 16 bits: quantize the network with smaller ones"
            )


def neighbors(weights: Array) -> Array:
    """Return (O, ..., 2): the weights (O, I, 3, 3) of each two inputs in the order of rows, columns and channels."""
    ordered = _in_order(weights).reshape(len(weights), -1)
    return np.pad(ordered, ((0, 0), (0, ordered.shape[1] % 2))).reshape(len(weights), -1, 2)


def pairs_of_steps(weights: Array) -> Array:
    """Return (O, ..., 2, 4): what the kernel adds up in 16 bits of the weights (O, I, 3, 3), at each two places."""
    ordered = _in_order(weights)
    padded = np.pad(ordered, ((0, 0), (0, 0), (0, 0), (0, -ordered.shape[3] % STEP))).reshape(len(weights), -1, STEP)
    steps = np.pad(padded, ((0, 0), (0, padded.shape[1] % 2), (0, 0))).reshape(len(weights), -1, 2, 2, 2)
    return steps.transpose(0, 1, 3, 2, 4).reshape(len(weights), -1, 2, STEP)


def largest_sums(added: Array) -> tuple[int, int]:
    """Return how much the positive and the negative weights along the last axis add up to at most."""
    wide = added.astype(np.int32)
    return int(np.maximum(wide, 0).sum(axis=-1).max()), int(np.maximum(-wide, 0).sum(axis=-1).max())


def _in_order(weights: Array) -> Array:
    return weights.transpose(0, 2, 3, 1)


def _large_size(net: IntegerNet, image: Image) -> tuple[int, int, int]:
    given = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != COLORS:
        raise InputError(f"image must be a uint8 array (H, W, {COLORS}), not {given}")
    if image.size == 0:
        raise InputError(f"image is {given}: it has no pixels")
    return image.shape[0] * net.scale, image.shape[1] * net.scale, COLORS


def _has_plain_rows(image: Image) -> bool:
    """Return whether the kernels can read the array as it is: rows of pixels side by side."""
    return image.strides[1:] == (COLORS, 1)


def _into(out: Image | None, large: Image) -> Image:
    if out is None:
        return large
    if out is not large:
        out[...] = large
    return out
