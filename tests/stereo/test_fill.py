"""Holes become guesses: the row's background, or what the pixels around that look alike have; what is known stays."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

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


def steps_of(disparity_px):
    """Whole numbers of 1/16 px, None where unknown."""
    return [[round(float(v) * 16) if np.isfinite(v) else None for v in row] for row in disparity_px]


def slope(steps, y, x):
    """The mean rise of pairs 4 px apart around a pixel, as an exact fraction."""
    rises = []
    for row in steps[max(y - 10, 0) : y + 11]:
        for middle in range(max(x - 10, 2), min(x + 11, len(row) - 2)):
            pair = row[middle - 2], row[middle + 2]
            if None not in pair and abs(pair[1] - pair[0]) <= 16:
                rises.append(pair[1] - pair[0])
    return Fraction(sum(rises), 4 * max(len(rises), 1))


def row_guess(steps, y, x):
    known = [n for n, value in enumerate(steps[y]) if value is not None]
    neighbors = [*[n for n in known if n < x][-1:], *[n for n in known if n > x][:1]]
    if len(neighbors) == 2:
        return min(steps[y][n] for n in neighbors)
    rise = math.floor(slope(steps, y, neighbors[0]) * (x - neighbors[0]) + Fraction(1, 2))
    guess = steps[y][neighbors[0]] + min(max(rise, -32), 32)
    everything = [value for row in steps for value in row if value is not None]
    return min(max(guess, min(everything)), max(everything))


def rows_filled(steps):
    some = [y for y, row in enumerate(steps) if any(value is not None for value in row)]
    filled = {y: [row_guess(steps, y, x) if value is None else value for x, value in enumerate(steps[y])] for y in some}
    return [filled[min(some, key=lambda other: (abs(other - y), other))] for y in range(len(steps))]


def vote(rows, view, y, x):
    votes = []
    for dy in range(-18, 19, 9):
        for dx in range(-18, 19, 9):
            if (dy + dx) % 18:
                continue
            near = min(max(y + dy, 0), len(rows) - 1), min(max(x + dx, 0), len(rows[0]) - 1)
            apart = np.abs(view[near].astype(int) - view[y, x].astype(int))
            weight = 10 * math.exp(-(4 * (int(apart.sum() * (3 // apart.size)) // 4) + 1.5) / 15)
            votes.append((rows[near[0]][near[1]], round(weight)))
    if max(votes)[0] - min(votes)[0] <= 16:
        return rows[y][x]
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
    rows = rows_filled(steps_of(disparity_px))
    for y, x in np.ndindex(size):
        expected = disparity_px[y, x] if known[y, x] else vote(rows, view, y, x) / 16
        assert filled.disparity_px[y, x] == expected


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
    assert abs(filled.disparity_px.min() - disparity_px[known].min()) <= 1 / 32
    assert abs(filled.disparity_px.max() - disparity_px[known].max()) <= 1 / 32


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


@pytest.mark.parametrize("kernels", [True, False])
def test_disparities_beyond_16_bits_are_refused(kernels, monkeypatch):
    if not kernels:
        monkeypatch.setattr(native, "load", lambda: None)
    with pytest.raises(InputError, match=r"2048\.5 px: scale the views down"):
        fill_holes(np.float32([[1, -2048.5], [NAN, 3]]), np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize("threads", [0, 1.0, True, None])
def test_a_thread_count_is_a_positive_whole_number(threads):
    with pytest.raises(InputError, match="threads"):
        fill_holes(MAP, VIEW, threads=threads)
