"""A dense map from a sparse one. Filled pixels are guesses: they never mix with measured ones in a `DisparityMap`."""

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

SLOPE_WINDOW = 21  # px, height and width of the surface that a hole at the border continues
SLOPE_STEP = 4  # px between the two pixels that are compared
SLOPE_LIMIT_PX = 1  # pairs that differ by more lie on different surfaces
CONTINUED_PX = 2  # a surface is not continued further up or down than this

VOTE_REACH, VOTE_SPACING = 3, 6  # 7x7 votes, 6 px apart
VOTE_WEIGHT = 1000  # of a pixel of the same color
VOTE_FADE = 5.0  # mean difference of the channels, gray levels, at which the weight has fallen to 1 / e

VOTE_PART = 4096  # holes that the reference fills at a time


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
       known. The slope is that between known pixels 4 px apart, in the pairs with their middle in the 21x21 window
       around the neighbor; pairs that differ by more than 1 px are left out. A row without any known pixel takes what
       the nearest row with some got; of two, the one above.
    2. Each hole becomes the weighted median of the map of step 1 at 7x7 pixels around it, 6 px apart. A pixel whose
       color differs by e gray levels, the mean over the channels, has the weight 1000 exp(-e / 5), rounded; one
       outside has none. The median is the smallest value at which half of the weight is reached.

    The two steps are those of Hosni et al. 2013, "Fast cost-volume filtering for visual correspondence and beyond",
    IEEE TPAMI 35(2); the slope and the sparse votes are ours. Known pixels stay as they are.

    Parameters
    ----------
    disparity_px
        (H, W) float32, of at least one pixel; unknown where it is not finite.
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
        The arrays are not such, or differ in size.
    MissingError
        `instruction_set` names one that this machine does not run.
    """
    _check(disparity_px, image)
    check_threads(threads)
    chosen = native.choose(instruction_set)
    known = np.isfinite(np.ascontiguousarray(disparity_px))
    disparity_px = np.where(known, disparity_px, np.float32(np.nan))
    if not known.any():
        return FilledMap(disparity_px, known)
    rows_px = _fill_rows(disparity_px, known)
    colors = np.ascontiguousarray(image).reshape(*disparity_px.shape, -1)
    kernels = native.load()
    if kernels is None:
        return FilledMap(_vote(rows_px, known, colors), known)
    filled_px = np.empty_like(rows_px)
    votes = _weights(colors.shape[2]), VOTE_REACH, VOTE_SPACING
    kernels.guided_median(rows_px, known, colors, *votes, filled_px, threads, chosen)
    return FilledMap(filled_px, known)


def _fill_rows(disparity_px: FloatMap, known: Mask) -> FloatMap:
    filled_px = disparity_px.copy()
    places = np.concatenate([[-1], np.flatnonzero(known), [-1]])  # -1, in front of the first and behind the last
    holes = np.flatnonzero(~known)
    rank = np.cumsum(known.ravel(), dtype=np.int64)[holes]  # of each hole: how many known pixels come before
    width = known.shape[1]
    before, after = places[rank], places[rank + 1]
    before_px = _on_the_row(disparity_px, holes, before)
    after_px = _on_the_row(disparity_px, holes, after)
    guess_px = np.fmin(before_px, after_px)
    for neighbor, other_px in ((before, after_px), (after, before_px)):
        alone = np.isnan(other_px) & (neighbor // width == holes // width)
        guess_px[alone] += _continued_px(disparity_px, neighbor[alone], holes[alone] - neighbor[alone])
    filled_px.ravel()[holes] = guess_px.clip(np.nanmin(disparity_px), np.nanmax(disparity_px))
    return filled_px[_nearest_row(np.any(known, axis=1))]


def _on_the_row(disparity_px: FloatMap, holes: Array, neighbors: Array) -> FloatMap:
    width = disparity_px.shape[1]
    return np.where(neighbors // width == holes // width, disparity_px.ravel()[neighbors], np.float32(np.nan))


def _continued_px(disparity_px: FloatMap, neighbors: Array, distances: Array) -> FloatMap:
    """Return by how much the surfaces around `neighbors` rise over `distances`, in columns."""
    sources, index = np.unique(neighbors, return_inverse=True)
    half = SLOPE_WINDOW // 2
    margin = half + SLOPE_STEP // 2
    padded = np.pad(disparity_px, ((half, half), (margin, margin)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SLOPE_WINDOW, SLOPE_WINDOW + SLOPE_STEP))
    around = windows[np.unravel_index(sources, disparity_px.shape)]
    rises = around[..., SLOPE_STEP:] - around[..., :-SLOPE_STEP]
    alike = np.abs(rises) <= SLOPE_LIMIT_PX
    total = np.where(alike, rises, np.float32(0)).sum(axis=(1, 2), dtype=np.float64)
    slopes = total / (SLOPE_STEP * np.maximum(alike.sum(axis=(1, 2)), 1))
    continued_px: FloatMap = np.clip(slopes[index] * distances, -CONTINUED_PX, CONTINUED_PX).astype(np.float32)
    return continued_px


def _nearest_row(filled: Mask) -> NDArray[np.intp]:
    """Return for each row the nearest that is filled, of two the one above."""
    rows, some = np.arange(len(filled)), np.flatnonzero(filled)
    next_one = np.searchsorted(some, rows)
    above, below = some[np.maximum(next_one - 1, 0)], some[np.minimum(next_one, len(some) - 1)]
    nearest: NDArray[np.intp] = np.where(np.abs(rows - above) <= np.abs(below - rows), above, below)
    return nearest


def _weights(channels: int) -> NDArray[np.uint32]:
    """Return the weight of a vote for each sum of differences between the channels of two pixels."""
    differences = np.arange(255 * channels + 1) / channels
    weights: NDArray[np.uint32] = np.rint(VOTE_WEIGHT * np.exp(-differences / VOTE_FADE)).astype(np.uint32)
    return weights


def _vote(rows_px: FloatMap, known: Mask, colors: Image) -> FloatMap:
    """Return the second step of `fill_holes`; the kernel does the same."""
    filled_px = rows_px.copy()
    y, x = np.nonzero(~known)
    for start in range(0, len(y), VOTE_PART):
        part = y[start : start + VOTE_PART], x[start : start + VOTE_PART]
        filled_px[part] = _weighted_median(rows_px, colors, *part)
    return filled_px


def _weighted_median(rows_px: FloatMap, colors: Image, y: NDArray[np.intp], x: NDArray[np.intp]) -> FloatMap:
    height, width, channels = colors.shape
    offsets = np.arange(-VOTE_REACH, VOTE_REACH + 1) * VOTE_SPACING
    dy, dx = (offset.ravel() for offset in np.meshgrid(offsets, offsets))
    rows, columns = y[:, None] + dy, x[:, None] + dx
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places = rows.clip(0, height - 1), columns.clip(0, width - 1)
    apart = np.abs(colors[places].astype(np.int64) - colors[y, x][:, None]).sum(axis=-1)
    votes = np.where(inside, _weights(channels)[apart], 0)
    order = rows_px[places].argsort(axis=1)
    reached = np.take_along_axis(votes, order, axis=1).cumsum(axis=1)
    chosen = (2 * reached < reached[:, -1:]).sum(axis=1, keepdims=True)
    medians: FloatMap = np.take_along_axis(rows_px[places], np.take_along_axis(order, chosen, axis=1), axis=1)[:, 0]
    return medians


def _check(disparity_px: FloatMap, image: Image) -> None:
    check_map("disparity_px", disparity_px)
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim not in (2, 3):
        given = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"image must be (H, W) or (H, W, 3) uint8, not {given}")
    if image.shape[:2] != disparity_px.shape or image.shape[2:] not in ((), (3,)):
        raise InputError(
            f"image is {image.shape} and disparity_px {disparity_px.shape}: give the view that was matched"
        )
