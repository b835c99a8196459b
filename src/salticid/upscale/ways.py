"""In which ways an image can be enlarged on this machine: networks, devices and precisions, the best way first.

    for way in ways.of(Outline((512, 512), (2048, 2048))):
        engines = way.open()                  # one for each pass; none for bicubic

Networks are opened when a way is taken, and stay open.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from salticid.errors import InputError, MissingError, ResourceError
from salticid.runtime import hardware
from salticid.upscale.engines import Engine, Precision, find_files, open_engine, sizes
from salticid.upscale.network_file import precision_of, read_shape
from salticid.upscale.options import UpscaleOptions
from salticid.upscale.outline import Outline
from salticid.upscale.plan import passes
from salticid.upscale.shape import COLORS, Scale

AUTO, BICUBIC = "auto", "bicubic"
AUTO_SECONDS = 1.0  # that the best network of "auto" may take
GPU_TILE_PX = 192  # where larger ones do not fit its memory
PROBE_PX = 64  # side of the piece that tells how fast a network is


@dataclass(frozen=True, slots=True)
class Way:
    """One way of enlarging an image."""

    model: str  # the network; "bicubic" for none
    step: str  # of the ladder: "int8 on cpu"
    open: Callable[[], Sequence[Engine]]
    tile_px: int | None = None  # largest side of a tile, where memory of the device is short


class Ways:
    """All ways that a model and options allow.

    Parameters
    ----------
    model
        A size, "auto", "bicubic" or the path of a file.
    options
        Which weights, precision, engine and device.
    threads
        CPU threads of a network.

    Raises
    ------
    InputError
        There is no such model, or none of such weights.
    """

    def __init__(self, model: str, options: UpscaleOptions, threads: int) -> None:
        self._model, self._options, self._threads = model, options, threads
        self._sizes = sizes(options.weights)
        self._find = functools.cache(find_files)
        self._opened: dict[tuple[Path, str], Engine] = {}
        self._seconds: dict[int, float] = {}  # per pixel, by engine
        self._file = self._read_file()

    def of(self, outline: Outline) -> Iterator[Way]:
        """Yield the ways for such an image."""
        if self._model != BICUBIC:
            name = self._best(outline) if self._model == AUTO else self._model
            for device in self._devices():
                for precision in self._precisions(device, outline):
                    opener = self._opener(self._files(name, outline, precision), device, outline)
                    yield from self._on(device, name, precision, opener)
        if self._model == BICUBIC or self._options.device == "auto":  # a device that was named is never replaced
            yield Way(BICUBIC, BICUBIC, tuple)

    def seconds_per_pixel(self, engines: Sequence[Engine]) -> float:
        """Return what a pixel of the image takes in all passes, from a small piece; nan where there are no networks."""
        if not engines:
            return math.nan
        total, growth = 0.0, 1
        for engine in engines:
            if id(engine) not in self._seconds:
                self._seconds[id(engine)] = _probed(engine)
            total += growth * self._seconds[id(engine)]
            growth *= engine.shape.scale**2
        return total

    def _read_file(self) -> tuple[Scale, Precision] | None:
        """Return what the model is, where it is a file; None where it is a network of the package."""
        model, options = self._model, self._options
        if model in (*self._sizes, AUTO, BICUBIC):
            return None
        path = Path(model)
        if not path.is_file():
            raise InputError(self._unknown())
        scale, precision = read_shape(path).scale, precision_of(path)
        if options.precision not in ("auto", precision):
            raise InputError(
                f"{model} computes in {precision}, not in {options.precision}: give the other file of its training"
            )
        if options.weights != "clean":
            raise InputError(f"weights={options.weights!r} chooses a network of the package: leave it out for {model}")
        return scale, precision

    def _unknown(self) -> str:
        model, weights = self._model, self._options.weights
        if model in sizes():
            return f"there is no {model} with weights={weights!r}: choose {', '.join(self._sizes)}"
        known = ", ".join((*self._sizes, AUTO, BICUBIC))
        return f"there is no model {model!r}: choose {known}, or give the path of a file"

    def _devices(self) -> tuple[str, ...]:
        wanted = self._options.device
        if wanted != "auto":
            return (wanted,)
        return ("cuda", "cpu") if hardware.gpus() and self._options.engine != "native" else ("cpu",)

    def _on(self, device: str, model: str, precision: str, opener: Callable[[], Sequence[Engine]]) -> Iterator[Way]:
        """Yield the ways of one network on one device; tiles are chosen by the CPU's memory, and a GPU has its own."""
        step = f"{precision} on {device}"
        yield Way(model, step, opener)
        if device != "cpu" and not self._options.tile_px:
            yield Way(model, f"{step}, tiles of {GPU_TILE_PX} px", opener, GPU_TILE_PX)

    def _precisions(self, device: str, outline: Outline) -> tuple[Precision, ...]:
        if self._file:
            return (self._file[1],)
        if self._options.precision != "auto":
            return (self._options.precision,)
        if self._options.engine == "native":
            return ("int8",)
        return ("fp32",) if outline.sixteen or device != "cpu" else ("int8", "fp32")

    def _files(self, name: str, outline: Outline, precision: Precision) -> list[Path]:
        """Return the file of each pass; what comes out of one is clean, whatever the image was."""
        if self._file:
            return [Path(name) for _ in passes(outline.size, outline.target, [self._file[0]])]
        first, later = (self._find(name, weights, precision) for weights in (self._options.weights, "clean"))
        [scale, *scales] = passes(outline.size, outline.target, list(first), list(later))
        return [first[scale], *(later[scale] for scale in scales)]

    def _opener(self, files: Sequence[Path], device: str, outline: Outline) -> Callable[[], Sequence[Engine]]:
        def opened() -> Sequence[Engine]:
            engines = [self._engine(file, device) for file in files]
            if outline.sixteen and not all(engine.takes_16_bits for engine in engines):
                instead = "give the file in floating point" if self._file else "leave precision and engine to 'auto'"
                raise InputError(f"{files[0].name} computes in 8 bits and the image has 16: {instead}")
            return engines

        return opened

    def _engine(self, path: Path, device: str) -> Engine:
        key = path, device
        if key not in self._opened:
            self._opened[key] = open_engine(path, self._options, device=device, threads=self._threads)
        return self._opened[key]

    def _best(self, outline: Outline) -> str:
        """Return the best network that takes about a second on the CPU, or the smallest."""
        for name in reversed(self._sizes):
            files = self._files(name, outline, self._precisions("cpu", outline)[0])
            if self._seconds_of(files) * math.prod(outline.size) <= AUTO_SECONDS:
                return name
        return self._sizes[0]

    def _seconds_of(self, files: Sequence[Path]) -> float:
        try:
            return self.seconds_per_pixel([self._engine(file, "cpu") for file in files])
        except (MissingError, ResourceError):  # the ladder, which meets it again, says why
            return math.inf


def _probed(engine: Engine) -> float:
    """Return the seconds that a pixel takes."""
    piece = np.zeros((PROBE_PX, PROBE_PX, COLORS), np.uint8)
    engine(piece)
    start = time.perf_counter()
    engine(piece)
    return (time.perf_counter() - start) / PROBE_PX**2
