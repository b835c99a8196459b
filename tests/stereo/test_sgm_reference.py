"""The readable semi-global matching is right: its parts by hand, its paths by trying everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.stereo.census import census_reference
from salticid.stereo.matched import NONE
from salticid.stereo.sgm_reference import (
    DOWN,
    SIZES,
    codes,
    confidence,
    gradients,
    left_right_difference,
    matching_costs,
    neighbors,
    offset,
    path_costs,
    second_smallest,
    sgm_reference,
    sum_at,
)

ALL_STEPS = [*DOWN, *((-dy, -dx) for dy, dx in DOWN)]
# A spot that the right view shows one pixel further to the left.
SPOT = np.array([[0, 0, 9, 0]], np.uint8), np.array([[0, 9, 0, 0]], np.uint8)


def random_gray(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.mark.parametrize(
    ("window", "picture"),
    [
        ("5x5", ["#####", "#####", "##.##", "#####", "#####"]),
        ("7x7", [".#.#.#.", "#.#.#.#", ".#.#.#.", "#.#.#.#", ".#.#.#.", "#.#.#.#", ".#.#.#."]),
        ("9x7", ["#.#.#.#.#", ".#.#.#.#.", "#.#.#.#.#", ".#.#.#.#.", "#.#.#.#.#", ".#.#.#.#.", "#.#.#.#.#"]),
    ],
)
def test_the_pixels_that_are_compared_as_a_picture(window, picture):
    drawn = [(y, x) for y, line in enumerate(picture) for x, field in enumerate(line) if field == "#"]
    assert neighbors(window) == drawn
    assert len(drawn) == {"5x5": 24, "7x7": 24, "9x7": 32}[window]


@pytest.mark.parametrize("window", SIZES)
def test_one_dark_neighbor_sets_one_bit_if_it_is_compared_and_none_otherwise(window):
    width, height = SIZES[window]
    center = (height // 2, width // 2)
    seen = set()
    for place in np.ndindex(height, width):
        gray = np.full((height, width), 9, np.uint8)
        gray[place] = 8
        bits = int(codes(gray, window)[center])
        assert bits.bit_count() == (place in neighbors(window))
        seen.add(bits)
    assert len(seen - {0}) == len(neighbors(window))


def test_the_small_window_gives_the_codes_of_the_census():
    gray = random_gray(9, 14)
    np.testing.assert_array_equal(codes(gray, "5x5"), census_reference(gray, "5x5"))


def test_the_gradient_of_a_ramp_is_its_rise_over_two_pixels_and_over_one_at_the_border():
    ramp = np.tile(np.array([0, 5, 10, 15], np.uint8), (3, 1))
    assert gradients(ramp).tolist() == [[133, 138, 138, 133]] * 3
    assert gradients(ramp[:, ::-1]).tolist() == [[123, 118, 118, 123]] * 3
    assert gradients(ramp.T).tolist() == [[128] * 3] * 4


def test_the_gradient_weighs_rows_1_2_1_rounds_up_and_stays_in_a_byte():
    right = np.array([[10], [3], [0]])  # beside 0: (10 + 2 * 3 + 0) / 4 = 4
    gray = np.concatenate([np.zeros((3, 2)), right], axis=1).astype(np.uint8)
    assert gradients(gray)[1, 1] == 128 + 4
    right[0] = 11  # (6 + 3) / 2, rounded up
    assert gradients(np.concatenate([np.zeros((3, 2)), right], axis=1).astype(np.uint8))[1, 1] == 128 + 5
    assert gradients(np.array([[0, 0, 255, 0, 0]], np.uint8)).tolist() == [[128, 255, 128, 0, 128]]


def test_the_costs_of_a_spot_by_hand():
    # The spot's code differs from a flat one in 4 of 5 columns x 5 rows; that is d = 0 at x = 1 and x = 2. Gradients
    # differ by 9, capped at 8, wherever d = 0 and, at the left border, at x = 0.
    alone = np.array([[8, 8], [28, 0], [28, 0], [8, 0]])
    before, after = alone[[0, 0, 1, 2]], alone[[1, 2, 3, 3]]
    smooth = np.ceil((np.ceil((before + after) / 2) + alone) / 2)
    assert smooth.tolist() == [[13, 6], [23, 2], [23, 0], [13, 0]]
    assert matching_costs(*SPOT, "5x5", 0, 2).tolist() == [smooth.tolist()]


def test_beyond_its_border_the_right_view_goes_on_as_it_ends():
    left, right = random_gray(4, 9, 1), random_gray(4, 9, 2)
    costs = matching_costs(left, right, "9x7", -20, 41)  # far enough for both ends of any row of 9
    for x in range(9):
        # The pixel before and the one after have their part in a cost, so a column more is needed.
        to_first, to_last = 20 + x + 1, 20 - (8 - x) - 1
        assert (costs[:, x, to_first:] == costs[:, x, [to_first]]).all()
        assert (costs[:, x, : to_last + 1] == costs[:, x, [to_last]]).all()


def test_a_path_along_three_pixels_by_hand():
    costs = np.array([[[0, 5, 9], [4, 0, 3], [2, 2, 2]]])
    gray = np.zeros((1, 3), np.uint8)
    to_right = path_costs(costs, gray, (0, 1), p1=1, p2=3, p2_least=0, p2_slope=1)
    assert to_right.tolist() == [
        [
            [0, 5, 9],  # enters here
            [4 + 0, 0 + 1, 3 + 3],  # from 0: stay, one step (P1), a jump (P2); the smallest before is 0
            [2 + 1, 2 + 0, 2 + 1],  # from d = 1 by P1, stay, by P1: 2, 1, 2, less the smallest, 1
        ]
    ]
    edge = np.array([[0, 2, 2]], np.uint8)  # two gray levels: the jump now costs 3 - 2 * 1
    assert path_costs(costs, edge, (0, 1), 1, 3, 0, 1)[0, 1].tolist() == [4, 1, 3 + 1]
    assert path_costs(costs, edge, (0, 1), 1, 3, 2, 1)[0, 1].tolist() == [4, 1, 3 + 2]  # but 2 at least


def least_energies(costs, gray, step, end, p1, p2, p2_least, p2_slope):
    """Return the least energy of each disparity at `end`, over every way to get there, tried one by one."""
    pixels = [end]
    while all(0 <= at - by < size for at, by, size in zip(pixels[0], step, gray.shape, strict=True)):
        pixels.insert(0, (pixels[0][0] - step[0], pixels[0][1] - step[1]))
    jumps = [max(p2_least, p2 - p2_slope * abs(int(gray[a]) - int(gray[b]))) for a, b in itertools.pairwise(pixels)]
    least = [np.inf] * costs.shape[2]
    for way in itertools.product(range(costs.shape[2]), repeat=len(pixels)):
        changes = [abs(a - b) for a, b in itertools.pairwise(way)]
        paid = [[0, min(p1, jump), jump][min(change, 2)] for change, jump in zip(changes, jumps, strict=True)]
        energy = sum(costs[pixel][d] for pixel, d in zip(pixels, way, strict=True)) + sum(paid)
        least[way[-1]] = min(least[way[-1]], energy)
    return np.array(least)


@pytest.mark.parametrize("step", ALL_STEPS)
@given(seed=st.integers(0, 999), p1=st.integers(0, 9), p2=st.integers(0, 20), p2_least=st.integers(0, 5))
@settings(max_examples=8, deadline=None)
def test_a_path_costs_what_the_best_of_all_ways_along_it_costs(step, seed, p1, p2, p2_least):
    random = np.random.default_rng(seed)
    costs, gray = random.integers(0, 20, (4, 3, 3)), random.integers(0, 9, (4, 3), dtype=np.uint8)
    penalties = (p1, p2, p2_least, 2)
    found = path_costs(costs, gray, step, *penalties)
    for end in np.ndindex(gray.shape):
        before = (end[0] - step[0], end[1] - step[1])
        inside = 0 <= before[0] < 4 and 0 <= before[1] < 3
        deducted = least_energies(costs, gray, step, before, *penalties).min() if inside else 0
        assert found[end].tolist() == (least_energies(costs, gray, step, end, *penalties) - deducted).tolist()


def test_the_sums_around_the_winner_and_the_second_best_by_hand():
    sums = np.array([[[5, 3, 1, 2, 9], [4, 7, 7, 8, 6]]])
    best = sums.argmin(axis=2)
    assert [sum_at(sums, best + step).tolist() for step in (-1, 0, 1)] == [[[3, NONE]], [[1, 4]], [[2, 7]]]
    assert second_smallest(sums, best).tolist() == [[5, 6]]
    assert sum_at(sums, np.array([[4, 5]])).tolist() == [[9, NONE]]
    assert second_smallest(sums[..., :2], np.array([[0, 1]])).tolist() == [[NONE, NONE]]


@pytest.mark.parametrize(
    ("best", "cost", "min_disparity", "differences"),
    [
        ([0, 1, 1, 4], [7, 5, 3, 0], 0, [1, 0, 0, NONE]),  # the first two meet at 0, where the second is better
        ([0, 1, 1, 4], [5, 5, 3, 0], 0, [0, 1, 0, NONE]),  # as good: the smaller disparity
        ([0, 1, 1, 4], [5, 5, 3, 0], -1, [0, 1, 0, 0]),  # the same, a pixel further to the right
        ([0, 0, 0, 0], [1, 1, 1, 1], -2, [0, 0, NONE, NONE]),
    ],
)
def test_the_right_view_chooses_among_the_pixels_that_match_it(best, cost, min_disparity, differences):
    found = left_right_difference(np.array([best]), np.array([cost]), min_disparity)
    assert found.tolist() == [differences]


@pytest.mark.parametrize(
    ("before", "cost", "after", "part"),
    [(10, 0, 10, 0), (10, 10, 20, -0.5), (20, 10, 10, 0.5), (4, 0, 2, 0.3125), (2, 0, 4, -0.3125), (7, 7, 7, 0)],
)
def test_the_minimum_lies_on_the_side_of_the_smaller_sum_halfway_where_two_are_equal(before, cost, after, part):
    found = offset(*(np.array([[value]]) for value in (before, cost, after)))
    assert found.dtype == np.float32
    assert found.tolist() == [[part]]


def test_confidence_is_the_share_by_which_the_second_best_is_worse():
    cost, second = np.array([[50, 0, 7, 7, 50]]), np.array([[100, 9, 7, NONE, 100]])
    known = np.array([[True, True, True, True, False]])
    assert confidence(cost, second, known).tolist() == [[0.5, 1, 0, 0, 0]]


@pytest.mark.parametrize("window", SIZES)
@pytest.mark.parametrize("paths", [4, 8])
@pytest.mark.parametrize("shift", [-3, 0, 5])
def test_a_shifted_random_texture_is_found_exactly(window, paths, shift):
    texture = random_gray(20, 70)
    left, right = texture[:, 10:60], texture[:, 10 + shift : 60 + shift]
    found = sgm_reference(left, right, window=window, paths=paths, min_disparity=-8, num_disparities=16)
    inside = np.s_[:, 12:-12]
    assert (np.rint(found.disparity_px[inside]) == shift).all()
    assert (found.evidence.cost[inside] == 0).all()
    assert (found.evidence.disagreement_px[inside] == 0).all()
    assert (found.confidence[inside] == 1).all()
