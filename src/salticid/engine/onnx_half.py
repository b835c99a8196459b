"""Store the weights of an ONNX model in 16 bits; it computes in float32 as before.

    small = with_half_weights(onnx_graph.load("net.onnx"))

Half the bytes, and nothing to do for whoever loads it: onnxruntime widens the weights once, when it folds constants.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from salticid.engine import onnx_graph, packages
from salticid.errors import InputError

LEAST_NUMBERS = 64
LEAST_AXES = 2  # biases and scales stay: they are few, and each of them counts
LARGEST_HALF = float(np.finfo(np.float16).max)


def with_half_weights(model: Any) -> Any:
    """Return a copy of an ONNX model in which every float32 constant of at least 64 numbers is stored as float16.

    Those along one axis stay: biases, and the scales of networks in 8 bits, which float16 could turn into 0.

    Raises
    ------
    InputError
        A weight is too large for float16 or not finite.
    """
    other = onnx_graph.copy(model)
    widened = []
    for tensor in other.graph.initializer:
        small = len(tensor.dims) < LEAST_AXES or np.prod(tensor.dims) < LEAST_NUMBERS
        if small or tensor.data_type != packages.onnx().TensorProto.FLOAT:
            continue
        values = onnx_graph.array(tensor)
        if not np.abs(values).max() <= LARGEST_HALF:
            raise InputError(f"the weights {tensor.name!r} are not finite or above {LARGEST_HALF:.0f}: keep float32")
        half = f"{tensor.name}_half"
        widened.append(onnx_graph.node("Cast", [half], tensor.name, to=packages.onnx().TensorProto.FLOAT))
        tensor.CopyFrom(onnx_graph.tensor(values.astype(np.float16), half))
    onnx_graph.replace(other.graph.node, [*widened, *other.graph.node])
    return other


def has_half_weights(model: Any) -> bool:
    """Say whether `model` stores weights in 16 bits that are widened to float32."""
    known = onnx_graph.constants(model.graph)
    widened = [known[node.input[0]] for node in model.graph.node if node.op_type == "Cast" and node.input[0] in known]
    return any(tensor.data_type == packages.onnx().TensorProto.FLOAT16 for tensor in widened)
