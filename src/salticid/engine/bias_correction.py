"""Rounded weights shift the mean of what a layer computes; its bias can take that back.

    shifts = bias_shifts(model, nodes, batches, form="portable")
    small = with_qdq(model, ranges, nodes, shifts=shifts)

Behind a ReLU inputs have a mean, so an error of a weight does not average out: the output moves by that error times the
mean of the input (Nagel et al. 2019, sec. 4.2). Depthwise layers, with few weights for a channel, suffer most.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from salticid.core.types import Array
from salticid.engine import onnx_graph
from salticid.engine.qdq import Form, has_bias, output_axis, rounded_weights
from salticid.engine.session import Session


def bias_shifts(
    model: Any, nodes: Collection[str], batches: Sequence[Array], *, form: Form = "portable", threads: int = 1
) -> dict[str, Array]:
    """Return what to add to the bias of each of `nodes` that has one, (outputs,) float32.

    Parameters
    ----------
    model
        An `onnx.ModelProto` with one input, as `onnx_graph.tidied` returns it.
    nodes
        Names out of `weighted_nodes(model)`.
    batches
        Real inputs, (N, ...) float32.
    form
        Of the network in 8 bits, as in `with_qdq`.
    """
    layers = [node for node in model.graph.node if node.name in nodes and has_bias(node)]
    means = _means(model, [node.input[0] for node in layers], batches, threads)
    known = onnx_graph.constants(model.graph)
    found = {}
    for node in layers:
        weights = np.moveaxis(onnx_graph.array(known[node.input[1]]), output_axis(node), 0)
        errors = (weights - rounded_weights(weights, form)).reshape(*weights.shape[:2], -1).sum(axis=2)
        found[node.name] = _shift(errors, means[node.input[0]])
    return found


def _means(model: Any, values: Sequence[str], batches: Sequence[Array], threads: int) -> dict[str, Array]:
    """Return the mean of each channel of each of `values`."""
    given = onnx_graph.the_input(model.graph, "the model").name
    wanted = list(dict.fromkeys(value for value in values if value != given))
    session = Session(onnx_graph.with_values(model, wanted).SerializeToString(), threads=threads) if wanted else None
    sums: dict[str, Array] = {}
    for batch in batches:
        feeds = {given: batch}
        for name, numbers in (feeds | (session.run(feeds) if session else {})).items():
            axes = tuple(axis for axis in range(numbers.ndim) if axis != 1)
            sums[name] = sums.get(name, 0) + numbers.mean(axis=axes, dtype=np.float64)
    return {name: total / len(batches) for name, total in sums.items()}


def _shift(errors: Array, means: Array) -> Array:
    """Return what outputs lose by errors (outputs, inputs of a group) of weights, at the mean of the input."""
    outputs, inputs = errors.shape
    groups = len(means) // inputs
    each = means.reshape(groups, 1, inputs) * errors.reshape(groups, outputs // groups, inputs)
    shift: Array = each.sum(axis=2).ravel().astype(np.float32)
    return shift
