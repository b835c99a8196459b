"""Write an ONNX network in 8 bits: static, from real inputs, or dynamic.

    done = quantize_static("net.onnx", "net-int8.onnx", images, most_loss=0.01, loss="labels")

The tail, which is everything after the last layers but `keep_last`, stays in floating point, and so do the layers
that lose most where a bound on the loss asks for it.
"""

from __future__ import annotations

import fnmatch
import importlib
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from salticid.core import atomic
from salticid.core.types import Array
from salticid.engine import onnx_graph, packages
from salticid.engine.calibrate import Method
from salticid.engine.qdq import Form, pooled_values, weighted_nodes, with_qdq
from salticid.engine.sensitivity import Loss, LossName, Sensitivity, Trials
from salticid.errors import InputError


@dataclass(frozen=True, slots=True)
class Quantized:
    """What was written in 8 bits, and what that costs on the calibration inputs."""

    path: Path
    nodes: tuple[str, ...]  # in 8 bits
    kept_float: tuple[str, ...]  # nodes with weights that are not
    loss: float
    ranking: tuple[Sensitivity, ...]  # the most sensitive first; empty where no bound asked for it
    float_bytes: int
    int8_bytes: int


def quantize_static(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    batches: Iterable[Array],
    *,
    keep_float: Sequence[str] = (),
    keep_last: int = 1,
    most_loss: float | None = None,
    loss: LossName | Loss = "noise",
    method: Method | None = None,
    form: Form = "portable",
    threads: int = 1,
    overwrite: bool = False,
) -> Quantized:
    """Write the ONNX model at `path` in 8 bits (QDQ), with ranges from real inputs; its metadata stay.

    Parameters
    ----------
    path, output
        The float file, and the file to write.
    batches
        Real inputs, (N, ...) float32, prepared as the network wants them; a few dozen images do.
    keep_float
        Names of nodes that stay in float; `*` and `?` are wildcards.
    keep_last
        Number of the last layers with weights that stay in float. Layers that work on globally pooled vectors always
        do: they take no time.
    most_loss
        Bound on the loss: the most sensitive layers become float, one after the other, until it holds.
    loss
        "noise" (squared difference as a share of the variance), "labels" (share of changed classes) or a function.
    method
        How ranges are chosen, as in `calibrate`; by default in both ways, of which the one with the smaller loss is
        kept.
    form
        "portable" for the same results on all CPUs, "vnni" or "tensorrt", as in `with_qdq`.
    threads
        Threads that compute.
    overwrite
        Replace a file that exists.

    Raises
    ------
    InputError
        A file, a pattern or the inputs are wrong, or the bound cannot be held.
    MissingError
        The package onnx is not installed.
    """
    atomic.check_target(output, overwrite=overwrite)
    model = onnx_graph.load_float(path)
    onnx_graph.check_opset(model, str(path))
    nodes = candidates(model, keep_float, keep_last)
    given = list(batches)
    trials = min(
        (
            Trials(model, given, loss=loss, method=way, form=form, threads=threads)
            for way in (get_args(Method) if method is None else (method,))
        ),
        key=lambda found: found.loss(nodes),
    )
    nodes, reached, ranking = _within(trials, nodes, most_loss)
    data = with_qdq(model, trials.ranges, nodes, form=form, shifts=trials.shifts).SerializeToString()
    atomic.write_bytes(output, data, overwrite=overwrite)
    kept = tuple(name for name in weighted_nodes(model) if name not in nodes)
    sizes = Path(path).stat().st_size, len(data)
    return Quantized(Path(output), tuple(nodes), kept, reached, tuple(ranking), *sizes)


def quantize_dynamic(
    path: str | os.PathLike[str], output: str | os.PathLike[str], *, overwrite: bool = False
) -> Quantized:
    """Write the ONNX model at `path` with 8-bit weights; the ranges of activations are found anew in every run.

    It needs no inputs to calibrate with, but looking for the ranges takes time: worth it for dense layers, hardly for
    convolutions, which are static's.

    Raises
    ------
    InputError
        A file is wrong.
    MissingError
        The package onnx is not installed.
    """
    atomic.check_target(output, overwrite=overwrite)
    model = onnx_graph.load_float(path)
    nodes = weighted_nodes(model)
    with tempfile.TemporaryDirectory(prefix="salticid-quantize-") as folder, _quiet_root_logger():
        packages.onnxruntime()  # its telemetry off, before anything of it is imported
        tools = importlib.import_module("onnxruntime.quantization")
        written = Path(folder) / "dynamic.onnx"
        # Unsigned: onnxruntime has no integer convolution with signed weights.
        tools.quantize_dynamic(model, written, per_channel=False, weight_type=tools.QuantType.QUInt8)
        small = packages.onnx().load(written)
    del small.metadata_props[:]  # the tools' own
    onnx_graph.set_metadata(small, onnx_graph.metadata(model))
    data = small.SerializeToString()
    atomic.write_bytes(output, data, overwrite=overwrite)
    left = {node.name for node in small.graph.node}
    kept = tuple(name for name in nodes if name in left)
    done = tuple(name for name in nodes if name not in left)
    return Quantized(Path(output), done, kept, float("nan"), (), Path(path).stat().st_size, len(data))


def candidates(model: Any, keep_float: Sequence[str], keep_last: int) -> list[str]:
    """Return the nodes that may be written in 8 bits."""
    names = weighted_nodes(model)
    if keep_last < 0:
        raise InputError(f"keep_last must be at least 0, not {keep_last}")
    for pattern in keep_float:
        if not fnmatch.filter(names, pattern):
            raise InputError(f"no node with weights is called {pattern!r}: there are {', '.join(names)}")
    pooled = pooled_values(model)
    body = [node.name for node in model.graph.node if node.name in names and node.output[0] not in pooled]
    body = body[: len(body) - keep_last]
    chosen = [name for name in body if not any(fnmatch.fnmatchcase(name, pattern) for pattern in keep_float)]
    if not chosen:
        raise InputError(f"all {len(names)} layers with weights would stay in float: keep fewer of them")
    return chosen


def _within(
    trials: Trials, nodes: list[str], most_loss: float | None
) -> tuple[list[str], float, Sequence[Sensitivity]]:
    """Return those of `nodes` that can be in 8 bits within the bound, the loss, and the ranking where it was needed."""
    reached = trials.loss(nodes)
    if most_loss is None or reached <= most_loss:
        return nodes, reached, ()
    ranking = trials.ranking(nodes)
    for entry in ranking[:-1]:
        nodes = [name for name in nodes if name != entry.node]
        reached = trials.loss(nodes)
        if reached <= most_loss:
            return nodes, reached, ranking
    raise InputError(
        f"even with only {ranking[-1].node} in 8 bits the loss is {reached:.3g}, above {most_loss:.3g}: allow more"
    )


@contextmanager
def _quiet_root_logger() -> Iterator[None]:
    """Keep from the root logger what onnxruntime's tools write to it directly, and from being set up by that."""
    root = logging.getLogger()
    sink = logging.NullHandler()  # logging.warning() adds a handler to a root logger that has none

    def is_not_its_own(record: logging.LogRecord) -> bool:
        return record.name != "root"

    root.addHandler(sink)
    root.addFilter(is_not_its_own)
    try:
        yield
    finally:
        root.removeFilter(is_not_its_own)
        root.removeHandler(sink)
