"""Filters of disparity maps: what they do by hand, and the same from every kernel, thread count and memory layout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import native
from salticid.errors import InputError, MissingError
from salticid.stereo.filters import (
    median_of_known,
    median_of_known_reference,
    remove_speckles,
    remove_speckles_reference,
)

NAN = np.nan
THREADS = (1, 2, 3, 1000)

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())


def random_map(height, width, seed=0, unknown=0.3, levels=6):
    random = np.random.default_rng(seed)
    disparity_px = random.integers(-2, levels, (height, width)).astype(np.float32) * np.float32(0.7)
    disparity_px[random.random((height, width)) < unknown] = NAN
    disparity_px[random.random((height, width)) < unknown / 8] = random.choice([np.inf, -np.inf])
    return disparity_px


maps = st.builds(
    random_map,
    st.integers(1, 20),
    st.integers(1, 90),
    seed=st.integers(0, 9999),
    unknown=st.sampled_from([0, 0.1, 0.5, 0.9, 1]),
    levels=st.sampled_from([-1, 1, 6, 1000]),
)

STRIDED = [
    lambda wide: wide[3:30, 5:71],
    lambda wide: wide[::-1],
    lambda wide: wide[:, ::-1],
    lambda wide: wide[::3, ::2],
    lambda wide: wide.T,
    lambda wide: wide[:, 7:8],
    lambda wide: wide[7:8],
    lambda wide: np.asfortranarray(wide),
    lambda wide: np.broadcast_to(wide[4], wide.shape),
    lambda wide: np.broadcast_to(wide[:, 4:5], wide.shape),
    lambda wide: np.stack([wide] * 3, axis=2)[..., 1],
    lambda wide: unaligned(wide),
]


def unaligned(array):
    odd = np.zeros(array.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(array.shape)
    odd[...] = array
    return odd


FILTERS = {
    "median": lambda disparity_px, **options: median_of_known(disparity_px, **options),
    "speckles": lambda disparity_px, **options: remove_speckles(disparity_px, 3, 0.8, **options),
}
REFERENCES = {
    "median": median_of_known_reference,
    "speckles": lambda disparity_px: remove_speckles_reference(disparity_px, 3, 0.8),
}
both = pytest.mark.parametrize("name", FILTERS)


def test_the_median_of_a_full_window_is_the_fifth_of_nine():
    assert median_of_known(np.float32([[9, 1, 8], [2, 7, 3], [6, 4, 5]]))[1, 1] == 5


@pytest.mark.parametrize(
    ("row", "medians"),
    [
        ([3], [3]),
        ([3, 1], [1, 1]),  # of two the lower
        ([3, 1, 2], [1, 2, 1]),
        ([NAN, 7, NAN], [NAN, 7, NAN]),
        ([5, NAN, 1, 2], [5, NAN, 1, 1]),
        ([np.inf, 3, -np.inf], [NAN, 3, NAN]),
        ([-5, -7, 2], [-7, -5, -7]),
    ],
)
def test_medians_of_a_row_by_hand(row, medians):
    assert np.array_equal(median_of_known(np.float32([row])), [medians], equal_nan=True)


@pytest.mark.parametrize("known", range(1, 10))
def test_of_n_known_pixels_the_median_is_the_lower_of_those_in_the_middle(known):
    window = np.full(9, NAN, np.float32)
    places = np.random.default_rng(known).permutation([0, 1, 2, 3, 5, 6, 7, 8])[: known - 1]
    window[[4, *places]] = np.random.default_rng(known).permutation(known) + 1
    assert median_of_known(window.reshape(3, 3))[1, 1] == (known + 1) // 2


@settings(deadline=None, max_examples=40)
@given(maps)
def test_the_reference_median_is_that_of_a_loop(disparity_px):
    reference = median_of_known_reference(disparity_px)
    for y, x in np.ndindex(disparity_px.shape):
        window = disparity_px[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        known = sorted(window[np.isfinite(window)])
        expected = known[(len(known) - 1) // 2] if np.isfinite(disparity_px[y, x]) else NAN
        assert np.array_equal(reference[y, x], expected, equal_nan=True)


@needs_kernels
@settings(deadline=None)
@given(maps)
def test_every_kernel_finds_the_medians_of_the_reference(disparity_px):
    expected = median_of_known_reference(disparity_px)
    for name in native.instruction_sets():
        for threads in THREADS:
            found = median_of_known(disparity_px, threads=threads, instruction_set=name)
            np.testing.assert_array_equal(found, expected, name)


@needs_kernels
@pytest.mark.parametrize("name", native.instruction_sets())
def test_every_width_around_vectors_and_chunks_has_the_medians_of_the_reference(name):
    wide = random_map(3, 1060, unknown=0.2)
    expected = median_of_known_reference(wide)
    for width in (*range(1, 70), *range(500, 530), *range(1020, 1060)):
        found = median_of_known(wide[:, :width], instruction_set=name)
        np.testing.assert_array_equal(found[:, :-1], expected[:, : width - 1])
        np.testing.assert_array_equal(found[:, -2:], median_of_known_reference(wide[:, :width][:, -3:])[:, -2:])


def test_the_median_removes_a_spike_and_keeps_a_step():
    disparity_px = np.repeat(np.float32([[3, 3, 3, 9, 9, 9]]), 5, axis=0)
    spiked = disparity_px.copy()
    spiked[2, 1] = 50
    assert np.array_equal(median_of_known(spiked), disparity_px)


def test_islands_up_to_the_area_go_and_larger_ones_stay():
    disparity_px = np.float32([[5, 5, NAN, 5], [5, NAN, 5, 5], [NAN, 5, 5, NAN], [5, NAN, 5, 5]])
    assert np.array_equal(
        remove_speckles(disparity_px, 3, 0),
        [[NAN, NAN, NAN, 5], [NAN, NAN, 5, 5], [NAN, 5, 5, NAN], [NAN, NAN, 5, 5]],
        equal_nan=True,
    )
    assert np.isfinite(remove_speckles(disparity_px, 6, 0)).sum() == 7
    assert np.isfinite(remove_speckles(disparity_px, 7, 0)).sum() == 0
    assert np.array_equal(remove_speckles(disparity_px, 0, 0), disparity_px, equal_nan=True)


def test_a_step_of_just_the_range_joins_and_a_larger_one_separates():
    ramp = np.arange(0, 20, 2, dtype=np.float32)[None]
    for disparity_px in (ramp, ramp.T):
        assert np.isfinite(remove_speckles(disparity_px, 9, 2)).all()
        assert np.isnan(remove_speckles(disparity_px, 9, 1.99)).all()


def test_the_range_is_a_float32_as_the_disparities_are():
    disparity_px = np.float32([[0, 0.7]])
    assert np.isfinite(remove_speckles(disparity_px, 1, 0.7)).all()


@pytest.mark.parametrize("threads", THREADS)
def test_a_snake_through_all_rows_is_one_island_for_any_number_of_threads(threads):
    snake = np.full((41, 30), NAN, np.float32)
    snake[::2] = 1
    snake[1::4, -1] = snake[3::4, 0] = 1
    area = int(np.isfinite(snake).sum())
    assert np.array_equal(remove_speckles(snake, area - 1, 1, threads=threads), snake, equal_nan=True)
    assert np.isnan(remove_speckles(snake, area, 1, threads=threads)).all()


@pytest.mark.parametrize("threads", THREADS)
def test_two_arms_that_meet_in_the_last_row_are_one_island(threads):
    comb = np.full((20, 41), NAN, np.float32)
    comb[:, ::2] = 1
    comb[-1] = 1
    assert np.array_equal(remove_speckles(comb, 20, 1, threads=threads), comb, equal_nan=True)
    comb[-1, 1::2] = NAN
    assert np.isnan(remove_speckles(comb, 20, 1, threads=threads)).all()


def flooded(disparity_px, start, range_px):
    """Return the island of `start`, a pixel at a time."""
    island, edge = {start}, [start]
    while edge:
        y, x = edge.pop()
        for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if place in island or not all(0 <= at < size for at, size in zip(place, disparity_px.shape, strict=True)):
                continue
            if abs(disparity_px[place] - disparity_px[y, x]) <= np.float32(range_px):
                island.add(place)
                edge.append(place)
    return island


speckle_options = {"area_px": st.integers(0, 40), "range_px": st.sampled_from([0, 0.7, 1.4, 2, 1e30])}


@settings(deadline=None, max_examples=40)
@given(disparity_px=maps, **speckle_options)
def test_the_reference_removes_the_islands_that_a_flood_finds_small(disparity_px, area_px, range_px):
    disparity_px = disparity_px[:, :25]
    expected = np.where(np.isfinite(disparity_px), disparity_px, np.float32(NAN))
    for place in zip(*np.nonzero(np.isfinite(disparity_px)), strict=True):
        if len(flooded(disparity_px, place, range_px)) <= area_px:
            expected[place] = NAN
    np.testing.assert_array_equal(remove_speckles_reference(disparity_px, area_px, range_px), expected)


@needs_kernels
@settings(deadline=None)
@given(disparity_px=maps, **speckle_options)
def test_any_number_of_threads_removes_the_islands_of_the_reference(disparity_px, area_px, range_px):
    expected = remove_speckles_reference(disparity_px, area_px, range_px)
    for threads in THREADS:
        found = remove_speckles(disparity_px, area_px, range_px, threads=threads)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("area_px", [0, 1, 5, 60])
def test_opencv_removes_the_same_islands_from_whole_numbers(area_px):
    random = np.random.default_rng(area_px)
    whole = cv2.resize(random.integers(0, 12, (30, 40)).astype(np.int16), (120, 90), interpolation=cv2.INTER_NEAREST)
    whole += random.integers(0, 3, whole.shape, dtype=np.int16)
    whole[random.random(whole.shape) < 0.1] = -1
    disparity_px = np.where(whole < 0, NAN, whole).astype(np.float32)
    cv2.filterSpeckles(whole, -1, area_px, 1)
    expected = np.where(whole < 0, NAN, whole)
    np.testing.assert_array_equal(remove_speckles(disparity_px, area_px, 1, threads=2), expected)


@both
@pytest.mark.parametrize("view", STRIDED)
def test_strides_do_not_matter_and_the_caller_keeps_the_array(name, view):
    disparity_px = view(random_map(40, 90))
    before = disparity_px.copy()
    np.testing.assert_array_equal(FILTERS[name](disparity_px, threads=2), REFERENCES[name](before))
    np.testing.assert_array_equal(disparity_px, before)


@both
def test_a_read_only_map_is_read(name):
    disparity_px = random_map(12, 30)
    expected = REFERENCES[name](disparity_px)
    disparity_px.flags.writeable = False
    np.testing.assert_array_equal(FILTERS[name](disparity_px), expected)


@both
@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("view", [view for view in STRIDED if view(np.zeros((40, 90), np.float32)).flags.writeable])
def test_out_is_filled_and_returned_whatever_its_strides(name, kernels, view, monkeypatch):
    if not kernels:
        monkeypatch.setattr(native, "load", lambda: None)
    out = view(np.zeros((40, 90), np.float32))
    disparity_px = random_map(*out.shape)
    expected = REFERENCES[name](disparity_px)
    assert FILTERS[name](disparity_px, out=out, threads=2) is out
    np.testing.assert_array_equal(out, expected)


@both
@pytest.mark.parametrize("shift", [0, 1, -1])
def test_out_may_be_the_map_itself_or_overlap_it(name, shift):
    memory = random_map(41, 60)
    disparity_px, out = (memory[1:], memory[1:]) if shift == 0 else (memory[1:], memory[:-1])[::shift]
    expected = REFERENCES[name](disparity_px.copy())
    FILTERS[name](disparity_px, out=out, threads=2)
    np.testing.assert_array_equal(out, expected)


@both
@settings(deadline=None, max_examples=30)
@given(disparity_px=maps)
def test_no_filter_invents_a_disparity(name, disparity_px):
    filtered = FILTERS[name](disparity_px)
    assert not np.isinf(filtered).any()
    assert np.isnan(filtered[~np.isfinite(disparity_px)]).all()
    assert set(filtered[np.isfinite(filtered)]) <= set(disparity_px.ravel())


@both
def test_a_map_of_nothing_or_of_one_value_stays_as_it_is(name):
    for value in (NAN, 0, 7, -3):
        disparity_px = np.full((9, 40), value, np.float32)
        np.testing.assert_array_equal(FILTERS[name](disparity_px), disparity_px)


@both
def test_callers_in_several_threads_do_not_disturb_each_other(name):
    given = [random_map(60, 150, seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda disparity_px: FILTERS[name](disparity_px, threads=2), given))
    for disparity_px, filtered in zip(given, found, strict=True):
        np.testing.assert_array_equal(filtered, REFERENCES[name](disparity_px))


@both
def test_without_kernels_the_reference_answers(name, monkeypatch):
    disparity_px = random_map(20, 30)
    expected = FILTERS[name](disparity_px)
    monkeypatch.setattr(native, "load", lambda: None)
    np.testing.assert_array_equal(FILTERS[name](disparity_px, threads=2), expected)
    with pytest.raises(MissingError, match="avx2"):
        median_of_known(disparity_px, instruction_set="avx2")


@pytest.mark.parametrize(
    ("disparity_px", "says"),
    [
        ([[1.0, 2.0]], "list"),
        (np.zeros((4, 4)), "float64"),
        (np.zeros((4, 4), ">f4"), ">f4"),
        (np.zeros((4, 4), np.uint8), "uint8"),
        (np.zeros((4, 4, 1), np.float32), r"\(4, 4, 1\)"),
        (np.zeros(4, np.float32), r"\(4,\)"),
        (np.zeros((0, 4), np.float32), "no pixels"),
        (np.zeros((4, 0), np.float32), "no pixels"),
    ],
)
@pytest.mark.parametrize("step", [*FILTERS.values(), *REFERENCES.values()])
def test_what_is_no_map_is_refused_by_what_it_is(step, disparity_px, says):
    with pytest.raises(InputError, match=says):
        step(disparity_px)


@both
def test_an_out_that_cannot_take_the_result_is_refused(name):
    disparity_px = random_map(4, 5)
    read_only = np.zeros((4, 5), np.float32)
    read_only.flags.writeable = False
    for out, says in ((np.zeros((5, 4), np.float32), "same shape"), (np.zeros((4, 5)), "out"), (read_only, "written")):
        with pytest.raises(InputError, match=says):
            FILTERS[name](disparity_px, out=out)


@both
@pytest.mark.parametrize("threads", [0, -1, 1.0, True, None, "2"])
def test_a_thread_count_is_a_positive_whole_number(name, threads):
    with pytest.raises(InputError, match="threads"):
        FILTERS[name](random_map(4, 4), threads=threads)


def test_an_unknown_instruction_set_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="avx512, avx2"):
        median_of_known(random_map(4, 4), instruction_set="sse9")


@pytest.mark.parametrize("step", [remove_speckles, remove_speckles_reference])
@pytest.mark.parametrize(
    ("area_px", "range_px", "says"),
    [
        (-1, 1, "area_px"),
        (1.0, 1, "area_px"),
        (True, 1, "area_px"),
        (None, 1, "area_px"),
        (1, -0.1, "range_px"),
        (1, NAN, "range_px"),
        (1, np.inf, "range_px"),
        (1, 1e39, "range_px"),
        (1, "2", "range_px"),
        (1, True, "range_px"),
        (1, None, "range_px"),
    ],
)
def test_area_and_range_have_limits(step, area_px, range_px, says):
    with pytest.raises(InputError, match=says):
        step(random_map(4, 4), area_px, range_px)


def test_an_area_beyond_every_map_removes_everything():
    assert np.isnan(remove_speckles(random_map(9, 9), 10**30, 1)).all()
