"""The six maps of the refinement: what each holds, and the same bits from every kernel and number of threads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from refinement_cases import (
    FARTHEST_PX,
    NAN,
    STRIDED,
    THREADS,
    cases,
    make_case,
    random_confidence,
    random_map,
    random_view,
)

from salticid.core import native
from salticid.errors import InputError
from salticid.stereo.fill import fill_background, fill_holes
from salticid.stereo.refine_maps import (
    CONFIDENCE,
    FAR,
    FILLED,
    GRAY,
    MAPS,
    NEAR,
    ROWS,
    refinement_maps,
    refinement_maps_reference,
)
from salticid.stereo.votes import Ballot, weighted_median

SETS = native.instruction_sets()

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())


@pytest.fixture(scope="module")
def kernels():
    """Return a `Refinement` for each instruction set; each keeps its memory from one map to the next."""
    return {name: native.load().Refinement(name) for name in SETS}


def maps_by(refinement, disparity_px, confidence, view, threads):
    maps = tuple(np.full(disparity_px.shape, 1234, np.int16) for _ in MAPS)
    image = view.reshape(*view.shape[:2], -1)
    assert refinement.maps(disparity_px, confidence, image, maps, threads)
    return maps


def assert_same(found, expected, note=""):
    assert len(found) == len(expected) == len(MAPS)
    for name, one, other in zip(MAPS, found, expected, strict=True):
        assert one.dtype == other.dtype == np.int16
        np.testing.assert_array_equal(one, other, f"{name} {note}")


@needs_kernels
@settings(max_examples=60, deadline=None)
@given(case=cases)
def test_every_kernel_and_any_number_of_threads_gives_the_bits_of_the_reference(kernels, case):
    given_arrays = make_case(**case)
    expected = refinement_maps_reference(*given_arrays)
    for (name, refinement), threads in itertools.product(kernels.items(), THREADS):
        assert_same(maps_by(refinement, *given_arrays, threads), expected, f"{name} {threads}")


@needs_kernels
@pytest.mark.parametrize("width", [1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 128])
def test_widths_around_the_vector_lengths_have_the_bits_of_the_reference(kernels, width):
    for seed, channels in enumerate([(), (3,)] * 2):
        given_arrays = make_case((9, width), seed, 40, 0.3, channels)
        expected = refinement_maps_reference(*given_arrays)
        for name, refinement in kernels.items():
            assert_same(maps_by(refinement, *given_arrays, 1), expected, f"{name} {width}")


@needs_kernels
@pytest.mark.parametrize("apart", [16, 17, 254, 255, 256, 509, 510, 511, 4079, 4080, 4081, 32767, 32768, 65503, 65504])
def test_votes_any_distance_apart_are_told_to_a_sixteenth(kernels, apart):
    # A byte tells 255 values; of what lies further apart, the kernels first find a step, then the value in it.
    random = np.random.default_rng(apart)
    steps = random.integers(0, apart + 1, (20, 70))
    steps[random.random(steps.shape) < 0.3] = random.choice([0, apart])
    steps[0, 0], steps[-1, -1] = 0, apart
    disparity_px = ((steps - min(apart, FARTHEST_PX * 16)) / 16).astype(np.float32)
    confidence, view = random_confidence(20, 70), random_view(20, 70, (), apart)
    expected = refinement_maps_reference(disparity_px, confidence, view)
    assert int(expected[FILLED].max()) - int(expected[FILLED].min()) == apart
    for name, refinement in kernels.items():
        assert_same(maps_by(refinement, disparity_px, confidence, view, 2), expected, name)


@needs_kernels
def test_a_map_does_not_depend_on_those_before_it(kernels):
    sizes = [(30, 90), (5, 7), (60, 33), (30, 90), (1, 1), (9, 140), (30, 90)]
    for seed, (size, refinement) in enumerate(itertools.product(sizes, kernels.values())):
        given_arrays = make_case(size, seed, 40, 0.3, [(), (3,)][seed % 2])
        assert_same(maps_by(refinement, *given_arrays, 2), refinement_maps_reference(*given_arrays))


def test_holes_are_filled_as_by_the_other_steps():
    disparity_px, confidence, view = make_case((40, 60), 3, 20, 0.3, (3,))
    known = np.isfinite(disparity_px)
    maps = refinement_maps(disparity_px, confidence, view)
    assert known.any()
    assert not known.all()
    for plane in (ROWS, FILLED):
        np.testing.assert_array_equal(maps[plane][known], np.rint(disparity_px[known] * 16))
    np.testing.assert_array_equal(maps[FILLED][~known] / 16, fill_holes(disparity_px, view).disparity_px[~known])
    # Between two known pixels the row's background is the whole first step.
    between = np.maximum.accumulate(known, axis=1) & np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    np.testing.assert_array_equal(maps[ROWS][between], np.rint(fill_background(disparity_px) * 16)[between])
    assert (maps[ROWS] != maps[FILLED]).any()


def test_near_and_far_are_medians_where_the_near_votes_differ_by_more_than_a_pixel():
    disparity_px, confidence, view = make_case((40, 60), 3, 20, 0.3, (3,))
    maps = refinement_maps(disparity_px, confidence, view)
    filled = maps[FILLED]
    y, x = np.mgrid[:40, :60]
    votes = [filled[(y + dy).clip(0, 39), (x + dx).clip(0, 59)] for dy in range(-4, 5, 2) for dx in range(-4, 5, 2)]
    settled = np.ptp(votes, axis=0) <= 16
    assert settled.any()
    assert not settled.all()
    for plane, spacing in ((NEAR, 2), (FAR, 6)):
        median, _ = weighted_median(filled, view, Ballot(spacing, 0, sparse=plane == FAR))
        np.testing.assert_array_equal(maps[plane], np.where(settled, filled, median))
        assert (maps[plane] != filled).any()


def test_on_a_surface_without_edges_there_is_one_answer_only():
    disparity_px = np.repeat(np.float32([np.arange(60) * 0.1]), 20, axis=0)
    maps = refinement_maps(disparity_px, np.ones((20, 60), np.float32), random_view(20, 60))
    for plane in (ROWS, NEAR, FAR):
        np.testing.assert_array_equal(maps[plane], maps[FILLED])


def test_a_jagged_edge_is_set_right_by_the_view():
    disparity_px = np.full((30, 60), 4, np.float32)
    disparity_px[:, 30:] = 20
    view = np.full((30, 60, 3), (40, 60, 50), np.uint8)
    view[:, 30:] = (200, 90, 80)
    truth = disparity_px.copy()
    disparity_px[::2, 28:30] = 20
    near = refinement_maps(disparity_px, np.ones_like(disparity_px), view)[NEAR]
    np.testing.assert_array_equal(near / 16, truth)


def test_the_confidence_is_in_steps_of_a_127th_and_0_where_nothing_was_known():
    disparity_px = np.float32([[1, 1, 1, 1, 1, 1, 1, 1, NAN, np.inf]])
    confidence = np.float32([[0, 1, 0.5, 0.25, NAN, np.inf, -np.inf, -3, 1, 1]])
    found = refinement_maps(disparity_px, confidence, np.zeros((1, 10), np.uint8))[CONFIDENCE]
    assert found.tolist() == [[0, 127, 64, 32, 0, 127, 0, 0, 0, 0]]  # 63.5 and 31.75; of two, the even one


def test_the_last_map_is_the_brightness_of_the_view():
    color = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    disparity_px, confidence = random_map(12, 20), random_confidence(12, 20)
    gray = refinement_maps(disparity_px, confidence, color)[GRAY]
    assert np.abs(gray - color @ np.array([0.299, 0.587, 0.114])).max() < 1
    np.testing.assert_array_equal(refinement_maps(disparity_px, confidence, color[..., 1])[GRAY], color[..., 1])


def test_where_nothing_is_known_the_disparities_are_0():
    maps = refinement_maps(np.full((5, 9), NAN, np.float32), np.ones((5, 9), np.float32), np.full((5, 9), 7, np.uint8))
    assert not np.any(maps[:GRAY])
    assert (maps[GRAY] == 7).all()


@pytest.mark.parametrize("view", STRIDED)
def test_strides_do_not_matter_and_nothing_of_the_caller_s_changes(view):
    wide = make_case((40, 90), 1, 40, 0.3, (3,))
    before = [array.copy() for array in wide]
    for array in wide:
        array.flags.writeable = False
    strided = [view(array) for array in wide]
    expected = refinement_maps_reference(*(np.ascontiguousarray(array) for array in strided))
    assert_same(refinement_maps(*strided, threads=2), expected)
    assert_same(refinement_maps_reference(*strided), expected)
    for array, as_it_was in zip(wide, before, strict=True):
        np.testing.assert_array_equal(array, as_it_was)


def test_without_kernels_the_reference_answers(monkeypatch):
    given_arrays = make_case((20, 30), 1, 40, 0.3, ())
    expected = refinement_maps(*given_arrays)
    monkeypatch.setattr(native, "load", lambda: None)
    assert_same(refinement_maps(*given_arrays, threads=2), expected)


@pytest.mark.parametrize("kernels_are_here", [True, False])
@pytest.mark.parametrize("sign", [1, -1])
def test_disparities_beyond_16_bits_are_refused_and_those_below_are_not(kernels_are_here, sign, monkeypatch):
    if not kernels_are_here:
        monkeypatch.setattr(native, "load", lambda: None)
    disparity_px = np.full((9, 20), NAN, np.float32)
    disparity_px[8, 19] = sign * FARTHEST_PX
    confidence, view = random_confidence(9, 20), random_view(9, 20)
    assert (refinement_maps(disparity_px, confidence, view, threads=2)[NEAR] == sign * FARTHEST_PX * 16).all()
    disparity_px[8, 19] = sign * np.nextafter(np.float32(FARTHEST_PX), np.float32(3000))
    with pytest.raises(InputError, match=r"2047\.0 px: scale the views down"):
        refinement_maps(disparity_px, confidence, view, threads=2)


MAP, VIEW = np.ones((4, 5), np.float32), np.ones((4, 5, 3), np.uint8)
PLANES = tuple(np.empty((4, 5), np.int16) for _ in MAPS)


@needs_kernels
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"disparity": MAP[:3]}, ValueError),
        ({"disparity": MAP[:0], "confidence": MAP[:0], "image": VIEW[:0]}, ValueError),
        ({"confidence": MAP[:, :4].copy()}, ValueError),
        ({"image": VIEW[:3]}, ValueError),
        ({"image": VIEW[..., :2].copy()}, ValueError),
        ({"maps": (*PLANES[:5], np.empty((4, 6), np.int16))}, ValueError),
        ({"maps": PLANES[:5]}, TypeError),
        ({"maps": (*PLANES[:5], np.empty((4, 5), np.int32))}, TypeError),
        ({"maps": (*PLANES[:5], np.empty((8, 5), np.int16)[::2])}, TypeError),
        ({"disparity": MAP.astype(np.float64)}, TypeError),
        ({"disparity": MAP[:, ::-1]}, TypeError),
        ({"image": VIEW[..., 0].copy()}, TypeError),
    ],
)
def test_the_kernels_refuse_arrays_that_do_not_fit_each_other(kernels, changes, error):
    given_arrays = {"disparity": MAP, "confidence": MAP, "image": VIEW, "maps": PLANES}
    for refinement in kernels.values():
        assert refinement.maps(**given_arrays, threads=1)
        with pytest.raises(error):
            refinement.maps(**given_arrays | changes, threads=1)
