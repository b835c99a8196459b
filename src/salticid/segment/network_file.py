"""A segmentation network that is ready to run: opened, looked at, and asked for no more than is used.

What such a file takes: `image`, float32 (N, 3, H, W), RGB as value / 127.5 - 1, sides multiples of its stride. What it
gives: `logits8`, float32 (N, C, H/8, W/8), or `labels`, uint8 (N, H, W), or both. Its metadata name the classes. From
`logits8` our own kernel finds the labels in a fraction of the time that the file's own last layers take, so where a
file has both, the layers that lead to `labels` are left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.engine import models, onnx_file
from salticid.engine.session import Session
from salticid.engine.tensors import TensorSpec
from salticid.errors import InputError
from salticid.segment.result import MOST_CLASSES

if TYPE_CHECKING:
    from torch import nn

LOGITS, LABELS = "logits8", "labels"
LOGITS_STRIDE = 8

# What the metadata of a file may say; where they say nothing, this is taken for granted.
TASK_KEY, CLASSES_KEY = "salticid.task", "salticid.classes"
INPUT_KEY, STRIDE_KEY = "salticid.input", "salticid.stride"
TASK, INPUT, STRIDE = "segment", "image / 127.5 - 1, RGB", 32

_CONTRACT = (
    f"a segmentation network takes one float32 image (N, 3, H, W) and gives {LOGITS}, float32 (N, C, H/8, W/8), "
    f"or {LABELS}, uint8 (N, H, W)"
)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFile:
    """A network and what its file says of it."""

    session: Session
    output: str  # LOGITS or LABELS
    names: tuple[str, ...]  # of the classes
    stride: int  # the image's sides must be multiples of it
    label: str  # how messages call it

    @property
    def input(self) -> str:
        """Name of the input."""
        return self.session.inputs[0].name


def open_network(
    model: str | os.PathLike[str] | bytes | nn.Module, names: Sequence[str] | None, **settings: Any
) -> NetworkFile:
    """Open a network by the name of its card, its path, its bytes, or as a torch module.

    Parameters
    ----------
    names
        Of the classes; by default those of the file, or "class 0" and so on where it names none.
    settings
        Engine, device, threads and precision, as `salticid.engine.session.Session` takes them.

    Raises
    ------
    InputError
        There is no such model or it is no segmentation network, or `names` are not as many as its classes.
    MissingError, IntegrityError, ResourceError
        See `salticid.engine.models.find` and `salticid.engine.session.Session`.
    """
    source: Any = models.find(model) if isinstance(model, (str, os.PathLike)) else model
    label = str(source) if isinstance(source, Path) else "the model given"
    session = _session(source, label, settings)
    output = _output([spec.name for spec in session.outputs], label)
    _check(session, output, label)
    count = session.outputs[0].shape[1] if output == LOGITS and session.outputs[0].shape else None
    return NetworkFile(session, output, _names(session, names, count, label), _stride(session.metadata, label), label)


def _session(source: Any, label: str, settings: dict[str, Any]) -> Session:
    """Open `source` with the one output that is used."""
    if isinstance(source, bytes) or (isinstance(source, Path) and source.suffix.lower() == ".onnx"):
        return Session(source, outputs=[_output(onnx_file.output_names(source, label), label)], **settings)
    if not isinstance(source, Path):
        return Session(source, outputs=[LOGITS], **settings)  # a torch module, whose output has no name
    session = Session(source, **settings)
    if len(session.outputs) == 1:
        return session
    return Session(source, outputs=[_output([spec.name for spec in session.outputs], label)], **settings)


def _output(names: Sequence[str], label: str) -> str:
    for wanted in (LOGITS, LABELS):
        if wanted in names:
            return wanted
    raise InputError(f"{label} gives {', '.join(names)}: {_CONTRACT}")


def _check(session: Session, output: str, label: str) -> None:
    """Raise `InputError` unless input and output are what they must be, as far as the engine tells."""
    if len(session.inputs) != 1:
        raise InputError(f"{label} takes {', '.join(map(str, session.inputs)) or 'nothing'}: {_CONTRACT}")
    wanted = {
        LOGITS: TensorSpec(LOGITS, "float32", (None, None, None, None)),
        LABELS: TensorSpec(LABELS, "uint8", (None, None, None)),
    }[output]
    image = TensorSpec("image", "float32", (None, 3, None, None))
    for found, expected in ((session.inputs[0], image), (session.outputs[0], wanted)):
        if not _is_like(found, expected):
            raise InputError(f"{label} has {found}: {_CONTRACT}")
    for key, expected_text in ((TASK_KEY, TASK), (INPUT_KEY, INPUT)):
        told = session.metadata.get(key, expected_text)
        if told != expected_text:
            raise InputError(f"{label} says {key} = {told!r}, not {expected_text!r}: it is made for something else")


def _is_like(found: TensorSpec, expected: TensorSpec) -> bool:
    if found.dtype not in (None, expected.dtype):
        return False
    if found.shape is None or expected.shape is None:
        return True
    return len(found.shape) == len(expected.shape) and all(
        None in (length, wanted) or length == wanted for length, wanted in zip(found.shape, expected.shape, strict=True)
    )


def _names(session: Session, given: Sequence[str] | None, count: int | None, label: str) -> tuple[str, ...]:
    """Return the names of the classes, `count` of them where that is known."""
    if count is not None and count > MOST_CLASSES:
        raise InputError(f"{label} has {count} classes: at most {MOST_CLASSES} fit uint8 beside void")
    names = tuple(given) if given is not None else _names_in(session.metadata, label)
    if names is None:
        return tuple(f"class {number}" for number in range(count or MOST_CLASSES))
    texts = all(isinstance(name, str) and name for name in names)
    if not names or len(names) > MOST_CLASSES or len(set(names)) != len(names) or not texts:
        raise InputError(f"names must be 1 to {MOST_CLASSES} different names, not {', '.join(map(repr, names))}")
    if count not in (None, len(names)):
        raise InputError(f"{label} has {count} classes, and there are {len(names)} names: {', '.join(names)}")
    return names


def _names_in(metadata: dict[str, str], label: str) -> tuple[str, ...] | None:
    if CLASSES_KEY not in metadata:
        return None
    try:
        names = json.loads(metadata[CLASSES_KEY])
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        told = metadata[CLASSES_KEY]
        raise InputError(f"{label} says salticid.classes = {told!r}, which is no JSON list of names: give names=[...]")
    return tuple(names)


def _stride(metadata: dict[str, str], label: str) -> int:
    told = metadata.get(STRIDE_KEY, str(STRIDE))
    if not told.isdecimal() or int(told) < LOGITS_STRIDE or int(told) % LOGITS_STRIDE:
        raise InputError(f"{label} says salticid.stride = {told!r}: it must be a multiple of {LOGITS_STRIDE}")
    return int(told)
