"""Compile an ONNX network for NVIDIA GPUs with TensorRT.

    TensorRTOptimizer("fastseg.onnx").build_engine("fastseg.engine", precision="fp16")

An engine runs on the model of GPU and the version of TensorRT that built it. TensorRT's libraries do not come with
`pip install` alone: what is missing is said.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from salticid.core import atomic
from salticid.engine import onnx_graph
from salticid.errors import InputError, MissingError

Precision = Literal["fp16", "fp32", "int8"]

INPUT_SHAPE = (1, 3, 512, 1024)
WORKSPACE_BYTES = 2 << 30
REMEDY = (
    "install NVIDIA's driver and TensorRT 8.6 or newer by NVIDIA's installation guide (its container, Debian packages "
    "or archive; pip alone does not bring all libraries), until python -c 'import tensorrt' works"
)


class TensorRTOptimizer:
    """Builds engines from one ONNX file.

    Parameters
    ----------
    path
        An `.onnx` file with one input; for int8 one that `quantize_static(..., form="tensorrt")` wrote.

    Raises
    ------
    InputError
        The file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        model = onnx_graph.load(self._path)
        self._input = onnx_graph.the_input(model.graph, str(path))
        self._zero_points = _zero_points(model)

    def build_engine(
        self,
        path: str | os.PathLike[str],
        precision: Precision = "fp16",
        *,
        input_shape: Sequence[int] = INPUT_SHAPE,
        workspace_bytes: int = WORKSPACE_BYTES,
        overwrite: bool = False,
    ) -> Path:
        """Compile the network for this machine's GPU and write the engine to `path`.

        Parameters
        ----------
        precision
            "fp16" and "int8" allow these types where they are faster; "fp32" allows no other, not even TF32.
        input_shape
            The shape that the engine takes, where the file leaves axes free.
        workspace_bytes
            GPU memory that may be used while running.
        overwrite
            Replace a file that exists.

        Raises
        ------
        InputError
            The network is not supported, or not in 8 bits for precision "int8".
        MissingError
            TensorRT, or the GPU, is not there; the message says what to do.
        """
        if precision not in get_args(Precision):
            raise InputError(f"precision must be one of {', '.join(get_args(Precision))}, not {precision!r}")
        if precision == "int8":
            self._check_quantized()
        atomic.check_target(path, overwrite=overwrite)
        trt = import_tensorrt()
        logger = trt.Logger(trt.Logger.ERROR)
        builder = _builder(trt, logger)
        network = _parsed(trt, logger, builder, self._path)
        config = _config(trt, builder, precision, workspace_bytes)
        self._add_shapes(builder, config, input_shape)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise InputError(f"TensorRT could not build {self._path} for {precision}; its log, above, says why")
        atomic.write_bytes(path, bytes(plan), overwrite=overwrite)
        return Path(path)

    def _check_quantized(self) -> None:
        if self._zero_points is None:
            raise InputError(
                f"{self._path} is not in 8 bits: write it with quantize_static(..., form='tensorrt'), or take fp16"
            )
        if self._zero_points:
            raise InputError(
                f"{self._path} has zero points, which TensorRT does not take: quantize_static(..., form='tensorrt') "
                "writes it without"
            )

    def _add_shapes(self, builder: Any, config: Any, input_shape: Sequence[int]) -> None:
        """Fix the axes that the file leaves free."""
        lengths = onnx_graph.dimensions(self._input)
        if all(isinstance(length, int) for length in lengths):
            return
        fits = len(lengths) == len(input_shape) and all(
            want == given or not isinstance(want, int) for want, given in zip(lengths, input_shape, strict=True)
        )
        if not fits:
            raise InputError(f"{self._path} takes {lengths}, not {tuple(input_shape)}: give input_shape=")
        shapes = builder.create_optimization_profile()
        shapes.set_shape(self._input.name, *[tuple(input_shape)] * 3)  # smallest, usual and largest
        config.add_optimization_profile(shapes)


def import_tensorrt() -> Any:
    """Import tensorrt, or raise `MissingError` with what is missing and how to get it."""
    try:
        return importlib.import_module("tensorrt")
    except ModuleNotFoundError as error:
        raise MissingError(f"the package 'tensorrt' is not installed: {REMEDY}") from error
    except (ImportError, OSError) as error:
        raise MissingError(f"the package 'tensorrt' does not load ({error}): {REMEDY}") from error


def _zero_points(model: Any) -> bool | None:
    """Say whether activations have zero points that are not 0; None where nothing is in 8 bits."""
    known = onnx_graph.constants(model.graph)
    pairs = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    if not pairs:
        return None
    return any(
        onnx_graph.array(known[node.input[2]]).any() or onnx_graph.array(known[node.input[2]]).dtype.kind == "u"
        for node in pairs
        if len(node.input) > 2 and node.input[2] in known
    )


def _builder(trt: Any, logger: Any) -> Any:
    try:
        builder = trt.Builder(logger)
    except (RuntimeError, TypeError) as error:  # the latter where the factory returned a null pointer
        raise MissingError(f"TensorRT {trt.__version__} found no GPU that it can use ({error}): {REMEDY}") from error
    return builder


def _parsed(trt: Any, logger: Any, builder: Any, path: Path) -> Any:
    """Return the network in TensorRT's terms."""
    # The flag is the only way of networks since TensorRT 10, which deprecates saying so.
    explicit = getattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
    old = int(str(trt.__version__).partition(".")[0]) < 10
    network = builder.create_network(1 << int(explicit) if explicit is not None and old else 0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(path)):
        problems = "; ".join(str(parser.get_error(number)) for number in range(parser.num_errors))
        raise InputError(f"TensorRT does not take {path}: {problems}")
    return network


def _config(trt: Any, builder: Any, precision: Precision, workspace_bytes: int) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace_bytes)
    if precision == "fp32":
        config.clear_flag(trt.BuilderFlag.TF32)  # 10 bits of mantissa, and on by default
        return config
    for name in ("FP16", "INT8") if precision == "int8" else ("FP16",):
        if not hasattr(trt.BuilderFlag, name):
            raise MissingError(
                f"TensorRT {trt.__version__} takes types from the file alone and has no flag {name}: use 8.6 to 10"
            )
        config.set_flag(getattr(trt.BuilderFlag, name))
    return config
