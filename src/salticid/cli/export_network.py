"""What `salticid export` does with a network that stays one: another file, in 8 or 16 bits, measured as it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from salticid.cli.output import Output
from salticid.core.types import Array
from salticid.errors import InputError

if TYPE_CHECKING:
    from salticid.engine.measured import FileRun, MeasuredFile, Metric
    from salticid.engine.parity import Parity
    from salticid.engine.quantize import Quantized

Target = Literal["onnx", "openvino", "tensorrt"]

SUFFIXES: dict[str, str] = {"onnx": ".onnx", "openvino": ".xml", "tensorrt": ".engine"}
IMAGE_INPUT = "image / 127.5 - 1, RGB"  # what `salticid.input` says in the file of a network that takes images
IMAGE_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".webp"}
MOST_IMAGES = 64  # more calibrate no better
COMPARED = 4  # inputs that a written file is compared with its source on
UNKNOWN_SIZE = (256, 256)  # pixels, where neither the file nor an image says one


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for."""

    source: Path
    to: Target
    folder: Path
    name: str
    calibration: Path | None
    outputs: tuple[str, ...] | None
    int8: bool
    fp16: bool
    most_loss: float | None
    threads: int
    overwrite: bool

    @property
    def target(self) -> Path:
        """Return the path of the file to write."""
        return self.folder / f"{self.name}{'-int8' if self.int8 else '-fp16' if self.fp16 else ''}{SUFFIXES[self.to]}"

    @property
    def files(self) -> list[Path]:
        """Return the paths of all files to write."""
        return [self.target, *([self.target.with_suffix(".bin")] if self.to == "openvino" else [])]


def export_network(job: Job, out: Output, *, metric: Metric | None = None, metric_name: str = "metric") -> None:
    """Write the file, measure it beside its source, and say both.

    Parameters
    ----------
    metric
        Gives the metric of a file by its path, such as its mIoU on a folder of labelled images.
    metric_name
        Title of its column.
    """
    from salticid.engine import onnx_graph
    from salticid.engine.measured import measure

    _check_wishes(job)
    _check_place(job)
    _require_engine(job.to)
    model = onnx_graph.load(job.source)
    if job.int8:
        onnx_graph.check_float(model, str(job.source))
        onnx_graph.check_opset(model, str(job.source))
    inputs = _inputs(job, model)
    parity, quantized = _written(job, inputs, _computed(job, model))
    rows = measure(_runs(job), inputs[0], threads=job.threads, metric=metric)
    _say(job, rows, parity, quantized, inputs[0].shape, out, metric_name)


def _check_wishes(job: Job) -> None:
    if job.int8 and job.fp16:
        raise InputError("--int8 and --fp16 exclude each other: choose one")
    if job.int8 and job.calibration is None:
        raise InputError("--int8 needs typical inputs: give a folder of images or an .npy file with --calibrate")
    if job.most_loss is not None and not job.int8:
        raise InputError("--most-loss is a bound for --int8")


def _check_place(job: Job) -> None:
    """Raise `InputError` now where the files could not be written after the work."""
    from salticid.core import atomic

    if Path(job.name).name != job.name:
        raise InputError(f"--prefix must be the start of a file's name, not {job.name!r}: the folder is --output's")
    if any(file.exists() and file.samefile(job.source) for file in job.files):
        raise InputError(f"{job.target} is what would be exported: choose another folder, or a name with --prefix")
    there = next(folder for folder in (job.folder, *job.folder.absolute().parents) if os.path.lexists(folder))
    if not there.is_dir():
        raise InputError(f"cannot write into {job.folder}: {there} is a file; choose another folder")
    for file in job.files:
        atomic.check_target(there / file.name, overwrite=job.overwrite or there != job.folder)


def _require_engine(to: Target) -> None:
    """Say what is missing before the work, not after it."""
    if to == "tensorrt":
        from salticid.engine.tensorrt import import_tensorrt

        import_tensorrt()
    elif to == "openvino":
        from salticid.engine import packages

        packages.openvino()


def _inputs(job: Job, model: Any) -> list[Array]:
    """Return the inputs to calibrate with and to compare on; random ones where none were given."""
    from salticid.engine import onnx_graph, parity

    given = onnx_graph.the_input(model.graph, str(job.source))
    lengths = onnx_graph.dimensions(given)
    if job.calibration is None:
        usual: Sequence[int] = (1, 0, *UNKNOWN_SIZE) if len(lengths) == 4 else (1, *[0] * (len(lengths) - 1))
        shape = [length if isinstance(length, int) else own for length, own in zip(lengths, usual, strict=True)]
        if 0 in shape:
            raise InputError(f"{job.source} takes {lengths}: give inputs with --calibrate to say which size it gets")
        return parity.random_inputs([shape])
    if job.calibration.is_dir():
        return _images(job.calibration, onnx_graph.metadata(model), str(job.source))
    return _arrays(job.calibration, lengths)


def _arrays(file: Path, lengths: Sequence[int | str]) -> list[Array]:
    """Return the inputs in an .npy file, one by one."""
    import numpy as np

    from salticid.engine.c_calibration import read_inputs

    try:
        found = np.load(file, mmap_mode="r").shape
    except (OSError, ValueError, AttributeError):
        found = ()  # the reader below says what is wrong
    free = found[1:] if len(found) == len(lengths) else (0,) * (len(lengths) - 1)
    shape = [length if isinstance(length, int) else own for length, own in zip(lengths[1:], free, strict=True)]
    arrays = read_inputs(file, tuple(shape)).astype(np.float32)
    return [arrays[number : number + 1] for number in range(len(arrays))]


def _images(folder: Path, metadata: dict[str, str], label: str) -> list[Array]:
    """Return the images in a folder as the network takes them."""
    from salticid.core.image import read_image
    from salticid.segment.prepare import Preparer

    said = metadata.get("salticid.input")
    if said != IMAGE_INPUT:
        raise InputError(
            f"{label} does not say that it takes images as {IMAGE_INPUT!r} (salticid.input is {said!r}): give prepared "
            "inputs, an .npy file, with --calibrate"
        )
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_ENDINGS)
    if not files:
        raise InputError(f"there is no image in {folder}: give a folder of {', '.join(sorted(IMAGE_ENDINGS))} files")
    stride = metadata.get("salticid.stride", "32")
    if not stride.isdecimal() or not int(stride):
        raise InputError(f"{label} says salticid.stride = {stride!r}, which is no number of pixels")
    prepare = Preparer(int(stride))
    step = -(-len(files) // MOST_IMAGES)
    return [prepare(read_image(file)).copy() for file in files[::step]]


def _computed(job: Job, model: Any) -> tuple[str, ...] | None:
    """Return the outputs that are needed on the way; what 8 bits cost is told by logits, where only labels stay too."""
    from salticid.engine import onnx_graph

    if job.outputs is None or not job.int8:
        return job.outputs
    return (*job.outputs, onnx_graph.first_float_output(model, str(job.source)))


def _written(job: Job, inputs: Sequence[Array], computed: tuple[str, ...] | None) -> tuple[Parity, Quantized | None]:
    """Write the file; return how far the float part of the way is from the source, and what 8 bits cost."""
    from salticid.core import atomic
    from salticid.engine import onnx_graph
    from salticid.engine.convert_onnx import convert_onnx

    quantized = None
    with tempfile.TemporaryDirectory(prefix="salticid-export-") as name:
        file = Path(name) / "float.onnx"
        # An ONNX file keeps 16 bits that its source has; other engines have their own ways to store them.
        half = False if job.to != "onnx" or job.int8 else True if job.fp16 else None
        parity = convert_onnx(job.source, file, inputs=inputs[:COMPARED], outputs=computed, fp16_weights=half)
        if job.int8:
            quantized = _quantized(job, file, file.with_name("int8.onnx"), inputs)
            file = quantized.path
        if job.outputs != computed:
            file.write_bytes(onnx_graph.with_outputs(onnx_graph.load(file), job.outputs or ()).SerializeToString())
        atomic.make_folder(job.folder)
        parity = _finished(job, file, inputs[:COMPARED]) or parity
    return parity, quantized


def _quantized(job: Job, file: Path, small: Path, inputs: Sequence[Array]) -> Quantized:
    from salticid.engine import onnx_graph
    from salticid.engine.quantize import quantize_static

    has_classes = onnx_graph.metadata(onnx_graph.load(file)).get("salticid.task") == "segment"
    return quantize_static(
        file,
        small,
        inputs,
        most_loss=job.most_loss,
        loss="labels" if job.most_loss is not None or has_classes else "noise",
        form="tensorrt" if job.to == "tensorrt" else "portable",
        threads=job.threads,
    )


def _finished(job: Job, file: Path, inputs: Sequence[Array]) -> Parity | None:
    """Turn an ONNX file into what was asked for; return what its own comparison found."""
    from salticid.core import atomic

    if job.to == "openvino":
        from salticid.engine.export_openvino import export_openvino

        weights: Literal["fp32", "fp16"] = "fp16" if job.fp16 else "fp32"
        return export_openvino(
            file, job.target, inputs=inputs, weights=weights, threads=job.threads, overwrite=job.overwrite
        )
    if job.to == "tensorrt":
        from salticid.engine.tensorrt import TensorRTOptimizer

        precision: Literal["int8", "fp16", "fp32"] = "int8" if job.int8 else "fp16" if job.fp16 else "fp32"
        TensorRTOptimizer(file).build_engine(
            job.target, precision, input_shape=inputs[0].shape, overwrite=job.overwrite
        )
        return None
    atomic.write_bytes(job.target, file.read_bytes(), overwrite=job.overwrite)
    return None


def _runs(job: Job) -> list[FileRun]:
    from salticid.engine.measured import FileRun

    runs = [FileRun(job.source), FileRun(job.target)]
    if job.to == "openvino" and not job.int8:
        runs.append(FileRun(job.target, "bf16"))
    return runs


def _say(
    job: Job,
    rows: Sequence[MeasuredFile],
    parity: Parity,
    quantized: Quantized | None,
    shape: Sequence[int],
    out: Output,
    metric_name: str,
) -> None:
    out.say(f"wrote {job.target}")
    if quantized is None:
        out.say(
            f"largest difference from {'the ONNX file' if job.to == 'openvino' else job.source.name}: "
            f"{parity.largest:.2g}, {parity.relative:.2g} of its largest output; "
            f"{parity.equal_labels:.3%} of classes equal"
        )
    else:
        kept = ", ".join(quantized.kept_float) or "none"
        out.say(f"{len(quantized.nodes)} layers in 8 bits, loss on the calibration inputs {quantized.loss:.3g}")
        out.say(f"layers in float: {kept}")
    slower = _slower(rows)
    if slower:
        out.say(f"note: {slower} is not faster than its source here")
    columns = ["file", "outputs", "engine", "precision", "size", "ms", "spread"]
    columns += [metric_name] * any(row.metric is not None for row in rows)
    title = f"input {' x '.join(map(str, shape))}, {job.threads} threads"
    out.table(title, columns, [_cells(row)[: len(columns)] for row in rows])
    out.result(
        {
            "files": job.files,
            "rows": [asdict(row) for row in rows],
            "parity": asdict(parity),
            "int8": None if quantized is None else _int8(quantized),
        }
    )


def _slower(rows: Sequence[MeasuredFile]) -> str:
    """Return the name of the new file where its engine takes longer, for the same outputs, than the source's."""
    source, *written = rows
    times = [row.median_ms for row in written if row.median_ms is not None and row.outputs == source.outputs]
    if source.median_ms is None or not times or min(times) < source.median_ms:
        return ""
    return written[0].path.name


def _cells(row: MeasuredFile) -> list[Any]:
    nan = float("nan")
    known = [nan if value is None else value for value in (row.median_ms, row.spread_ms, row.metric)]
    return [row.path.name, ", ".join(row.outputs), row.engine, row.precision, f"{row.bytes / 1e6:.2f} MB", *known]


def _int8(quantized: Quantized) -> dict[str, Any]:
    return {
        "nodes": quantized.nodes,
        "kept_float": quantized.kept_float,
        "loss": quantized.loss,
        "ranking": [asdict(entry) for entry in quantized.ranking],
    }
