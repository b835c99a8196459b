"""`ModelOptimizer`: the shrinking tools for one torch network, under the names of the first documentation.

optimizer = ModelOptimizer(net, input_shape=(1, 3, 512, 1024))
optimizer.export_to_onnx("net.onnx"); optimizer.benchmark(); optimizer.quantize_dynamic("net-int8.onnx")
optimizer.profile().macs
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.engine import bench, parity
from salticid.engine.bench import Timing
from salticid.engine.export_onnx import evaluated, export_onnx
from salticid.engine.parity import Parity
from salticid.engine.profile import NetworkProfile, profile
from salticid.engine.quantize import Quantized, quantize_dynamic
from salticid.engine.session import Session

if TYPE_CHECKING:
    from torch import nn


class ModelOptimizer:
    """Exports, times, quantizes and profiles one torch network, which it leaves as it is.

    Parameters
    ----------
    model
        A network with one input.
    input_shape
        Shape of the input that it is traced and timed with.
    threads
        Threads that compute.
    """

    def __init__(self, model: nn.Module, *, input_shape: Sequence[int] = (1, 3, 512, 1024), threads: int = 1) -> None:
        self._model, self._input_shape, self._threads = model, tuple(input_shape), threads

    def export_to_onnx(self, path: str | os.PathLike[str], **options: Any) -> Parity:
        """Write the network as ONNX; `options` are those of `export_onnx`, which this calls."""
        return export_onnx(self._model, path, input_shape=self._input_shape, **options)

    def benchmark(self, *, warmup: int = 3, repeats: int = 20) -> list[Timing]:
        """Return the time of the network in torch and of its ONNX file in onnxruntime, run in turns."""
        with tempfile.TemporaryDirectory(prefix="salticid-benchmark-") as folder:
            file = Path(folder) / "model.onnx"
            self.export_to_onnx(file)
            sessions = {
                "torch": Session(evaluated(self._model), threads=self._threads),
                "onnxruntime": Session(file, threads=self._threads),
            }
        return bench.compare(
            {name: _run(session, self._input_shape) for name, session in sessions.items()},
            warmup=warmup,
            repeats=repeats,
        )

    def quantize_dynamic(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Quantized:
        """Write the network as ONNX with 8-bit weights; see `salticid.engine.quantize` for the better, static way."""
        with tempfile.TemporaryDirectory(prefix="salticid-quantize-") as folder:
            file = Path(folder) / "model.onnx"
            self.export_to_onnx(file)
            return quantize_dynamic(file, path, overwrite=overwrite)

    def profile(self) -> NetworkProfile:
        """Return parameters, MACs, FLOPs and the time of every layer."""
        return profile(self._model, self._input_shape, threads=self._threads)


def _run(session: Session, input_shape: Sequence[int]) -> Any:
    feeds = {session.inputs[0].name: parity.random_inputs([input_shape])[0]}
    return lambda: session.run(feeds)
