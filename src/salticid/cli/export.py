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
    from salticid.engine.measured import Metric
    from salticid.engine.patches import PatchNetwork

OWN = "refine"
OWN_IS_KNOWN = (
    f"--calibration, --int8, --fp16 and --outputs are for .onnx models: the ranges of {OWN} are known, and its C is in "
    "whole numbers"
)
C_HAS_WEIGHTS = "--int8, --fp16, --outputs and --most-loss are not for --to c: its weights have --weights"

Model = Annotated[str, typer.Argument(metavar="MODEL", help=f"{OWN}, the name on a model's card, or an .onnx file.")]
Target = Annotated[
    Literal["c", "onnx", "openvino", "tensorrt"],
    typer.Option(help="C99 for microcontrollers (small networks), or the file of an engine."),
]
Weights = Annotated[
    Literal["int8", "int16"] | None,
    typer.Option(help="Of C: bits for a weight (default: int8); wider is larger and faster."),
]
Prefix = Annotated[str | None, typer.Option(help="First part of all names (default: the model's name).")]
Verify = Annotated[
    Literal["host", "qemu"] | None,
    typer.Option(help="Of C: compare it bit by bit, here or on an emulated Cortex-M4F, which also measures it."),
]
Calibration = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        "--calibrate",
        help="Typical inputs for an .onnx model: a folder of images, or an .npy file of real inputs (N, *shape).",
    ),
]
Int8 = Annotated[bool, typer.Option("--int8", help="8 bits, with ranges from --calibrate.")]
Fp16 = Annotated[bool, typer.Option("--fp16", help="Weights in 16 bits; of TensorRT, the arithmetic too.")]
Outputs = Annotated[str | None, typer.Option(help="Outputs to keep, by comma, such as logits8,labels (default: all).")]
MostLoss = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Of --int8: share of labels that may change; the worst layers stay in float."),
]
Data = Annotated[
    Path | None,
    typer.Option(help="Images with labels, as 'eval segment' takes them: the mIoU of each file as it is."),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads to measure with (default: all CPUs).")]


@with_output
def export(
    model: Model,
    *,
    to: Target,
    output: OutputFolder,
    weights: Weights = None,
    prefix: Prefix = None,
    verify: Verify = None,
    calibration: Calibration = None,
    int8: Int8 = False,
    fp16: Fp16 = False,
    outputs: Outputs = None,
    most_loss: MostLoss = None,
    data: Data = None,
    threads: Threads = None,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Write a network as ONNX, for OpenVINO or TensorRT, or as C for microcontrollers."""
    given = {
        "--calibration": calibration is not None,
        "--data": data is not None,
        "--fp16": fp16,
        "--int8": int8,
        "--most-loss": most_loss is not None,
        "--outputs": outputs is not None,
        "--verify": verify is not None,
        "--weights": weights is not None,
    }
    _refuse(model, to, {flag for flag, is_given in given.items() if is_given})
    if to == "c":
        _to_c(model, output, prefix, weights or "int8", verify, calibration, overwrite=overwrite, out=out)
    elif model == OWN:
        _own_to_onnx(output, prefix or OWN, overwrite=overwrite, out=out)
    else:
        from salticid.cli.export_network import Job, export_network
        from salticid.runtime import hardware

        source = _source(model)
        job = Job(
            source=source,
            to=to,
            folder=output,
            name=prefix or source.stem,
            calibration=calibration,
            outputs=None if outputs is None else tuple(name.strip() for name in outputs.split(",")),
            int8=int8,
            fp16=fp16,
            most_loss=most_loss,
            threads=threads or hardware.threads(),
            overwrite=overwrite,
        )
        export_network(job, out, metric=_miou_of(data, job.threads) if data else None, metric_name="mIoU %")


def _refuse(model: str, to: str, given: set[str]) -> None:
    """Raise `InputError` for flags that do not belong together: each rule has when it holds, its flags, and why."""
    own, as_c = model == OWN, to == "c"
    rules = (
        (own, {"--calibration", "--int8", "--fp16", "--outputs"}, OWN_IS_KNOWN),
        (own or as_c, {"--data"}, "--data is for segmentation networks, exported as onnx, openvino or tensorrt"),
        (not as_c, {"--weights"}, "--weights is for --to c: other files have --int8 and --fp16"),
        (
            not as_c,
            {"--verify"},
            "--verify is for --to c: any other file is compared with its source before it is there",
        ),
        (as_c, {"--int8", "--fp16", "--outputs", "--most-loss"}, C_HAS_WEIGHTS),
    )
    for holds, flags, reason in rules:
        if holds and flags & given:
            raise InputError(reason)
    if own and to not in ("c", "onnx"):
        raise InputError(f"{OWN} is exported as c or onnx, not as {to}: {to} can read the latter")


def _miou_of(data: Path, threads: int) -> Metric:
    """Return what judges an exported file on the validation images of `data`: mIoU in percent."""
    from salticid.segment.data import VOID, find_dataset
    from salticid.segment.evaluate import evaluate
    from salticid.segment.infer import Segmenter

    dataset = find_dataset(data)

    def judge(path: Path) -> float:
        segmenter = Segmenter(path, threads=threads)
        return 100 * evaluate(segmenter, dataset.pairs["val"], dataset.classes, VOID, read=dataset.read).miou

    return judge


def _source(model: str) -> Path:
    """Return the ONNX file that is meant by a path or the name of a card."""
    from salticid.engine import models

    path = models.find(model)
    if path.suffix.lower() != ".onnx":
        raise InputError(
            f"{model!r} is {path.name}: only .onnx files are exported, such as the model.onnx of a training"
        )
    return path


def _to_c(
    model: str,
    output: Path,
    prefix: str | None,
    weights: Literal["int8", "int16"],
    verify: Literal["host", "qemu"] | None,
    calibration: Path | None,
    *,
    overwrite: bool,
    out: Output,
) -> None:
    from salticid.engine.c_export import export_c

    name = prefix or (OWN if model == OWN else _name(model))
    network = _own_network() if model == OWN else _network(model, calibration)
    report = export_c(network, output, prefix=name, weights=weights, verify=verify, overwrite=overwrite)
    _tell(report, out)


def _own_to_onnx(output: Path, name: str, *, overwrite: bool, out: Output) -> None:
    from salticid.core import atomic
    from salticid.engine.onnx_layers import export_onnx

    layers, shape = _own_layers()
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
