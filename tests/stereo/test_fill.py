"""Holes become guesses: the row's background, or what the pixels around that look alike have; what is known stays."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import draw, native
from salticid.core.pfm import read_pfm
from salticid.errors import InputError
from salticid.stereo.fill import FilledMap, fill_background, fill_holes
from salticid.stereo.simulate import simulate_pair

NAN = np.nan


def random_map(height, width, share, seed):
    random = np.random.default_rng(seed)
    disparity_px = random.uniform(1, 50, (height, width)).astype(np.float32)
    disparity_px[random.random((height, width)) < share] = NAN
    return disparity_px


def random_view(height, width, seed, channels=(3,)):
    """Patches of few colors, so that some pixels look alike."""
    random = np.random.default_rng(seed)
    return random.choice(np.uint8([0, 3, 9, 200, 255]), (height, width, *channels))


def test_a_hole_takes_the_background_beside_it():
    row = np.float32([[NAN, 9, NAN, NAN, 4, 7, NAN]])
    assert fill_background(row).tolist() == [[9, 9, 4, 4, 4, 7, 7]]


def test_a_row_without_any_known_pixel_becomes_zero():
    assert fill_background(np.full((2, 3), NAN, np.float32)).tolist() == [[0, 0, 0]] * 2


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 20), st.floats(0, 1), st.integers(0, 999))
def test_it_does_what_a_loop_over_pixels_does(height, width, share, seed):
    disparity_px = random_map(height, width, share, seed)
    before = disparity_px.copy()
    filled = fill_background(disparity_px)
    assert np.array_equal(disparity_px, before, equal_nan=True)
    for row, done in zip(disparity_px, filled, strict=True):
        for column in range(width):
            left = [v for v in row[: column + 1] if np.isfinite(v)][-1:]
            right = [v for v in row[column:] if np.isfinite(v)][:1]
            assert done[column] == min(left + right, default=0)


# ---- fill_holes, a pixel at a time


def slope(disparity_px, y, x):
    height, width = disparity_px.shape
    rises = []
    for row in range(max(y - 10, 0), min(y + 11, height)):
        for middle in range(max(x - 10, 2), min(x + 11, width - 2)):
            rise = disparity_px[row, middle + 2] - disparity_px[row, middle - 2]
            if abs(rise) <= 1:
                rises.append(rise)
    return float(np.mean(rises, dtype=np.float64)) / 4 if rises else 0.0


def row_guess(disparity_px, y, x):
    known = np.flatnonzero(np.isfinite(disparity_px[y]))
    neighbors = [*known[known < x][-1:], *known[known > x][:1]]
    if len(neighbors) == 2:
        return min(disparity_px[y, neighbors])
    rise = slope(disparity_px, y, neighbors[0]) * (x - neighbors[0])
    guess = disparity_px[y, neighbors[0]] + np.float32(min(max(rise, -2), 2))
    return min(max(guess, np.nanmin(disparity_px)), np.nanmax(disparity_px))


def rows_filled(disparity_px):
    filled = disparity_px.copy()
    some = np.flatnonzero(np.isfinite(disparity_px).any(axis=1))
    for y in some:
        for x in np.flatnonzero(np.isnan(disparity_px[y])):
            filled[y, x] = row_guess(disparity_px, y, x)
    return filled[[min(some, key=lambda other: (abs(other - y), other)) for y in range(len(filled))]]


def vote(rows_px, view, y, x):
    votes = []
    for dy in range(-18, 19, 6):
        for dx in range(-18, 19, 6):
            if 0 <= y + dy < rows_px.shape[0] and 0 <= x + dx < rows_px.shape[1]:
                apart = np.abs(view[y + dy, x + dx].astype(int) - view[y, x].astype(int)).mean()
                votes.append((rows_px[y + dy, x + dx], round(1000 * math.exp(-apart / 5))))
    reached = 0
    for value, weight in sorted(votes):
        reached += weight
        if 2 * reached >= sum(weight for _, weight in votes):
            return value
    raise AssertionError("half of the weight is always reached")


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(1, 45), st.integers(1, 45)),
    share=st.sampled_from([0, 0.2, 0.7, 0.97]),
    seed=st.integers(0, 999),
    channels=st.sampled_from([(), (3,)]),
)
def test_holes_take_what_a_loop_over_pixels_finds(size, share, seed, channels):
    disparity_px = np.float32(0.1) * random_map(*size, share, seed)
    view = random_view(*size, seed, channels)
    known = np.isfinite(disparity_px)
    filled = fill_holes(disparity_px, view)
    assert np.array_equal(filled.measured, known)
    if not known.any():
        assert np.isnan(filled.disparity_px).all()
        return
    rows_px = rows_filled(disparity_px)
    for y, x in np.ndindex(size):
        expected = disparity_px[y, x] if known[y, x] else vote(rows_px, view, y, x)
        assert filled.disparity_px[y, x] == pytest.approx(expected, abs=1e-5)


@pytest.mark.skipif(native.load() is None, reason=native.reason())
@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 90)),
    share=st.sampled_from([0, 0.1, 0.5, 0.9, 0.999, 1]),
    seed=st.integers(0, 999),
    channels=st.sampled_from([(), (3,)]),
)
def test_any_number_of_threads_fills_with_the_bits_of_the_reference(size, share, seed, channels):
    disparity_px, view = random_map(*size, share, seed), random_view(*size, seed, channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "load", lambda: None)
        expected = fill_holes(disparity_px, view)
    for threads, name in itertools.product((1, 2, 3, 1000), native.instruction_sets()):
        filled = fill_holes(disparity_px, view, threads=threads, instruction_set=name)
        np.testing.assert_array_equal(filled.disparity_px, expected.disparity_px)
        np.testing.assert_array_equal(filled.measured, expected.measured)


def test_what_is_measured_stays_and_the_rest_is_told_from_it():
    disparity_px = random_map(40, 60, 0.3, 1)
    disparity_px[3, 4] = np.inf
    before = disparity_px.copy()
    filled = fill_holes(disparity_px, random_view(40, 60, 1))
    np.testing.assert_array_equal(disparity_px, before)
    known = np.isfinite(disparity_px)
    np.testing.assert_array_equal(filled.measured, known)
    np.testing.assert_array_equal(filled.disparity_px[known], disparity_px[known])
    assert np.isfinite(filled.disparity_px).all()
    assert filled.guessed == pytest.approx(1 - known.mean())
    assert filled.disparity_px.min() == disparity_px[known].min()
    assert filled.disparity_px.max() == disparity_px[known].max()


def test_where_nothing_is_known_nothing_is_guessed():
    filled = fill_holes(np.full((5, 7), NAN, np.float32), np.zeros((5, 7), np.uint8))
    assert np.isnan(filled.disparity_px).all()
    assert not filled.measured.any()
    assert filled.guessed == 0
    assert (filled.draw() == draw.UNKNOWN_RGB).all()


def test_one_known_pixel_fills_the_map():
    disparity_px = np.full((5, 7), NAN, np.float32)
    disparity_px[2, 3] = 4
    filled = fill_holes(disparity_px, np.zeros((5, 7), np.uint8))
    assert (filled.disparity_px == 4).all()
    assert filled.measured.sum() == 1


def test_a_map_without_holes_is_returned_as_it_is():
    disparity_px = random_map(20, 30, 0, 1)
    filled = fill_holes(disparity_px, random_view(20, 30, 1))
    np.testing.assert_array_equal(filled.disparity_px, disparity_px)
    assert filled.disparity_px is not disparity_px
    assert filled.guessed == 0


def test_an_occlusion_beside_an_object_becomes_background():
    disparity_px = np.full((60, 90), 10, np.float32)
    disparity_px[20:40, 40:60] = 30
    disparity_px[20:40, 25:40] = NAN
    view = np.full((60, 90, 3), 90, np.uint8)
    view[20:40, 40:60] = (200, 40, 40)
    assert (fill_holes(disparity_px, view).disparity_px[20:40, 25:40] == 10).all()


def test_a_flat_object_with_a_hole_in_its_middle_keeps_its_disparity():
    # On every row the hole has the background of a gap in the object at its one side: color knows better.
    disparity_px = np.full((80, 120), 30, np.float32)
    disparity_px[:, 50:52] = 10
    disparity_px[30:50, 52:75] = NAN
    view = np.full((80, 120, 3), (200, 40, 40), np.uint8)
    view[:, 50:52] = 90
    assert (fill_background(disparity_px)[30:50, 52:75] == 10).all()
    right = fill_holes(disparity_px, view).disparity_px[30:50, 52:75] == 30
    assert right.mean() > 0.8


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_slanted_wall_is_continued_to_the_border_but_by_no_more_than_2_px(mirrored):
    wall_px = np.repeat(np.float32([np.arange(200) * 0.1 + 20]), 60, axis=0)
    disparity_px = wall_px.copy()
    disparity_px[:, :15] = NAN
    disparity_px[0, 0] = 1  # the range of what is known ends lower
    wall_px[0, 0] = 1
    if mirrored:
        wall_px, disparity_px = wall_px[:, ::-1], disparity_px[:, ::-1]
    view = np.full((60, 200), 90, np.uint8)
    error = np.abs(fill_holes(disparity_px, view).disparity_px - wall_px)
    assert error.max() < 1
    assert error.max() < 0.6 * np.abs(fill_background(disparity_px) - wall_px).max()
    steep_px = np.where(np.isfinite(disparity_px), disparity_px + 3 * (wall_px - 20), np.float32(NAN))
    nearest = steep_px[30][np.isfinite(steep_px[30])][-1 if mirrored else 0]
    assert fill_holes(steep_px, view).disparity_px[30].min() >= nearest - 2


@pytest.mark.parametrize("seed", range(3))
def test_guesses_are_better_than_the_row_s_background_on_a_simulated_scene(seed):
    pair = simulate_pair(320, 240, seed=seed)
    random = np.random.default_rng(seed)
    missed = np.repeat(np.repeat(random.random((20, 27)) < 0.1, 12, axis=0), 12, axis=1)[:240, :320]
    disparity_px = np.where(pair.visible & ~missed, pair.disparity_left_px, np.float32(NAN))
    holes = np.isnan(disparity_px)

    def share_off(filled_px):
        return (np.abs(filled_px - pair.disparity_left_px)[holes] > 2).mean()

    guessed = share_off(fill_holes(disparity_px, pair.left).disparity_px)
    assert guessed < 0.9 * share_off(fill_background(disparity_px))


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[::-1],
        lambda array: array[:, ::-1],
        lambda array: array[::3, ::2],
        lambda array: array.swapaxes(0, 1),
        lambda array: np.asfortranarray(array),
        lambda array: array[:, 7:8],
        lambda array: array[7:8],
    ],
)
def test_strides_do_not_matter(view):
    disparity_px, image = view(random_map(50, 90, 0.4, 1)), view(random_view(50, 90, 1))
    expected = fill_holes(np.ascontiguousarray(disparity_px), np.ascontiguousarray(image))
    filled = fill_holes(disparity_px, image, threads=2)
    np.testing.assert_array_equal(filled.disparity_px, expected.disparity_px)
    np.testing.assert_array_equal(filled.measured, expected.measured)


def test_the_picture_shows_guesses_in_another_way_than_measurements():
    disparity_px = random_map(30, 40, 0.5, 1)
    filled = fill_holes(disparity_px, random_view(30, 40, 1))
    plain = draw.disparity_colors(filled.disparity_px)
    shown = filled.draw()
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown[filled.measured], plain[filled.measured])
    strongest = shown[~filled.measured].max(axis=-1).astype(int)
    assert (strongest < 130).all()  # fog over every color; a measurement has a bright channel
    assert plain.max(axis=-1).min() > 45


def test_a_filled_map_is_saved_as_a_disparity_map_is(tmp_path):
    filled = FilledMap(np.float32([[1.5, 0.25]]), np.array([[True, False]]))
    filled.save(tmp_path / "a.pfm")
    filled.save(tmp_path / "a.npy")
    assert read_pfm(tmp_path / "a.pfm").tolist() == np.load(tmp_path / "a.npy").tolist() == [[1.5, 0.25]]
    with pytest.raises(InputError, match=r"use \.pfm, \.npy, \.png"):
        filled.save(tmp_path / "a.ply")


MAP = np.ones((4, 5), np.float32)
VIEW = np.ones((4, 5, 3), np.uint8)


@pytest.mark.parametrize(
    ("disparity_px", "image", "says"),
    [
        (MAP.astype(np.float64), VIEW, "float64"),
        (MAP[0], VIEW, r"\(5,\)"),
        (MAP[:0], VIEW[:0], "no pixels"),
        (MAP.tolist(), VIEW, "list"),
        (MAP, VIEW.astype(np.float32), "float32"),
        (MAP, VIEW.tolist(), "list"),
        (MAP, VIEW[0, 0], r"\(3,\)"),
        (MAP, VIEW[:3], "view that was matched"),
        (MAP, VIEW[..., :2], "view that was matched"),
        (MAP, VIEW[..., :1], "view that was matched"),
    ],
)
def test_what_is_no_map_with_its_view_is_refused(disparity_px, image, says):
    with pytest.raises(InputError, match=says):
        fill_holes(disparity_px, image)


@pytest.mark.parametrize("threads", [0, 1.0, True, None])
def test_a_thread_count_is_a_positive_whole_number(threads):
    with pytest.raises(InputError, match="threads"):
        fill_holes(MAP, VIEW, threads=threads)
