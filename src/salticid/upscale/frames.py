"""Enlarging one frame after the other: as `Upscaler` does, without computing what has not changed.

    upscaler = FrameUpscaler(Upscaler("fast"))
    for frame in frames:
        large = upscaler.next(frame, (height, width))

All frames are made in the same way. Where that is no longer possible, the rest is made by the next one below.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from salticid.core.types import Image
from salticid.upscale.engines import Engine
from salticid.upscale.infer import NOT_GIVEN, Upscaler, enlarged, planned, whole
from salticid.upscale.outline import Outline
from salticid.upscale.plan import UpscalePlan, target_size
from salticid.upscale.result import Upscaled
from salticid.upscale.shape import COLORS
from salticid.upscale.unchanged import ChangesOnly
from salticid.upscale.ways import Way
from salticid.upscale.work import Work

HELD_FRAMES = 5  # large ones: two wait, one is made, one is written, one was the last
ENCODER_BYTES = 60  # per pixel of a large frame: it looks ahead (measured for H.264)


class FrameUpscaler:
    """Enlarges the frames of one video, in order.

    Parameters
    ----------
    upscaler
        Whose networks and options are taken.
    """

    def __init__(self, upscaler: Upscaler) -> None:
        self._upscaler = upscaler
        self._remembering: dict[int, ChangesOnly] = {}  # by the engine
        # Planned once: tiles of two frames are compared, and must be the same for that.
        self._fitting = functools.cache(self._room)
        self._last: tuple[Image, Upscaled] | None = None
        self._frames = self._repeated = 0

    @property
    def unchanged(self) -> float:
        """The share of all tiles whose result was taken over from the frame before; nan where there were none.

        A frame that is the last one again is taken over as a whole, and the networks never see it.
        """
        if not self._frames:
            return math.nan
        cells = sum(engine.cells for engine in self._remembering.values())
        kept = sum(engine.kept for engine in self._remembering.values())
        share = kept / cells if cells else 0.0  # bicubic has no tiles
        return 1 - (1 - share) * (1 - self._repeated / self._frames)

    def next(self, image: Image, target: tuple[int, int]) -> Upscaled:
        """Enlarge the next frame, (H, W, 3) uint8, to this height and width; errors are those of `Upscaler`."""
        self._frames += 1
        if self._last is not None and np.array_equal(image, self._last[0]):
            self._repeated += 1
            return self._last[1]
        for engine in self._remembering.values():
            engine.start_frame()
        work = Work.of(image, None, (target[1], target[0]), self._upscaler.options.strength, None)
        result = enlarged(work, self._ways(work), self._fitting, lambda parts, clock: whole(parts, work))
        self._last = image, result
        return result

    def plan(
        self, width: int, height: int, *, scale: float | None = None, target: tuple[int | None, int | None] = NOT_GIVEN
    ) -> UpscalePlan:
        """Return what a frame takes when all of it changes; parameters and errors are those of `Upscaler.plan`."""
        size, blended = (height, width), self._upscaler.options.strength < 1
        outline = Outline(size, target_size(size, scale, *target), blended=blended, held="image")
        return planned(outline, self._upscaler.ways, self._room)

    def _ways(self, work: Work) -> Iterator[Way]:
        """Yield the way that the last frame was made in, and those below."""
        ways = self._upscaler.ways.of(work.outline)
        if self._last is not None:
            taken = self._last[1].step
            ways = itertools.dropwhile(lambda way: way.step != taken, ways)
        for way in ways:
            yield replace(way, open=partial(self._open, way))

    def _open(self, way: Way) -> Sequence[Engine]:
        return tuple(self._remembering.setdefault(id(engine), ChangesOnly(engine)) for engine in way.open())

    def _room(self, outline: Outline, engines: Sequence[Engine], tile_px: int | None) -> UpscalePlan:
        """Plan for what waits for the encoder, and for what is remembered of a frame, too."""
        waiting = math.prod(outline.target) * (HELD_FRAMES * COLORS + ENCODER_BYTES)
        kept_bytes = COLORS * math.prod(outline.size) + waiting + _remembered_bytes(outline.size, engines)
        return self._upscaler.fitting(outline, engines, tile_px, kept_bytes=kept_bytes)


def _remembered_bytes(size: tuple[int, int], engines: Sequence[Engine]) -> int:
    """Return what the passes keep of a frame until the next one."""
    total, pixels = 0, math.prod(size)
    for engine in engines:
        total += pixels * COLORS * (1 + engine.shape.scale**2)
        pixels *= engine.shape.scale**2
    return total
