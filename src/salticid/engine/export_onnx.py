"""Write a torch network as an ONNX file, and compare both before the file is there.

    export_onnx(net, "fastseg.onnx", input_shape=(1, 3, 352, 480), labels_scale=8)

The file stands on its own: batch normalization lies in the convolutions, batch and image size are free, and what a
program has to know of the network travels in its metadata.
"""

from __future__ import annotations

import copy
import io
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from salticid.core import atomic
from salticid.engine import onnx_graph, packages, parity
from salticid.engine.onnx_half import with_half_weights
from salticid.engine.onnx_labels import with_labels
from salticid.engine.parity import Parity, check_parity
from salticid.errors import InputError

if TYPE_CHECKING:
    from torch import nn

OPSET = 17  # what runtimes have understood since 2022
IMAGE_AXES = {0: "N", 2: "H", 3: "W"}
OTHER_SIZE = 32  # pixels by which the second of the compared inputs is larger
# Weights rounded to 11 bits move the logits of a deep network by up to a per cent of their range.
MOST_HALF_DIFFERENCE, LEAST_HALF_EQUAL = 0.03, 0.95


def export_onnx(
    module: nn.Module,
    path: str | os.PathLike[str],
    *,
    input_shape: Sequence[int],
    input_name: str = "image",
    output_names: Sequence[str] = ("logits8",),
    dynamic: bool = True,
    labels_scale: int | None = None,
    keep_logits: bool = True,
    fp16_weights: bool = False,
    classes: bool = True,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Parity:
    """Write `module` as ONNX and return how far the file is from it, on random inputs of two sizes.

    The module is not changed: a copy of it, on the CPU and in evaluation mode, is traced and compared.

    Parameters
    ----------
    module
        A torch network that takes one float32 tensor and returns one tensor or a tuple of them.
    path
        Where to; the file appears only when the outputs agree.
    input_shape
        A shape that the network takes, (N, C, H, W) or (N, inputs).
    input_name, output_names
        Names in the file; one for every tensor that the network returns.
    dynamic
        Leave N, and H and W of images, free; otherwise the file takes `input_shape` alone.
    labels_scale
        Add the output `labels`: the best class of every pixel of the first output enlarged so many times.
    keep_logits
        With `labels_scale`: keep that first output too. A network with more than one keeps it always.
    fp16_weights
        Store the weights in 16 bits. The file is half as large, and computes in float32 as before.
    classes
        The largest of axis 1 is what counts, so it must be the same in both; else values alone are compared.
    metadata
        Properties of the model, such as `salticid.task`.
    overwrite
        Replace a file that exists.

    Raises
    ------
    InputError
        The network cannot be exported, or `path` cannot be written.
    MissingError
        torch or onnx is not installed.
    IntegrityError
        onnxruntime makes other outputs of the same inputs than torch does.
    """
    atomic.check_target(path, overwrite=overwrite)
    if not keep_logits and (labels_scale is None or len(output_names) > 1):
        raise InputError("keep_logits=False needs labels_scale=, and a network with one output: labels take its place")
    network = evaluated(module)
    model = _traced(network, input_shape, input_name, output_names, dynamic)
    if labels_scale is not None:
        model = with_labels(model, labels_scale, logits=output_names[0], keep_logits=keep_logits)
    if fp16_weights:
        model = with_half_weights(model)
    onnx_graph.set_metadata(model, metadata or {})
    data = model.SerializeToString()
    bounds = (MOST_HALF_DIFFERENCE, LEAST_HALF_EQUAL) if fp16_weights else (parity.MOST_DIFFERENCE, parity.LEAST_EQUAL)
    inputs = parity.random_inputs(_compared_shapes(input_shape, dynamic=dynamic))
    least_equal = bounds[1] if classes else 0.0
    found = check_parity(network, data, inputs, most_difference=bounds[0], least_equal=least_equal)
    atomic.write_bytes(path, data, overwrite=overwrite)
    return found


def to_onnx(module: nn.Module, input_shape: Sequence[int], *, dynamic: bool = True) -> Any:
    """Return a torch network as an `onnx.ModelProto` with the names `image` and `logits8`, not compared with it."""
    return _traced(evaluated(module), input_shape, "image", ("logits8",), dynamic)


def evaluated(module: nn.Module) -> nn.Module:
    """Return a copy of `module` on the CPU, in float32 and in evaluation mode."""
    torch = packages.torch()
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"a torch module is exported, not {type(module).__name__}")
    network: nn.Module = copy.deepcopy(module).cpu().float().train(False)
    return network


def _traced(
    network: Any, input_shape: Sequence[int], input_name: str, output_names: Sequence[str], dynamic: bool
) -> Any:
    """Follow `network` on one input, and return the ONNX model of what it did, tidied up."""
    torch = packages.torch()
    onnx = packages.onnx()
    example = torch.from_numpy(parity.random_inputs([input_shape])[0])
    outputs = _check_outputs(network, example, output_names)
    free = IMAGE_AXES if len(input_shape) == 4 else {0: "N"}
    file = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # What a trace may miss shows on the second size. The exporter itself is deprecated in favor of one that
            # needs another package and names neither layers nor values after the network's own.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (example,),
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=[input_name],
                output_names=list(output_names),
                dynamic_axes={input_name: free} if dynamic else None,
            )
    except (RuntimeError, TypeError, ValueError) as error:  # the last holds the exporter's own errors
        raise InputError(f"{type(network).__name__} cannot be exported to ONNX: {error}") from error
    model = onnx_graph.tidied(onnx.load_from_string(file.getvalue()), type(network).__name__)
    model.producer_name, model.producer_version = "salticid", ""
    if dynamic:
        for value, array in zip(model.graph.output, outputs, strict=True):
            _name_axes(value, example.shape, array.shape, free)
    return model


def _check_outputs(network: Any, example: Any, names: Sequence[str]) -> list[Any]:
    """Run `network` on `example`; raise `InputError` where that fails or its outputs are not as many as `names`."""
    torch = packages.torch()
    try:
        with torch.no_grad():
            result = network(example)
    except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
        shape = tuple(example.shape)
        reason = str(error) or type(error).__name__
        raise InputError(f"{type(network).__name__} does not run on an input of shape {shape}: {reason}") from error
    outputs = [result] if isinstance(result, torch.Tensor) else list(result) if isinstance(result, tuple) else []
    if len(outputs) != len(names):
        found = f"{len(outputs)} tensors" if outputs else f"a {type(result).__name__}"
        raise InputError(f"{type(network).__name__} returns {found}: {len(names)} names were given, {list(names)}")
    return outputs


def _name_axes(value: Any, before: Sequence[int], after: Sequence[int], free: Mapping[int, str]) -> None:
    """Name the axes of an output that follow those of the input, such as `H/8`, in place of what the trace made up."""
    for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
        if not dimension.dim_param:
            continue
        dimension.dim_param = f"{value.name}_{axis}"
        if axis not in free or len(before) != len(after):
            continue
        if before[axis] % after[axis] == 0:
            ratio = before[axis] // after[axis]
            dimension.dim_param = free[axis] if ratio == 1 else f"{free[axis]}/{ratio}"
        elif after[axis] % before[axis] == 0:
            dimension.dim_param = f"{free[axis]}*{after[axis] // before[axis]}"


def _compared_shapes(shape: Sequence[int], *, dynamic: bool) -> list[tuple[int, ...]]:
    """Return the traced shape and, where it may be another, a larger one with another number of images."""
    if not dynamic:
        return [tuple(shape)]
    if len(shape) != 4:
        return [tuple(shape), (shape[0] + 1, *shape[1:])]
    batch, channels, height, width = shape
    return [tuple(shape), (batch + 1, channels, height + OTHER_SIZE, width + OTHER_SIZE)]
