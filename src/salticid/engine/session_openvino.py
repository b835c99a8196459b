"""Run an ONNX, TensorFlow Lite or OpenVINO model in OpenVINO, on the CPU."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salticid.core.recycle import Recycler
from salticid.core.types import Array
from salticid.engine import external_data, onnx_file, packages
from salticid.engine.failures import load_failure, run_failure
from salticid.engine.settings import Settings
from salticid.engine.tensors import TensorSpec, choose
from salticid.errors import InputError, MissingError

PRECISIONS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}

FRONTENDS = {".onnx": "onnx", ".tflite": "tflite", ".xml": "ir"}

DTYPES = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16", "boolean": "bool"} | {
    f"{sign}{bits}": f"{name}{bits}" for sign, name in (("i", "int"), ("u", "uint")) for bits in (8, 16, 32, 64)
}


class OpenVinoBackend:
    """One compiled OpenVINO model; see `salticid.engine.session.Session`."""

    def __init__(self, model: Path | bytes, label: str, settings: Settings) -> None:
        if settings.cuda is not None:
            raise InputError(
                f"openvino runs on the CPU here: device={settings.device!r} needs engine='onnxruntime' or 'torch'"
            )
        external_data.check(model, label)
        ov = packages.openvino()
        self._errors = engine_errors(ov)
        self._label = label
        self._lock = threading.Lock()  # one request, one set of buffers
        try:
            self._compile(ov, model, settings)
        except self._errors as error:
            raise load_failure(label, "openvino", error) from error
        self.device = "cpu"

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in order; calls from several threads take turns."""
        arrays = dict(enumerate(feeds[spec.name] for spec in self.inputs))
        try:
            with self._lock:
                # Not infer(): on one thread OpenVINO 2026.4 loses its exceptions and returns what was in the buffers.
                self._request.start_async(arrays, share_inputs=True)
                self._request.wait()
                return [self._copied(index) for index in range(len(self.outputs))]
        except self._errors as error:
            raise run_failure(self._label, "openvino", feeds, error) from error

    def _copied(self, index: int) -> Array:
        """Return an output in memory of its own: the request writes over its buffers in the next run."""
        result = self._request.get_output_tensor(index).data
        copy = self._recyclers[index].empty(result.shape, result.dtype)
        copy[...] = result
        return copy

    def _compile(self, ov: Any, model: Path | bytes, settings: Settings) -> None:
        graph = read_model(ov, model)
        if not graph.outputs:
            raise InputError(f"{self._label} is no model: it has no outputs")
        self.metadata = _metadata(graph, model, self._label)
        every = [_spec(port, self._label) for port in graph.outputs]
        self.inputs = tuple(_spec(port, self._label) for port in graph.inputs)
        self.outputs = choose(every, settings.outputs, self._label)
        if settings.outputs is not None:
            # A model made of the wanted outputs alone does not compute what only the others need.
            chosen = [graph.outputs[every.index(spec)] for spec in self.outputs]
            graph = ov.Model([port.get_node().input_value(0) for port in chosen], graph.get_parameters())
        compiled = _core().compile_model(graph, "CPU", _config(settings))
        _check_precision(compiled, settings.precision)
        self.threads = int(compiled.get_property("INFERENCE_NUM_THREADS"))
        self._request = compiled.create_infer_request()
        self._recyclers = [Recycler() for _ in self.outputs]


@functools.cache
def _core() -> Any:
    """Return the one core of this process.

    Where the program has a stack for signals (faulthandler, so Jupyter and pytest), each core of OpenVINO 2026.4 puts
    its own in that place and later puts back what it found. Two that end in the order in which they began leave one
    that is not mapped any more, and the next Ctrl-C ends the process.
    """
    return packages.openvino().Core()


def engine_errors(ov: Any) -> tuple[type[Exception], ...]:
    """Return the exceptions of OpenVINO and of its readers, which share no base; names need not be UTF-8."""
    failures = [kind for name, kind in vars(ov.frontend).items() if name.endswith("Failure")]
    return (RuntimeError, UnicodeDecodeError, *failures)


def read_model(ov: Any, model: Path | bytes) -> Any:
    """Read `model` as what its suffix says; `Core.read_model` would try every format that it knows."""
    frontend = ov.frontend.FrontEndManager().load_by_framework(
        "onnx" if isinstance(model, bytes) else FRONTENDS[model.suffix.lower()]
    )
    return frontend.convert(frontend.load(io.BytesIO(model) if isinstance(model, bytes) else str(model)))


def _metadata(graph: Any, model: Path | bytes, label: str) -> dict[str, str]:
    """Return what the file says of itself; one that was converted keeps what the ONNX file said under `framework`."""
    if isinstance(model, bytes) or model.suffix.lower() == ".onnx":
        return onnx_file.metadata(model, label)
    told = dict(graph.get_rt_info())
    inherited = told.pop("framework", {})
    every = {**(inherited if isinstance(inherited, dict) else {}), **told}
    texts = {name: getattr(value, "value", None) for name, value in every.items()}
    return {name: value for name, value in texts.items() if isinstance(value, str)}


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "INFERENCE_NUM_THREADS": settings.threads,
        "INFERENCE_PRECISION_HINT": PRECISIONS[
            settings.precision
        ],  # without it a CPU with bfloat16 rounds to 8 bits, silently
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # pinning puts the first thread of every process on the same core
    }


def _check_precision(compiled: Any, precision: str) -> None:
    """Raise when the CPU cannot do what was asked and OpenVINO would quietly use another type."""
    used = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    if DTYPES.get(used) != DTYPES[PRECISIONS[precision]]:
        raise MissingError(f"precision={precision!r}: openvino has no such arithmetic on this CPU; use 'fp32'")


def _spec(port: Any, label: str) -> TensorSpec:
    name, dtype, shape = _name(port), port.get_element_type().to_string(), port.get_partial_shape()
    if dtype not in DTYPES:
        raise InputError(f"{label}: {name!r} is of type {dtype}; only tensors of numbers are supported")
    if shape.rank.is_dynamic:
        return TensorSpec(name, DTYPES[dtype], None)
    return TensorSpec(name, DTYPES[dtype], tuple(None if axis.is_dynamic else axis.get_length() for axis in shape))


def _name(port: Any) -> str:
    """Return the name that the model file gives to `port`; OpenVINO keeps it in a set with those of merged tensors."""
    names = port.get_names()
    node = str(port.get_node().get_friendly_name()).removesuffix("/sink_port_0")  # outputs of ONNX files
    return node if node in names or not names else str(min(names))
