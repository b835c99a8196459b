"""Find the files that an ONNX model keeps its tensors in, and refuse those outside its own folder.

A tensor in an ONNX file may say "my bytes are in that file" (onnx.proto: `TensorProto.external_data`). Older engines
open whatever path stands there, so a model from a stranger could read any file. This reads the few protobuf fields
that lead to such tensors, without the onnx package and without touching the weights.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from salticid.errors import InputError

# Message -> field number -> message that it holds, as in onnx.proto; all other fields are skipped.
CHILDREN = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {1: "key", 2: "value"},
}

GRAPH = 7  # the field of the model that holds its graph

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # protobuf wire types
FIXED_BYTES = {FIXED64: 8, FIXED32: 4}

Buffer = bytes | mmap.mmap


def check(model: Path | bytes, label: str) -> None:
    """Raise `InputError` when `model` is an ONNX model that is cut off or reads files that it should not."""
    if isinstance(model, bytes):
        check_bytes(model, label)
    elif model.suffix.lower() == ".onnx":
        check_file(model)


def check_file(path: Path) -> None:
    """Raise `InputError` when the ONNX model at `path` is cut off or keeps a tensor outside its folder."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            locations = _external_locations(data, str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    # Both are the model's folder where the model itself is a link, as in the cache of the Hugging Face hub.
    folders = {path.parent.resolve(), path.resolve().parent}
    for location in locations:
        target = (path.parent / os.fsdecode(location)).resolve() if b"\0" not in location else Path("/")
        if not any(target.is_relative_to(folder) for folder in folders):
            raise InputError(f"{path} keeps tensors in {location!r}, outside its folder: such a file is not opened")
        if not target.is_file():
            raise InputError(f"{path} keeps tensors in {location!r}, which is missing: put that file beside it")


def check_bytes(data: bytes, model: str) -> None:
    """Raise `InputError` when the ONNX model in `data` is cut off or keeps a tensor in any file."""
    for location in _external_locations(data, model):
        raise InputError(f"{model} keeps tensors in the file {location!r}: give the path of the model instead")


def _external_locations(data: Buffer, model: str) -> set[bytes]:
    """Return the `location` of every external tensor, in graphs, subgraphs, functions and attributes."""
    if not any(number == GRAPH for number, _, _ in _fields(data, 0, len(data), model)):
        raise _broken(model)
    locations: set[bytes] = set()
    pending = [("model", 0, len(data))]
    while pending:
        kind, start, end = pending.pop()
        texts = {}
        for number, first, last in _fields(data, start, end, model):
            child = CHILDREN[kind].get(number)
            if kind == "entry" and child:
                texts[child] = data[first:last]
            elif child:
                pending.append((child, first, last))
        if texts.get("key") == b"location":
            locations.add(texts.get("value", b""))
    return locations


def _fields(data: Buffer, start: int, end: int, model: str) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each length-delimited field between `start` and `end`."""
    while start < end:
        tag, start = _varint(data, start, end, model)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise _broken(model)
        if wire == LENGTH:
            length, start = _varint(data, start, end, model)
            if length > end - start:
                raise _broken(model)
            yield number, start, start + length
            start += length
        elif wire == VARINT:
            _, start = _varint(data, start, end, model)
        elif wire in FIXED_BYTES:
            start += FIXED_BYTES[wire]
        else:
            raise _broken(model)


def _varint(data: Buffer, start: int, end: int, model: str) -> tuple[int, int]:
    """Return the number at `start` and the position after it: 7 bits a byte, lowest first, at most 10 bytes."""
    value = 0
    for shift, at in enumerate(range(start, min(start + 10, end))):
        value |= (data[at] & 0x7F) << (7 * shift)
        if data[at] < 0x80:
            return value, at + 1
    raise _broken(model)


def _broken(model: str) -> InputError:
    return InputError(f"{model} is cut off or no ONNX model")
