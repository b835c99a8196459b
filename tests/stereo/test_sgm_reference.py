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
    SIZES,
    codes,
    confidence,
    gradients,
    left_right_difference,
    matching_costs,
    neighbors,
    offset,
    path_costs,
    rises,
    second_smallest,
    sgm_reference,
    sum_at,
    together,
)

FROM_LEFT, FROM_ABOVE, FROM_ABOVE_LEFT, FROM_ABOVE_RIGHT = (0, 1), (1, 0), (1, 1), (1, -1)
FROM_RIGHT, FROM_BELOW, FROM_BELOW_RIGHT, FROM_BELOW_LEFT = (0, -1), (-1, 0), (-1, -1), (-1, 1)
SWEEP_DOWN = {4: [FROM_LEFT, FROM_ABOVE], 8: [FROM_LEFT, FROM_ABOVE, FROM_ABOVE_LEFT, FROM_ABOVE_RIGHT]}
SWEEP_UP = {4: [FROM_RIGHT, FROM_BELOW], 8: [FROM_RIGHT, FROM_BELOW, FROM_BELOW_RIGHT, FROM_BELOW_LEFT]}
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


@pytest.mark.parametrize("step", SWEEP_DOWN[8] + SWEEP_UP[8])
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


@pytest.mark.parametrize("paths", [4, 8])
def test_the_paths_of_both_sweeps_add_up(paths):
    left, right = random_gray(9, 14, 1), random_gray(9, 14, 2)
    costs = matching_costs(left, right, "9x7", -3, 7)
    penalties = {"p1": 14, "p2": 63, "p2_least": 16, "p2_slope": 2}
    down = sum(path_costs(costs, left, step, **penalties) for step in SWEEP_DOWN[paths])
    up = sum(path_costs(costs, left, step, **penalties) for step in SWEEP_UP[paths])
    found = sgm_reference(left, right, window="9x7", paths=paths, min_disparity=-3, num_disparities=7, **penalties)
    evidence = found.evidence
    np.testing.assert_array_equal(evidence.cost, (down + up).min(axis=2))
    np.testing.assert_array_equal(evidence.disagreement_px, np.abs(down.argmin(axis=2) - up.argmin(axis=2)))


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


def test_a_rise_is_that_of_the_sum_and_for_every_path_that_of_the_cost_by_hand():
    sums, costs = np.array([[[30, 12, 10, 18, 40]]]), np.array([[[9, 3, 1, 2, 8]]])
    best = np.array([[2]])
    assert rises(sums, costs, best, -1, 4).tolist() == [[(12 - 10) + 4 * (3 - 1)]]
    assert rises(sums, costs, best, 1, 4).tolist() == [[(18 - 10) + 4 * (2 - 1)]]
    assert rises(sums, costs, best, 1, 8).tolist() == [[(18 - 10) + 8 * (2 - 1)]]


def test_a_rise_is_negative_where_the_cost_falls_by_more_than_the_sum_rises():
    sums, costs = np.array([[[13, 10, 15]]]), np.array([[[2, 3, 1]]])
    best = np.array([[1]])
    assert rises(sums, costs, best, -1, 8).tolist() == [[3 - 8 * 1]]
    assert rises(sums, costs, best, 1, 8).tolist() == [[5 - 8 * 2]]


def test_a_winner_at_an_end_of_the_search_has_no_rise_to_either_side():
    sums, costs = np.array([[[1, 5, 9], [9, 5, 1]]]), np.array([[[0, 1, 2], [2, 1, 0]]])
    best = np.array([[0, 2]])
    for step in (-1, 1):
        assert rises(sums, costs, best, step, 8).tolist() == [[0, 0]]
        assert rises(sums[..., :1], costs[..., :1], np.array([[0, 0]]), step, 8).tolist() == [[0, 0]]


@pytest.mark.parametrize("turned", [False, True])
def test_what_rises_are_added_up_by_hand(turned):
    rise = np.array([[1, 2, 4, 8, 16, 32, 64]])  # so that a total names its pixels
    best = np.array([[5, 5, 6, 5, 5, 5, 5]])
    known = np.ones_like(best, bool)
    without_the_5th = known.copy()
    without_the_5th[0, 4] = False
    if turned:
        rise, best, known, without_the_5th = rise.T, best.T, known.T, without_the_5th.T
    # Each sees two to either side, but nobody the third pixel, of another disparity, nor that one anybody.
    totals = [1 + 2, 1 + 2 + 8, 4, 2 + 8 + 16 + 32, 8 + 16 + 32 + 64, 8 + 16 + 32 + 64, 16 + 32 + 64]
    assert together(rise, best, known).ravel().tolist() == totals
    # Once the fifth is rejected, those that saw it have 16 less.
    totals_then = np.array(totals) - [0, 0, 0, 16, 0, 16, 16]
    others = without_the_5th.ravel()
    assert together(rise, best, without_the_5th).ravel()[others].tolist() == totals_then[others].tolist()


def test_a_level_surface_adds_up_5x5_pixels_and_fewer_at_the_border():
    level = np.full((6, 7), 9)
    rows, columns = [3, 4, 5, 5, 4, 3], [3, 4, 5, 5, 5, 4, 3]
    found = together(np.ones_like(level), level, np.ones_like(level, bool))
    assert found.tolist() == np.outer(rows, columns).tolist()


def test_negative_rises_are_deducted():
    assert together(np.array([[7, -10, 1]]), np.zeros((1, 3)), np.ones((1, 3), bool)).tolist() == [[-2, -2, -2]]


@pytest.mark.parametrize(
    ("fall", "rise", "part"),
    [
        (10, 10, 0),
        (0, 10, -0.5),  # the candidate before is as good: halfway to it
        (10, 0, 0.5),
        (4, 2, 0.3125),  # the ratio is 1/2, and 1/2 * (3 - 1/2) / 4 = 5/16
        (2, 4, -0.3125),
        (0, 0, 0),
        (10, -3, 0.5),  # never farther than halfway
        (-3, 10, -0.5),
        (-2, -4, 0.5),  # the lower of two sides that both fall
        (-4, -4, 0),
    ],
)
def test_the_minimum_lies_on_the_side_of_the_smaller_rise_and_halfway_where_that_is_none(fall, rise, part):
    found = offset(np.array([[fall]]), np.array([[rise]]))
    assert found.dtype == np.float32
    assert found.tolist() == [[part]]


def test_confidence_is_the_share_by_which_the_second_best_is_worse():
    cost, second = np.array([[50, 0, 7, 0, 7, 50]]), np.array([[100, 9, 7, 0, NONE, 100]])
    known = np.array([[True, True, True, True, True, False]])
    assert confidence(cost, second, known).tolist() == [[0.5, 1, 0, 0, 0, 0]]


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


@pytest.mark.parametrize("min_disparity", [3, 5])
def test_at_the_ends_of_the_search_disparity_is_whole(min_disparity):
    texture = random_gray(20, 70)
    left, right = texture[:, 10:60], texture[:, 15:65]
    found = sgm_reference(left, right, min_disparity=min_disparity, num_disparities=3)
    assert (found.disparity_px[:, 12:-12] == 5).all()


@pytest.mark.parametrize("left_right_px", [-1, 0, 1])
@pytest.mark.parametrize("uniqueness_percent", [0, 20])
def test_a_disparity_is_known_where_it_passes_the_checks(left_right_px, uniqueness_percent):
    left, right = random_gray(12, 40, 1), random_gray(12, 40, 2)
    checks = {"left_right_px": left_right_px, "uniqueness_percent": uniqueness_percent}
    found = sgm_reference(left, right, num_disparities=12, **checks)
    outcomes = set()
    for place in np.ndindex(left.shape):
        difference, cost, second = (
            int(getattr(found.evidence, name)[place]) for name in ("left_right_px", "cost", "second_cost")
        )
        consistent = difference < NONE if left_right_px == -1 else difference <= left_right_px
        unique = second >= cost + cost * uniqueness_percent / 100
        assert np.isfinite(found.disparity_px[place]) == (consistent and unique)
        outcomes.add((difference <= 1, consistent, unique))
    assert len(outcomes) >= 2 + (uniqueness_percent > 0)
