"""Enlarging: an image in, one several times as large out.

    upscaler = Upscaler("fast")
    large = upscaler(image, scale=4).image
    upscaler.write("large.png", "small.jpg", scale=8)       # strip by strip, never whole in memory

The image goes through in tiles that see as far around themselves as the network does, so the result is that of the
whole image, bit for bit, and memory is what the tiles take. Scales in between are made by the next larger one of the
networks, then reduced with antialiasing; more than 4 by two passes.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from salticid.core.atomic import check_target
from salticid.core.image import Picture, check_writable, open_picture, write_image
from salticid.core.png_stream import PngWriter
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.runtime.ladder import Landing, Step, descend
from salticid.upscale.engines import Engine, Precision, find_files, open_engine, sizes
from salticid.upscale.network_file import precision_of, read_shape
from salticid.upscale.options import UpscaleOptions
from salticid.upscale.plan import UpscalePlan, make_plan, passes, target_size
from salticid.upscale.result import Upscaled
from salticid.upscale.shape import COLORS
from salticid.upscale.work import Work

File = str | os.PathLike[str]
T = TypeVar("T")
Rows = Iterator[Array]

AUTO, BICUBIC = "auto", "bicubic"
AUTO_SECONDS = 1.0  # that the best network of "auto" may take
PROBE_PX = 64  # side of the piece that tells how fast a network is
FREE_SHARE = 0.8  # of the memory that is free, which is used
MEGABYTE = 1_000_000


class Upscaler:
    """Enlarges images; holds the networks, which are loaded when the first image needs them."""

    def __init__(self, model: str = "fast", *, profile: str = "quality", **options: Any) -> None:
        """Choose a network.

        Parameters
        ----------
        model
            A size, such as "nano" or "fast"; "auto" for the best of them that takes about a second on this machine;
            "bicubic" for none; or the path of a file of `salticid train upscale`.
        profile
            speed, quality or memory: a row of `UpscaleOptions.PROFILES`.
        options
            Any field of `UpscaleOptions`.

        Raises
        ------
        InputError
            There is no such model, or an option is unknown or has a value that is not allowed.
        """
        self.options = UpscaleOptions.profile(profile).replace(**options)
        self._sizes = sizes()
        if model not in (*self._sizes, AUTO, BICUBIC) and not Path(model).is_file():
            known = ", ".join((*self._sizes, AUTO, BICUBIC))
            raise InputError(f"there is no model {model!r}: choose {known}, or give the path of a file")
        self.model = model
        self.threads = self.options.threads or hardware.threads()
        self._opened: dict[tuple[Path, str], Engine] = {}
        self._seconds: dict[int, float] = {}  # per pixel, by engine

    def __call__(
        self,
        image: Array | Picture,
        *,
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        strength: Array | None = None,
    ) -> Upscaled:
        """Enlarge one image.

        Parameters
        ----------
        image
            (H, W, 3) RGB or (H, W) gray, uint8 or uint16; or a `Picture`, whose alpha, profile and EXIF are kept.
        scale
            1 to 8, 4 by default.
        width, height
            Of the result instead, px; one alone keeps the proportions.
        strength
            (H, W) of 0 to 1: how much of what the network adds is kept, where; times the option of that name.

        Raises
        ------
        InputError
            The image is none, or the size or strength is out of range.
        MissingError, ResourceError
            What was asked for by name is not on this machine; memory does not hold the result.
        """
        work = Work.of(image, scale, (width, height), self.options.strength, strength)
        return self._done(work, work.held_bytes + work.result_bytes, lambda parts, clock: _whole(parts, work))

    def write(
        self,
        path: File,
        image: File | Array | Picture,
        *,
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        strength: Array | None = None,
        overwrite: bool = True,
        png_level: int = 1,
    ) -> Upscaled:
        """Enlarge an image into a file; into a .png strip by strip, so that the result is never whole in memory.

        Parameters and errors are those of `__call__`, `open_picture` and `write_image`.

        Returns
        -------
        Upscaled
            Its image is empty where the file was written in strips.
        """
        picture = open_picture(image) if isinstance(image, (str, os.PathLike)) else image
        check_target(path, overwrite=overwrite)
        if Path(path).suffix.lower() != ".png":
            check_writable(path, picture)
            result = self(picture, scale=scale, width=width, height=height, strength=strength)
            write_image(path, result.picture, overwrite=overwrite)
            return result
        work = Work.of(picture, scale, (width, height), self.options.strength, strength)

        def write(parts: Rows, clock: StageClock) -> Picture:
            given = work.picture
            with PngWriter(
                path,
                work.shape,
                given.pixels.dtype,
                level=png_level,
                icc=given.icc,
                exif=given.exif,
                overwrite=overwrite,
                threads=self.threads,
            ) as png:
                for part in parts:
                    with clock("write"):
                        png.write(part)
            return replace(given, pixels=np.empty((0, work.target[1]), given.pixels.dtype), alpha=None)

        return self._done(work, work.held_bytes, write)

    def plan(
        self, size: tuple[int, int], *, scale: float | None = None, width: int | None = None, height: int | None = None
    ) -> UpscalePlan:
        """Return what writing an image of this height and width takes, in the best way; errors as in `__call__`."""
        target = target_size(size, scale, width, height)
        kept, blended = size[0] * size[1] * COLORS, self.options.strength < 1

        def way(name: str, step: str, opened: Callable[[], Sequence[Engine]]) -> Callable[[], UpscalePlan]:
            def run() -> UpscalePlan:
                engines = opened()
                plan = self._plan(size, target, engines, kept_bytes=kept, blended=blended)
                seconds = self._pace(engines) * size[0] * size[1] if engines else math.nan
                return replace(plan, model=name, step=step, seconds=seconds)

            return run

        ways = self._ways(size, target, sixteen=False)
        return descend([Step(step, way(name, step, opened)) for name, step, opened in ways]).value

    def _done(self, work: Work, kept_bytes: int, use: Callable[[Rows, StageClock], Picture]) -> Upscaled:
        """Do the work in the best way that is possible."""
        start, clock = time.perf_counter(), StageClock()

        def way(name: str, opened: Callable[[], Sequence[Engine]]) -> Callable[[], tuple[str, Picture]]:
            def run() -> tuple[str, Picture]:
                with clock("load"):
                    engines = opened()
                plan = self._plan(work.size, work.target, engines, kept_bytes=kept_bytes, blended=work.blended)
                return name, use(work.rows(engines, plan.tile_px, clock), clock)

            return run

        ways = self._ways(work.size, work.target, sixteen=work.picture.pixels.dtype == np.uint16)
        landing: Landing[tuple[str, Picture]] = descend([Step(step, way(name, opened)) for name, step, opened in ways])
        name, picture = landing.value
        (rows, columns), (tall, wide) = work.size, work.target
        rest = 1000 * (time.perf_counter() - start) - sum(clock.latency_ms.values())
        latency = {**clock.latency_ms, "pixels": rest}
        return Upscaled(picture, name, landing.step, (tall / rows, wide / columns), landing.skipped, latency)

    def _ways(
        self, size: tuple[int, int], target: tuple[int, int], *, sixteen: bool
    ) -> Iterator[tuple[str, str, Callable[[], Sequence[Engine]]]]:
        """Yield the name of a network, what it is computed in, and how it is opened; the best way first."""
        if self.model in (*self._sizes, AUTO):
            name = self._best(size, target) if self.model == AUTO else self.model
            for device in self._devices():
                for precision in self._precisions(device, sixteen=sixteen):
                    files = self._files(name, size, target, precision)
                    yield name, f"{precision} on {device}", self._opener(files, device, sixteen=sixteen)
        elif self.model != BICUBIC:
            path = Path(self.model)
            files = [path for _ in passes(size, target, [read_shape(path).scale])]
            for device in self._devices():
                step = f"{precision_of(path)} on {device}"
                yield self.model, step, self._opener(files, device, sixteen=sixteen)
        if self.model == BICUBIC or self.options.device == "auto":  # a device that was named is never replaced
            yield BICUBIC, BICUBIC, tuple

    def _devices(self) -> tuple[str, ...]:
        wanted = self.options.device
        if wanted != "auto":
            return (wanted,)
        return ("cuda", "cpu") if hardware.gpus() and self.options.engine != "native" else ("cpu",)

    def _precisions(self, device: str, *, sixteen: bool) -> tuple[Precision, ...]:
        wanted = self.options.precision
        if wanted != "auto":
            return (wanted,)
        return ("fp32",) if sixteen or device != "cpu" else ("int8", "fp32")

    def _opener(self, files: Sequence[Path], device: str, *, sixteen: bool) -> Callable[[], Sequence[Engine]]:
        def opened() -> Sequence[Engine]:
            engines = [self._engine(file, device) for file in files]
            if sixteen and not all(engine.takes_16_bits for engine in engines):
                raise InputError(f"{files[0].name} computes in 8 bits and the image has 16: use precision='fp32'")
            return engines

        return opened

    def _files(self, name: str, size: tuple[int, int], target: tuple[int, int], precision: Precision) -> list[Path]:
        known = find_files(name, precision)
        return [known[scale] for scale in passes(size, target, list(known))]

    def _engine(self, path: Path, device: str) -> Engine:
        key = path, device
        if key not in self._opened:
            self._opened[key] = open_engine(path, self.options, device=device, threads=self.threads)
        return self._opened[key]

    def _best(self, size: tuple[int, int], target: tuple[int, int]) -> str:
        """Return the best network that takes about a second, or the smallest."""
        for name in reversed(self._sizes):
            precision = self._precisions("cpu", sixteen=False)[0]
            engines = [self._engine(file, "cpu") for file in self._files(name, size, target, precision)]
            if self._pace(engines) * size[0] * size[1] <= AUTO_SECONDS:
                return name
        return self._sizes[0]

    def _plan(
        self,
        size: tuple[int, int],
        target: tuple[int, int],
        engines: Sequence[Engine],
        *,
        kept_bytes: int,
        blended: bool,
    ) -> UpscalePlan:
        most, tile = self.options.max_memory_mb, self.options.tile_px
        budget = most * MEGABYTE - hardware.own_memory() if most else int(FREE_SHARE * hardware.available_memory())
        room = {"budget_bytes": budget, "kept_bytes": kept_bytes}
        return make_plan(size, target, engines, tile_px=tile, blended=blended, **room)

    def _pace(self, engines: Sequence[Engine]) -> float:
        """Return the seconds that a pixel of the image takes, from a small piece."""
        total, growth = 0.0, 1
        for engine in engines:
            if id(engine) not in self._seconds:
                piece = np.zeros((PROBE_PX, PROBE_PX, COLORS), np.uint8)
                engine(piece)
                start = time.perf_counter()
                engine(piece)
                self._seconds[id(engine)] = (time.perf_counter() - start) / PROBE_PX**2
            total += growth * self._seconds[id(engine)]
            growth *= engine.shape.scale**2
        return total


def _whole(parts: Rows, work: Work) -> Picture:
    """Return the picture that the rows make up."""
    out = np.empty(work.shape, work.picture.pixels.dtype)
    top = 0
    for part in parts:
        out[top : top + len(part)] = part
        top += len(part)
    if work.picture.alpha is None:
        return replace(work.picture, pixels=out)
    pixels = out[..., 0] if work.picture.pixels.ndim == 2 else out[..., :COLORS]
    return replace(work.picture, pixels=np.ascontiguousarray(pixels), alpha=np.ascontiguousarray(out[..., -1]))
