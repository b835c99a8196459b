"""One way to run a network, whatever engine is underneath.

    session = Session("fastseg.onnx", threads=2)
    logits = session.run({"image": image})["logits"]

Threads are the caller's to give out: a worker process among several passes its share, and no engine takes more.
Precision is explicit: an engine that would round on its own, as OpenVINO does on CPUs with bfloat16, is told not to.
A device that was named is used or it is an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from salticid.core.types import Array
from salticid.engine.settings import Precision, Settings
from salticid.engine.tensors import TensorSpec, check_feeds
from salticid.errors import InputError

if TYPE_CHECKING:
    from torch import nn

EngineName = Literal["onnxruntime", "openvino", "torch"]

# The first engine of a file type is the one that "auto" takes.
ENGINES_OF: dict[str, tuple[EngineName, ...]] = {
    ".onnx": ("onnxruntime", "openvino"),
    ".tflite": ("openvino",),
    ".xml": ("openvino",),
    "bytes": ("onnxruntime", "openvino"),
    "module": ("torch",),
}


class Backend(Protocol):
    """What one engine has to do for `Session`."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    device: str
    threads: int
    metadata: dict[str, str]

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in order."""


class Session:
    """A network that is loaded once and run many times.

    Parameters
    ----------
    model
        Path of an `.onnx`, `.tflite` or `.xml` (OpenVINO) file; the bytes of an ONNX file; or a torch module in
        evaluation mode, which is used as it is. No file that could hold code is ever loaded.
    engine
        "onnxruntime", "openvino" or "torch"; "auto" takes onnxruntime for ONNX, openvino for the other files and torch
        for a module.
    device
        "cpu", "cuda" or "cuda:1"; "auto" takes CUDA where onnxruntime has it, and the place of a torch module.
    threads
        Threads that compute, the calling one included. torch has one count for the whole process: it is set for the
        length of each run and then restored.
    precision
        Arithmetic for the values that the model holds as float32. "fp32" forbids the engine to round below it;
        "bf16" and "fp16" (openvino, torch) allow it.
    outputs
        Names of the wanted outputs, in order; all of them by default. What only the others need is not computed, in
        onnxruntime and openvino. They name what a torch module returns as a tuple or a mapping.

    Attributes
    ----------
    inputs, outputs
        What `run` takes and returns.
    engine, device, threads, precision
        What is really used.
    metadata
        What the maker of an ONNX or OpenVINO file wrote into it, by name; empty for other models.

    Raises
    ------
    InputError
        The file is absent, cut off, of another kind or keeps weights outside its folder; an argument is wrong.
    MissingError
        The engine, the device or the precision is not there on this machine.
    ResourceError
        Not enough memory.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | nn.Module,
        *,
        engine: EngineName | Literal["auto"] = "auto",
        device: str = "auto",
        threads: int,
        precision: Precision = "fp32",
        outputs: Sequence[str] | None = None,
    ) -> None:
        settings = Settings(device, threads, precision, None if outputs is None else tuple(outputs))
        source, self._label = _source(model)
        self.engine: EngineName = _engine(source, engine, self._label)
        self._backend = _backend(self.engine)(source, self._label, settings)
        self.inputs: tuple[TensorSpec, ...] = self._backend.inputs
        self.outputs: tuple[TensorSpec, ...] = self._backend.outputs
        self.device: str = self._backend.device
        self.threads: int = self._backend.threads
        self.metadata: dict[str, str] = self._backend.metadata
        self.precision: Precision = precision

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once and return its outputs by name.

        Parameters
        ----------
        feeds
            One array per input, of the type and shape that `inputs` says; they are not changed, and no output shares
            memory with them.

        Raises
        ------
        InputError
            An input is missing, unknown, or of the wrong type, rank or shape.
        ResourceError
            Not enough memory.
        """
        check_feeds(feeds, self.inputs, self._label)
        results = self._backend.run(feeds)
        return {spec.name: array for spec, array in zip(self.outputs, results, strict=True)}


def _source(model: Any) -> tuple[Any, str]:
    """Return what a backend loads (a path, bytes or a module) and how messages call it."""
    if isinstance(model, bytes):
        return model, "the model given as bytes"
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        if not path.is_file():
            raise InputError(f"there is no model file {path}")
        if path.stat().st_size == 0:
            raise InputError(f"the model file {path} is empty")
        return path, str(path)
    torch = sys.modules.get("torch")  # whoever holds a module has imported it
    if torch is not None and isinstance(model, torch.nn.Module):
        return model, type(model).__name__
    raise InputError(f"a model is a path, the bytes of an ONNX file or a torch module, not {type(model).__name__}")


def _engine(source: Any, engine: str, label: str) -> EngineName:
    kind = source.suffix.lower() if isinstance(source, Path) else "bytes" if isinstance(source, bytes) else "module"
    if kind not in ENGINES_OF:
        files = ", ".join(suffix for suffix in ENGINES_OF if suffix.startswith("."))
        raise InputError(f"{label} is no model file that is read here; those are {files}")
    if engine not in ("auto", *get_args(EngineName)):
        raise InputError(f"engine must be auto, {', '.join(get_args(EngineName))}, not {engine!r}")
    for able in ENGINES_OF[kind]:
        if engine in ("auto", able):
            return able
    raise InputError(f"{engine} does not run {label}; {' and '.join(ENGINES_OF[kind])} would")


def _backend(engine: EngineName) -> Callable[[Any, str, Settings], Backend]:
    """Import the backend of `engine`, and with it nothing of the others."""
    if engine == "onnxruntime":
        from salticid.engine.session_onnxruntime import OnnxRuntimeBackend

        return OnnxRuntimeBackend
    if engine == "openvino":
        from salticid.engine.session_openvino import OpenVinoBackend

        return OpenVinoBackend
    from salticid.engine.session_torch import TorchBackend

    return TorchBackend
