"""Read a small ONNX model as layers: a chain of dense layers and convolutions with ReLU between them.

    layers, input_shape = read_onnx("my.onnx")

Whatever else a model has is refused, with the name of the node and the reason: nothing is left out or guessed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core.types import Array
from salticid.engine import onnx_graph, packages
from salticid.engine.integer import FloatLayer, output_shape
from salticid.errors import InputError

TAKEN = ("Gemm", "MatMul", "Add", "Conv", "Relu", "Flatten", "Reshape", "Identity", "Constant")


def read_onnx(path: str | os.PathLike[str]) -> tuple[list[FloatLayer], tuple[int, ...]]:
    """Return the layers of the ONNX model at `path`, and the shape of one input.

    Raises
    ------
    InputError
        There is no such file, it is no ONNX model, or it has a node that is not taken; the message says which and why.
    MissingError
        The package onnx is not installed.
    """
    file = Path(path)
    graph, onnx = onnx_graph.load(file).graph, packages.onnx()
    tensors = {tensor.name: _array(tensor, file, onnx) for tensor in graph.initializer}
    if len(graph.input) != 1 or len(graph.output) != 1:
        raise InputError(f"{file} has {len(graph.input)} inputs and {len(graph.output)} outputs: one of each is taken")
    chain = _Chain(file, graph.input[0], tensors, onnx)
    for node in graph.node:
        chain.follow(node)
    return chain.finish(graph.output[0].name), chain.input_shape


def _array(tensor: Any, file: Path, onnx: Any) -> Array:
    try:
        array: Array = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as problem:
        raise InputError(f"{file}: the tensor {tensor.name!r} cannot be read: {problem}") from problem
    return array


class _Chain:
    """The layers read so far, and the value that the next node has to take."""

    def __init__(self, file: Path, value: Any, tensors: dict[str, Array], onnx: Any) -> None:
        self._file = file
        self._onnx = onnx
        self._tensors = tensors
        self._value: str = value.name
        self._layers: list[FloatLayer] = []
        self._open = ""  # the name of the last layer's node while neither a Relu nor another layer has followed
        self.input_shape = _input_shape(value, file)
        self._shape = self.input_shape
        self._readers: dict[str, Callable[[Any, dict[str, Any]], None]] = {
            "Gemm": self._gemm,
            "MatMul": self._matmul,
            "Add": self._add,
            "Conv": self._conv,
            "Relu": self._relu,
            "Flatten": self._flatten,
            "Reshape": self._reshape,
            "Identity": lambda node, attributes: None,
        }

    def follow(self, node: Any) -> None:
        """Take one node."""
        attributes = {item.name: self._onnx.helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type == "Constant" and "value" in attributes:
            self._tensors[node.output[0]] = _array(attributes["value"], self._file, self._onnx)
            return
        if node.op_type == "Identity" and node.input[0] in self._tensors:
            self._tensors[node.output[0]] = self._tensors[node.input[0]]
            return
        reader = self._readers.get(node.op_type)
        if reader is None or node.domain not in onnx_graph.DEFAULT_DOMAINS:
            raise self._refusal(node, f"only {', '.join(TAKEN)} are taken")
        if self._value not in node.input:
            raise self._refusal(node, f"it does not take {self._value!r}: nodes must form one chain")
        if node.op_type != "Add" and node.input[0] != self._value:
            raise self._refusal(node, f"its first input must be {self._value!r}, the second the weights")
        reader(node, attributes)
        self._value = node.output[0]

    def finish(self, output: str) -> list[FloatLayer]:
        """Return the layers."""
        if self._value != output:
            raise InputError(f"{self._file}: the output {output!r} is not the end of the chain of nodes")
        if not self._layers:
            raise InputError(f"{self._file} has neither a dense layer nor a convolution")
        if not self._open:
            raise InputError(f"{self._file} ends with a Relu: the last layer must not have one")
        return self._layers

    def _gemm(self, node: Any, attributes: dict[str, Any]) -> None:
        if attributes.get("transA", 0):
            raise self._refusal(node, "transA=1 is not taken")
        weights = self._tensor(node, 1, (2,)) * attributes.get("alpha", 1.0)
        weights = weights if attributes.get("transB", 0) else weights.T
        bias = np.zeros(len(weights))
        if len(node.input) > 2 and node.input[2]:
            bias = self._bias(node, 2, len(weights)) * attributes.get("beta", 1.0)
        self._append(node, FloatLayer(weights, bias, relu=False))

    def _matmul(self, node: Any, attributes: dict[str, Any]) -> None:
        weights = self._tensor(node, 1, (2,)).T
        self._append(node, FloatLayer(weights, np.zeros(len(weights)), relu=False))

    def _add(self, node: Any, attributes: dict[str, Any]) -> None:
        if not self._open:
            raise self._refusal(node, "an addition is taken only as the bias of the layer before it")
        layer = self._layers[-1]
        place = 1 - list(node.input).index(self._value)
        values = self._tensor(node, place, (0, 1, 2, 3, 4))
        per_output = (len(layer.weights), 1, 1) if layer.weights.ndim == 4 else (len(layer.weights),)
        try:
            bias = np.broadcast_to(values.reshape(values.shape[-len(per_output) :]), per_output).ravel()
        except ValueError:
            raise self._refusal(node, f"{values.shape} is not one number for each of {per_output[0]} outputs") from None
        self._layers[-1] = replace(layer, bias=layer.bias + bias)

    def _conv(self, node: Any, attributes: dict[str, Any]) -> None:
        weights = self._tensor(node, 1, (4,))
        strides, pads = attributes.get("strides", [1, 1]), attributes.get("pads", [0, 0, 0, 0])
        if attributes.get("group", 1) != 1:
            raise self._refusal(
                node, f"group={attributes['group']} is not taken: all channels must go into all outputs"
            )
        if set(attributes.get("dilations", [1])) != {1}:
            raise self._refusal(node, f"dilations={list(attributes['dilations'])} are not taken")
        if attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            raise self._refusal(node, "auto_pad is not taken: give pads")
        if len(set(strides)) != 1 or len(set(pads)) != 1:
            raise self._refusal(node, f"strides {list(strides)} and pads {list(pads)} must be the same on all sides")
        bias = np.zeros(len(weights))
        if len(node.input) > 2 and node.input[2]:
            bias = self._bias(node, 2, len(weights))
        self._append(node, FloatLayer(weights, bias, False, int(strides[0]), int(pads[0])))

    def _relu(self, node: Any, attributes: dict[str, Any]) -> None:
        if not self._open:
            raise self._refusal(node, "it does not follow a layer")
        self._layers[-1] = replace(self._layers[-1], relu=True)
        self._open = ""

    def _flatten(self, node: Any, attributes: dict[str, Any]) -> None:
        if attributes.get("axis", 1) != 1:
            raise self._refusal(node, f"axis={attributes['axis']} is not taken, only 1")
        self._shape = (prod(self._shape),)

    def _reshape(self, node: Any, attributes: dict[str, Any]) -> None:
        wanted = self._tensor(node, 1, (1,)).astype(int).tolist()
        if len(wanted) != 2 or wanted[1] not in (-1, prod(self._shape)):
            raise self._refusal(node, f"the shape {wanted} is not taken, only (batch, {prod(self._shape)})")
        self._shape = (prod(self._shape),)

    def _append(self, node: Any, layer: FloatLayer) -> None:
        if self._open:
            raise self._refusal(node, f"between it and {self._open} there is no Relu")
        if layer.weights.ndim == 2 and len(self._shape) != 1:
            raise self._refusal(node, f"its input has the shape {self._shape} and is not flattened before")
        try:
            self._shape = output_shape(layer, self._shape, len(self._layers))
        except InputError as problem:
            raise self._refusal(node, str(problem)) from problem
        self._layers.append(layer)
        self._open = _name(node)

    def _tensor(self, node: Any, place: int, dimensions: tuple[int, ...]) -> Array:
        """Return the constant that is input `place` of `node`."""
        name = node.input[place] if place < len(node.input) else ""
        if name not in self._tensors:
            raise self._refusal(node, f"its input {name!r} is not a constant")
        tensor = self._tensors[name]
        if tensor.ndim not in dimensions or tensor.dtype.kind not in "fi":
            raise self._refusal(node, f"its input {name!r} is {tensor.dtype} {tensor.shape}")
        if not np.isfinite(tensor).all():
            raise self._refusal(node, f"its input {name!r} has numbers that are not finite")
        return tensor.astype(np.float64)

    def _bias(self, node: Any, place: int, outputs: int) -> Array:
        values = self._tensor(node, place, (0, 1, 2))
        if values.size not in (1, outputs) or values.shape[-1:] not in ((), (1,), (outputs,)):
            raise self._refusal(node, f"its bias is {values.shape}, not one number for each of {outputs} outputs")
        return np.broadcast_to(values.ravel(), (outputs,))

    def _refusal(self, node: Any, reason: str) -> InputError:
        return InputError(f"{self._file}: node {_name(node)} cannot be taken: {reason}")


def _name(node: Any) -> str:
    return f"{node.name or node.output[0]!r} ({node.op_type})"


def _input_shape(value: Any, file: Path) -> tuple[int, ...]:
    """Return the shape of one input, without the batch."""
    sizes = [size.dim_value for size in value.type.tensor_type.shape.dim]
    if len(sizes) not in (2, 4) or min(sizes[1:]) < 1:
        raise InputError(
            f"{file}: the input {value.name!r} must be (N, inputs) or (N, channels, height, width) with known sizes, "
            f"not {[size or '?' for size in sizes]}"
        )
    return tuple(sizes[1:])
