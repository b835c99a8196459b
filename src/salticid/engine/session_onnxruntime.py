"""Run an ONNX model in onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salticid.core.types import Array
from salticid.engine import external_data, onnx_file, packages
from salticid.engine.failures import load_failure, run_failure
from salticid.engine.settings import Settings
from salticid.engine.tensors import TensorSpec, choose
from salticid.errors import InputError, MissingError

DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(bool)": "bool"} | {
    f"tensor({name})": name
    for name in ("float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}

NO_LOG = 4  # log only what is fatal: an error reaches the user as an exception, once

# Where a model that is given as bytes finds the tensors that lie beside its file.
WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"

# Threads that spin while they wait win a lone session a few per cent, and halve the pace of two that share cores.
SPINNING = {"session.intra_op.allow_spinning": "0"}


class OnnxRuntimeBackend:
    """One onnxruntime session; see `salticid.engine.session.Session`."""

    def __init__(self, model: Path | bytes, label: str, settings: Settings) -> None:
        if settings.precision != "fp32":
            raise InputError(
                f"onnxruntime computes in the types that the file holds: precision={settings.precision!r} needs "
                "engine='openvino', or a file that was exported in it"
            )
        external_data.check(model, label)
        ort = packages.onnxruntime()
        self._errors = _errors(ort)
        self._label = label
        try:
            self._session = _open(ort, model, settings, label)
            self.inputs = tuple(_spec(node, label) for node in self._session.get_inputs())
            self.outputs = choose([_spec(node, label) for node in self._session.get_outputs()], settings.outputs, label)
        except self._errors as error:
            raise load_failure(label, "onnxruntime", error) from error
        self.device = _started_on(self._session, settings)
        self.threads = settings.threads
        self.metadata = onnx_file.metadata(model, label)

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in order; safe to call from several threads."""
        try:
            results: list[Array] = self._session.run([spec.name for spec in self.outputs], dict(feeds))
        except self._errors as error:
            raise run_failure(self._label, "onnxruntime", feeds, error) from error
        return results


def _errors(ort: Any) -> tuple[type[Exception], ...]:
    """Return the exceptions of onnxruntime, which share no base; names need not be UTF-8."""
    state = ort.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (RuntimeError, UnicodeDecodeError, *own)


def _open(ort: Any, model: Path | bytes, settings: Settings, label: str) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = NO_LOG
    for key, value in SPINNING.items():
        options.add_session_config_entry(key, value)
    source = model if isinstance(model, bytes) else str(model)
    if settings.outputs is not None:
        # Whatever outputs are asked for, and with only_execute_path_to_fetches too, 1.31 computes every node.
        data = model if isinstance(model, bytes) else model.read_bytes()
        source = onnx_file.needed(data, settings.outputs, label)
    if isinstance(model, Path):
        options.add_session_config_entry(WEIGHTS_FOLDER, str(model.parent))
    return ort.InferenceSession(source, options, providers=_providers(ort, settings), enable_fallback=0)


def _providers(ort: Any, settings: Settings) -> list[Any]:
    """Return the providers to try in order; the CPU always takes the operators that CUDA does not have."""
    able = "CUDAExecutionProvider" in ort.get_available_providers()
    if settings.cuda is None and (settings.device == "cpu" or not able):
        return ["CPUExecutionProvider"]
    if not able:
        raise MissingError(
            f"device={settings.device!r}: this onnxruntime is built for the CPU alone; replace it: "
            "pip uninstall onnxruntime; pip install onnxruntime-gpu"
        )
    # TF32 keeps 10 of float32's 23 mantissa bits; it is on by default, and nobody asked for it.
    return [("CUDAExecutionProvider", {"device_id": settings.cuda or "0", "use_tf32": "0"}), "CPUExecutionProvider"]


def _started_on(session: Any, settings: Settings) -> str:
    """Return the device that really runs; a CUDA that was asked for and did not start is an error."""
    if "CUDAExecutionProvider" in session.get_providers():
        return f"cuda:{settings.cuda or 0}"
    if settings.cuda is not None:
        raise MissingError(
            f"device={settings.device!r}: onnxruntime could not start CUDA; check the driver, CUDA and cuDNN"
        )
    return "cpu"


def _spec(node: Any, label: str) -> TensorSpec:
    if node.type not in DTYPES:
        raise InputError(f"{label}: {node.name!r} is {node.type}; only tensors of numbers are supported")
    shape = tuple(length if isinstance(length, int) else None for length in node.shape)
    # onnxruntime writes both "a scalar" and "any rank" as []: it checks those itself.
    return TensorSpec(node.name, DTYPES[node.type], shape or None)
