"""Where to search: what half the size says, tile by tile."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import native
from salticid.stereo.filters import remove_speckles
from salticid.stereo.ranges import (
    GROUP,
    MARGIN,
    REACH,
    SPECKLE_AREA_PX,
    SPECKLE_RANGE_PX,
    TILE_HEIGHT,
    TILE_WIDTH,
    half_search,
    half_size,
    search_ranges,
)
from salticid.stereo.sgm import SemiGlobalMatcher
from salticid.stereo.simulate import simulate_pair


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 5), (8, 6), (7, 128), (31, 65)])
def test_half_the_size_has_the_means_of_four_pixels(size):
    view = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    even = np.pad(view, [(0, length % 2) for length in size], mode="edge").astype(int)
    means = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2] + 2) // 4
    np.testing.assert_array_equal(half_size(view), means)
    assert half_size(view).dtype == np.uint8


@given(first=st.integers(-300, 300), number=st.integers(1, 300))
def test_every_disparity_has_its_half_in_the_search_at_half_size_and_no_more_is_searched(first, number):
    half_first, half_number = half_search(first, number)
    halves = {disparity // 2 for disparity in range(first, first + number)}
    assert halves == set(range(half_first, half_first + half_number))


def ranges_in_words(coarse_px, shape, first, number):
    """Return what `search_ranges` promises, tile by tile."""
    believed_px = remove_speckles(coarse_px, SPECKLE_AREA_PX, SPECKLE_RANGE_PX)
    down, across = math.ceil(shape[0] / TILE_HEIGHT), math.ceil(shape[1] / TILE_WIDTH)

    def found(tile_row, tile_column):
        top, left = tile_row * TILE_HEIGHT - REACH, tile_column * TILE_WIDTH - REACH
        bottom, right = top + TILE_HEIGHT + 2 * REACH, left + TILE_WIDTH + 2 * REACH
        around = believed_px[max(0, top // 2) : bottom // 2, max(0, left // 2) : right // 2]
        return around[np.isfinite(around)].tolist()

    ranges = np.empty((down, across, 2), np.uint32)
    for row in range(down):
        of_row = [found(row, column) for column in range(across)]
        for column in range(across):
            to_the_left = next((values for values in of_row[column::-1] if values), [])
            to_the_right = next((values for values in of_row[column:] if values), [])
            ranges[row, column] = around(to_the_left + to_the_right, first, number)
    return ranges


def around(found, first, number):
    """Return the first disparity and the number of those to search, around what was found at half size."""
    if not found:
        return 0, math.ceil(number / GROUP) * GROUP
    low = min(max(math.floor(2 * min(found)) - first - MARGIN, 0), number - 1)
    end = min(max(math.ceil(2 * max(found)) - first + MARGIN + 1, low + 1), number)
    count = math.ceil((end - low) / GROUP) * GROUP
    return min(max(low - (count - (end - low)) // 2, 0), max(0, number - count)), count


@st.composite
def coarse_maps(draw):
    """Return a map at half size of flat patches, slopes and holes, and the shape and the search at full size."""
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 300))
    first, number = draw(st.integers(-80, 80)), draw(st.integers(1, 300))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    rows, columns = -(-height // 2), -(-width // 2)
    half_first, half_number = half_search(first, number)
    patches = random.uniform(half_first, half_first + half_number - 1, (rows // 6 + 1, columns // 20 + 1))
    coarse_px = patches.repeat(6, 0).repeat(20, 1)[:rows, :columns] + 0.1 * np.arange(columns)
    holes = random.random((rows // 3 + 1, columns // 30 + 1)).repeat(3, 0).repeat(30, 1)[:rows, :columns]
    coarse_px[holes < draw(st.sampled_from([0, 0.3, 0.9, 1]))] = np.nan
    return coarse_px.astype(np.float32), (height, width), first, number


def without_shape(case):
    coarse_px, _, first, number = case
    return coarse_px, first, number


@given(coarse_maps())
@settings(max_examples=200, deadline=None)
def test_ranges_are_what_is_promised(case):
    np.testing.assert_array_equal(search_ranges(*without_shape(case)), ranges_in_words(*case))


@given(coarse_maps())
@settings(max_examples=100, deadline=None)
def test_ranges_are_whole_groups_inside_the_search(case):
    *_, number = case
    first, count = np.moveaxis(search_ranges(*without_shape(case)).astype(int), -1, 0)
    assert (count >= GROUP).all()
    assert not (count % GROUP).any()
    assert (first < number).all()
    assert (first + count <= math.ceil(number / GROUP) * GROUP).all()


def test_where_nothing_was_found_everything_is_searched():
    ranges = search_ranges(np.full((20, 200), np.nan, np.float32), -7, 100)
    assert ranges.shape == (5, 7, 2)
    assert (ranges == (0, 128)).all()


def test_the_map_stays_as_it_is():
    coarse_px = np.random.default_rng(0).uniform(0, 60, (20, 40)).astype(np.float32)
    before = coarse_px.copy()
    search_ranges(coarse_px, 0, 120)
    np.testing.assert_array_equal(coarse_px, before)


@pytest.mark.skipif(native.load() is None, reason=native.reason())
def test_nearly_all_of_the_truth_of_a_scene_lies_where_a_third_of_the_disparities_is_searched():
    scene = simulate_pair(800, 600)
    views = [half_size(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)) for view in (scene.left, scene.right)]
    coarse_px = SemiGlobalMatcher(paths=4, num_disparities=64)(*views).disparity_px
    ranges = search_ranges(coarse_px, 0, 128).astype(int)
    first, count = np.moveaxis(ranges.repeat(TILE_HEIGHT, 0).repeat(TILE_WIDTH, 1)[:600, :800], -1, 0)
    beyond_first = scene.disparity_left_px - first
    inside = (beyond_first >= 0) & (beyond_first <= count - 1)
    assert inside[scene.visible].mean() > 0.999
    assert count.mean() < 128 / 3
