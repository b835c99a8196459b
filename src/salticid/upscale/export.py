"""Write a trained network as ONNX: in 8 bits, bytes in and bytes out, or in floating point.

    write_int8(rounded.integer_net(), "fast-x4-int8.onnx")
    write_float(net.plain(), "fast-x4.onnx")

The file in 8 bits has pairs of QuantizeLinear and DequantizeLinear around every layer (QDQ): engines compute what lies
between them in whole numbers. A ReLU needs no node of its own, because uint8 ends at 0. No CPU computes anything else
of it than the native kernel does.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from salticid.core import atomic
from salticid.core.types import Array
from salticid.engine import onnx_graph, packages
from salticid.engine.export_onnx import OPSET, export_onnx
from salticid.engine.parity import Parity
from salticid.upscale.integer_net import IntegerNet
from salticid.upscale.network_file import BIAS, IMAGE, LARGE, SHAPE_KEY, TASK, TASK_KEY, WEIGHTS
from salticid.upscale.networks import PlainNet
from salticid.upscale.shape import Shape

File = str | os.PathLike[str]

LEVELS = np.float32(1 / 255)
IR_VERSION = 8  # what runtimes have understood since 2022
EXAMPLE = (1, 3, 24, 32)


def write_float(net: PlainNet, path: File, *, overwrite: bool = False) -> Parity:
    """Write a network in floating point, its weights in 16 bits; errors are those of `export_onnx`."""
    return export_onnx(
        net,
        path,
        input_shape=EXAMPLE,
        input_name=IMAGE,
        output_names=(LARGE,),
        fp16_weights=True,
        classes=False,
        metadata=facts(net.shape),
        overwrite=overwrite,
    )


def write_int8(net: IntegerNet, path: File, *, overwrite: bool = False) -> None:
    """Write a network in 8 bits.

    Raises
    ------
    InputError, ResourceError
        `path` exists or cannot be written.
    MissingError
        The package onnx is not installed.
    """
    atomic.check_target(path, overwrite=overwrite)
    model = int8_model(net)
    onnx_graph.set_metadata(model, facts(shape_of(net)))
    packages.onnx().checker.check_model(model)
    atomic.write_bytes(path, model.SerializeToString(), overwrite=overwrite)


def facts(shape: Shape) -> dict[str, str]:
    """Return what a file says of its network."""
    told = {"layers": shape.layers, "channels": shape.channels, "scale": shape.scale}
    return {TASK_KEY: TASK, SHAPE_KEY: json.dumps(told)}


def shape_of(net: IntegerNet) -> Shape:
    """Return how many layers and channels there are."""
    scale: Any = net.scale
    return Shape(len(net.layers) - 2, len(net.layers[0].bias), scale)


def int8_model(net: IntegerNet) -> Any:
    """Return the `onnx.ModelProto`: `image` (N, 3, H, W) uint8 to `large` (N, 3, scale H, scale W) uint8."""
    graph = _Graph()
    image = features = graph.real(IMAGE)
    for number, layer in enumerate(net.layers):
        taken = features
        if number == len(net.layers) - 1:
            joined = graph.add("Concat", [features, *[image] * net.repeats], f"{number}/joined", axis=1)
            taken = graph.real(graph.whole(joined))
        weights = graph.constant(layer.weights, WEIGHTS.format(number), layer.multiplier)
        bias = graph.constant(layer.bias, BIAS.format(number), layer.multiplier * LEVELS)
        sums = graph.add("Conv", [taken, weights, bias], f"{number}/sums", pads=[1, 1, 1, 1], kernel_shape=[3, 3])
        features = graph.real(graph.whole(sums))
    shuffled = graph.add("DepthToSpace", [features], "shuffled", blocksize=net.scale, mode="CRD")
    graph.whole(shuffled, LARGE)
    return graph.model(net.scale)


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        steps: dict[str, Array] = {"step": np.array(LEVELS), "zero": np.array(0, np.uint8)}
        self._constants = [onnx_graph.tensor(values, name) for name, values in steps.items()]

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(onnx_graph.node(operator, inputs, output, **attributes))
        return output

    def real(self, whole: str) -> str:
        return self.add("DequantizeLinear", [whole, "step", "zero"], f"{whole}/real")

    def whole(self, real: str, name: str = "") -> str:
        return self.add("QuantizeLinear", [real, "step", "zero"], name or f"{real}/whole")

    def constant(self, whole: Any, name: str, scales: Any) -> str:
        """Store whole numbers with a scale per output channel, and return what they mean."""
        parts = {name: whole, f"{name}/scales": scales, f"{name}/zero": np.zeros(len(scales), whole.dtype)}
        self._constants.extend(onnx_graph.tensor(np.ascontiguousarray(part), key) for key, part in parts.items())
        return self.add("DequantizeLinear", list(parts), f"{name}/real", axis=0)

    def model(self, scale: int) -> Any:
        onnx = packages.onnx()
        kind = onnx.TensorProto.UINT8
        given = onnx.helper.make_tensor_value_info(IMAGE, kind, ["N", 3, "H", "W"])
        made = onnx.helper.make_tensor_value_info(LARGE, kind, ["N", 3, f"{scale}*H", f"{scale}*W"])
        graph = onnx.helper.make_graph(self._nodes, "upscale", [given], [made], self._constants)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
        model.ir_version, model.producer_name, model.producer_version = IR_VERSION, "salticid", ""
        return model
