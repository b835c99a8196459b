"""Put the last steps of a segmentation network into its file: logits enlarged, and the best class of every pixel.

    model = with_labels(onnx_graph.load("net.onnx"), scale=8)

A program that has no such steps of its own reads `labels`; one that has faster ones reads the small logits, and what
is not asked for is not computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from salticid.engine import onnx_graph, packages
from salticid.errors import InputError

LABELS = "labels"
SCALES = "labels_scales"
MOST_CLASSES = 256


def with_labels(model: Any, scale: int = 8, *, logits: str = "logits8", keep_logits: bool = True) -> Any:
    """Return a copy of an ONNX model with the output `labels`, uint8 (N, H, W).

    The logits are enlarged bilinearly, with pixel centers at half pixels (`align_corners=False`); of equal classes the
    first one wins.

    Parameters
    ----------
    model
        An `onnx.ModelProto` with the output `logits`, float32 (N, C, H / scale, W / scale), C at most 256.
    scale
        How many times larger the labels are than the logits, on each side.
    logits
        Name of that output.
    keep_logits
        Keep it; otherwise `labels` takes its place.

    Raises
    ------
    InputError
        There is no such output, it is not of that kind, `labels` is there already, or the operators are older than
        opset 13.
    """
    helper, kinds = packages.onnx().helper, packages.onnx().TensorProto
    value = onnx_graph.find_output(model, logits, "the model")
    onnx_graph.check_opset(model, "the model")
    if any(output.name == LABELS for output in model.graph.output):
        raise InputError(f"the model has an output {LABELS!r} already")
    if scale < 1:
        raise InputError(f"scale must be at least 1, not {scale}")
    lengths = onnx_graph.dimensions(value)
    if value.type.tensor_type.elem_type != kinds.FLOAT or len(lengths) != 4:
        raise InputError(f"the output {logits!r} must be float32 (N, C, H, W), not {lengths}")
    if not isinstance(lengths[1], int) or lengths[1] > MOST_CLASSES:
        raise InputError(f"the output {logits!r} has {lengths[1]} classes: at most {MOST_CLASSES} fit labels of 8 bits")
    other = onnx_graph.copy(model)
    graph = other.graph
    graph.initializer.append(onnx_graph.tensor(np.array([1, 1, scale, scale], np.float32), SCALES))
    interpolation = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    graph.node.extend(
        [
            onnx_graph.node("Resize", [logits, "", SCALES], "logits_enlarged", **interpolation),
            onnx_graph.node("ArgMax", ["logits_enlarged"], "labels_wide", axis=1, keepdims=0),
            onnx_graph.node("Cast", ["labels_wide"], LABELS, to=kinds.UINT8),
        ]
    )
    graph.output.append(helper.make_tensor_value_info(LABELS, kinds.UINT8, _label_axes(graph, lengths, scale)))
    return other if keep_logits else onnx_graph.with_outputs(other, _outputs_but(graph, logits))


def _label_axes(graph: Any, lengths: list[int | str], scale: int) -> list[int | str]:
    """Return the axes of the labels: those of the image, by name or length, where its sizes fit."""
    image = onnx_graph.dimensions(graph.input[0])
    known = [image[axis] if len(image) == 4 else "?" for axis in (0, 2, 3)]
    return [
        length * scale if isinstance(length, int) and axis else own
        for axis, (length, own) in enumerate(zip([lengths[0], *lengths[2:]], known, strict=True))
    ]


def _outputs_but(graph: Any, name: str) -> list[str]:
    return [output.name for output in graph.output if output.name != name]
