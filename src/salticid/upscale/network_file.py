"""A file that enlarges: what it says of itself, and its whole numbers for the native kernel.

What such a file takes is `image` (N, 3, H, W) RGB, uint8 or float32 of 0 to 1, and what it gives `large`, the same so
many times as large. Its metadata tell the shape of the network, which tells the scale and how far it sees.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np

from salticid.core.types import Array
from salticid.engine import onnx_file
from salticid.errors import InputError
from salticid.upscale.integer_net import IntegerLayer, IntegerNet
from salticid.upscale.shape import REPEATS, Shape

IMAGE, LARGE = "image", "large"
TASK_KEY, SHAPE_KEY = "salticid.task", "salticid.shape"
TASK = "upscale"
WEIGHTS, BIAS = "layer{}/weights", "layer{}/bias"  # names of constants; their scales end in /scales


def read_shape(path: Path) -> Shape:
    """Return the shape of the network in an ONNX file.

    Raises
    ------
    InputError
        The file cannot be read, or is made for something else.
    """
    told = onnx_file.metadata(path, str(path))
    if told.get(TASK_KEY) != TASK or SHAPE_KEY not in told:
        raise InputError(f"{path} does not say that it enlarges images: give a file of 'salticid train upscale'")
    try:
        facts = json.loads(told[SHAPE_KEY])
        return Shape(facts["layers"], facts["channels"], facts["scale"])
    except (ValueError, KeyError, TypeError) as problem:
        raise InputError(f"{path} says {SHAPE_KEY} = {told[SHAPE_KEY]!r}, which is no shape of a network") from problem


def precision_of(path: Path) -> Literal["int8", "fp32"]:
    """Return in what the network of a file computes; errors are those of `read_shape`."""
    return "int8" if WEIGHTS.format(0) in onnx_file.initializers(path, str(path)) else "fp32"


def read_integer_net(path: Path) -> IntegerNet | None:
    """Return the network of a file in 8 bits as whole numbers; None where the file computes in floating point."""
    shape, raw = read_shape(path), onnx_file.initializers(path, str(path))
    if WEIGHTS.format(0) not in raw:
        return None
    layers = tuple(_layer(raw, number, *sides, path) for number, sides in enumerate(shape.widths()))
    return IntegerNet(layers, shape.scale, REPEATS)


def read_float_weights(path: Path) -> dict[str, Array]:
    """Return kernels (outputs, inputs, 3, 3) and biases (outputs,) of a file in floating point, named as in PlainNet.

    Raises
    ------
    InputError
        The file cannot be read, is made for something else, or computes in 8 bits.
    """
    if precision_of(path) == "int8":
        raise InputError(f"{path} computes in 8 bits: give the file in floating point that belongs to it")
    shape, raw = read_shape(path), onnx_file.initializers(path, str(path))
    names = [*(f"body.{number}" for number in range(shape.layers + 1)), "last"]
    found: dict[str, Array] = {}
    for name, (inputs, outputs) in zip(names, shape.widths(), strict=True):
        kernel = _numbers(raw, f"{name}.weight_half", "<f2", (outputs, inputs, 3, 3), path)
        found[f"{name}.weight"] = kernel.astype(np.float32)
        found[f"{name}.bias"] = _numbers(raw, f"{name}.bias", "<f4", (outputs,), path).astype(np.float32)
    return found


def _layer(raw: dict[str, bytes], number: int, inputs: int, outputs: int, path: Path) -> IntegerLayer:
    weights, bias = WEIGHTS.format(number), BIAS.format(number)
    return IntegerLayer(
        weights=_numbers(raw, weights, "<i1", (outputs, inputs, 3, 3), path),
        bias=_numbers(raw, bias, "<i4", (outputs,), path),
        multiplier=_numbers(raw, f"{weights}/scales", "<f4", (outputs,), path),
    )


def _numbers(raw: dict[str, bytes], name: str, kind: str, shape: tuple[int, ...], path: Path) -> Array:
    data = raw.get(name, b"")
    if len(data) != np.dtype(kind).itemsize * int(np.prod(shape)):
        raise InputError(f"{path} holds no {name} of {' x '.join(map(str, shape))}: it is damaged or of another kind")
    return np.frombuffer(data, kind).reshape(shape)
