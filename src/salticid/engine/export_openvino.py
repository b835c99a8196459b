"""Write an ONNX network as OpenVINO's own files (IR), and compare both before the files are there.

    export_openvino("fastseg.onnx", "fastseg.xml", inputs=images)

OpenVINO reads `.onnx` as well; its own files load faster and are what its other tools take. The precision of the
arithmetic is not the file's but the session's: `Session("fastseg.xml", threads=2, precision="bf16")`. An ONNX file in
8 bits (QDQ) becomes one in 8 bits.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, get_args

from salticid.core import atomic
from salticid.core.types import Array
from salticid.engine import onnx_graph, packages
from salticid.engine.failures import load_failure
from salticid.engine.parity import Parity, compare_files
from salticid.engine.session_openvino import engine_errors, read_model
from salticid.errors import InputError, ResourceError

Weights = Literal["fp32", "fp16"]

# Most difference, as a share of the largest output, and fewest equal classes: what exceeds them is broken, not rounded.
# In 8 bits both engines round, but not in the same places.
BOUNDS = {"fp32": (1e-3, 0.999), "fp16": (0.03, 0.95), "int8": (0.4, 0.7)}


def export_openvino(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    inputs: Iterable[Array],
    weights: Weights = "fp16",
    threads: int = 1,
    overwrite: bool = False,
) -> Parity:
    """Write the ONNX model at `path` as `output`, an .xml file, with its weights in a .bin file beside it.

    Parameters
    ----------
    path
        An `.onnx` file, in float or in 8 bits.
    output
        The .xml file; both files appear only when the outputs agree.
    inputs
        What both are compared on, (N, ...) float32; best real ones.
    weights
        How float weights are stored; it computes in float32 unless the session is told otherwise.
    threads
        Threads that compute.
    overwrite
        Replace files that exist.

    Returns
    -------
    Parity
        OpenVINO in float32 against onnxruntime.

    Raises
    ------
    InputError
        A file is wrong, or OpenVINO does not take the model.
    MissingError
        The package openvino is not installed.
    IntegrityError
        The outputs differ.
    """
    if weights not in get_args(Weights):
        raise InputError(f"weights must be one of {', '.join(get_args(Weights))}, not {weights!r}")
    source, target = Path(path), Path(output)
    if target.suffix != ".xml":
        raise InputError(f"OpenVINO's files are called .xml, not {target.name!r}")
    targets = [target, target.with_suffix(".bin")]
    for file in targets:
        atomic.check_target(file, overwrite=overwrite)
    bounds = BOUNDS["int8" if onnx_graph.is_quantized(onnx_graph.load(source)) else weights]
    with tempfile.TemporaryDirectory(prefix="salticid-openvino-") as folder:
        written = Path(folder) / target.name
        _save(source, written, compress=weights == "fp16")
        found = compare_files(
            source,
            written,
            inputs,
            engine="openvino",
            most_difference=bounds[0],
            least_equal=bounds[1],
            threads=threads,
        )
        with ExitStack() as stack:
            parts = [stack.enter_context(atomic.replacing(file, overwrite=overwrite)) for file in targets]
            for part, file in zip(parts, (written, written.with_suffix(".bin")), strict=True):
                part.write_bytes(file.read_bytes())
    return found


def _save(source: Path, target: Path, *, compress: bool) -> None:
    ov = packages.openvino()
    try:
        model = read_model(ov, source)
    except engine_errors(ov) as error:
        raise load_failure(str(source), "openvino", error) from error
    try:
        ov.save_model(model, str(target), compress_to_fp16=compress)  # the ONNX file's metadata come along
    except RuntimeError as error:
        raise ResourceError(f"openvino cannot write {target}: is there room for it? ({error})") from error
