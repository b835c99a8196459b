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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core.atomic import check_target
from salticid.core.image import Picture, check_writable, open_picture, write_image
from salticid.core.png_stream import PngWriter
from salticid.core.types import Array
from salticid.errors import ResourceError
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.runtime.ladder import Landing, Step, descend
from salticid.upscale.engines import Engine
from salticid.upscale.options import UpscaleOptions
from salticid.upscale.outline import Held, Outline
from salticid.upscale.plan import MEGABYTE, UpscalePlan, make_plan, target_size
from salticid.upscale.result import Upscaled
from salticid.upscale.shape import COLORS
from salticid.upscale.ways import Way, Ways
from salticid.upscale.work import Work

File = str | os.PathLike[str]
Rows = Iterator[Array]
Use = Callable[[Rows, StageClock], Picture]
Fitting = Callable[[Outline, Sequence[Engine], int | None], UpscalePlan]

FREE_SHARE = 0.8  # of the memory that is free, which is used
NOT_GIVEN = (None, None)
HELD: dict[str, Held] = {".png": "rows", ".webp": "webp"}  # of a result, by the suffix of its file; others: "file"


class Upscaler:
    """Enlarges images; holds the networks, which are loaded when the first image needs them."""

    def __init__(self, model: str = "fast", *, profile: str = "quality", **options: Any) -> None:
        """Choose a network.

        Parameters
        ----------
        model
            "nano", "fast" or "quality"; "auto" for the best of them that takes about a second on this machine;
            "bicubic" for none; or the path of a file of `salticid train upscale`.
        profile
            speed, quality or memory: a row of `UpscaleOptions.PROFILES`.
        options
            Any field of `UpscaleOptions`.

        Raises
        ------
        InputError
            There is no such model, or none of such weights, or an option is unknown or has a value that is not allowed.
        """
        self.options = UpscaleOptions.profile(profile).replace(**options)
        self.model = model
        self.threads = self.options.threads or hardware.threads()
        self.ways = Ways(model, self.options, self.threads)

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
        return self._done(work, lambda parts, clock: whole(parts, work))

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
        check_target(path, overwrite=overwrite)
        work = self._writing(path, image, scale, (width, height), strength)
        if work.outline.held != "rows":
            result = self._done(work, lambda parts, clock: whole(parts, work))
            write_image(path, result.picture, overwrite=overwrite)
            return result
        given, pixels = work.picture, work.picture.pixels

        def write(parts: Rows, clock: StageClock) -> Picture:
            with PngWriter(
                path,
                work.outline.shape,
                pixels.dtype,
                level=png_level,
                icc=given.icc,
                exif=given.exif,
                overwrite=overwrite,
                threads=self.threads,
            ) as png:
                for part in parts:
                    with clock("write"):
                        png.write(part)
            return replace(given, pixels=np.empty((0, work.outline.target[1]), pixels.dtype), alpha=None)

        return self._done(work, write)

    def plan(
        self, width: int, height: int, *, scale: float | None = None, target: tuple[int | None, int | None] = NOT_GIVEN
    ) -> UpscalePlan:
        """Return what writing a .png of an RGB image of this size takes, in the best way; a small piece is enlarged.

        Parameters
        ----------
        width, height
            Of the image, px.
        scale
            1 to 8, 4 by default.
        target
            Width and height of the result instead, px; one alone keeps the proportions.

        Raises
        ------
        InputError, MissingError, ResourceError
            As in `__call__`.
        """
        size, blended = (height, width), self.options.strength < 1
        outline = Outline(size, target_size(size, scale, *target), blended=blended)
        return planned(outline, self.ways, partial(self.fitting, kept_bytes=COLORS * width * height))

    def plan_write(
        self,
        path: File,
        image: File | Array | Picture,
        *,
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        strength: Array | None = None,
    ) -> UpscalePlan:
        """Return what `write` takes with these arguments beside what this process has already.

        Nothing is written, and nothing that is there already is in the way. Errors are those of `write`.
        """
        return planned(self._writing(path, image, scale, (width, height), strength).outline, self.ways, self.fitting)

    def fitting(
        self, outline: Outline, engines: Sequence[Engine], tile_px: int | None = None, *, kept_bytes: int = 0
    ) -> UpscalePlan:
        """Return the tiles for which there is memory; parameters and errors are those of `make_plan`."""
        most, own = self.options.max_memory_mb, hardware.own_memory()
        if most and most * MEGABYTE <= own:
            raise ResourceError(f"this process takes more than max_memory_mb={most} before anything is enlarged")
        budget = most * MEGABYTE - own if most else int(FREE_SHARE * hardware.available_memory())
        tile = self.options.tile_px or tile_px
        return make_plan(outline, engines, budget_bytes=budget, kept_bytes=kept_bytes, tile_px=tile)

    def _writing(
        self,
        path: File,
        image: File | Array | Picture,
        scale: float | None,
        sides: tuple[int | None, int | None],
        strength: Array | None,
    ) -> Work:
        """Return what is asked for, if a file of this name can hold it."""
        picture = open_picture(image) if isinstance(image, (str, os.PathLike)) else image
        held = HELD.get(Path(path).suffix.lower(), "file")
        work = Work.of(picture, scale, sides, self.options.strength, strength, held)
        if held != "rows":
            check_writable(path, work.picture, work.outline.target)
        return work

    def _done(self, work: Work, use: Use) -> Upscaled:
        return enlarged(work, self.ways.of(work.outline), self.fitting, use)


def planned(outline: Outline, ways: Ways, fitting: Fitting) -> UpscalePlan:
    """Return what enlarging such an image takes, in the best way that is possible; see `enlarged`."""

    def plan(way: Way) -> UpscalePlan:
        engines = way.open()
        seconds = ways.seconds_per_pixel(engines) * math.prod(outline.size)
        return replace(fitting(outline, engines, way.tile_px), model=way.model, step=way.step, seconds=seconds)

    steps = [Step(way.step, partial(plan, way)) for way in ways.of(outline)]
    return descend(steps, advice=_advice(outline)).value


def enlarged(work: Work, ways: Iterable[Way], fitting: Fitting, use: Use) -> Upscaled:
    """Do the work in the best way that is possible.

    Parameters
    ----------
    ways
        The best one first.
    fitting
        Given the outline, the networks and the tiles of the way: those for which there is memory.
    use
        Makes a picture of the rows as they come, or writes them.
    """
    start, clock = time.perf_counter(), StageClock()

    def done(way: Way) -> tuple[str, Picture]:
        with clock("load"):
            engines = way.open()
        plan = fitting(work.outline, engines, way.tile_px)
        return way.model, use(work.rows(engines, plan.tile_px, clock), clock)

    steps = [Step(way.step, partial(done, way)) for way in ways]
    landing: Landing[tuple[str, Picture]] = descend(steps, advice=_advice(work.outline))
    name, picture = landing.value
    (rows, columns), (tall, wide) = work.outline.size, work.outline.target
    rest = 1000 * (time.perf_counter() - start) - sum(clock.latency_ms.values())
    latency = {**clock.latency_ms, "pixels": rest}
    return Upscaled(picture, name, landing.step, (tall / rows, wide / columns), landing.skipped, latency)


def _advice(outline: Outline) -> str:
    rows = ", or a .png, which is written row by row" if outline.held in ("file", "webp") else ""
    return f"allow more memory, or choose a smaller scale{rows}"


def whole(parts: Rows, work: Work) -> Picture:
    """Return the picture that the rows make up."""
    out = np.empty(work.outline.shape, work.picture.pixels.dtype)
    top = 0
    for part in parts:
        out[top : top + len(part)] = part
        top += len(part)
    if work.picture.alpha is None:
        return replace(work.picture, pixels=out)
    pixels = out[..., 0] if work.picture.pixels.ndim == 2 else out[..., :COLORS]
    return replace(work.picture, pixels=np.ascontiguousarray(pixels), alpha=np.ascontiguousarray(out[..., -1]))
