"""What a network consists of and where its time goes, layer by layer.

    found = profile("fastseg.onnx", (1, 3, 512, 1024), threads=2)
    found.macs, found.parameters, found.milliseconds, found.layers

A MAC is one multiplication with its addition, so FLOPs are twice as many. Only layers with weights, convolutions and
matrix products, are counted: all others together are a few per cent. Time is measured in onnxruntime, which computes
some nodes together (a convolution with its ReLU and the sum behind it) and adds others that change the layout in
memory; the former's time is that of the convolution, the latter's is in `other_ms`, as is what conversions to 8 bits
and back take.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from salticid.core.types import Array
from salticid.engine import onnx_graph, packages, parity
from salticid.engine.failures import load_failure, run_failure
from salticid.engine.session import Session
from salticid.errors import InputError

if TYPE_CHECKING:
    from torch import nn

WARMUP, REPEATS = 3, 15
NODE_END = "_kernel_time"
ADDED = re.compile(r"(_nchwc|_token_\d+)+$")  # what onnxruntime appends to the names of nodes that it rewrites
WIDENING = ("DequantizeLinear", "Cast")
CONVERTING = ("QuantizeLinear", "DequantizeLinear")
FLOPS_PER_MAC = 2
MICROSECONDS_PER_MS = 1000.0


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """One node of a network."""

    name: str
    type: str
    output_shape: tuple[int, ...]
    macs: int
    parameters: int
    milliseconds: float  # 0 where onnxruntime computes it together with another


@dataclass(frozen=True, slots=True)
class NetworkProfile:
    """A network's size, work and time, as a whole and layer by layer."""

    layers: tuple[LayerProfile, ...]
    input_shape: tuple[int, ...]
    parameters: int
    macs: int
    milliseconds: float  # median of whole runs
    other_ms: float  # of what belongs to no layer: changes of layout, conversions
    threads: int

    @property
    def flops(self) -> int:
        """Return two for each MAC."""
        return FLOPS_PER_MAC * self.macs


def profile(
    network: nn.Module | str | os.PathLike[str], input_shape: Sequence[int], *, threads: int = 1
) -> NetworkProfile:
    """Count and time a torch network or an ONNX file on inputs of one shape.

    Parameters
    ----------
    network
        A torch module, which is looked at as the ONNX model that it becomes, or the path of an `.onnx` file.
    input_shape
        Shape of the input, such as (1, 3, 512, 1024).
    threads
        Threads that compute.

    Raises
    ------
    InputError
        The network cannot be read or exported, or does not take that shape.
    """
    model, label = _model(network, input_shape)
    given = onnx_graph.the_input(model.graph, label).name
    feeds = {given: parity.random_inputs([input_shape])[0]}
    shapes = _shapes(model, feeds)
    times, whole_ms = _times(model, feeds, threads, label)
    layers = _layers(model, shapes, times)
    return NetworkProfile(
        layers=layers,
        input_shape=tuple(input_shape),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        milliseconds=whole_ms,
        other_ms=max(0.0, sum(times.values()) - sum(layer.milliseconds for layer in layers)),
        threads=threads,
    )


def _model(network: Any, input_shape: Sequence[int]) -> tuple[Any, str]:
    if isinstance(network, str | os.PathLike):
        path = Path(network)
        return onnx_graph.named(onnx_graph.load(path)), str(path)
    from salticid.engine.export_onnx import to_onnx

    return to_onnx(network, input_shape), type(network).__name__


def _shapes(model: Any, feeds: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every value, by running the network once; a shape may depend on the input's."""
    values = [name for node in model.graph.node for name in node.output if name]
    outputs = Session(onnx_graph.with_values(model, values).SerializeToString(), threads=1).run(feeds)
    return {name: array.shape for name, array in outputs.items()}


def _layers(model: Any, shapes: Mapping[str, tuple[int, ...]], times: Mapping[str, float]) -> tuple[LayerProfile, ...]:
    """Return a row for every node but conversions to 8 bits and back, and those that unpack stored weights."""
    known = onnx_graph.constants(model.graph)
    numbers = _weight_sources(model, known)
    rows = []
    for node in model.graph.node:
        if node.op_type in CONVERTING or (node.op_type in WIDENING and node.input[0] in known):
            continue
        weights = [numbers[name] for name in node.input if name in numbers]
        output = shapes[node.output[0]]
        milliseconds = times.get(node.name, 0.0)
        macs = _macs(node, weights, output, stored_first=bool(weights) and node.input[0] in numbers)
        parameters = sum(prod(shape) for shape in weights) if macs else 0
        rows.append(LayerProfile(node.name, node.op_type, output, macs, parameters, milliseconds))
    return tuple(rows)


def _weight_sources(model: Any, known: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of stored weights, by their name and by that of the value that they are widened to."""
    shapes = {name: tuple(tensor.dims) for name, tensor in known.items()}
    for node in model.graph.node:
        if node.op_type in WIDENING and node.input[0] in known:
            shapes[node.output[0]] = shapes[node.input[0]]
    return shapes


def _macs(node: Any, weights: Sequence[tuple[int, ...]], output: Sequence[int], *, stored_first: bool) -> int:
    """Return how many products a node adds up; 0 for one without weights. Stored first: they are its first input."""
    if not weights or len(weights[0]) < 2:
        return 0
    if node.op_type == "Conv":
        return prod(output) * prod(weights[0][1:])
    if node.op_type == "ConvTranspose":
        taps = prod(weights[0][2:]) / prod(onnx_graph.attributes(node).get("strides", [1]))
        return int(prod(output) * weights[0][0] / onnx_graph.attributes(node).get("group", 1) * taps)
    if node.op_type in ("Gemm", "MatMul"):
        turned = onnx_graph.attributes(node).get("transA" if stored_first else "transB", 0)
        return prod(output) * weights[0][-1 if stored_first != bool(turned) else -2]
    return 0


def _times(model: Any, feeds: Mapping[str, Array], threads: int, label: str) -> tuple[dict[str, float], float]:
    """Return the milliseconds of every node, by name, and of a whole run: medians of a few runs."""
    ort = packages.onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = onnx_graph.NO_LOG
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_profiling = True
    with tempfile.TemporaryDirectory(prefix="salticid-profile-") as folder:
        options.profile_file_prefix = str(Path(folder) / "run")
        try:
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except onnx_graph.runtime_errors(ort) as error:
            raise load_failure(label, "onnxruntime", error) from error
        try:
            for _ in range(WARMUP + REPEATS):
                session.run(None, dict(feeds))
        except onnx_graph.runtime_errors(ort) as error:
            raise run_failure(label, "onnxruntime", feeds, error) from error
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _medians(model, events)


def _medians(model: Any, events: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], float]:
    runs = [event["dur"] for event in events if event.get("name") == "model_run"]
    if len(runs) < WARMUP + REPEATS:
        raise InputError("onnxruntime's record of its runs is not as expected: this version is not known here")
    owners = _owners(model)
    found: dict[str, list[float]] = {}
    for event in events:
        name = str(event.get("name", ""))
        if event.get("cat") == "Node" and name.endswith(NODE_END):
            given = ADDED.sub("", name.removesuffix(NODE_END))
            key = (given, event["args"].get("op_name"))
            found.setdefault(_owner(key, owners), []).append(event["dur"])
    # A node of the table may consist of several: each of them has run equally often.
    times = {name: median(_per_run(spans)) / MICROSECONDS_PER_MS for name, spans in found.items()}
    return times, median(runs[WARMUP:]) / MICROSECONDS_PER_MS


def _per_run(spans: Sequence[float]) -> list[float]:
    """Return the sums of each run."""
    runs = WARMUP + REPEATS
    each = max(1, len(spans) // runs)
    return [sum(spans[start : start + each]) for start in range(each * WARMUP, len(spans) - each + 1, each)]


def _owners(model: Any) -> dict[str, Any]:
    """Return the nodes by name and by the values that they make: onnxruntime names what it joins by its result."""
    return onnx_graph.producers(model.graph) | {node.name: node for node in model.graph.node}


def _owner(key: tuple[str, str | None], owners: Mapping[str, Any]) -> str:
    """Return the name of the node that a recorded time belongs to; of joined ones, the convolution's."""
    name, operator = key
    node = owners.get(name)
    while node is not None and operator and "Conv" in operator and node.op_type != "Conv" and node.input:
        node = owners.get(node.input[0])
    return node.name if node is not None else name
