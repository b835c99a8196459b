"""`salticid export`: a network as a file for somewhere else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from salticid.cli.flags import OutputFolder, Overwrite, with_output
from salticid.cli.output import Output
from salticid.errors import InputError

if TYPE_CHECKING:
    from salticid.engine.c_report import CReport
    from salticid.engine.integer import FloatLayer, IntegerNetwork
    from salticid.engine.patches import PatchNetwork

OWN = "refine"

Model = Annotated[str, typer.Argument(metavar="MODEL", help=f"{OWN}, or the path of a small .onnx model.")]
Target = Annotated[Literal["c", "onnx"], typer.Option(help="C99 for microcontrollers, or an ONNX file.")]
Weights = Annotated[Literal["int8", "int16"], typer.Option(help="Of C: bits for a weight; wider is larger and faster.")]
Prefix = Annotated[str | None, typer.Option(help="First part of all names (default: the model's name).")]
Verify = Annotated[
    Literal["host", "qemu"] | None,
    typer.Option(help="Of C: compare it bit by bit, here or on an emulated Cortex-M4F, which also measures it."),
]
Calibration = Annotated[Path | None, typer.Option(help="Real inputs (N, *shape) in an .npy file; for an .onnx model.")]


@with_output
def export(
    model: Model,
    *,
    to: Target,
    output: OutputFolder,
    weights: Weights = "int8",
    prefix: Prefix = None,
    verify: Verify = None,
    calibration: Calibration = None,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Write a network as C for microcontrollers, in whole numbers, or as ONNX."""
    if calibration is not None and model == OWN:
        raise InputError(f"--calibration is for .onnx models: the ranges of {OWN} are known")
    name = prefix or (OWN if model == OWN else _name(model))
    if to == "onnx":
        if verify is not None:
            raise InputError("--verify is for --to c: an ONNX file is always compared with numpy before it is there")
        _to_onnx(model, output, name, overwrite=overwrite, out=out)
        return
    from salticid.engine.c_export import export_c

    network = _own_network() if model == OWN else _network(model, calibration)
    report = export_c(network, output, prefix=name, weights=weights, verify=verify, overwrite=overwrite)
    _tell(report, out)


def _to_onnx(model: str, output: Path, name: str, *, overwrite: bool, out: Output) -> None:
    from salticid.core import atomic
    from salticid.engine.onnx_layers import export_onnx
    from salticid.engine.onnx_read import read_onnx

    layers, shape = _own_layers() if model == OWN else read_onnx(model)
    path = atomic.make_folder(output) / f"{name}.onnx"
    difference = export_onnx(layers, shape, path, overwrite=overwrite)
    out.say(f"{path}: differs from numpy by {difference:.2g} at most")
    out.result({"files": [path], "difference": difference})


def _own_network() -> PatchNetwork:
    from salticid.stereo.refine_network import load

    return load().patch_network()


def _own_layers() -> tuple[list[FloatLayer], tuple[int, ...]]:
    from salticid.stereo.refine_network import load

    layers = load().layers()
    return layers, (layers[0].weights.shape[1],)


def _network(model: str, calibration: Path | None) -> IntegerNetwork:
    """Read an ONNX model, and turn it into whole numbers by typical inputs."""
    from salticid.engine.c_calibration import read_inputs, whole_inputs
    from salticid.engine.integer import quantize
    from salticid.engine.onnx_read import read_onnx

    layers, shape = read_onnx(model)
    if calibration is None:
        raise InputError(
            "an .onnx model becomes whole numbers by typical inputs: give some with --calibration FILE.npy"
        )
    inputs = whole_inputs(read_inputs(calibration, shape))
    return quantize(layers, inputs.u7, input_scale=inputs.scale, input_zero=inputs.zero)


def _name(model: str) -> str:
    """Return a prefix made of the name of a model's file."""
    if not model.endswith(".onnx"):
        raise InputError(f"no model {model!r}: give {OWN}, or the path of an .onnx file")
    words = re.sub(r"[^a-z0-9]+", "_", Path(model).stem.lower()).strip("_")
    return words if words[:1].isalpha() else f"net_{words}"


def _tell(report: CReport, out: Output) -> None:
    """Say what was written and what was measured."""
    for path in report.files:
        out.say(f"wrote {path}")
    out.say(f"{report.macs} products, {report.number_bytes} bytes of weights and biases")
    if report.host is not None:
        also = ", also under sanitizers" if report.host.sanitized else ""
        out.say(f"PASS: {report.host.checked} results here, 0 bits different{also} ({report.host.compiler})")
    if report.board is not None:
        board = report.board
        out.say(f"PASS: {board.checked} results on a Cortex-M4F in QEMU, 0 bits different ({board.compiler})")
        out.say(
            f"{board.instructions} instructions, at most {board.most_instructions}; {board.flash_bytes} bytes of flash"
        )
        out.say(f"{board.stack_bytes} bytes of stack; built with {board.flags}")
    out.result(report.plain() | {"files": report.files})
