"""The census transform: its bits by hand, and the same bits from every kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import native
from salticid.errors import InputError, MissingError
from salticid.stereo.census import WINDOWS, census, census_reference, hamming

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())


def random_gray(height, width, seed=0, levels=256):
    return np.random.default_rng(seed).integers(0, levels, (height, width), dtype=np.uint8)


def test_three_pixels_by_hand():
    # Every row of the 5x5 window is the same; columns outside repeat the first and the last pixel.
    gray = np.array([[1, 5, 3]], np.uint8)
    codes = census(gray, "5x5")
    assert [f"{code:024b}" for code in codes[0]] == [
        "00000" "00000" "0000" "00000" "00000",  # around 1: 1 1 . 5 3
        "11011" "11011" "1111" "11011" "11011",  # around 5: 1 1 . 3 3
        "10000" "10000" "1000" "10000" "10000",  # around 3: 1 5 . 3 3
    ]  # fmt: skip


def test_gray_values_are_compared_unsigned():
    assert census(np.array([[127, 128]], np.uint8), "5x5")[0].tolist() == [0, 0b11000_11000_1100_11000_11000]


@pytest.mark.parametrize("window", WINDOWS)
def test_one_dark_neighbor_sets_one_bit_and_the_first_neighbor_sets_the_highest(window):
    width, height = WINDOWS[window]
    center = (height // 2, width // 2)
    places = [place for place in np.ndindex(height, width) if place != center]
    for number, place in enumerate(places):
        gray = np.full((height, width), 9, np.uint8)
        gray[place] = 8
        assert census(gray, window)[center] == 1 << (len(places) - 1 - number)


@pytest.mark.parametrize("window", WINDOWS)
def test_an_image_of_one_gray_has_the_code_zero_everywhere(window):
    assert not census(np.full((20, 70), 77, np.uint8), window).any()


@needs_kernels
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("threads", [1, 2, 3])
@given(height=st.integers(1, 24), width=st.integers(1, 200), levels=st.sampled_from([2, 256]), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_every_kernel_gives_the_bits_of_the_reference(window, threads, height, width, levels, seed):
    gray = random_gray(height, width, seed, levels)
    expected = census_reference(gray, window)
    for name in native.instruction_sets():
        np.testing.assert_array_equal(census(gray, window, threads=threads, instruction_set=name), expected, name)


@needs_kernels
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", native.instruction_sets())
def test_every_width_around_the_vector_lengths_has_the_bits_of_the_reference(window, name):
    wide = random_gray(9, 130)
    for width in range(1, 131):
        gray = wide[:, :width]
        np.testing.assert_array_equal(census(gray, window, instruction_set=name), census_reference(gray, window))


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[3:30, 5:71],
        lambda image: image[::-1],
        lambda image: image[:, ::-1],
        lambda image: image[::3, ::2],
        lambda image: image.T,
        lambda image: image[:, 7:8],
        lambda image: image[7:8],
        lambda image: np.asfortranarray(image),
        lambda image: np.broadcast_to(image[4], image.shape),
        lambda image: np.broadcast_to(image[:, 4:5], image.shape),
        lambda image: np.stack([image] * 3, axis=2)[..., 1],
    ],
)
def test_strides_do_not_matter(view):
    gray = view(random_gray(40, 90))
    before = gray.copy()
    np.testing.assert_array_equal(census(gray, threads=2), census_reference(before))
    np.testing.assert_array_equal(gray, before)


def test_a_read_only_image_is_read():
    gray = random_gray(12, 30)
    expected = census_reference(gray)
    gray.flags.writeable = False
    np.testing.assert_array_equal(census(gray), expected)


def test_more_threads_than_rows_are_allowed():
    gray = random_gray(3, 50)
    np.testing.assert_array_equal(census(gray, threads=1000), census_reference(gray))


def test_callers_in_several_threads_do_not_disturb_each_other():
    images = [random_gray(60, 150, seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda gray: census(gray, threads=2), images))
    for gray, codes in zip(images, found, strict=True):
        np.testing.assert_array_equal(codes, census_reference(gray))


@given(seed=st.integers(0, 99))
@settings(max_examples=10)
def test_gain_and_offset_do_not_change_the_codes(seed):
    gray = random_gray(15, 40, seed, levels=100)
    np.testing.assert_array_equal(census(gray * np.uint8(2) + np.uint8(55)), census(gray))


def test_without_kernels_the_reference_answers(monkeypatch):
    gray = random_gray(20, 30)
    expected = census(gray, "5x5")
    monkeypatch.setattr(native, "load", lambda: None)
    np.testing.assert_array_equal(census(gray, "5x5", threads=2), expected)
    with pytest.raises(MissingError, match="avx2"):
        census(gray, instruction_set="avx2")


@pytest.mark.parametrize(
    ("gray", "says"),
    [
        ([[1, 2]], "list"),
        (np.zeros((4, 4), np.int8), "int8"),
        (np.zeros((4, 4), np.float32), "float32"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4, 3), np.uint8), r"\(4, 4, 3\)"),
        (np.zeros(4, np.uint8), r"\(4,\)"),
        (np.zeros((0, 4), np.uint8), "no pixels"),
        (np.zeros((4, 0), np.uint8), "no pixels"),
    ],
)
@pytest.mark.parametrize("step", [census, census_reference])
def test_what_is_no_gray_image_is_refused_by_what_it_is(step, gray, says):
    with pytest.raises(InputError, match=says):
        step(gray)


@pytest.mark.parametrize("window", ["7x9", "", None, ["9x7"], (9, 7)])
def test_an_unknown_window_is_refused_with_the_known_ones(window):
    with pytest.raises(InputError, match="5x5, 9x7"):
        census(random_gray(4, 4), window)


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, None, "2"])
def test_a_thread_count_is_a_positive_whole_number(threads):
    with pytest.raises(InputError, match="threads"):
        census(random_gray(4, 4), threads=threads)


def test_an_unknown_instruction_set_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="avx512, avx2, neon, scalar"):
        census(random_gray(4, 4), instruction_set="sse9")


def test_hamming_counts_the_bits_that_differ():
    a = np.array([0b1011, 0, 2**62 - 1], np.uint64)
    b = np.array([0b0001, 0, 0], np.uint64)
    assert hamming(a, b).tolist() == [2, 0, 62]


def test_hamming_compares_one_code_with_many():
    codes = np.arange(4, dtype=np.uint64).reshape(2, 2)
    assert hamming(codes, codes[0, 1]).tolist() == [[1, 0], [2, 1]]


def test_hamming_refuses_what_is_no_pair_of_codes():
    codes = np.zeros((2, 3), np.uint64)
    with pytest.raises(InputError, match="int64"):
        hamming(codes, codes.astype(np.int64))
    with pytest.raises(InputError, match="list"):
        hamming([1, 2], codes)
    with pytest.raises(InputError, match=r"\(2, 3\) and \(2, 4\)"):
        hamming(codes, np.zeros((2, 4), np.uint64))
