"""Enlarging: an image in, one several times as large out.

    upscaler = Upscaler("fast")
    large = upscaler(image, scale=4).image
    upscaler.write("large.png", "small.jpg", scale=8)       # strip by strip, never whole in memory

The image goes through in tiles that see as far around themselves as the network does, so the result is that of the
whole image, bit for bit, and memory is what the tiles take. Scales in between are made by the next larger one of the
networks, then reduced with antialiasing; more than 4 by two passes.
"""

from __future__ import annotations

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
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.runtime.ladder import Landing, Step, descend
from salticid.upscale.engines import Engine
from salticid.upscale.options import UpscaleOptions
from salticid.upscale.plan import UpscalePlan, make_plan, target_size
from salticid.upscale.result import Upscaled
from salticid.upscale.shape import COLORS
from salticid.upscale.ways import Way, Ways
from salticid.upscale.work import Work

File = str | os.PathLike[str]
Rows = Iterator[Array]
Use = Callable[[Rows, StageClock], Picture]
Fitting = Callable[[tuple[int, int], tuple[int, int], Sequence[Engine], int | None], UpscalePlan]

FREE_SHARE = 0.8  # of the memory that is free, which is used
MEGABYTE = 1_000_000
NOT_GIVEN = (None, None)


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
        return self._done(work, work.held_bytes + work.result_bytes, lambda parts, clock: whole(parts, work))

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
        self, width: int, height: int, *, scale: float | None = None, target: tuple[int | None, int | None] = NOT_GIVEN
    ) -> UpscalePlan:
        """Return what writing an image of this size takes, in the best way; nothing is enlarged but a small piece.

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
        size, target = (height, width), target_size((height, width), scale, *target)
        kept, blended = size[0] * size[1] * COLORS, self.options.strength < 1

        fitting = partial(self.fitting, kept_bytes=kept, blended=blended)
        return planned(size, target, self.ways, fitting)

    def fitting(
        self,
        size: tuple[int, int],
        target: tuple[int, int],
        engines: Sequence[Engine],
        tile_px: int | None = None,
        *,
        kept_bytes: int,
        blended: bool,
    ) -> UpscalePlan:
        """Return the tiles for which there is memory; parameters and errors are those of `make_plan`."""
        most, tile = self.options.max_memory_mb, self.options.tile_px or tile_px
        budget = most * MEGABYTE - hardware.own_memory() if most else int(FREE_SHARE * hardware.available_memory())
        room = {"budget_bytes": budget, "kept_bytes": kept_bytes}
        return make_plan(size, target, engines, tile_px=tile, blended=blended, **room)

    def _done(self, work: Work, kept_bytes: int, use: Use) -> Upscaled:
        ways = self.ways.of(work.size, work.target, sixteen=work.sixteen)
        return enlarged(work, ways, partial(self.fitting, kept_bytes=kept_bytes, blended=work.blended), use)


def planned(size: tuple[int, int], target: tuple[int, int], ways: Ways, fitting: Fitting) -> UpscalePlan:
    """Return what enlarging an image of 8 bits takes, in the best way that is possible; see `enlarged`."""

    def plan(way: Way) -> UpscalePlan:
        engines = way.open()
        seconds = ways.seconds_per_pixel(engines) * size[0] * size[1]
        return replace(fitting(size, target, engines, way.tile_px), model=way.model, step=way.step, seconds=seconds)

    found = ways.of(size, target, sixteen=False)
    return descend([Step(way.step, partial(plan, way)) for way in found]).value


def enlarged(work: Work, ways: Iterable[Way], fitting: Fitting, use: Use) -> Upscaled:
    """Do the work in the best way that is possible.

    Parameters
    ----------
    ways
        The best one first.
    fitting
        Given the size, the target, the networks and the tiles of the way: those for which there is memory.
    use
        Makes a picture of the rows as they come, or writes them.
    """
    start, clock = time.perf_counter(), StageClock()

    def done(way: Way) -> tuple[str, Picture]:
        with clock("load"):
            engines = way.open()
        plan = fitting(work.size, work.target, engines, way.tile_px)
        return way.model, use(work.rows(engines, plan.tile_px, clock), clock)

    landing: Landing[tuple[str, Picture]] = descend([Step(way.step, partial(done, way)) for way in ways])
    name, picture = landing.value
    (rows, columns), (tall, wide) = work.size, work.target
    rest = 1000 * (time.perf_counter() - start) - sum(clock.latency_ms.values())
    latency = {**clock.latency_ms, "pixels": rest}
    return Upscaled(picture, name, landing.step, (tall / rows, wide / columns), landing.skipped, latency)


def whole(parts: Rows, work: Work) -> Picture:
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
