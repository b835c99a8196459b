"""Write an ONNX file anew: with other outputs, with weights in 16 bits, tidied up; and compare both files.

convert_onnx("net.onnx", "small.onnx", inputs=images, outputs=("labels",), fp16_weights=True)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from salticid.core import atomic
from salticid.core.types import Array
from salticid.engine import onnx_graph, parity
from salticid.engine.export_onnx import LEAST_HALF_EQUAL, MOST_HALF_DIFFERENCE
from salticid.engine.onnx_half import has_half_weights, with_half_weights
from salticid.engine.onnx_labels import LABELS, with_labels
from salticid.engine.parity import Parity, compare_files
from salticid.engine.session import Session
from salticid.errors import InputError


def convert_onnx(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    inputs: Sequence[Array],
    outputs: Sequence[str] | None = None,
    fp16_weights: bool | None = None,
    overwrite: bool = False,
) -> Parity:
    """Write the ONNX model at `path` as `output` and return how far apart they are; metadata stay.

    Parameters
    ----------
    path, output
        Files; `output` appears only when the outputs agree.
    inputs
        What both are compared on, (N, ...) float32; best real ones.
    outputs
        Names of those that are kept, all of them by default; "labels" is made from the first float output where the
        model has none.
    fp16_weights
        Store the weights in 16 bits; by default where the file at `path` does.
    overwrite
        Replace a file that exists.

    Raises
    ------
    InputError
        A file, an output or an input is wrong.
    IntegrityError
        The outputs differ.
    """
    atomic.check_target(output, overwrite=overwrite)
    if not inputs:
        raise InputError("there are no inputs to compare the files on: give at least one")
    source = onnx_graph.load(path)
    if outputs is not None and LABELS in outputs and all(value.name != LABELS for value in source.graph.output):
        source = _labelled(source, inputs[0], str(path))
    model = onnx_graph.tidied(source, str(path))
    if outputs is not None:
        model = onnx_graph.with_outputs(model, outputs, str(path))
    half = has_half_weights(source) if fp16_weights is None else fp16_weights
    if half:
        model = with_half_weights(model)
    bounds = (MOST_HALF_DIFFERENCE, LEAST_HALF_EQUAL) if half else (parity.MOST_DIFFERENCE, parity.LEAST_EQUAL)
    data = model.SerializeToString()
    found = compare_files(
        source.SerializeToString(),
        data,
        inputs,
        engine="onnxruntime",
        most_difference=bounds[0],
        least_equal=bounds[1],
    )
    atomic.write_bytes(output, data, overwrite=overwrite)
    return found


def _labelled(model: Any, example: Array, label: str) -> Any:
    """Add labels, as much larger than the logits as the image is."""
    logits = onnx_graph.first_float_output(model, label)
    shape = Session(onnx_graph.with_values(model, [logits]).SerializeToString(), threads=1)
    [small] = shape.run({shape.inputs[0].name: example}).values()
    scale, rest = divmod(example.shape[-2], small.shape[-2])
    if example.ndim != 4 or small.ndim != 4 or rest or small.shape[-1] * scale != example.shape[-1]:
        raise InputError(f"{label}: {logits!r} is {small.shape} for an input of {example.shape}: labels have no scale")
    return with_labels(model, scale, logits=logits)
