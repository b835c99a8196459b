"""What an ONNX file says of itself, and the part of it that some of its outputs need; without the onnx package.

onnxruntime computes every node of a graph, whichever outputs are asked for, and also when the others are no outputs any
more. A network that ends in class scores and, from them, in a map of labels is therefore run as two files that share
their bytes: `needed` leaves out the nodes that lead to unwanted outputs alone.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from salticid.engine.protobuf import Buffer, Field, broken, fields, length_delimited
from salticid.errors import InputError

# Field numbers of onnx.proto.
MODEL_GRAPH, MODEL_METADATA = 7, 14
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_OUTPUT = 1, 5, 12
TENSOR_NAME, TENSOR_RAW = 8, 9
NODE_INPUT, NODE_OUTPUT, NODE_ATTRIBUTE = 1, 2, 5
ATTRIBUTE_GRAPHS = (6, 11)
VALUE_NAME = 1
ENTRY_KEY, ENTRY_VALUE = 1, 2


def metadata(model: Path | bytes, label: str) -> dict[str, str]:
    """Return the properties that the maker of an ONNX model wrote into it.

    Raises
    ------
    InputError
        The file, which messages call `label`, cannot be read or is cut off.
    """
    with _opened(model, label) as data:
        entries = [field for field in fields(data, 0, len(data), label) if field.number == MODEL_METADATA]
        return {_text(data, entry, ENTRY_KEY, label): _text(data, entry, ENTRY_VALUE, label) for entry in entries}


def output_names(model: Path | bytes, label: str) -> list[str]:
    """Return the names of the outputs of an ONNX file, without loading it; errors are those of `metadata`."""
    with _opened(model, label) as data:
        graph = _graph(data, label)
        parts = fields(data, graph.start, graph.end, label)
        return [_text(data, part, VALUE_NAME, label) for part in parts if part.number == GRAPH_OUTPUT]


def initializers(model: Path | bytes, label: str) -> dict[str, bytes]:
    """Return the bytes of an ONNX file's constants by name, without their shapes; errors are those of `metadata`.

    Empty for a constant that is stored as a list of numbers or in another file.
    """
    with _opened(model, label) as data:
        graph = _graph(data, label)
        tensors = [part for part in fields(data, graph.start, graph.end, label) if part.number == GRAPH_INITIALIZER]
        return {_text(data, one, TENSOR_NAME, label): _raw(data, one, label) for one in tensors}


def needed(data: bytes, outputs: Collection[str], label: str) -> bytes:
    """Return the ONNX model in `data` with the outputs named `outputs` alone, and without nodes that only others need.

    A model that lacks one of them, or has no more than them, comes back as it is.

    Raises
    ------
    InputError
        The model, which messages call `label`, is cut off.
    """
    graph = _graph(data, label)
    parts = list(fields(data, graph.start, graph.end, label))
    known = {_text(data, part, VALUE_NAME, label): part for part in parts if part.number == GRAPH_OUTPUT}
    if not set(outputs) < set(known):
        return data
    nodes = [part for part in parts if part.number == GRAPH_NODE]
    unwanted = [part for name, part in known.items() if name not in outputs]
    left_out = [*unwanted, *_unneeded(data, nodes, outputs, label)]
    kept = _without(data, graph, sorted(left_out, key=lambda part: part.tag))
    return data[: graph.tag] + length_delimited(MODEL_GRAPH, kept) + data[graph.end :]


@contextmanager
def _opened(model: Path | bytes, label: str) -> Iterator[Buffer]:
    if isinstance(model, bytes):
        yield model
        return
    try:
        with model.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise InputError(f"{label} cannot be read: {error}") from error
    except ValueError as error:  # an empty file
        raise broken(label) from error
    with data:
        yield data


def _graph(data: Buffer, label: str) -> Field:
    for field in fields(data, 0, len(data), label):
        if field.number == MODEL_GRAPH:
            return field
    raise broken(label)


def _text(data: Buffer, parent: Field, number: int, label: str) -> str:
    """Return the text in the field `number` of `parent`; empty where it has none."""
    found = [field for field in fields(data, parent.start, parent.end, label) if field.number == number]
    return data[found[-1].start : found[-1].end].decode(errors="replace") if found else ""


def _raw(data: Buffer, tensor: Field, label: str) -> bytes:
    found = [field for field in fields(data, tensor.start, tensor.end, label) if field.number == TENSOR_RAW]
    return data[found[-1].start : found[-1].end] if found else b""


def _unneeded(data: bytes, nodes: list[Field], outputs: Collection[str], label: str) -> list[Field]:
    """Return the nodes that no way leads to from `outputs`, against the arrows."""
    makers = {name: node for node in nodes for name in _names(data, node, NODE_OUTPUT, label)}
    reached: set[Field] = set()
    pending = [makers[name] for name in outputs if name in makers]
    while pending:
        node = pending.pop()
        if node not in reached:
            reached.add(node)
            pending += [makers[name] for name in _inputs(data, node, label) if name in makers]
    return [node for node in nodes if node not in reached]


def _inputs(data: bytes, node: Field, label: str) -> Iterator[str]:
    """Yield what a node reads; a loop or branch also reads, by name, what the graphs inside of it mention."""
    yield from _names(data, node, NODE_INPUT, label)
    for attribute in fields(data, node.start, node.end, label):
        if attribute.number != NODE_ATTRIBUTE:
            continue
        for graph in fields(data, attribute.start, attribute.end, label):
            if graph.number in ATTRIBUTE_GRAPHS:
                yield from _mentioned(data, graph, label)


def _mentioned(data: bytes, graph: Field, label: str) -> Iterator[str]:
    for part in fields(data, graph.start, graph.end, label):
        if part.number == GRAPH_NODE:
            yield from _inputs(data, part, label)
        elif part.number == GRAPH_OUTPUT:
            yield _text(data, part, VALUE_NAME, label)


def _names(data: bytes, node: Field, number: int, label: str) -> list[str]:
    found = [field for field in fields(data, node.start, node.end, label) if field.number == number]
    return [data[field.start : field.end].decode(errors="replace") for field in found]


def _without(data: bytes, graph: Field, left_out: list[Field]) -> bytes:
    """Return what `graph` holds, without the fields `left_out`, which are in order."""
    kept, at = [], graph.start
    for part in left_out:
        kept.append(data[at : part.tag])
        at = part.end
    return b"".join([*kept, data[at : graph.end]])
