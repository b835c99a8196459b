"""Find the files that an ONNX model keeps its tensors in, and refuse those outside its own folder.

A tensor in an ONNX file may say "my bytes are in that file" (onnx.proto: `TensorProto.external_data`). Older engines
open whatever path stands there, so a model from a stranger could read any file. This reads the few protobuf fields
that lead to such tensors, without the onnx package and without touching the weights.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from salticid.engine.protobuf import Buffer, broken, fields
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
    if not any(field.number == GRAPH for field in fields(data, 0, len(data), model)):
        raise broken(model)
    locations: set[bytes] = set()
    pending = [("model", 0, len(data))]
    while pending:
        kind, start, end = pending.pop()
        texts = {}
        for field in fields(data, start, end, model):
            child = CHILDREN[kind].get(field.number)
            if kind == "entry" and child:
                texts[child] = data[field.start : field.end]
            elif child:
                pending.append((child, field.start, field.end))
        if texts.get("key") == b"location":
            locations.add(texts.get("value", b""))
    return locations
