"""The network 49-32-16-1 on 7x7 values around every pixel of one map: ours, and how else it can be run.

A dense network on patches is a convolution of 7x7 and two of 1x1, which is how torch and onnxruntime get it. All take
the same map and give the same numbers, those in 8 bits nearly.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from salticid.core.types import Mask
from salticid.engine.float_patches import FloatPatchNetwork
from salticid.engine.integer import FloatLayer, quantize
from salticid.engine.patch_kernels import FloatPatchKernel, PatchKernel
from salticid.engine.patches import MIDDLE, PatchNetwork, Plane, Tap, gather

SIZES = (49, 32, 16, 1)
RADIUS = 3
INPUT_SCALE = 1 / 32
TAPS = tuple(Tap(0, dy, dx, None, 0) for dy in range(-RADIUS, RADIUS + 1) for dx in range(-RADIUS, RADIUS + 1))
CALIBRATED = 20_000  # pixels that quantization looks at
TOLERANCE = 1e-3  # of how far the outputs reach

Run = Callable[[], Any]  # returns the outputs, (H, W)


@dataclass(frozen=True, slots=True)
class Body:
    """The network in both arithmetics, and the map that it looks at."""

    plane: Plane  # 0..127
    whole: PatchNetwork
    floats: FloatPatchNetwork

    @property
    def macs(self) -> int:
        """Products for a pixel."""
        return sum(layer.weights.size for layer in self.floats.layers)

    def ours(self, precision: str, mask: Mask | None, threads: int, instruction_set: str) -> Run:
        """Return our kernel."""
        how: dict[str, Any] = {"threads": threads, "instruction_set": instruction_set}
        kernel = PatchKernel(self.whole, **how) if precision == "int8" else FloatPatchKernel(self.floats, **how)
        return lambda: kernel([self.plane], mask)[..., 0]


def body(plane: Plane) -> Body:
    """Return a network with random weights."""
    random = np.random.default_rng(0)
    pairs = list(zip(SIZES[1:], SIZES[:-1], strict=True))
    layers = [
        FloatLayer(random.normal(size=pair) / pair[1] ** 0.5, random.normal(size=pair[0]) / 5, n < len(pairs) - 1)
        for n, pair in enumerate(pairs)
    ]
    some = np.zeros(plane.size, bool)
    some[random.choice(plane.size, min(CALIBRATED, plane.size), replace=False)] = True
    inputs = gather(TAPS, [plane], some.reshape(plane.shape))
    whole = quantize(layers, inputs, input_scale=INPUT_SCALE, input_zero=MIDDLE)
    floats = FloatPatchNetwork(("map",), TAPS, tuple(layers), INPUT_SCALE)
    return Body(plane, PatchNetwork(("map",), TAPS, whole), floats)


def patches(given: Body) -> Run:
    """Return what comes to mind first: patches copied out, a row of pixels at a time, and matrix products."""
    layers = [(layer.weights.T.astype(np.float32), layer.bias.astype(np.float32)) for layer in given.floats.layers]

    def run() -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(real_input(given.plane), (2 * RADIUS + 1,) * 2)
        outputs = np.empty(given.plane.shape, np.float32)
        for y, row in enumerate(windows):
            values = row.reshape(len(row), SIZES[0])
            for weights, bias in layers[:-1]:
                values = np.maximum(values @ weights + bias, 0)
            outputs[y] = (values @ layers[-1][0] + layers[-1][1])[:, 0]
        return outputs

    return run


def torch_convolutions(given: Body, threads: int) -> Run:
    """Return torch's convolutions."""
    layers = [(torch.from_numpy(weights), torch.from_numpy(bias)) for weights, bias in as_convolutions(given)]

    def run() -> np.ndarray:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            values = torch.from_numpy(real_input(given.plane))[None, None]
            for weights, bias in layers[:-1]:
                values = torch.relu_(torch.conv2d(values, weights, bias))
            return torch.conv2d(values, *layers[-1])[0, 0].numpy()

    return run


def onnxruntime_convolutions(given: Body, precision: str, threads: int) -> Run:
    """Return onnxruntime's convolutions, in floating point or quantized by its own tool."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # or it takes a core from who comes next
    model = onnx_model(as_convolutions(given))
    content = quantized(model, real_input(given.plane)) if precision == "int8" else model.SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"map": real_input(given.plane)[None, None]})[0][0, 0]


def check(expected: np.ndarray, runs: dict[str, Run]) -> None:
    """Stop unless every candidate gives what it should."""
    reach = float(np.abs(expected).max())
    for name, run in runs.items():
        error = np.abs(run() - expected)
        if not error.max() <= TOLERANCE * reach:
            raise SystemExit(f"{name} is off by {error.max():g} where the outputs reach {reach:g}")


def real_input(plane: Plane) -> np.ndarray:
    """Return the map as a convolution takes it, (H + 6, W + 6) float32: beyond the border is the nearest pixel."""
    around = cv2.copyMakeBorder(plane, *[RADIUS] * 4, cv2.BORDER_REPLICATE)
    return (around.astype(np.float32) - np.float32(MIDDLE)) * np.float32(INPUT_SCALE)


def as_convolutions(given: Body) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights (outputs, channels, height, width) and bias of each layer, float32."""
    shapes = [(1, 2 * RADIUS + 1, 2 * RADIUS + 1), *((size, 1, 1) for size in SIZES[1:-1])]
    return [
        (layer.weights.reshape(-1, *shape).astype(np.float32), layer.bias.astype(np.float32))
        for layer, shape in zip(given.floats.layers, shapes, strict=True)
    ]


def onnx_model(layers: Sequence[tuple[np.ndarray, np.ndarray]]) -> onnx.ModelProto:
    """Return the convolutions as a model."""
    nodes, numbers, last = [], [], "map"
    for n, (weights, bias) in enumerate(layers):
        numbers += [onnx.numpy_helper.from_array(weights, f"w{n}"), onnx.numpy_helper.from_array(bias, f"b{n}")]
        nodes.append(onnx.helper.make_node("Conv", [last, f"w{n}", f"b{n}"], [f"sum{n}"]))
        last = f"sum{n}"
        if n < len(layers) - 1:
            nodes.append(onnx.helper.make_node("Relu", [last], [f"unit{n}"]))
            last = f"unit{n}"
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 1, f"{name}_h", f"{name}_w"])
        for name in ("map", last)
    ]
    graph = onnx.helper.make_graph(nodes, "body", ends[:1], ends[1:], numbers)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


class OneMap(CalibrationDataReader):
    """Shows quantization one map, once."""

    def __init__(self, values: np.ndarray) -> None:
        self._left = [{"map": values[None, None]}]

    def get_next(self) -> dict[str, np.ndarray] | None:
        return self._left.pop() if self._left else None


def quantized(model: onnx.ModelProto, values: np.ndarray) -> bytes:
    """Return the model in 8 bits. One bit less for weights: without VNNI sums of 16 bits could overflow."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "body.onnx", Path(folder) / "body_int8.onnx"
        source.write_bytes(model.SerializeToString())
        quantize_static(
            source,
            target,
            OneMap(values),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()
