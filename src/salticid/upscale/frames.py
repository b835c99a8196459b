"""Enlarging one frame after the other: as `Upscaler` does, without computing what has not changed.

    upscaler = FrameUpscaler(Upscaler("fast"))
    for frame in frames:
        large = upscaler.next(frame, (height, width))

All frames are made in the same way. Where that is no longer possible, the rest is made by the next one below.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core.types import Image
from salticid.upscale.engines import Engine
from salticid.upscale.infer import Upscaler
from salticid.upscale.plan import UpscalePlan
from salticid.upscale.result import Upscaled
from salticid.upscale.shape import COLORS
from salticid.upscale.unchanged import ChangesOnly

HELD_FRAMES = 5  # large ones: two wait, one is made, one is written, one was the last
ENCODER_BYTES = 60  # per pixel of a large frame: it looks ahead (measured for H.264)


class FrameUpscaler(Upscaler):
    """Enlarges the frames of one video, in order.

    Parameters
    ----------
    upscaler
        Whose network and options are taken.
    """

    def __init__(self, upscaler: Upscaler) -> None:
        super().__init__(upscaler.model, **dataclasses.asdict(upscaler.options))
        self._opened, self._seconds = upscaler._opened, upscaler._seconds
        self._remembering: dict[int, ChangesOnly] = {}  # by the engine
        self._plans: dict[tuple[Any, ...], UpscalePlan] = {}
        self._last: tuple[Image, Upscaled] | None = None
        self._frames = self._repeated = 0

    @property
    def unchanged(self) -> float:
        """The share of all tiles whose result was taken over from the frame before; nan where there were none."""
        cells = sum(engine.cells for engine in self._remembering.values())
        if not cells:  # bicubic compares whole frames alone
            return self._repeated / self._frames if self._frames else math.nan
        computed = cells - sum(engine.kept for engine in self._remembering.values())
        return 1 - computed / cells * (self._frames - self._repeated) / self._frames

    def next(self, image: Image, target: tuple[int, int]) -> Upscaled:
        """Enlarge the next frame, (H, W, 3) uint8, to this height and width; errors are those of `Upscaler`."""
        self._frames += 1
        if self._last is not None and np.array_equal(image, self._last[0]):
            self._repeated += 1
            return self._last[1]
        for engine in self._remembering.values():
            engine.start_frame()
        result = self(image, width=target[1], height=target[0])
        self._last = image, result
        return result

    def _ways(
        self, size: tuple[int, int], target: tuple[int, int], *, sixteen: bool
    ) -> Iterator[tuple[str, str, Callable[[], Sequence[Engine]]]]:
        ways = super()._ways(size, target, sixteen=sixteen)
        if self._last is None:
            return ways
        taken = self._last[1].step
        return itertools.dropwhile(lambda way: way[1] != taken, ways)

    def _engine(self, path: Path, device: str) -> Engine:
        engine = super()._engine(path, device)
        return self._remembering.setdefault(id(engine), ChangesOnly(engine))

    def _pace(self, engines: Sequence[Engine]) -> float:
        return super()._pace([engine.plain if isinstance(engine, ChangesOnly) else engine for engine in engines])

    def _plan(
        self,
        size: tuple[int, int],
        target: tuple[int, int],
        engines: Sequence[Engine],
        *,
        kept_bytes: int,
        blended: bool,
    ) -> UpscalePlan:
        """Plan once: tiles of two frames are compared, and must be the same for that."""
        key = size, target, *map(id, engines)
        if key not in self._plans:
            more = _remembered_bytes(size, engines) + math.prod(target) * (HELD_FRAMES * COLORS + ENCODER_BYTES)
            plan = super()._plan(size, target, engines, kept_bytes=kept_bytes + more, blended=blended)
            self._plans[key] = plan
        return self._plans[key]


def _remembered_bytes(size: tuple[int, int], engines: Sequence[Engine]) -> int:
    """Return what the passes keep of a frame until the next one."""
    total, pixels = 0, math.prod(size)
    for engine in engines:
        total += pixels * COLORS * (1 + engine.shape.scale**2)
        pixels *= engine.shape.scale**2
    return total
