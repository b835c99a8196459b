"""ONNX graphs as the shrinking tools see them: read, tidied up, cut, and asked who makes and who takes a value."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from salticid.core.types import Array
from salticid.engine import external_data, packages
from salticid.engine.failures import load_failure
from salticid.errors import InputError

DEFAULT_DOMAINS = ("", "ai.onnx")
OLDEST_OPSET = 13  # one scale per channel
NO_LOG = 4
IMAGE_RANK = 4
POOLED_AXES = ([2, 3], [-2, -1])


def load(path: str | os.PathLike[str]) -> Any:
    """Read the ONNX model at `path`, with the weights that it keeps in files beside it.

    Constants are no inputs here: old exporters list every weight among the inputs, as something that may be replaced.

    Raises
    ------
    InputError
        There is no such file, it is no ONNX model, or it keeps tensors outside its folder.
    MissingError
        The package onnx is not installed.
    """
    file = Path(path)
    if not file.is_file() or file.stat().st_size == 0:
        raise InputError(f"there is no model file {file}, or it is empty")
    onnx = packages.onnx()
    external_data.check_file(file)
    decode_error = importlib.import_module("google.protobuf.message").DecodeError
    try:
        model = onnx.load(file)
        onnx.checker.check_model(model)
    except (decode_error, onnx.checker.ValidationError, ValueError) as problem:
        raise InputError(f"{file} is no valid ONNX model: {problem}") from problem
    replace(model.graph.input, inputs(model.graph))
    return model


def copy(model: Any) -> Any:
    """Return a copy of `model`, to be changed."""
    other = type(model)()
    other.CopyFrom(model)
    return other


def tidied(model: Any, label: str = "the model") -> Any:
    """Return `model` as the tools want it: constants computed, batch normalization in the convolutions, no identities.

    onnxruntime does it; every node is an operator of ONNX afterwards too, and metadata stay. A mean over height and
    width becomes a global average pooling, its usual name.

    Raises
    ------
    InputError
        onnxruntime cannot load the model.
    """
    ort = packages.onnxruntime()
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = NO_LOG
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="salticid-onnx-") as folder:
        options.optimized_model_filepath = str(Path(folder) / "tidied.onnx")
        try:
            ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except runtime_errors(ort) as error:
            raise load_failure(label, "onnxruntime", error) from error
        tidy = packages.onnx().load(options.optimized_model_filepath)
    _drop_unused_domains(tidy)
    _rename_means(tidy)
    _name_nodes(tidy.graph)
    del tidy.graph.value_info[:]
    return tidy


def named(model: Any) -> Any:
    """Return a copy of `model` in which every node has a name of its own."""
    other = copy(model)
    _name_nodes(other.graph)
    return other


def runtime_errors(ort: Any) -> tuple[type[Exception], ...]:
    """Return the exceptions of onnxruntime, which share no base."""
    state = vars(ort.capi.onnxruntime_pybind11_state).values()
    return (RuntimeError, *(kind for kind in state if isinstance(kind, type) and issubclass(kind, Exception)))


def is_quantized(model: Any) -> bool:
    """Say whether something of `model` is in 8 bits."""
    return any(item.op_type in ("QuantizeLinear", "DynamicQuantizeLinear") for item in model.graph.node)


def load_float(path: str | os.PathLike[str]) -> Any:
    """Read the ONNX model at `path`, tidied up, to be written in 8 bits."""
    model = load(path)
    check_float(model, str(path))
    return tidied(model, str(path))


def check_float(model: Any, label: str) -> None:
    """Raise `InputError` where the model is in 8 bits already."""
    if is_quantized(model):
        raise InputError(f"{label} is in 8 bits already: take the file in float that it was made of")


def opset(model: Any) -> int:
    """Return the version of ONNX's operators that `model` is written in."""
    return max((int(item.version) for item in model.opset_import if item.domain in DEFAULT_DOMAINS), default=0)


def check_opset(model: Any, label: str) -> None:
    """Raise `InputError` where the model is too old for what the tools add to it."""
    if opset(model) < OLDEST_OPSET:
        raise InputError(f"{label} has opset {opset(model)}: export it again with opset {OLDEST_OPSET} or newer")


def producers(graph: Any) -> dict[str, Any]:
    """Return the node that makes each value."""
    return {name: node for node in graph.node for name in node.output if name}


def consumers(graph: Any) -> dict[str, list[Any]]:
    """Return the nodes that take each value."""
    found: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            found.setdefault(name, []).append(node)
    return found


def constants(graph: Any) -> dict[str, Any]:
    """Return the initializers by name."""
    return {tensor.name: tensor for tensor in graph.initializer}


def array(tensor: Any) -> Array:
    """Return the numbers of an initializer."""
    numbers: Array = packages.onnx().numpy_helper.to_array(tensor)
    return numbers


def tensor(values: Array, name: str) -> Any:
    """Return an initializer."""
    return packages.onnx().numpy_helper.from_array(values, name)


def node(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    """Return a node named after its only output."""
    return packages.onnx().helper.make_node(operator, list(inputs), [output], name=output, **attributes)


def attributes(of: Any) -> dict[str, Any]:
    """Return the attributes of a node by name."""
    get = packages.onnx().helper.get_attribute_value
    return {item.name: get(item) for item in of.attribute}


def inputs(graph: Any) -> list[Any]:
    """Return what must be fed."""
    known = constants(graph)
    return [value for value in graph.input if value.name not in known]


def the_input(graph: Any, label: str) -> Any:
    """Return the only input; `InputError` where there are several or none."""
    found = inputs(graph)
    if len(found) != 1:
        raise InputError(f"{label} has {len(found)} inputs: networks with exactly one are taken")
    return found[0]


def dimensions(value: Any) -> list[int | str]:
    """Return the length or the name of each axis of an input or output."""
    return [item.dim_value or item.dim_param or "?" for item in value.type.tensor_type.shape.dim]


def find_output(model: Any, name: str, label: str) -> Any:
    """Return the output called `name`; `InputError` with the names that there are."""
    for value in model.graph.output:
        if value.name == name:
            return value
    known = ", ".join(repr(value.name) for value in model.graph.output)
    raise InputError(f"{label} has no output {name!r}: it has {known}")


def first_float_output(model: Any, label: str) -> str:
    """Return the name of the first float32 output, the logits of a network that has labels too."""
    for value in model.graph.output:
        if value.type.tensor_type.elem_type == packages.onnx().TensorProto.FLOAT:
            return str(value.name)
    raise InputError(f"{label} has no float32 output: take a file that has its logits")


def with_outputs(model: Any, names: Collection[str], label: str = "the model") -> Any:
    """Return a copy of `model` that gives the outputs called `names` alone, in its own order, and nothing unused."""
    for name in names:
        find_output(model, name, label)
    other = copy(model)
    kept = [value for value in other.graph.output if value.name in names]
    replace(other.graph.output, kept)
    drop_unused(other.graph)
    return other


def with_values(model: Any, names: Sequence[str]) -> Any:
    """Return a copy of `model` whose outputs are the inner values called `names`, of any type and shape."""
    other = copy(model)
    replace(other.graph.output, [packages.onnx().ValueInfoProto(name=name) for name in names])
    drop_unused(other.graph)
    return other


def drop_unused(graph: Any) -> None:
    """Remove nodes and constants that no output needs; a graph within a node counts as needing all that it names."""
    wanted = {value.name for value in graph.output}
    kept = []
    for item in reversed(graph.node):
        if wanted.intersection(item.output):
            wanted.update(name for part in _with_inner(item) for name in part.input)
            kept.append(item)
    replace(graph.node, kept[::-1])
    replace(graph.initializer, [item for item in graph.initializer if item.name in wanted])


def replace(field: Any, items: Sequence[Any]) -> None:
    """Put `items` in the place of what a repeated field of a message holds."""
    held = [copy(item) for item in items]  # they may live in the field
    del field[:]
    field.extend(held)


def replace_names(field: Any, names: Sequence[str]) -> None:
    """Put `names` in the place of the inputs or outputs that a node has."""
    held = list(names)
    del field[:]
    field.extend(held)


def metadata(model: Any) -> dict[str, str]:
    """Return the metadata properties of `model`."""
    return {item.key: item.value for item in model.metadata_props}


def set_metadata(model: Any, properties: Mapping[str, str]) -> None:
    """Add `properties` to the metadata of `model`, in place; known keys get the new value."""
    for key, value in properties.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InputError(f"metadata are texts by name, not {key!r}: {value!r}: write such a value as JSON")
    together = metadata(model) | dict(properties)
    del model.metadata_props[:]
    for key, value in together.items():
        model.metadata_props.add(key=key, value=value)


def _with_inner(item: Any) -> Iterator[Any]:
    """Yield a node and the nodes of the graphs within it."""
    yield item
    for attribute in item.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _with_inner(inner)


def _drop_unused_domains(model: Any) -> None:
    """Remove the versions of operator sets that onnxruntime lists although no node uses them."""
    used = {part.domain for item in model.graph.node for part in _with_inner(item)} | {""}
    replace(model.opset_import, [item for item in model.opset_import if item.domain in used])


def _name_nodes(graph: Any) -> None:
    """Give every node a name of its own: lists and choices are made by name."""
    given = {item.name for item in graph.node}
    taken = {""}
    for number, item in enumerate(graph.node):
        if item.name in taken:
            item.name = _unused(given, f"{item.op_type}_{number}")
        taken.add(item.name)


def _unused(taken: set[str], name: str) -> str:
    """Return `name`, with something behind it where that is taken, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _rename_means(model: Any) -> None:
    """Turn each mean over height and width of images that keeps its axes into a global average pooling."""
    known = constants(model.graph)
    means = [item for item in model.graph.node if item.op_type == "ReduceMean" and _takes_the_mean(item, known)]
    if not means:
        return
    ranks = _ranks(model)
    for item in means:
        if ranks.get(item.input[0]) == IMAGE_RANK:
            item.op_type = "GlobalAveragePool"
            del item.attribute[:], item.input[1:]
    drop_unused(model.graph)


def _takes_the_mean(item: Any, known: Mapping[str, Any]) -> bool:
    """Say whether a ReduceMean is over height and width, if it takes images, and keeps these axes."""
    axes = attributes(item).get("axes")
    if axes is None and len(item.input) > 1 and item.input[1] in known:
        axes = array(known[item.input[1]]).tolist()
    return axes is not None and list(axes) in POOLED_AXES and attributes(item).get("keepdims", 1) == 1


def _ranks(model: Any) -> dict[str, int]:
    """Return the number of axes of every value of which it is known."""
    graph = packages.require("onnx.shape_inference").infer_shapes(model).graph
    return {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info)
        if value.type.tensor_type.HasField("shape")
    }
