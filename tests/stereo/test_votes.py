"""Votes: a pixel takes the median of those around it that look like it, the same as one counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.stereo.votes import BAND, REACH, Ballot, weighted_median

LEAST, MOST = -(1 << 15), (1 << 15) - 1


def votes_for(values, image, spacing, y, x):
    """Return the votes on a pixel with their weights, (value, weight) each, in whole numbers of Python."""
    height, width = len(values), len(values[0])
    votes = []
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            row, column = min(max(y + dy * spacing, 0), height - 1), min(max(x + dx * spacing, 0), width - 1)
            apart = sum(abs(a - b) for a, b in zip(image[row][column], image[y][x], strict=True))
            levels = apart * 3 if len(image[y][x]) == 1 else apart
            votes.append((values[row][column], round(10 * math.exp(-(4 * (levels // 4) + 1.5) / 15))))
    return votes


def elected(votes):
    half, reached = sum(weight for _, weight in votes) / 2, 0
    for value, weight in sorted(votes):
        reached += weight
        if reached >= half:
            return value
    raise AssertionError("half of the weight is always reached")


def by_hand(values, image, ballot):
    """Return what `weighted_median` returns, as lists."""
    given_values, given_image = values.tolist(), image.tolist()
    medians, settled = [], []
    for y, x in np.ndindex(values.shape):
        votes = votes_for(given_values, given_image, ballot.spacing, y, x)[:: 2 if ballot.sparse else 1]
        alike = ballot.alike > 0 and max(votes)[0] - min(votes)[0] <= ballot.alike
        settled.append(alike)
        medians.append(given_values[y][x] if alike else elected(votes))
    return medians, settled


def random_values(random, size, reach):
    """Return values of which some are equal, so that votes tie, beside some that 16 bits just hold."""
    values = random.integers(-reach, reach + 1, size).astype(np.int16)
    if reach > 1000:
        values[random.random(size) < 0.3] = random.choice([LEAST, MOST])
    return values


def random_image(random, size, channels):
    """Return colors in steps that cost from nothing to all of the weight."""
    return (random.choice([0, 198]) + random.integers(0, 20, (*size, channels)) * random.choice([1, 2, 3])).astype(
        np.uint8
    )


@settings(max_examples=80, deadline=None)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 14)),
    channels=st.sampled_from([1, 3]),
    spacing=st.sampled_from([1, 2, 6, 9]),
    alike=st.sampled_from([0, 1, 16]),
    sparse=st.booleans(),
    reach=st.sampled_from([0, 2, 9, 30, MOST]),
    seed=st.integers(0, 9999),
)
def test_the_median_is_what_one_counts_pixel_by_pixel(size, channels, spacing, alike, sparse, reach, seed):
    random = np.random.default_rng(seed)
    values, image = random_values(random, size, reach), random_image(random, size, channels)
    before = values.copy(), image.copy()
    ballot = Ballot(spacing, alike, sparse)
    medians, settled = weighted_median(values, image, ballot)
    assert medians.dtype == np.int16
    assert settled.dtype == bool
    assert (medians.ravel().tolist(), settled.ravel().tolist()) == by_hand(values, image, ballot)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(image, before[1])


@pytest.mark.parametrize("height", [BAND - 1, BAND, BAND + 1, 2 * BAND + 3])
def test_a_map_of_several_bands_is_counted_as_one(height):
    random = np.random.default_rng(height)
    values, image = random_values(random, (height, 3), 30), random_image(random, (height, 3), 3)
    medians, settled = weighted_median(values, image, Ballot(9, 16))
    assert (medians.ravel().tolist(), settled.ravel().tolist()) == by_hand(values, image, Ballot(9, 16))


def test_beyond_the_border_votes_the_nearest_pixel():
    random = np.random.default_rng(0)
    values, image = random_values(random, (7, 9), 30), random_image(random, (7, 9), 3)
    margin = REACH * 6
    wide = np.pad(values, margin, mode="edge"), np.pad(image, ((margin,) * 2, (margin,) * 2, (0, 0)), mode="edge")
    inside = np.s_[margin:-margin, margin:-margin]
    for found, of_wide in zip(
        weighted_median(values, image, Ballot(6, 16)), weighted_median(*wide, Ballot(6, 16)), strict=True
    ):
        np.testing.assert_array_equal(found, of_wide[inside])


def test_a_single_pixel_elects_itself():
    values, image = np.int16([[-7]]), np.zeros((1, 1, 1), np.uint8)
    assert weighted_median(values, image, Ballot(9, 0)) == (np.int16([[-7]]), np.array([[False]]))
    assert weighted_median(values, image, Ballot(9, 1)) == (np.int16([[-7]]), np.array([[True]]))


def test_a_gray_view_counts_as_three_equal_channels():
    random = np.random.default_rng(1)
    values, gray = random_values(random, (20, 30), 30), random_image(random, (20, 30), 1)
    once, _ = weighted_median(values, gray, Ballot(2, 0))
    np.testing.assert_array_equal(once, weighted_median(values, gray.repeat(3, axis=2), Ballot(2, 0))[0])
    faint = gray.repeat(3, axis=2) * np.uint8([1, 0, 0])  # the gray counted once
    assert (once != weighted_median(values, faint, Ballot(2, 0))[0]).any()


def square_of_votes(own, others):
    """Return 5x5 values and a view: `own` in the middle, `others` of weight 1, the rest without a weight."""
    values, image = np.full(25, -100, np.int16), np.full(25, 255, np.uint8)
    values[12], image[12] = own, 0
    values[: len(others)], image[: len(others)] = others, 10  # 3 * 10 gray levels apart
    return values.reshape(5, 5), image.reshape(5, 5, 1)


@pytest.mark.parametrize(
    ("own", "others", "wins"),
    [
        (3, [8] * 9, 3),  # 9 to 9: half is reached
        (8, [3] * 9, 3),
        (3, [8] * 10, 8),
        (8, [3] * 8, 8),
        (5, [1] * 2 + [9] * 8, 5),
    ],
)
def test_of_two_that_share_the_weight_the_smaller_value_wins(own, others, wins):
    medians, _ = weighted_median(*square_of_votes(own, others), Ballot(1, 0))
    assert medians[2, 2] == wins


def test_what_looks_different_has_no_vote():
    values = np.int16([[0] * 6 + [100] * 6] * 6)
    split = np.uint8([[0] * 7 + [90] * 5] * 6)[..., None]  # the object reaches one pixel further than the values say
    medians, _ = weighted_median(values, split, Ballot(1, 0))
    assert medians.tolist() == [[0] * 7 + [100] * 5] * 6


@pytest.mark.parametrize(("step", "keeps"), [(16, True), (17, False)])
def test_a_pixel_keeps_what_it_has_where_votes_differ_by_no_more_than_alike(step, keeps):
    values = np.zeros((5, 5), np.int16)
    values[2, 2] = step
    medians, settled = weighted_median(values, np.zeros((5, 5, 1), np.uint8), Ballot(1, 16))
    assert settled.tolist() == [[keeps] * 5] * 5
    assert medians[2, 2] == (step if keeps else 0)


def test_without_alike_every_pixel_is_voted_on():
    values = np.zeros((5, 5), np.int16)
    values[2, 2] = 1
    medians, settled = weighted_median(values, np.zeros((5, 5, 1), np.uint8), Ballot(1, 0))
    assert not settled.any()
    assert not medians.any()


def test_the_ends_of_16_bits_are_not_alike():
    values = np.int16([[LEAST, LEAST, MOST]])
    medians, settled = weighted_median(values, np.zeros((1, 3, 3), np.uint8), Ballot(1, 16))
    assert not settled.any()
    assert medians.tolist() == [[LEAST, LEAST, MOST]]
