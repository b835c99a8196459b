"""Run a torch module: for training code and for comparison, and for networks that live on a GPU."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from salticid.core.types import Array
from salticid.engine import packages
from salticid.engine.failures import run_failure
from salticid.engine.settings import Settings
from salticid.engine.tensors import TensorSpec
from salticid.errors import InputError, MissingError

LOCK = threading.Lock()  # torch has one thread count for the whole process


class TorchBackend:
    """A torch module, used as it is, neither copied nor moved; see `salticid.engine.session.Session`."""

    def __init__(self, module: Any, label: str, settings: Settings) -> None:
        self._torch = packages.torch()
        self._module = module
        self._label = label
        self._precision = settings.precision
        self.threads = settings.threads
        self.metadata: dict[str, str] = {}
        self.device = _device(self._torch, module, settings, label)
        self.inputs = tuple(TensorSpec(name, None, None) for name in _parameters(module, label))
        self.outputs = tuple(TensorSpec(name, None, None) for name in settings.outputs or ("output",))

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in order; calls from several threads take turns."""
        if self._module.training:
            raise InputError(f"{self._label} is in training mode: call its eval() first")
        torch = self._torch
        try:
            with LOCK, _thread_count(torch, self.threads), torch.inference_mode(), self._arithmetic():
                # A copy, because the module may work in place.
                tensors = {name: torch.tensor(array, device=self.device) for name, array in feeds.items()}
                result = self._module(**tensors)
                return [_to_numpy(torch, tensor) for tensor in self._named(result)]
        except RuntimeError as error:
            raise run_failure(self._label, "torch", feeds, error) from error

    def _arithmetic(self) -> AbstractContextManager[Any]:
        """Return the context that makes torch compute in this session's precision."""
        torch, kind = self._torch, self.device.partition(":")[0]
        context: AbstractContextManager[Any] = nullcontext()
        if self._precision != "fp32":
            context = torch.autocast(kind, {"bf16": torch.bfloat16, "fp16": torch.float16}[self._precision])
        elif kind == "cuda":
            # cuDNN rounds float32 convolutions to TF32 (10 bits of mantissa) by default; all else stays as it is.
            now = torch.backends.cudnn
            context = now.flags(now.enabled, now.benchmark, now.benchmark_limit, now.deterministic, allow_tf32=False)
        return context

    def _named(self, result: Any) -> list[Any]:
        """Return the tensors of `result` in the order of `outputs`."""
        names = [spec.name for spec in self.outputs]
        if isinstance(result, Mapping):
            if not set(names) <= set(result):
                raise InputError(f"{self._label} returns {', '.join(map(repr, result))}: give outputs=(...) of these")
            return [result[name] for name in names]
        tensors = list(result) if isinstance(result, tuple | list) else [result]
        if len(tensors) != len(names):
            raise InputError(f"{self._label} returns {len(tensors)} tensors: name them with outputs=(...), not {names}")
        return tensors


def _device(torch: Any, module: Any, settings: Settings, label: str) -> str:
    """Return where `module` lives, which must be where it was asked to run."""
    if settings.cuda is not None and not torch.cuda.is_available():
        raise MissingError(
            f"device={settings.device!r}: torch sees no GPU; check the driver, or install torch with CUDA"
        )
    asked = settings.device if settings.cuda is None else f"cuda:{settings.cuda}"
    weight = next(iter(module.parameters()), None)
    if weight is None:
        return "cpu" if asked == "auto" else asked
    if asked not in ("auto", str(weight.device)):
        raise InputError(f"{label} lives on {weight.device}, not on {asked}: move it with .to({asked!r}) first")
    return str(weight.device)


def _parameters(module: Any, label: str) -> list[str]:
    """Return the names that `forward` must be given."""
    parameters = inspect.signature(module.forward).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        raise InputError(f"{label}: its forward takes *args; give every input a name")
    return [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]


def _to_numpy(torch: Any, tensor: Any) -> Array:
    """Copy `tensor` out, for it may be the input or a weight; numpy has no bfloat16, so that becomes float32."""
    wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    array: Array = wide.cpu().numpy().copy()
    return array


@contextmanager
def _thread_count(torch: Any, threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
