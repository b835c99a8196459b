"""Exported files as they are: bytes on disk, time in their engine, and a metric of the very file.

    rows = measure([FileRun(Path("net.onnx")), FileRun(Path("net-int8.onnx"))], inputs, threads=2, metric=miou_of)

Nothing is taken over from the network that a file was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from salticid.core.types import Array
from salticid.engine import bench
from salticid.engine.session import Session
from salticid.engine.settings import Precision
from salticid.errors import InputError, MissingError

Metric = Callable[[Path], float]  # such as the mIoU of a file on a folder of labelled images

ENGINES = {".onnx": "onnxruntime", ".xml": "openvino", ".engine": "tensorrt"}
BESIDE = {".xml": ".bin"}  # the file that holds the weights


@dataclass(frozen=True, slots=True)
class FileRun:
    """A file, and the arithmetic that its engine may use."""

    path: Path
    precision: Precision = "fp32"


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """What was measured of one file; None for what cannot be measured here."""

    path: Path
    engine: str
    precision: Precision
    outputs: tuple[str, ...]  # all of which are computed
    bytes: int
    median_ms: float | None
    spread_ms: float | None
    metric: float | None


def measure(
    runs: Sequence[FileRun],
    example: Array,
    *,
    threads: int,
    metric: Metric | None = None,
    warmup: int = 3,
    repeats: int = 20,
) -> list[MeasuredFile]:
    """Time files in turns on one input, and measure the metric of each.

    Parameters
    ----------
    runs
        Files; one that this machine has no engine or arithmetic for keeps its size, without a time.
    example
        The input, (N, ...) float32.
    threads
        Threads that compute.
    metric
        Called with the path of each file that can run here.

    Raises
    ------
    InputError
        A file cannot be read, is of an unknown kind or does not take the input.
    """
    sessions = {run: session for run in runs if (session := _session(run, threads)) is not None}
    timings = dict(zip(sessions, _compared(list(sessions.values()), example, warmup, repeats), strict=True))
    metrics: dict[Path, float] = {}
    for run in sessions:
        if metric is not None and run.path not in metrics:
            metrics[run.path] = metric(run.path)
    return [_row(run, sessions.get(run), timings.get(run), metrics) for run in runs]


def _session(run: FileRun, threads: int) -> Session | None:
    if _engine(run.path) == "tensorrt":
        return None
    try:
        return Session(run.path, threads=threads, precision=run.precision)
    except MissingError:
        if run.precision == "fp32":
            raise
        return None  # this CPU has no such arithmetic


def _engine(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENGINES:
        raise InputError(f"{path} is no exported file; those are {', '.join(ENGINES)}")
    return ENGINES[ending]


def _compared(sessions: Sequence[Session], example: Array, warmup: int, repeats: int) -> list[bench.Timing]:
    candidates = {str(number): _call(session, example) for number, session in enumerate(sessions)}
    return bench.compare(candidates, warmup=warmup, repeats=repeats) if candidates else []


def _call(session: Session, example: Array) -> Callable[[], object]:
    feeds = {session.inputs[0].name: example}
    return lambda: session.run(feeds)


def _row(
    run: FileRun, session: Session | None, timing: bench.Timing | None, metrics: Mapping[Path, float]
) -> MeasuredFile:
    files = [run.path, *(run.path.with_suffix(suffix) for end, suffix in BESIDE.items() if run.path.suffix == end)]
    return MeasuredFile(
        path=run.path,
        engine=_engine(run.path),
        precision=run.precision,
        outputs=tuple(spec.name for spec in session.outputs) if session else (),
        bytes=sum(file.stat().st_size for file in files),
        median_ms=timing.median_ms if timing else None,
        spread_ms=timing.spread_ms if timing else None,
        metric=metrics.get(run.path) if timing else None,
    )
