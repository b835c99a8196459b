"""Run an ONNX model in onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from salticid.core.types import Array
from salticid.engine import external_data, packages
from salticid.engine.failures import load_failure, run_failure
from salticid.engine.tensors import TensorSpec, choose
from salticid.errors import InputError, MissingError

DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(bool)": "bool"} | {
    f"tensor({name})": name
    for name in ("float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}

NO_LOG = 4  # log only what is fatal: an error reaches the user as an exception, once

SPINNING = {"session.intra_op.allow_spinning": "0"}


class OnnxRuntimeBackend:
    """One onnxruntime session; see `salticid.engine.session.Session`."""

    def __init__(
        self,
        model: Path | bytes,
        label: str,
        *,
        device: str,
        threads: int,
        precision: str,
        outputs: Sequence[str] | None,
    ) -> None:
        if precision != "fp32":
            raise InputError(
                f"onnxruntime computes in the types that the file holds: precision={precision!r} needs "
                "engine='openvino', or a file that was exported in it"
            )
        external_data.check(model, label)
        self._ort = packages.onnxruntime()
        self._errors = _errors(self._ort)
        self._label = label
        self._session = self._open(model, device, threads)
        self.threads = threads
        self.device = self._started_on(device)
        self.inputs = tuple(_spec(node, label) for node in self._session.get_inputs())
        self.outputs = choose([_spec(node, label) for node in self._session.get_outputs()], outputs, label)

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in order; safe to call from several threads."""
        try:
            results: list[Array] = self._session.run([spec.name for spec in self.outputs], dict(feeds))
        except self._errors as error:
            raise run_failure(self._label, "onnxruntime", feeds, error) from error
        return results

    def _open(self, model: Path | bytes, device: str, threads: int) -> Any:
        source = model if isinstance(model, bytes) else str(model)
        options, providers = _options(self._ort, threads), _providers(self._ort, device)
        try:
            return self._ort.InferenceSession(source, options, providers=providers, enable_fallback=0)
        except self._errors as error:
            raise load_failure(self._label, "onnxruntime", error) from error

    def _started_on(self, device: str) -> str:
        """Return the device that really runs; a CUDA that was asked for and did not start is an error."""
        cuda = "CUDAExecutionProvider" in self._session.get_providers()
        if device.startswith("cuda") and not cuda:
            raise MissingError(f"device={device!r}: onnxruntime could not start CUDA; check the driver, CUDA and cuDNN")
        return f"cuda:{_ordinal(device)}" if cuda else "cpu"


def _errors(ort: Any) -> tuple[type[Exception], ...]:
    """Return all exception types of onnxruntime, which share no base, and those of its Python layer."""
    state = ort.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _options(ort: Any, threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = NO_LOG
    for key, value in SPINNING.items():
        options.add_session_config_entry(key, value)
    return options


def _providers(ort: Any, device: str) -> list[Any]:
    """Return the providers to try in order; the CPU always takes the operators that CUDA does not have."""
    cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cpu" or (device == "auto" and not cuda):
        return ["CPUExecutionProvider"]
    if not cuda:
        raise MissingError(
            f"device={device!r}: this onnxruntime is built for the CPU alone; replace it: "
            "pip uninstall onnxruntime; pip install onnxruntime-gpu"
        )
    # TF32 keeps 10 of float32's 23 mantissa bits; it is on by default, and nobody asked for it.
    settings = {"device_id": _ordinal(device), "use_tf32": "0"}
    return [("CUDAExecutionProvider", settings), "CPUExecutionProvider"]


def _ordinal(device: str) -> str:
    return device.partition(":")[2] or "0"


def _spec(node: Any, label: str) -> TensorSpec:
    if node.type not in DTYPES:
        raise InputError(f"{label}: {node.name!r} is {node.type}; only tensors of numbers are supported")
    shape = tuple(length if isinstance(length, int) else None for length in node.shape)
    # onnxruntime writes both "a scalar" and "any rank" as []: it checks those itself.
    return TensorSpec(node.name, DTYPES[node.type], shape or None)
