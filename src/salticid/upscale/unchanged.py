"""A network for the frames of a video: what is as it was in the frame before is not computed again.

    engine = ChangesOnly(engine)
    for frame in frames:
        engine.start_frame()
        large = engine(frame)               # to the last bit what engine(frame) was without it

A pixel of the result depends on the pixels within the halo around it and on nothing else. So a cell of the frame whose
pixels and halo are those of the frame before has the result of the frame before. The cells that are left are computed
in a few rectangles. In floating point the last bit of a sum may depend on the size of what is computed at once, so
there it is everything that was given or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from salticid.core.types import Array
from salticid.runtime.tiles import Tile
from salticid.upscale.engines import Engine
from salticid.upscale.shape import COLORS

CELL_PX = 32  # smaller ones take over more, and take longer to compare

Area = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was given and made in the frame before; the result is written over where it changes."""

    rgb: Array
    large: Array


class ChangesOnly:
    """An engine that remembers each piece of the last frame; pieces come in the same order in every frame.

    Attributes
    ----------
    plain
        The engine that computes.
    cells, kept
        How many there were in all frames, and of how many the result was taken over.
    """

    def __init__(self, engine: Engine) -> None:
        self.name, self.shape, self.takes_16_bits = engine.name, engine.shape, engine.takes_16_bits
        self.cells = self.kept = 0
        self.plain, self._number = engine, 0
        self._seen: dict[int, _Seen] = {}

    def start_frame(self) -> None:
        """Begin again with the first piece."""
        self._number = 0

    def __call__(self, rgb: Array) -> Array:
        """Return (scale H, scale W, 3) for (H, W, 3); it is written over with the next frame."""
        seen = self._seen.pop(self._number, None)  # taken out, so that nothing half renewed stays after an exception
        areas, whole = self._areas(seen, rgb), [_all_cells(rgb)]
        large = self.plain(rgb) if seen is None or areas == whole else self._renewed(seen.large, rgb, areas)
        self._seen[self._number] = _Seen(rgb, large)
        self._number += 1
        return large

    def bytes_per_pixel(self) -> float:
        """Return what a pixel of a piece takes while it is computed."""
        return self.plain.bytes_per_pixel()

    def _areas(self, seen: _Seen | None, rgb: Array) -> list[Area]:
        """Return what is to be computed, in cells, and count it."""
        areas = [_all_cells(rgb)]
        if seen is not None and seen.rgb.shape == rgb.shape and seen.rgb.dtype == rgb.dtype:
            changed = changed_cells(seen.rgb, rgb, self.shape.halo)
            if not (self.takes_16_bits and changed.any()):
                areas = cover(changed, rgb.shape[:2], self.shape.halo)
        every = _count(_all_cells(rgb))
        self.cells += every
        self.kept += every - sum(map(_count, areas))
        return areas

    def _renewed(self, large: Array, rgb: Array, areas: list[Area]) -> Array:
        scale = self.shape.scale
        for area in areas:
            piece = _in_pixels(area, rgb.shape[:2], self.shape.halo)
            place = tuple(slice(part.start * scale, part.stop * scale) for part in piece.core)
            large[place] = self.plain(rgb[piece.window])[piece.crop(scale)]
        return large


def changed_cells(before: Array, now: Array, halo: int) -> Array:
    """Return (rows, columns) bool: the cells that differ between two images of one size, or whose halo does."""
    same = cv2.inRange(cv2.absdiff(before, now), (0.0,) * COLORS, (0.0,) * COLORS)
    above_left = cv2.integral((same == 0).view(np.uint8))  # how many changed pixels lie there
    (tops, bottoms), (lefts, rights) = (_reach(side, halo) for side in now.shape[:2])
    seen = above_left[np.ix_(bottoms, rights)] - above_left[np.ix_(tops, rights)]
    seen += above_left[np.ix_(tops, lefts)] - above_left[np.ix_(bottoms, lefts)]
    return np.asarray(seen > 0)


def cover(changed: Array, size: tuple[int, ...], halo: int) -> list[Area]:
    """Return areas of cells that together hold all that changed: what takes least, one around all or several.

    >>> cover(np.array([[1, 1, 0, 1], [1, 1, 0, 0]], bool), (64, 128), halo=2)
    [(slice(0, 1, None), slice(3, 4, None)), (slice(0, 2, None), slice(0, 2, None))]
    """
    if not changed.any():
        return []
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    around = [(slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))]
    return min(list(_blocks(changed)), around, key=lambda areas: sum(_pixels(area, size, halo) for area in areas))


def _reach(side: int, halo: int) -> tuple[Array, Array]:
    """Return where what each cell sees begins and ends, along one axis."""
    starts = np.arange(0, side, CELL_PX)
    return np.maximum(starts - halo, 0), np.minimum(starts + CELL_PX + halo, side)


def _blocks(changed: Array) -> Iterator[Area]:
    """Yield the runs of each row; one that is the same in the rows below is one area with those."""
    tops: dict[tuple[int, int], int] = {}
    for row, line in enumerate([*changed, np.zeros(changed.shape[1], bool)]):
        runs = _runs(line)
        for run in [run for run in tops if run not in runs]:
            yield slice(tops.pop(run), row), slice(*run)
        for run in runs:
            tops.setdefault(run, row)


def _runs(line: Array) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(line.astype(np.int8), 1))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _pixels(area: Area, size: tuple[int, ...], halo: int) -> int:
    rows, columns = _in_pixels(area, size, halo).window
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def _in_pixels(area: Area, size: tuple[int, ...], halo: int) -> Tile:
    """Return the pixels of an area of cells, and those that its result depends on."""
    core = [slice(part.start * CELL_PX, min(part.stop * CELL_PX, side)) for part, side in zip(area, size, strict=True)]
    window = [
        slice(max(part.start - halo, 0), min(part.stop + halo, side)) for part, side in zip(core, size, strict=True)
    ]
    return Tile((window[0], window[1]), (core[0], core[1]))


def _all_cells(rgb: Array) -> Area:
    rows, columns = (-(-side // CELL_PX) for side in rgb.shape[:2])
    return slice(0, rows), slice(0, columns)


def _count(area: Area) -> int:
    rows, columns = area
    return int((rows.stop - rows.start) * (columns.stop - columns.start))
