"""A dense map from a sparse one. Filled pixels are guesses: they never mix with measured ones in a `DisparityMap`.

What is guessed is counted in whole numbers of 1/16 px, so that every instruction set guesses the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salticid.core import draw, native
from salticid.core.types import Array, FloatMap, Image, Mask
from salticid.errors import InputError
from salticid.stereo.disparity import save_disparity
from salticid.stereo.filters import check_map, check_threads
from salticid.stereo.votes import Ballot, weighted_median

Steps = NDArray[np.int16]  # (H, W), 1/16 px

STEPS_PER_PX = 16
MOST_PX = 2047  # either way; what 16 bits hold

SLOPE_REACH = 10  # px up, down and to either side: the surface that a hole at the border continues
SLOPE_STEP = 4  # px between the two pixels that are compared
SLOPE_LIMIT = 16  # 1/16 px; pairs that differ by more lie on different surfaces
CONTINUED = 32  # 1/16 px; a surface is not continued further up or down than this

HOLE_BALLOT = Ballot(spacing=9, alike=16, sparse=True)


@dataclass(frozen=True, slots=True, eq=False)
class FilledMap:
    """A disparity for every pixel, and which of them were measured: the others are guesses."""

    disparity_px: FloatMap  # (H, W) float32; nan everywhere if nothing was known
    measured: Mask  # (H, W) bool

    @property
    def guessed(self) -> float:
        """Share of pixels whose disparity is a guess, 0..1."""
        return float((np.isfinite(self.disparity_px) & ~self.measured).mean())

    def draw(self) -> Image:
        """Return the disparity as colors, (H, W, 3) uint8; guesses are washed out, as if behind fog."""
        colors = draw.disparity_colors(self.disparity_px)
        fog = np.asarray(draw.UNKNOWN_RGB, np.uint8)
        return np.where(self.measured[..., None], colors, colors // 3 + (fog - fog // 3))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write the disparity as `DisparityMap.save` does; the file does not tell guesses from measurements.

        Raises
        ------
        InputError
            Another suffix than .pfm, .npy and .png, or disparities that a PNG cannot hold.
        """
        save_disparity(path, self.disparity_px, overwrite=overwrite)


def fill_background(disparity_px: FloatMap) -> FloatMap:
    """Return a map without holes: each takes the farther of its nearest known neighbors on the row.

    What the right view does not show is usually background beside a nearer object, hence the farther one (the smaller
    disparity). This is the fill of the Middlebury evaluation. A row without any known pixel becomes 0.
    """
    known = np.isfinite(disparity_px)
    width = disparity_px.shape[1]
    columns = np.arange(width)
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], axis=1)[:, ::-1]
    padded = np.pad(disparity_px, ((0, 0), (1, 1)), constant_values=np.nan)
    neighbors = np.take_along_axis(padded, before + 1, axis=1), np.take_along_axis(padded, after + 1, axis=1)
    filled: FloatMap = np.nan_to_num(np.where(known, disparity_px, np.fmin(*neighbors)))
    return filled


def fill_holes(
    disparity_px: FloatMap, image: Image, *, threads: int = 1, instruction_set: str | None = None
) -> FilledMap:
    """Return a map without holes: background from the row, corrected by pixels around that look alike.

    1. A hole takes the farther (the smaller disparity) of its nearest known neighbors on the row, as in
       `fill_background`. A hole that reaches the left or right border has one such neighbor only; the surface goes on
       from there with its mean slope along the row, by at most 2 px up or down, and within the range of what is
       known. The slope is that between known pixels 4 px apart, in the pairs with their middle in the 21x21
       window around the neighbor; pairs that differ by more than 1 px are left out. A row without any known pixel
       takes what the nearest row with some got; of two, the one above.
    2. Each hole becomes the weighted median of the map of step 1 at every other of 5x5 pixels around it that lie 9 px
       apart, unless these differ by 1 px at most (`salticid.stereo.votes`).

    The two steps are those of Hosni et al. 2013, "Fast cost-volume filtering for visual correspondence and beyond",
    IEEE TPAMI 35(2); the slope and the sparse votes are ours. Known pixels stay as they are; a guess is a multiple of
    1/16 px.

    Parameters
    ----------
    disparity_px
        (H, W) float32, of at least one pixel, -2047 to 2047 px; unknown where it is not finite.
    image
        (H, W) or (H, W, 3) uint8, the view that the map belongs to. Color helps.
    threads
        Threads to work with. The result does not depend on it.
    instruction_set
        One of `salticid.core.native.instruction_sets()`, or None for the best. The result is the same for all.

    Returns
    -------
    FilledMap
        All nan if no pixel is known.

    Raises
    ------
    InputError
        The arrays are not such, or differ in size, or a disparity is too large.
    MissingError
        `instruction_set` names one that this machine does not run.
    """
    check_view(disparity_px, image)
    check_threads(threads)
    chosen = native.choose(instruction_set)
    disparity_px = np.ascontiguousarray(disparity_px)
    known = np.isfinite(disparity_px)
    if not known.any():
        return FilledMap(np.full_like(disparity_px, np.nan), known)
    kernels = native.load()
    if kernels is None:
        return FilledMap(to_px(filled_reference(disparity_px, image), disparity_px), known)
    filled_px = np.empty_like(disparity_px)
    if not kernels.Refinement(chosen).fill(disparity_px, channels_of(image), filled_px, threads):
        raise too_large(disparity_px)
    return FilledMap(filled_px, known)


def filled_reference(disparity_px: FloatMap, image: Image) -> Steps:
    """Return what `fill_holes` fills a map with, in 1/16 px; the kernels do the same. All 0 if nothing is known."""
    rows, known = rows_reference(disparity_px)
    median, _ = weighted_median(rows, channels_of(image), HOLE_BALLOT)
    return np.where(known, rows, median)


def rows_reference(disparity_px: FloatMap) -> tuple[Steps, Mask]:
    """Return the first step of `fill_holes`, in 1/16 px, and which pixels are known."""
    known = np.isfinite(disparity_px)
    values_px = np.where(known, disparity_px, np.float32(0))
    if np.abs(values_px).max() > MOST_PX:
        raise too_large(disparity_px)
    steps = np.rint(values_px * np.float32(STEPS_PER_PX)).astype(np.int16)
    filled = _between_neighbors(steps, known)
    some: Mask = np.asarray(known.any(axis=1))
    least, most = (steps[known].min(), steps[known].max()) if some.any() else (0, 0)
    for y in map(int, np.flatnonzero(some)):
        columns = np.flatnonzero(known[y])
        first, last = int(columns[0]), int(columns[-1])
        filled[y, :first] = _continued(steps, known, y, first, np.arange(first)).clip(least, most)
        behind = np.arange(last + 1, known.shape[1])
        filled[y, last + 1 :] = _continued(steps, known, y, last, behind).clip(least, most)
    return filled[_nearest_row(some)], known


def to_px(steps: Steps, measured_px: FloatMap) -> FloatMap:
    """Return a map in px; what is finite in `measured_px` stays as it is."""
    in_px = steps.astype(np.float32) / np.float32(STEPS_PER_PX)
    return np.where(np.isfinite(measured_px), measured_px, in_px)


def channels_of(image: Image) -> Image:
    """Return the image as the kernels read it: (H, W, 1 or 3), contiguous."""
    return np.ascontiguousarray(image).reshape(*image.shape[:2], -1)


def too_large(disparity_px: FloatMap) -> InputError:
    """Return the error about a map with disparities beyond 2047 px."""
    largest = np.abs(disparity_px[np.isfinite(disparity_px)]).max()
    return InputError(
        f"disparities are filled up to {MOST_PX} px either way, and one is {largest:.1f} px: scale the views down"
    )


def _between_neighbors(steps: Steps, known: Mask) -> Steps:
    """Fill from both neighbors on the row, where there are two; elsewhere unknown pixels keep what they have."""
    width = known.shape[1]
    columns = np.arange(width)
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], axis=1)[:, ::-1]
    left = np.take_along_axis(steps, np.maximum(before, 0), axis=1)
    right = np.take_along_axis(steps, np.minimum(after, width - 1), axis=1)
    inside = ~known & (before >= 0) & (after < width)
    filled: Steps = np.where(inside, np.minimum(left, right), steps)
    return filled


def _continued(steps: Steps, known: Mask, y: int, neighbor: int, columns: NDArray[np.intp]) -> Array:
    """Return how the surface around a known pixel goes on in other columns of its row."""
    rise, pairs = _slope(steps, known, y, neighbor)
    run = max(pairs, 1) * SLOPE_STEP  # the slope is rise / run
    risen = (2 * rise * (columns - neighbor) + run) // (2 * run)
    continued: Array = steps[y, neighbor] + risen.clip(-CONTINUED, CONTINUED)
    return continued


def _slope(steps: Steps, known: Mask, y: int, x: int) -> tuple[int, int]:
    """Return by how much the pairs around a pixel rise in all, and how many they are."""
    rows = slice(max(y - SLOPE_REACH, 0), y + SLOPE_REACH + 1)
    half = SLOPE_STEP // 2
    middles = np.arange(max(x - SLOPE_REACH, half), min(x + SLOPE_REACH, known.shape[1] - 1 - half) + 1)
    near, here = steps[rows].astype(np.int64), known[rows]
    apart = near[:, middles + half] - near[:, middles - half]
    alike = here[:, middles + half] & here[:, middles - half] & (np.abs(apart) <= SLOPE_LIMIT)
    return int(apart[alike].sum()), int(alike.sum())


def _nearest_row(filled: Mask) -> NDArray[np.intp]:
    """Return for each row the nearest that is filled, of two the one above; each row itself if none is."""
    rows, some = np.arange(len(filled)), np.flatnonzero(filled)
    if not len(some):
        return rows
    next_one = np.searchsorted(some, rows)
    above, below = some[np.maximum(next_one - 1, 0)], some[np.minimum(next_one, len(some) - 1)]
    nearest: NDArray[np.intp] = np.where(np.abs(rows - above) <= np.abs(below - rows), above, below)
    return nearest


def check_view(disparity_px: FloatMap, image: Image) -> None:
    """Raise InputError unless these are a map and an image of one size."""
    check_map("disparity_px", disparity_px)
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim not in (2, 3):
        given = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"image must be (H, W) or (H, W, 3) uint8, not {given}")
    if image.shape[:2] != disparity_px.shape or image.shape[2:] not in ((), (3,)):
        raise InputError(
            f"image is {image.shape} and disparity_px {disparity_px.shape}: give the view that was matched"
        )
