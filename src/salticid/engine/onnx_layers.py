"""Write a small network as ONNX, and check it against numpy before the file is there.

export_onnx(layers, (49,), "refine.onnx")
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from salticid.core import atomic
from salticid.core.types import Array
from salticid.engine import packages
from salticid.engine.integer import FloatLayer, output_shape, real_layer
from salticid.engine.session import Session
from salticid.errors import InputError, IntegrityError

OPSET, IR_VERSION = 17, 9  # what runtimes have understood since 2022
CHECKED_INPUTS = 256
MOST_DIFFERENCE = 1e-4  # of the largest output: float32 sums in another order


def export_onnx(
    layers: Sequence[FloatLayer],
    input_shape: tuple[int, ...],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> float:
    """Write `layers` as an ONNX model and return how far its outputs are from those of numpy, at most.

    The input is called "input", (N, *input_shape) float32, the output "output".

    Parameters
    ----------
    layers
        Dense layers and convolutions, convolutions first.
    input_shape
        (inputs,) or (channels, height, width).
    path
        Where to; the file appears only when the outputs agree.
    overwrite
        Replace a file that exists.

    Raises
    ------
    InputError
        The layers do not fit each other or the input.
    MissingError
        The package onnx is not installed.
    IntegrityError
        onnxruntime makes other outputs of random inputs than numpy does.
    """
    atomic.check_target(path, overwrite=overwrite)
    data = _model(layers, input_shape)
    difference = _difference(layers, input_shape, data)
    atomic.write_bytes(path, data, overwrite=overwrite)
    return difference


def real_outputs(layers: Sequence[FloatLayer], inputs: Array) -> Array:
    """Return what the network makes of (N, *input_shape) real inputs, (N, *shape of the last layer) float64."""
    values = inputs.astype(np.float64)
    for layer in layers:
        values = real_layer(layer, values)
        if layer.relu:
            values = np.maximum(values, 0)
    return values


def _model(layers: Sequence[FloatLayer], input_shape: tuple[int, ...]) -> bytes:
    onnx = packages.onnx()
    if not layers:
        raise InputError("a network has at least one layer")
    shapes = [input_shape]
    for number, layer in enumerate(layers):
        shapes.append(output_shape(layer, shapes[-1], number))
    steps = [step for number, layer in enumerate(layers) for step in _steps(layer, shapes[number], number)]
    names = ["input", *(f"{operator.lower()}{place}" for place, (operator, _, _) in enumerate(steps[:-1])), "output"]
    nodes = [
        onnx.helper.make_node(operator, [names[place], *tensors], [names[place + 1]], **attributes)
        for place, (operator, tensors, attributes) in enumerate(steps)
    ]
    tensors = [
        onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float32), f"{kind}{number}")
        for number, layer in enumerate(layers)
        for kind, values in (("weights", layer.weights), ("bias", layer.bias))
    ]
    first, last = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *shape])
        for name, shape in (("input", shapes[0]), ("output", shapes[-1]))
    )
    graph = onnx.helper.make_graph(nodes, "network", [first], [last], tensors)
    opset = [onnx.helper.make_opsetid("", OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="salticid")
    data: bytes = model.SerializeToString()
    return data


def _steps(
    layer: FloatLayer, shape: tuple[int, ...], number: int
) -> Iterator[tuple[str, list[str], dict[str, int | list[int]]]]:
    """Yield the operators of a layer, with the tensors and attributes that each has."""
    tensors = [f"weights{number}", f"bias{number}"]
    if layer.weights.ndim == 4:
        yield "Conv", tensors, {"strides": [layer.stride] * 2, "pads": [layer.padding] * 4}
    else:
        if len(shape) > 1:
            yield "Flatten", [], {}
        yield "Gemm", tensors, {"transB": 1}
    if layer.relu:
        yield "Relu", [], {}


def _difference(layers: Sequence[FloatLayer], input_shape: tuple[int, ...], data: bytes) -> float:
    """Return the largest difference of an output; raise `IntegrityError` when it is not one of rounding."""
    inputs = np.random.default_rng(0).normal(size=(CHECKED_INPUTS, *input_shape)).astype(np.float32)
    expected = real_outputs(layers, inputs)
    found = Session(data, engine="onnxruntime", threads=1).run({"input": inputs})["output"]
    difference = float(np.abs(found - expected).max())
    if not difference <= MOST_DIFFERENCE * max(1.0, float(np.abs(expected).max())):
        raise IntegrityError(f"onnxruntime's outputs differ from numpy's by {difference:g}: nothing was written")
    return difference
