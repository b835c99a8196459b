"""Write an ONNX network in 8 bits, in the form that every engine reads: pairs of QuantizeLinear and DequantizeLinear.

    small = with_qdq(model, ranges, nodes)

A pair after a value says "this is held in 8 bits"; engines then compute the nodes between pairs in whole numbers.
Activations are uint8 with one scale, weights int8 with one scale for every output channel and no zero point: what
onnxruntime has its fastest kernels for. A convolution and its ReLU are one node to them, so no pair stands between the
two. Sums, products with gates, poolings and resizing between such nodes stay in 8 bits as well, so that nothing is
converted forth and back.

On x86 CPUs without VNNI those kernels multiply by VPMADDUBSW, which adds two neighboring products in 16 bits and
saturates: the network then computes something else there. Portable files avoid it: no pair of neighboring weights adds
up to more than 128, so that no sum can saturate, and all CPUs compute the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from salticid.core.types import Array
from salticid.engine import onnx_graph
from salticid.errors import InputError

Form = Literal["portable", "vnni", "tensorrt"]
Steps = tuple[np.float32, "np.integer[Any]"]  # size of a step, and the number that means 0

WEIGHTED = ("Conv", "Gemm", "MatMul")
JOINING = ("Add", "Mul", "Concat", "GlobalAveragePool", "AveragePool", "MaxPool", "Resize")
SAME_RANGE = ("MaxPool", "Resize")
FOLLOWERS = ("Relu", "Clip")
GATES = ("Sigmoid", "HardSigmoid")
POOLING = "GlobalAveragePool"
BETWEEN = (b"nearest", b"linear")  # ways of resizing whose results lie between what they took
OWN = "8bit/"  # how the names of what is added begin: plain ones, such as conv1_bias, are often taken

LEVELS = 255  # of an activation
LARGEST_WEIGHT = 127
# CPUs without VNNI add two products of an activation and a weight in 16 bits: 255 * 128 fits, more saturates.
LARGEST_PAIR = 128
WEIGHT_SHARES = np.linspace(1.0, 2.0, 26)  # scales that are tried, as multiples of what the largest weight asks for
LARGEST_BIAS = 1 << 30
LEAST_RANGE = 1e-6
LEAST_SCALE = 1e-12


@dataclass(frozen=True, slots=True)
class Range:
    """What an activation is between; it is stored in whole steps, one of which is exactly 0."""

    low: float
    high: float

    def steps(self, *, symmetric: bool = False) -> tuple[np.float32, np.integer[Any]]:
        """Return the size of a step and the number that means 0: uint8, or int8 and always 0 where symmetric."""
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        if symmetric:
            return np.float32(max(high, -low, LEAST_RANGE) / LARGEST_WEIGHT), np.int8(0)
        scale = np.float32(max(high - low, LEAST_RANGE) / LEVELS)
        return scale, np.uint8(np.clip(np.rint(-low / scale), 0, LEVELS))


def weighted_nodes(model: Any) -> list[str]:
    """Return the names of the nodes that can compute in 8 bits and have weights, in order."""
    known = onnx_graph.constants(model.graph)
    return [node.name for node in model.graph.node if _has_weights(node, known)]


def values_of(model: Any, nodes: Collection[str]) -> list[str]:
    """Return the values that are held in 8 bits when `nodes` are."""
    takers = onnx_graph.consumers(model.graph)
    # A vector for the whole image, or what lies between 0 and 1, loses nothing and costs nothing in 8 bits.
    small = pooled_values(model) | {node.output[0] for node in model.graph.node if node.op_type in GATES}
    ends = {value.name for value in model.graph.output}
    values: dict[str, None] = {}
    for node in model.graph.node:
        if node.name in nodes:
            values[node.input[0]] = None
        elif _joins(node, values, small):
            values.update(dict.fromkeys(_activations(node)))
        else:
            continue
        values[_end(node, takers, ends)] = None
    return list(values)


def pooled_values(model: Any) -> set[str]:
    """Return the values that are one vector for the whole image: a global pooling's result and what is made of it."""
    known = onnx_graph.constants(model.graph)
    vectors: set[str] = set()
    for node in model.graph.node:
        taken = [name for name in node.input if name and name not in known]
        if node.op_type == POOLING or (taken and all(name in vectors for name in taken)):
            vectors.update(node.output)
    return vectors


def with_qdq(
    model: Any,
    ranges: Mapping[str, Range],
    nodes: Collection[str],
    *,
    form: Form = "portable",
    scales: Mapping[str, Array] | None = None,
    shifts: Mapping[str, Array] | None = None,
) -> Any:
    """Return a copy of `model` in which `nodes`, and what joins their results, are written in 8 bits.

    Parameters
    ----------
    model
        An `onnx.ModelProto` as `onnx_graph.tidied` returns it.
    ranges
        The range of every value that `values_of(model, nodes)` names.
    nodes
        Names out of `weighted_nodes(model)`.
    form
        "portable": the same results on all CPUs. "vnni": slightly better ones on CPUs with VNNI, worse ones on others.
        "tensorrt": int8 activations without zero points and float biases, the only form that TensorRT takes.
    scales
        Scales of the output channels of nodes, where they are not to be chosen here.
    shifts
        What to add to the biases of nodes that have one.

    Raises
    ------
    InputError
        A range or node is missing, there is no such form, or the operators are older than opset 13.
    """
    if form not in get_args(Form):
        raise InputError(f"form must be one of {', '.join(get_args(Form))}, not {form!r}")
    onnx_graph.check_opset(model, "the model")
    unknown = set(nodes) - set(weighted_nodes(model))
    if unknown:
        raise InputError(f"there are no nodes with weights called {', '.join(sorted(unknown))}")
    values = values_of(model, nodes)
    missing = [value for value in values if value not in ranges]
    if missing:
        raise InputError(f"the ranges of {', '.join(missing)} are not known: calibrate them")
    other = onnx_graph.copy(model)
    shared = shared_ranges(other.graph, {value: ranges[value] for value in values})
    steps = {value: given.steps(symmetric=form == "tensorrt") for value, given in shared.items()}
    widened = [
        part
        for node in other.graph.node
        if node.name in nodes
        for part in _quantize_weights(
            other.graph,
            node,
            steps[node.input[0]][0],
            form,
            (scales or {}).get(node.name),
            (shifts or {}).get(node.name),
        )
    ]
    onnx_graph.replace(other.graph.node, [*widened, *other.graph.node])
    _insert_pairs(other.graph, steps)
    onnx_graph.drop_unused(other.graph)
    return other


def _has_weights(node: Any, known: Mapping[str, Any]) -> bool:
    if node.op_type not in WEIGHTED or node.domain not in onnx_graph.DEFAULT_DOMAINS or node.input[1] not in known:
        return False
    given = onnx_graph.attributes(node)
    plain = given.get("alpha", 1.0) == given.get("beta", 1.0) == 1.0 and not given.get("transA", 0)
    dimensions = len(known[node.input[1]].dims)
    return plain and _constant_bias(node, known) and dimensions == (4 if node.op_type == "Conv" else 2)


def _constant_bias(node: Any, known: Mapping[str, Any]) -> bool:
    """Say whether the bias of `node`, if it has one, is one number for each output, or one for all."""
    if not has_bias(node):
        return True
    return node.input[2] in known and all(length == 1 for length in known[node.input[2]].dims[:-1])


def has_bias(node: Any) -> bool:
    """Say whether a node with weights has a bias too."""
    return len(node.input) > 2 and bool(node.input[2])


def _activations(node: Any) -> list[str]:
    """Return the inputs of a joining node that are activations; those of a Resize after the first are its sizes."""
    return list(node.input[:1]) if node.op_type == "Resize" else list(node.input)


def _joins(node: Any, values: Mapping[str, None], small: Collection[str]) -> bool:
    """Say whether all that `node` joins is in 8 bits already, or is small enough to become so."""
    if node.op_type not in JOINING or (node.op_type == "Resize" and not _keeps_range(node)):
        return False
    taken = _activations(node)
    return any(name in values for name in taken) and all(name in values or name in small for name in taken)


def _end(node: Any, takers: Mapping[str, list[Any]], outputs: Collection[str]) -> str:
    """Return the value that leaves `node`, behind the ReLU that is computed with it."""
    value: str = node.output[0]
    after = takers.get(value, [])
    if value not in outputs and len(after) == 1 and after[0].op_type in FOLLOWERS:
        return str(after[0].output[0])
    return value


def shared_ranges(graph: Any, ranges: dict[str, Range]) -> dict[str, Range]:
    """Give what a pooling or resizing returns the range of what it takes."""
    for node in graph.node:
        if _keeps_range(node) and node.input[0] in ranges and node.output[0] in ranges:
            ranges[node.output[0]] = ranges[node.input[0]]
    return ranges


def _keeps_range(node: Any) -> bool:
    """Say whether what `node` makes lies between what it takes; cubic resizing overshoots."""
    return node.op_type in SAME_RANGE and onnx_graph.attributes(node).get("mode", BETWEEN[0]) in BETWEEN


def rounded_weights(weights: Array, form: Form) -> Array:
    """Return weights (outputs, inputs, ...) as they are once they are written in 8 bits."""
    pairs = _needs_pairs(weights, form)
    scales = chosen_scales(weights, pairs=pairs)
    rounded: Array = whole_weights(weights, scales, pairs=pairs) * scales.reshape(-1, *[1] * (weights.ndim - 1))
    return rounded


def output_axis(node: Any) -> int:
    """Return the axis of a node's weights that belongs to its outputs."""
    if node.op_type == "Conv":
        return 0
    return 0 if onnx_graph.attributes(node).get("transB", 0) else 1


def _quantize_weights(
    graph: Any, node: Any, input_scale: np.float32, form: Form, scales: Array | None, shift: Array | None
) -> list[Any]:
    """Put whole numbers in the place of the weights and the bias of `node`; return the nodes that widen them."""
    known = onnx_graph.constants(graph)
    axis = output_axis(node)
    weights = np.moveaxis(onnx_graph.array(known[node.input[1]]), axis, 0)
    bias = _bias(node, known, len(weights), shift)
    pairs = _needs_pairs(weights, form)
    if scales is None:
        least = LEAST_SCALE if bias is None else np.maximum(np.abs(bias) / input_scale / LARGEST_BIAS, LEAST_SCALE)
        scales = chosen_scales(weights, least, pairs=pairs)
    whole = whole_weights(weights, scales, pairs=pairs)
    widened = [_stored(graph, f"{OWN}{node.name}_weights", np.moveaxis(whole, 0, axis), scales, axis)]
    node.input[1] = widened[0].output[0]
    if bias is None:
        return widened
    node.input[2] = f"{OWN}{node.name}_bias"
    if form == "tensorrt":
        graph.initializer.append(onnx_graph.tensor(bias, node.input[2]))
    else:
        sums = scales * input_scale
        widened.append(_stored(graph, node.input[2], np.rint(bias / sums).astype(np.int32), sums, 0))
    return widened


def _bias(node: Any, known: Mapping[str, Any], outputs: int, shift: Array | None) -> Array | None:
    if not has_bias(node):
        return None
    bias = np.broadcast_to(onnx_graph.array(known[node.input[2]]).ravel(), (outputs,))
    return bias if shift is None else bias + shift


def _needs_pairs(weights: Array, form: Form) -> bool:
    return form == "portable" and weights.shape[1] > 1


def chosen_scales(weights: Array, least: Array | float = LEAST_SCALE, *, pairs: bool) -> Array:
    """Return the scale of every output channel, (outputs,) float32, for weights (outputs, inputs, ...).

    Of a few scales for a channel the one is taken that loses least, by rounding and, with `pairs`, by making neighbors
    smaller. None is below `least`. Depthwise convolutions need no pairs: every CPU adds up their products in 32 bits.
    """
    rows = _rows(weights).astype(np.float32)
    largest = np.maximum(np.abs(rows).max(axis=1) / LARGEST_WEIGHT, least).astype(np.float32)
    best: Array = largest
    least_error = np.full(len(rows), np.inf)
    for share in WEIGHT_SHARES if pairs else WEIGHT_SHARES[:1]:
        scales = largest * np.float32(share)
        error = _output_error(_whole(rows, scales, pairs) * scales[:, None] - rows)
        best = np.where(error < least_error, scales, best)
        least_error = np.minimum(error, least_error)
    return best


def whole_weights(weights: Array, scales: Array, *, pairs: bool) -> Array:
    """Return weights (outputs, inputs, ...) as int8 in steps of `scales`."""
    shape = (len(weights), *weights.shape[2:], weights.shape[1])
    whole = _whole(_rows(weights).astype(np.float32), scales, pairs).reshape(shape)
    return np.moveaxis(whole, -1, 1).astype(np.int8)


def _rows(weights: Array) -> Array:
    """Return the weights of each output in a row, inputs innermost, as kernels go through them."""
    return np.moveaxis(weights, 1, -1).reshape(len(weights), -1)


def _output_error(differences: Array) -> Array:
    """Return what differences of weights do to a sum over inputs, whose mean behind a ReLU is about their spread."""
    error: Array = np.square(differences).sum(axis=1) + np.square(differences.sum(axis=1))
    return error


def _whole(rows: Array, scales: Array, pairs: bool) -> Array:
    """Return `rows` in steps of `scales`; with `pairs` no two neighbors of one sign make more than 128."""
    whole = np.clip(np.rint(rows / scales[:, None]), -LARGEST_WEIGHT, LARGEST_WEIGHT)
    if not pairs:
        return whole
    odd = whole.shape[1] % 2
    both = np.pad(whole, ((0, 0), (0, odd))).reshape(len(whole), -1, 2)
    total = both.sum(axis=2)
    alike = both[..., 0] * both[..., 1] > 0
    excess = np.where(alike, np.maximum(np.abs(total) - LARGEST_PAIR, 0), 0)
    both -= np.stack([np.ceil(excess / 2), np.floor(excess / 2)], axis=2) * np.sign(total)[..., None]
    fitting: Array = both.reshape(len(whole), -1)[:, : whole.shape[1]]
    return fitting


def _stored(graph: Any, name: str, whole: Array, scales: Array, axis: int) -> Any:
    """Store whole numbers with their scales, and return the node that makes of them what they mean."""
    parts = {"whole": whole, "scales": scales, "zero": np.zeros(len(scales), whole.dtype)}
    names = [f"{name}_{part}" for part in parts]
    graph.initializer.extend(onnx_graph.tensor(values, f"{name}_{part}") for part, values in parts.items())
    return onnx_graph.node("DequantizeLinear", names, name, axis=axis)


def _insert_pairs(graph: Any, steps: Mapping[str, Steps]) -> None:
    """Put a pair behind every value of `steps`, and give its result to all who took the value."""
    ends = {value.name for value in graph.output} & set(steps)
    nodes = [
        pair for value in onnx_graph.inputs(graph) if value.name in steps for pair in _pair(graph, value.name, steps)
    ]
    for node in graph.node:
        taken = [_held(name) if name in steps else name for name in node.input]
        onnx_graph.replace_names(node.input, taken)
        made = list(node.output)
        onnx_graph.replace_names(node.output, [_wide(name) if name in ends else name for name in made])
        nodes.append(node)
        nodes.extend(pair for name in made if name in steps for pair in _pair(graph, name, steps, end=name in ends))
    onnx_graph.replace(graph.node, nodes)
    _rewire_ends(graph, ends)


def _pair(graph: Any, value: str, steps: Mapping[str, Steps], *, end: bool = False) -> list[Any]:
    """Return the two nodes behind `value`."""
    scale, zero, whole = (f"{OWN}{value}_{part}" for part in ("scale", "zero", "whole"))
    graph.initializer.append(onnx_graph.tensor(np.array(steps[value][0]), scale))
    graph.initializer.append(onnx_graph.tensor(np.array(steps[value][1]), zero))
    return [
        onnx_graph.node("QuantizeLinear", [_wide(value) if end else value, scale, zero], whole),
        onnx_graph.node("DequantizeLinear", [whole, scale, zero], _held(value)),
    ]


def _held(value: str) -> str:
    """Return the name of `value` behind its pair."""
    return f"{OWN}{value}"


def _wide(value: str) -> str:
    """Return the name, before its pair, of a `value` that leaves the network."""
    return f"{OWN}{value}_wide"


def _rewire_ends(graph: Any, ends: Collection[str]) -> None:
    """Let the values that leave the network keep their names."""
    back = {_held(name): name for name in ends}
    for node in graph.node:
        onnx_graph.replace_names(node.input, [back.get(name, name) for name in node.input])
        onnx_graph.replace_names(node.output, [back.get(name, name) for name in node.output])
