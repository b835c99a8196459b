"""Filters of disparity maps: a median that knows of holes, and islands too small to be believed.

A pixel is known where its value is finite; unknown pixels are nan in every result. The filters are written in C++; the
references beside them say the same in numpy, and answer where no kernels were built.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salticid.core import native
from salticid.core.types import FloatMap, Mask
from salticid.errors import InputError

MAX_RANGE_PX = float(np.finfo(np.float32).max)  # no float32 reaches further


def median_of_known(
    disparity_px: FloatMap, *, threads: int = 1, instruction_set: str | None = None, out: FloatMap | None = None
) -> FloatMap:
    """Return the median of the known pixels around each known pixel; what is unknown stays so.

    Of the n known pixels in its 3x3 window, itself included, a pixel becomes number (n + 1) // 2 in ascending order:
    the middle one, or the lower of the two. The window ends at the border of the map.

    Parameters
    ----------
    disparity_px
        (H, W) float32, of any strides and of at least one pixel.
    threads
        Bands of rows that are filtered side by side.
    instruction_set
        One of `salticid.core.native.instruction_sets()`, or None for the best. The result is the same for all.
    out
        (H, W) float32 for the result, `disparity_px` itself if you like; a new array when None.

    Raises
    ------
    InputError
        `disparity_px` or `out` is not such an array, or an option has a value that is not allowed.
    MissingError
        `instruction_set` names one that this machine does not run.
    """
    check_map("disparity_px", disparity_px)
    _check_out(out, disparity_px)
    check_threads(threads)
    chosen = native.choose(instruction_set)
    kernels = native.load()
    if kernels is None:
        return _into(out, median_of_known_reference(disparity_px))
    source = disparity_px if _has_plain_rows(disparity_px) else np.ascontiguousarray(disparity_px)
    reuse = out is not None and _has_plain_rows(out) and not np.may_share_memory(out, source)
    result = out if out is not None and reuse else np.empty(disparity_px.shape, np.float32)
    kernels.median_of_known(source, result, threads, chosen)
    return _into(out, result)


def median_of_known_reference(disparity_px: FloatMap) -> FloatMap:
    """Return what `median_of_known` returns, computed with numpy: nine shifted maps, sorted pixel by pixel."""
    check_map("disparity_px", disparity_px)
    known = np.isfinite(disparity_px)
    padded = np.pad(np.where(known, disparity_px, np.float32(np.inf)), 1, constant_values=np.inf)
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(*disparity_px.shape, 9)
    middle = np.maximum(np.isfinite(views).sum(axis=-1) - 1, 0) // 2
    medians = np.take_along_axis(np.sort(views, axis=-1), middle[..., None], axis=-1)[..., 0]
    return np.where(known, medians, np.float32(np.nan))


def remove_speckles(
    disparity_px: FloatMap, area_px: int, range_px: float, *, threads: int = 1, out: FloatMap | None = None
) -> FloatMap:
    """Return the map without its small islands: their pixels become unknown.

    Two pixels, one beside or above the other, belong to one island where both are known and differ by at most
    `range_px`, in float32.

    Parameters
    ----------
    disparity_px
        (H, W) float32, of any strides and of at least one pixel.
    area_px
        The largest island that is removed; 0 removes none.
    range_px
        The largest step within an island, at least 0.
    threads
        Bands of rows that are searched side by side. The result does not depend on it.
    out
        (H, W) float32 for the result, `disparity_px` itself if you like; a new array when None.

    Raises
    ------
    InputError
        `disparity_px` or `out` is not such an array, or an option has a value that is not allowed.
    """
    _check_speckles(disparity_px, area_px, range_px)
    _check_out(out, disparity_px)
    check_threads(threads)
    kernels = native.load()
    if kernels is None:
        return _into(out, remove_speckles_reference(disparity_px, area_px, range_px))
    result = out if out is not None and _has_plain_rows(out) else np.empty(disparity_px.shape, np.float32)
    _into(result, disparity_px)
    kernels.remove_speckles(result, min(area_px, disparity_px.size), range_px, threads)
    return _into(out, result)


def remove_speckles_reference(disparity_px: FloatMap, area_px: int, range_px: float) -> FloatMap:
    """Return what `remove_speckles` returns, computed with numpy.

    Every pixel starts as an island of its own. As long as two that belong together have different numbers, each island
    that touches one of a smaller number takes that number.
    """
    _check_speckles(disparity_px, area_px, range_px)
    known = np.isfinite(disparity_px)
    map_px = np.where(known, disparity_px, np.float32(np.nan))
    pixels = np.arange(map_px.size).reshape(map_px.shape)
    beside = _alike(map_px[:, 1:], map_px[:, :-1], range_px)
    above = _alike(map_px[1:], map_px[:-1], range_px)
    one = np.concatenate([pixels[:, 1:][beside], pixels[1:][above]])
    other = np.concatenate([pixels[:, :-1][beside], pixels[:-1][above]])
    island = _joined(pixels.ravel(), one, other).reshape(map_px.shape)
    area = np.bincount(island.ravel(), minlength=map_px.size)
    map_px[area[island] <= area_px] = np.nan
    return map_px


def check_map(name: str, array: FloatMap) -> None:
    """Raise InputError unless `array` is a map: (H, W) float32 with at least one pixel."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim != 2:
        given = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{name} must be a float32 array (H, W), not {given}")
    if array.size == 0:
        raise InputError(f"{name} has no pixels: its shape is {array.shape}; give at least 1x1")


def check_threads(threads: int) -> None:
    """Raise InputError unless `threads` is a whole number of at least 1."""
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, not {threads!r}")


def _alike(a: FloatMap, b: FloatMap, range_px: float) -> Mask:
    with np.errstate(over="ignore"):
        alike: Mask = np.abs(a - b) <= np.float32(range_px)
    return alike


def _joined(numbers: NDArray[np.intp], one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
    numbers = numbers.copy()  # of each pixel, another one of its island; the first of an island has its own
    while (numbers[one] != numbers[other]).any():
        a, b = numbers[one], numbers[other]
        np.minimum.at(numbers, np.maximum(a, b), np.minimum(a, b))
        while (numbers != numbers[numbers]).any():
            numbers = numbers[numbers]
    return numbers


def _into(out: FloatMap | None, result: FloatMap) -> FloatMap:
    if out is None:
        return result
    if out is not result:
        out[...] = result
    return out


def _has_plain_rows(array: FloatMap) -> bool:
    """Return whether the kernels can read the array as it is: rows of pixels side by side."""
    return array.flags.aligned and array.strides[1] == array.itemsize and array.strides[0] % array.itemsize == 0


def _check_out(out: FloatMap | None, disparity_px: FloatMap) -> None:
    if out is None:
        return
    check_map("out", out)
    if out.shape != disparity_px.shape:
        raise InputError(f"out is {out.shape} and disparity_px {disparity_px.shape}: give an array of the same shape")
    if not out.flags.writeable:
        raise InputError("out cannot be written: give an array of your own")


def _check_speckles(disparity_px: FloatMap, area_px: int, range_px: float) -> None:
    check_map("disparity_px", disparity_px)
    if isinstance(area_px, bool) or not isinstance(area_px, int) or area_px < 0:
        raise InputError(f"area_px must be a whole number of at least 0, not {area_px!r}")
    if isinstance(range_px, bool) or not isinstance(range_px, int | float) or not 0 <= range_px <= MAX_RANGE_PX:
        raise InputError(f"range_px must be a number of at least 0, not {range_px!r}")
