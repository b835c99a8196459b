"""A segmentation network that tells colors apart, so that everybody knows what has to come out: red is class red.

Its logits are how near the mean color of 8x8 pixels is to that of each class: minus the squared distance, less what all
classes share, which is linear. So it is an average pooling and a 1x1 convolution, in a file as an export writes it.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

COLORS = {"red": (220, 20, 20), "green": (20, 200, 40), "blue": (30, 40, 220), "gray": (128, 128, 128)}
METADATA = {
    "salticid.task": "segment",
    "salticid.classes": json.dumps(list(COLORS)),
    "salticid.input": "image / 127.5 - 1, RGB",
    "salticid.stride": "32",
}


def color_network(colors=COLORS, *, outputs=("logits8", "labels"), metadata=METADATA) -> bytes:
    """Return the ONNX file."""
    helper = pytest.importorskip("onnx.helper", reason="this network is built with the onnx package")
    numpy_helper = pytest.importorskip("onnx.numpy_helper")
    means = np.array(list(dict(colors).values()), np.float32) / 127.5 - 1
    weights = {
        "centers": (2 * means)[:, :, None, None],
        "bias": -(means**2).sum(axis=1),
        "scales": np.array([1, 1, 8, 8], np.float32),
    }
    nodes = [
        helper.make_node("AveragePool", ["image"], ["mean"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["mean", "centers", "bias"], ["logits8"]),
        helper.make_node(
            "Resize", ["logits8", "", "scales"], ["up"], mode="linear", coordinate_transformation_mode="half_pixel"
        ),
        helper.make_node("ArgMax", ["up"], ["number"], axis=1, keepdims=0),
        helper.make_node("Cast", ["number"], ["labels"], to=2),
    ]
    shapes = {"logits8": (1, ["N", len(means), "h", "w"]), "labels": (2, ["N", "H", "W"])}
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("image", 1, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info(name, *shapes[name]) for name in outputs],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, dict(metadata))
    return model.SerializeToString()


def patches(names, *, side=64, colors=COLORS) -> np.ndarray:
    """Return squares of the classes' colors side by side, (side, side * n, 3) uint8."""
    return np.concatenate([np.full((side, side, 3), colors[name], np.uint8) for name in names], axis=1)
