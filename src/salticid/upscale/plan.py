"""Before an image is enlarged: how large it becomes, in which passes and tiles, and what memory that takes.

plan = make_plan(Outline((2160, 3840), (8640, 15360)), [engine], budget_bytes=400_000_000)
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
from salticid.upscale.outline import Outline
from salticid.upscale.rows import BAND_PX
from salticid.upscale.shape import COLORS, Scale

MEGABYTE = 1_000_000
LARGEST_SCALE = 8.0
TILES_PX = (1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, 16)  # that are tried, the largest first
RESIZED_ROWS = 32  # that a resize makes at once
STRIPS = 2  # of a pass: one is made while the one before is in use
RESIZED_BYTES = 20  # times those of a value: as numbers, their products, rounded, and put together
BLENDED_BYTES = 10  # a value of the network and of bicubic in float32, and the mixture
OTHER_BYTES = 32_000_000  # rows of features, an engine's own, blocks of a PNG, what malloc keeps for each thread
SLACK = 1.1  # times what is asked of it is what malloc holds (measured)
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
        Both a scale and a side are given, a side is no whole number, or the image would become smaller or more than 8
        times as large.
    """
    sides = [side for side in (width, height) if side is not None]
    if scale is not None and sides:
        raise InputError("give a scale, or a width or height to reach, not both")
    if any(not math.isfinite(side) or side < 1 or side != int(side) for side in sides):
        raise InputError(f"width and height must be whole numbers of at least 1, not {width} and {height}")
    target = _by_sides(size, width, height) if sides else _by_scale(size, 4.0 if scale is None else scale)
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
    if height is None:
        height = max(1, round(rows * ((width or columns) / columns)))
    if width is None:
        width = max(1, round(columns * (height / rows)))
    return int(height), int(width)


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
    outline: Outline,
    engines: Sequence[Engine],
    *,
    budget_bytes: int,
    kept_bytes: int = 0,
    tile_px: int | None = None,
) -> UpscalePlan:
    """Choose the largest tiles that the memory holds.

    Parameters
    ----------
    kept_bytes
        That are held all the time beside the result, and are not in this process yet.
    tile_px
        Of the user; then it is taken whatever the budget says, if only it fits.

    Raises
    ------
    ResourceError
        Not even the smallest tiles fit.
    """
    scales = tuple(engine.shape.scale for engine in engines)
    candidates = (tile_px,) if tile_px else TILES_PX
    for tile in candidates:
        made = outline.kept_bytes + _made_bytes(outline, engines, tile)
        peak = kept_bytes + max(made, outline.ended_bytes)
        if peak <= budget_bytes:
            tiles = _count(outline.size, engines, tile)
            return UpscalePlan(outline.size, outline.target, scales, tile, tiles, peak, math.nan)
    in_tiles = f" even in tiles of {candidates[-1]} px" if engines and made > outline.ended_bytes else ""
    left = max(0, budget_bytes) / MEGABYTE
    raise ResourceError(f"takes {peak / MEGABYTE:,.0f} MB{in_tiles}, and {left:,.0f} MB are left")


def _count(size: tuple[int, int], engines: Sequence[Engine], tile: int) -> int:
    total, (height, width) = 0, size
    for engine in engines:
        total += len(plan_tiles(height, width, tile=tile, halo=engine.shape.halo))
        height, width = height * engine.shape.scale, width * engine.shape.scale
    return total


def _made_bytes(outline: Outline, engines: Sequence[Engine], tile: int) -> int:
    """Return what rows take on their way: each pass's tiles, its window of rows and its strips, then bands."""
    color_bytes = COLORS * outline.value_bytes
    total, (height, width) = float(OTHER_BYTES), outline.size
    for engine in engines:
        halo, scale = engine.shape.halo, engine.shape.scale
        rows, columns = min(height, tile + 2 * halo), min(width, tile + 2 * halo)
        total += rows * columns * (engine.bytes_per_pixel() + scale**2 * color_bytes)  # and the tile before
        total += 2 * rows * width * color_bytes
        height, width = height * scale, width * scale
        total += STRIPS * min(height, tile * scale) * width * color_bytes
    return int(SLACK * (total + _band_bytes(outline, (height, width))))


def _band_bytes(outline: Outline, passed: tuple[int, int]) -> int:
    """Return what a band takes while it is resized and blended, coming from an image of the size `passed`."""
    pixels = max(BAND_PX, RESIZED_ROWS * max(passed[1], outline.target[1]))
    resized = COLORS * (passed != outline.target) + COLORS * outline.blended + outline.alpha
    blended = COLORS * BLENDED_BYTES if outline.blended else 0
    return pixels * (resized * RESIZED_BYTES * outline.value_bytes + blended)
