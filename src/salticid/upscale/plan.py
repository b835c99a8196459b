"""Before an image is enlarged: how large it becomes, in which passes and tiles, and what memory that takes.

plan = make_plan(height=2160, width=3840, target=(8640, 15360), engines=[engine], budget_bytes=400_000_000)
plan.tiles, plan.peak_bytes
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from salticid.errors import InputError, ResourceError
from salticid.runtime.tiles import plan_tiles
from salticid.upscale.engines import Engine
from salticid.upscale.shape import COLORS, Scale

LARGEST_SCALE = 8.0
TILES_PX = (1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, 16)  # that are tried, the largest first
BLENDED = 4  # times the rows of a strip, where bicubic is blended in: itself, bicubic, both in floating point
MOST_PASSES = 3  # of a network that makes an image twice as large
MOST_PIXELS = 1 << 31


@dataclass(frozen=True, slots=True)
class UpscalePlan:
    """What is going to happen."""

    size: tuple[int, int]  # height and width of the image
    target: tuple[int, int]  # and of the result
    scales: tuple[Scale, ...]  # of the passes, one network after the other; what is too large then is reduced
    tile_px: int  # largest side of a tile of the first pass
    tiles: int  # of all passes
    peak_bytes: int  # that the work takes beside what the process has already
    seconds: float  # estimated from a small piece; nan where nothing was measured
    model: str = ""  # the network, where it is known
    step: str = ""  # of the ladder: how it will be computed

    @property
    def pixels(self) -> int:
        """Of the result."""
        return self.target[0] * self.target[1]


def target_size(size: tuple[int, int], scale: float | None, width: int | None, height: int | None) -> tuple[int, int]:
    """Return height and width of the result, for a scale or for one or both sides.

    Raises
    ------
    InputError
        Both a scale and a side are given, or the image would become smaller or more than 8 times as large.
    """
    if scale is not None and (width or height):
        raise InputError("give a scale, or a width or height to reach, not both")
    target = _by_sides(size, width, height) if width or height else _by_scale(size, 4.0 if scale is None else scale)
    if any(not old <= new <= LARGEST_SCALE * old for new, old in zip(target, size, strict=True)):
        raise InputError(
            f"an image of {size[1]} x {size[0]} becomes 1 to {LARGEST_SCALE:g} times as large, not "
            f"{target[1]} x {target[0]}: make it smaller with any image tool, or enlarge it twice"
        )
    if target[0] * target[1] > MOST_PIXELS:
        raise InputError(f"{target[1]} x {target[0]} are more pixels than any image holds here: choose a smaller scale")
    return target


def _by_scale(size: tuple[int, int], scale: float) -> tuple[int, int]:
    if not (math.isfinite(scale) and 1 <= scale <= LARGEST_SCALE):
        raise InputError(f"scale must be 1 to {LARGEST_SCALE:g}, not {scale}")
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _by_sides(size: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """Return both sides; one that is not given keeps the proportions."""
    rows, columns = size
    if not height:
        height = max(1, round(rows * ((width or columns) / columns)))
    if not width:
        width = max(1, round(columns * (height / rows)))
    return height, width


def passes(
    size: tuple[int, int], target: tuple[int, int], known: Sequence[Scale], later: Sequence[Scale] | None = None
) -> tuple[Scale, ...]:
    """Return the scales of networks, out of those that there are, that make an image as large as wanted, or larger.

    They make it no larger than they have to, in as few passes as that takes. `later` are those that there are for all
    passes but the first, where they are others.

    >>> passes((100, 100), (300, 300), [2, 4]), passes((100, 100), (700, 700), [2, 4])
    ((4,), (4, 2))
    >>> passes((100, 100), (200, 200), [4])
    (4,)
    """
    grown = max(new / old for new, old in zip(target, size, strict=True))
    first, others = sorted(known)[::-1], sorted(known if later is None else later)[::-1]
    ways = [way for count in range(MOST_PASSES) for way in itertools.product(first, *[others] * count)]
    return min((way for way in ways if math.prod(way) >= grown), key=lambda way: (math.prod(way), len(way)))


def make_plan(
    size: tuple[int, int],
    target: tuple[int, int],
    engines: Sequence[Engine],
    *,
    budget_bytes: int,
    kept_bytes: int = 0,
    tile_px: int | None = None,
    blended: bool = False,
    seconds_per_pixel: float = math.nan,
) -> UpscalePlan:
    """Choose the largest tiles that the memory holds.

    Parameters
    ----------
    kept_bytes
        That are held all the time: the image, and the result where it is wanted as a whole.
    tile_px
        Of the user; then it is taken whatever the budget says, if only it fits.
    blended
        Bicubic is mixed in.

    Raises
    ------
    ResourceError
        Not even the smallest tiles fit; the message says what would.
    """
    scales = tuple(engine.shape.scale for engine in engines)
    candidates = (tile_px,) if tile_px else TILES_PX
    for tile in candidates:
        peak = kept_bytes + _peak_bytes(size, engines, tile, blended)
        if peak <= budget_bytes:
            seconds = seconds_per_pixel * size[0] * size[1]
            return UpscalePlan(size, target, scales, tile, _count(size, engines, tile), peak, seconds)
    raise ResourceError(
        f"enlarging {size[1]} x {size[0]} to {target[1]} x {target[0]} takes {peak / 1e6:,.0f} MB even in tiles of "
        f"{candidates[-1]} px, and there are {budget_bytes / 1e6:,.0f} MB: allow more memory, choose a smaller "
        "scale, or write an image as .png, which is never whole in memory"
    )


def _count(size: tuple[int, int], engines: Sequence[Engine], tile: int) -> int:
    total, (height, width) = 0, size
    for engine in engines:
        total += len(plan_tiles(height, width, tile=tile, halo=engine.shape.halo))
        height, width = height * engine.shape.scale, width * engine.shape.scale
    return total


def _peak_bytes(size: tuple[int, int], engines: Sequence[Engine], tile: int, blended: bool) -> int:
    """Return what the passes take: each one's window of rows, its strip, and the tile in work."""
    total, (height, width) = 0.0, size
    for engine in engines:
        halo, scale = engine.shape.halo, engine.shape.scale
        rows, columns = min(height, tile + 2 * halo), min(width, tile + 2 * halo)
        total += 2 * rows * width * COLORS + rows * columns * engine.bytes_per_pixel()
        height, width = height * scale, width * scale
        total += min(height, tile * scale) * width * COLORS * (1 + (BLENDED if blended else 1))
    return int(total)
