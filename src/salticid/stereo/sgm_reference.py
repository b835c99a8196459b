"""Semi-global matching step by step, in numpy: what the native kernels compute, to the last bit.

A pixel of the left view has D candidates in the same row of the right view. Alone it chooses badly; so each candidate's
cost is added up along paths that lead to the pixel through the image, and the candidate with the smallest sum wins.

    Hirschmueller 2008, "Stereo processing by semiglobal matching and mutual information", IEEE TPAMI 30(2)

Read top-down, this is how `SemiGlobalMatcher` works, less everything that makes it fast. It holds several volumes
(H, W, D) of whole numbers: small images only.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from salticid.core.types import Array, FloatMap, Image, Mask
from salticid.stereo.census import hamming
from salticid.stereo.matched import NONE, Evidence, Matched
from salticid.stereo.ranges import TILE_HEIGHT, TILE_WIDTH, WORTHWHILE, half_search, half_size, search_ranges

SIZES = {"5x5": (5, 5), "7x7": (7, 7), "9x7": (9, 7)}  # width, height in pixels
CHECKERED = ("7x7", "9x7")  # only every second pixel is compared
GRADIENT_CAP = 8  # the most that gradients add to a cost
RISE_WEIGHT = 1  # how often a cost counts in the fit for every path, besides its share in the sum
FIT_RADIUS = 2  # the fit looks at 5x5 pixels
FAR = 1 << 20  # the cost of a candidate that does not come into question

# Steps (dy, dx) from pixel to pixel along a path. A sweep down the image follows the first 2 or all 4 of these; a sweep
# up follows the opposite ones.
DOWN = ((0, 1), (1, 0), (1, 1), (1, -1))


def sgm_reference(
    left: Image,
    right: Image,
    *,
    window: str = "7x7",
    paths: int = 8,
    min_disparity: int = 0,
    num_disparities: int = 128,
    p1: int = 16,
    p2: int = 63,
    p2_least: int = 12,
    p2_slope: int = 4,
    uniqueness_percent: int = 0,
    left_right_px: int = 1,
    coarse_to_fine: bool = False,
) -> Matched:
    """Return what `SemiGlobalMatcher` with these options returns, always with evidence; nothing is checked."""
    costs = matching_costs(left, right, window, min_disparity, num_disparities)
    if coarse_to_fine and num_disparities > WORTHWHILE:
        penalties = {"p1": p1, "p2": p2, "p2_least": p2_least, "p2_slope": p2_slope}
        costs[~near_half_size(left, right, min_disparity, num_disparities, window=window, paths=paths, **penalties)] = (
            FAR
        )
    down, up = np.zeros_like(costs), np.zeros_like(costs)
    for dy, dx in DOWN[: paths // 2]:
        down += path_costs(costs, left, (dy, dx), p1, p2, p2_least, p2_slope)
        up += path_costs(costs, left, (-dy, -dx), p1, p2, p2_least, p2_slope)

    sums = np.where(costs < FAR, down + up, NONE)
    best = sums.argmin(axis=2)  # the first of equal ones
    cost, before, after = (sum_at(sums, best + step) for step in (0, -1, 1))
    second = second_smallest(sums, best)
    left_right = left_right_difference(best, cost, min_disparity)

    known = left_right <= left_right_px if left_right_px >= 0 else left_right != NONE
    known &= 100 * second >= (100 + uniqueness_percent) * cost
    fall, rise = (together(rises(sums, costs, best, step, paths), best, known) for step in (-1, 1))
    disparity_px = np.float32(min_disparity) + best.astype(np.float32) + offset(fall, rise)
    disagreement = np.abs(down.argmin(axis=2) - up.argmin(axis=2))
    evidence = (cost, before, after, second, left_right, disagreement)
    return Matched(
        np.where(known, disparity_px, np.float32(np.nan)),
        confidence(cost, second, known),
        Evidence(*(counts.astype(np.uint16) for counts in evidence)),
    )


# Which candidates come into question?


def near_half_size(left: Image, right: Image, min_disparity: int, num_disparities: int, **options: Any) -> Mask:
    """Return which candidates are near those found at half size, (H, W, D): the same ones in all of a tile."""
    first, number = half_search(min_disparity, num_disparities)
    coarse = sgm_reference(
        half_size(left), half_size(right), min_disparity=first, num_disparities=number, coarse_to_fine=True, **options
    )
    ranges = search_ranges(coarse.disparity_px, min_disparity, num_disparities).astype(np.int64)
    of_pixels = ranges.repeat(TILE_HEIGHT, axis=0).repeat(TILE_WIDTH, axis=1)[: left.shape[0], : left.shape[1]]
    beyond_first = np.arange(num_disparities) - of_pixels[..., :1]
    near: Mask = (beyond_first >= 0) & (beyond_first < of_pixels[..., 1:])
    return near


# How different are two pixels?


def matching_costs(left: Image, right: Image, window: str, min_disparity: int, num_disparities: int) -> Array:
    """Return the cost of each candidate of each pixel, (H, W, D): bits and gradients that differ.

    As in AD-census (Mei et al. 2011, "On building an accurate stereo matching system on graphics hardware"), but of
    gradients, which do not mind if one view is brighter.
    """
    width = left.shape[1]
    disparities = min_disparity + np.arange(num_disparities)
    columns = (np.arange(width)[:, None] - disparities).clip(0, width - 1)  # (W, D), of the right view
    bits = hamming(codes(left, window)[:, :, None], codes(right, window)[:, columns])
    steps = np.abs(gradients(left)[:, :, None] - gradients(right)[:, columns])
    costs = bits + np.minimum(steps, GRADIENT_CAP)
    padded = np.pad(costs, ((0, 0), (1, 1), (0, 0)), mode="edge")
    return average(average(padded[:, :-2], padded[:, 2:]), costs)


def codes(gray: Image, window: str) -> Array:
    """Return the census code of each pixel, (H, W) uint64: a bit for each neighbor, set where that is darker.

    Zabih and Woodfill 1994, "Non-parametric local transforms for computing visual correspondence", ECCV, section 3.
    """
    width, height = SIZES[window]
    padded = np.pad(gray, ((height // 2, height // 2), (width // 2, width // 2)), mode="edge")
    views = sliding_window_view(padded, gray.shape)  # (height, width, H, W)
    bits = np.zeros(gray.shape, np.uint64)
    for row, column in neighbors(window):
        bits = (bits << 1) | (views[row, column] < gray)
    return bits


def neighbors(window: str) -> list[tuple[int, int]]:
    """Return the places (row, column) in the window that are compared with its center.

    Of a checkered window these are the fields of the other color than the center's, as on a board.
    """
    width, height = SIZES[window]
    places = [(row, column) for row in range(height) for column in range(width)]
    center = (height // 2, width // 2)
    if window in CHECKERED:
        return [place for place in places if (sum(place) - sum(center)) % 2 == 1]
    return [place for place in places if place != center]


def gradients(gray: Image) -> Array:
    """Return 128 + how much brighter the pixel to the right is than the one to the left, (H, W), in 0..255.

    Both are first weighted 1-2-1 with the pixels above and below them.
    """
    padded = np.pad(gray.astype(np.int64), 1, mode="edge")
    smooth = average(average(padded[:-2], padded[2:]), padded[1:-1])
    differences: Array = 128 + smooth[:, 2:] - smooth[:, :-2]
    return differences.clip(0, 255)


def average(a: Array, b: Array) -> Array:
    """Return the average of whole numbers, rounded up where it lies between two."""
    return (a + b + 1) // 2


# What does a path say?


def path_costs(
    costs: Array, gray: Image, step: tuple[int, int], p1: int, p2: int, p2_least: int, p2_slope: int
) -> Array:
    """Return L of Hirschmueller 2008, eq. 13, for the path that comes in steps (dy, dx): (H, W, D).

    Where a path enters the image, L is the cost alone.
    """
    dy, dx = step
    if dy == 0:  # along the rows is along the columns of the transposed image
        sideways = path_costs(costs.swapaxes(0, 1), gray.T, (dx, dy), p1, p2, p2_least, p2_slope)
        return sideways.swapaxes(0, 1)
    if dy < 0:  # up is down in the image turned over
        return path_costs(costs[::-1], gray[::-1], (-dy, dx), p1, p2, p2_least, p2_slope)[::-1]

    width = gray.shape[1]
    here = slice(max(dx, 0), width + min(dx, 0))  # the pixels whose path comes from inside the image,
    there = slice(max(-dx, 0), width + min(-dx, 0))  # and where it comes from
    gray_levels = gray.astype(np.int64)
    totals = costs.copy()
    for y in range(1, len(costs)):
        steps = np.abs(gray_levels[y, here] - gray_levels[y - 1, there])
        jump = np.maximum(p2 - p2_slope * steps, p2_least)  # depth changes where the gray value does
        totals[y, here] += penalized(totals[y - 1, there], costs[y, here] < FAR, p1, jump)
    return totals


def penalized(before: Array, searched: Mask, p1: int, p2: Array) -> Array:
    """Return what each disparity of the next pixel inherits, less the minimum: (N, D), from L of N pixels before.

    To keep the disparity is free, to change it by 1 costs P1, and by more P2, (N,). Nothing comes from a disparity
    that the next pixel does not search.
    """
    least = before.min(axis=1, keepdims=True)
    beyond = np.iinfo(before.dtype).max - p1
    before = np.where(searched, before, beyond)
    padded = np.pad(before, ((0, 0), (1, 1)), constant_values=beyond)
    by_one = np.minimum(padded[:, :-2], padded[:, 2:]) + p1
    inherited: Array = np.minimum(np.minimum(before, by_one), least + p2[:, None]) - least
    return inherited


# Who wins, and how surely?


def sum_at(sums: Array, index: Array) -> Array:
    """Return the sum of each pixel's disparity of this index, (H, W); NONE outside the search."""
    padded = np.pad(sums, ((0, 0), (0, 0), (1, 1)), constant_values=NONE)
    chosen: Array = np.take_along_axis(padded, index[..., None] + 1, axis=2)[..., 0]
    return chosen


def second_smallest(sums: Array, best: Array) -> Array:
    """Return the smallest sum farther than 1 px from the winner, (H, W); NONE where there is none."""
    apart = np.abs(np.arange(sums.shape[2]) - best[..., None]) > 1
    second: Array = np.where(apart, sums, NONE).min(axis=2)
    return second


def left_right_difference(best: Array, cost: Array, min_disparity: int) -> Array:
    """Return how far the winners of the right view's pixels are from those of the left, (H, W), px.

    A pixel of the right view chooses among the pixels of the left that match it: the smallest cost, then the smallest
    disparity. NONE where the match lies outside the right view.
    """
    rows = [_left_right_row(winners, costs, min_disparity) for winners, costs in zip(best, cost, strict=True)]
    return np.array(rows)


def _left_right_row(best: Array, cost: Array, min_disparity: int) -> Array:
    matched = np.arange(len(best)) - best - min_disparity
    inside = [x for x, column in enumerate(matched) if 0 <= column < len(best)]
    claims = defaultdict(list)
    for x in inside:
        claims[matched[x]].append((cost[x], best[x]))
    differences = np.full(len(best), NONE)
    for x in inside:
        _, chosen = min(claims[matched[x]])
        differences[x] = abs(chosen - best[x])
    return differences


def confidence(cost: Array, second: Array, known: Mask) -> FloatMap:
    """Return how much better the winner is than the second best, (H, W) float32, 0..1.

    The naive peak ratio (Hu and Mordohai 2012, "A quantitative evaluation of confidence measures for stereo vision",
    IEEE TPAMI 34(11)), as 1 - 1 / ratio.
    """
    sure = 1 - cost.astype(np.float32) / np.maximum(second, 1).astype(np.float32)
    return np.where(known & (second != NONE) & (second > cost), sure, np.float32(0))


# Where exactly, between whole disparities?


def rises(sums: Array, costs: Array, best: Array, step: int, paths: int) -> Array:
    """Return how much worse the candidate `step` beside the winner is, (H, W): by its sum and again by its cost.

    What paths add bends towards whole disparities where a surface is nearly level, the cost itself does not. At the
    ends of the search, where one side is missing, 0.
    """
    of_sum = sum_at(sums, best + step) - sum_at(sums, best)
    of_cost = sum_at(costs, best + step) - sum_at(costs, best)
    inside = (sum_at(sums, best - 1) != NONE) & (sum_at(sums, best + 1) != NONE)
    return np.where(inside, of_sum + RISE_WEIGHT * paths * of_cost, 0)


def together(rise: Array, best: Array, known: Mask) -> Array:
    """Return the total over those pixels of a 5x5 window that have the disparity of its center, (H, W)."""
    names = np.where(known, best, -1)
    others = sliding_window_view(np.pad(names, FIT_RADIUS, constant_values=-2), (2 * FIT_RADIUS + 1,) * 2)
    same = others == names[..., None, None]
    total: Array = np.where(same, sliding_window_view(np.pad(rise, FIT_RADIUS), same.shape[2:]), 0).sum(axis=(2, 3))
    return total


def offset(fall: Array, rise: Array) -> FloatMap:
    """Return by how much the minimum lies beside the winner, (H, W) float32, from -0.5 to 0.5 px.

    Between two straight lines of equal slope it is ratio / 2. The costs of census codes are steeper near the minimum,
    and this bends them straight; the bend was fitted to simulated scenes. The form is that of Haller and Nedevschi
    2012, "Design of interpolation functions for subpixel-accuracy stereo-vision systems", IEEE TIP 21(2).
    """
    before, after = fall.astype(np.float32), rise.astype(np.float32)
    ratio = ((before - after) / np.maximum(np.maximum(before, after), 1)).clip(-1, 1)
    bent: FloatMap = ratio * (3 - np.abs(ratio)) * np.float32(0.25)
    return bent
