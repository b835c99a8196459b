"""MATLAB's resize: the kernel's own properties, known numbers, and strips that change no bit."""

from __future__ import annotations

import math
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.color import rgb_to_y
from salticid.core.image import read_image
from salticid.core.metrics import psnr_db, ssim
from salticid.core.resample import StripResizer, bicubic, bicubic_uint8
from salticid.errors import InputError

DATA = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data")) / "upscale"

SIDES = st.one_of(st.integers(1, 9), st.integers(1, 150))
SHAPES = st.tuples(SIDES, SIDES).flatmap(
    lambda size: st.sampled_from([size, *((*size, channels) for channels in (1, 2, 3, 4))])
)

STRIPS = st.lists(st.integers(0, 70), max_size=9)


def noise(shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def keys(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def one_by_one(signal, new):
    """Resize a line as the formula says, number by number."""
    old, scale = len(signal), new / len(signal)
    narrow, result = min(scale, 1), []
    for at in range(new):
        center = (at + 0.5) / scale - 0.5
        taps = range(math.floor(center - 2 / narrow), math.ceil(center + 2 / narrow) + 1)
        shares = [keys((center - tap) * narrow) for tap in taps]
        mirrored = [tap % (2 * old) for tap in taps]
        values = [signal[min(tap, 2 * old - 1 - tap)] for tap in mirrored]
        result.append(np.dot(shares, values) / sum(shares))
    return np.array(result)


@given(SIDES, SIDES, st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_line_is_resized_as_the_formula_says(old, new, seed):
    line = noise((1, old), seed=seed)
    np.testing.assert_allclose(bicubic(line, 1, new)[0], one_by_one(line[0].astype(float), new), atol=1e-9)
    np.testing.assert_array_equal(bicubic(line, 1, new)[0], bicubic(line.T, new, 1)[:, 0])


def test_an_impulse_doubled_is_the_kernel_at_odd_quarters():
    impulse = np.zeros((1, 9))
    impulse[0, 4] = 128
    assert bicubic(impulse, 1, 18)[0].tolist() == [0, 0, 0, 0, 0, -3, -9, 29, 111, 111, 29, -9, -3, 0, 0, 0, 0, 0]


def test_reducing_widens_the_kernel_so_that_no_fine_stripes_become_coarse_ones():
    stripes = np.tile([0.0, 200.0], (8, 64))
    assert np.abs(bicubic(stripes, 8, 48)[:, 4:-4] - 100).max() < 8
    np.testing.assert_allclose(bicubic(stripes, 2, 32)[:, 2:-2], 100)


@given(SHAPES, SIDES, SIDES)
@settings(max_examples=40, deadline=None)
def test_both_axes_are_resized_by_themselves(shape, height, width):
    image = noise(shape)
    both = bicubic(image, height, width)
    assert (both.shape, both.dtype) == ((height, width, *shape[2:]), np.float64)
    np.testing.assert_allclose(both, bicubic(bicubic(image, shape[0], width), height, width), atol=1e-9)
    np.testing.assert_array_equal(bicubic_uint8(image, height, width), np.clip(np.floor(both + 0.5), 0, 255))


@given(SHAPES, SIDES, SIDES, st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=40, deadline=None)
def test_a_constant_stays_what_it_is(shape, height, width, dtype):
    for value in (0, 1, np.iinfo(dtype).max):
        image = np.full(shape, value, dtype)
        np.testing.assert_allclose(bicubic(image, height, width), value, rtol=1e-12)
        assert (StripResizer(shape, dtype, height, width).push(image) == value).all()


@given(SHAPES, SIDES, SIDES)
@settings(max_examples=40, deadline=None)
def test_a_mirrored_image_gives_the_mirrored_result(shape, height, width):
    image = noise(shape)
    turned = bicubic(image[::-1, ::-1], height, width)[::-1, ::-1]
    np.testing.assert_allclose(bicubic(image, height, width), turned, atol=1e-9)


@given(st.integers(6, 60), st.integers(1, 6), st.tuples(*[st.floats(-2, 2)] * 3))
@settings(max_examples=60, deadline=None)
def test_quadratics_are_reproduced_where_an_image_grows(old, times, factors):
    new = old * times + times // 2
    at_old, at_new = np.arange(old), (np.arange(new) + 0.5) * old / new - 0.5
    inside = (at_new >= 2) & (at_new <= old - 3)
    found = bicubic(np.polyval(factors, at_old)[:, None], new, 1)[:, 0]
    np.testing.assert_allclose(found[inside], np.polyval(factors, at_new)[inside], atol=1e-8)


@given(SHAPES)
@settings(max_examples=20, deadline=None)
def test_an_image_of_the_size_wanted_is_not_changed(shape):
    image = noise(shape, np.uint16)
    np.testing.assert_array_equal(bicubic(image, *shape[:2]), image)
    np.testing.assert_array_equal(StripResizer(shape, np.uint16, *shape[:2]).push(image), image)


def test_a_single_pixel_fills_any_size():
    np.testing.assert_allclose(bicubic(np.array([[7]]), 3, 50), np.full((3, 50), 7), rtol=1e-12)
    assert StripResizer((1, 1), np.uint8, 2, 3).push(np.array([[7]], np.uint8)).tolist() == [[7, 7, 7]] * 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_halves_are_rounded_up_and_what_lies_beyond_the_type_is_cut_off(dtype):
    pairs = np.repeat(np.array([[0, 1], [2, 3]], dtype), 8, axis=0)
    assert bicubic(pairs, 16, 1)[[0, -1], 0].tolist() == [0.5, 2.5]
    assert StripResizer(pairs.shape, dtype, 16, 1).push(pairs)[[0, -1], 0].tolist() == [1, 3]
    top = np.iinfo(dtype).max
    step = np.repeat(np.array([[0, top]], dtype), 8, axis=1)
    assert bicubic(step, 1, 64).min() < -1 < top + 1 < bicubic(step, 1, 64).max()
    assert set(StripResizer(step.shape, dtype, 1, 64).push(step)[0, [28, 35]].tolist()) == {0, top}


@pytest.mark.parametrize("shape", [(1, 4096), (4096, 1), (2, 3000, 3), (3000, 2, 3)])
def test_thin_images_are_resized_by_strips_as_in_one_piece(shape):
    image = noise(shape)
    for height, width in [(1, 1), (3, 40), (40, 3), (4000, 2), (2, 4000)]:
        found = by_strips(image, height, width, [1000, 1, 1000])
        assert np.abs(found - np.clip(bicubic(image, height, width), 0, 255)).max() < 0.51


def by_strips(image, height, width, heights):
    """Resize an image that comes in strips of these heights, and what is left at the end."""
    resizer, made, top = StripResizer(image.shape, image.dtype, height, width), [], 0
    for step in heights:
        made.append(resizer.push(image[top : top + step]))
        top += step
    return np.concatenate([*made, resizer.push(image[top:])])


@given(SHAPES, SIDES, SIDES, st.sampled_from([np.uint8, np.uint16]), STRIPS)
@settings(max_examples=150, deadline=None)
def test_strips_of_any_heights_give_the_bits_of_the_whole_image(shape, height, width, dtype, heights):
    image = noise(shape, dtype)
    whole = StripResizer(shape, dtype, height, width).push(image)
    assert (whole.shape, whole.dtype) == ((height, width, *shape[2:]), dtype)
    np.testing.assert_array_equal(by_strips(image, height, width, heights), whole)


@pytest.mark.parametrize("size", [(333, 500), (150, 260), (700, 800)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_strips_of_usual_images_give_the_bits_of_the_whole_image(size, channels):
    image = noise((400, 600, *channels))
    whole = StripResizer(image.shape, np.uint8, *size).push(image)
    for heights in ([1] * 400, [7] * 60, [64, 3, 150]):
        np.testing.assert_array_equal(by_strips(image, *size, heights), whole)


@given(SHAPES, SIDES, SIDES, st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=60, deadline=None)
def test_strips_give_what_bicubic_gives_rounded(shape, height, width, dtype):
    image = noise(shape, dtype)
    found = StripResizer(shape, dtype, height, width).push(image)
    exact = np.clip(bicubic(image, height, width), 0, np.iinfo(dtype).max)
    assert np.abs(found - exact).max() <= 0.501


def test_rows_are_given_as_soon_as_their_block_is_known_and_not_kept_after():
    shape, strip = (3000, 500, 3), noise((25, 500, 3))
    resizer = StripResizer(shape, np.uint8, 2000, 400)
    waiting, made = [], 0
    tracemalloc.start()
    for number in range(1, 121):
        made += len(resizer.push(strip))
        waiting.append(25 * number * 2 / 3 - made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made == 2000
    assert max(waiting) < 40  # of the new rows; a block has 32
    assert peak < 2_500_000  # the image has 4,500,000 bytes


def test_a_tall_strip_is_not_held_when_its_rows_have_been_used():
    strip, resizer = noise((3000, 500)), StripResizer((4000, 500), np.uint8, 2000, 400)
    tracemalloc.start()
    made = len(resizer.push(strip))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert made > 1400
    assert held < 300_000  # the strip has 1,500,000 bytes


def test_the_caller_s_strip_is_neither_changed_nor_held():
    image = noise((60, 50))
    resizer, strip = StripResizer(image.shape, np.uint8, 90, 80), image[:30].copy()
    first = resizer.push(strip)
    strip[:] = 0
    found = np.concatenate([first, resizer.push(image[30:])])
    np.testing.assert_array_equal(found, StripResizer(image.shape, np.uint8, 90, 80).push(image))


@pytest.mark.parametrize(("shape", "size"), [((0, 4), (1, 1)), ((4,), (1, 1)), ((4, 4), (0, 1)), ((4, 4), (1, -1))])
def test_nothing_cannot_be_resized(shape, size):
    with pytest.raises(InputError, match=r"can(not)? resize"):
        bicubic(np.zeros(shape), *size)
    with pytest.raises(InputError, match=r"can(not)? resize"):
        StripResizer(shape, np.uint8, *size)


def test_strips_that_do_not_fit_are_an_input_error_and_change_nothing():
    image = noise((40, 50, 3))
    resizer = StripResizer(image.shape, np.uint8, 20, 30)
    for wrong in (image[:, 1:], image[..., 0], image[..., :2], image.astype(np.uint16), image.astype(float)):
        with pytest.raises(InputError, match=r"must be \(rows, 50, 3\) uint8, not"):
            resizer.push(wrong)
    with pytest.raises(InputError, match="40 of the 40 rows are left, so a strip cannot have 41"):
        resizer.push(noise((41, 50, 3)))
    np.testing.assert_array_equal(resizer.push(image), StripResizer(image.shape, np.uint8, 20, 30).push(image))
    with pytest.raises(InputError, match="0 of the 40 rows are left"):
        resizer.push(image[:1])
    with pytest.raises(InputError, match="uint8 or uint16, not float32"):
        StripResizer(image.shape, np.float32, 20, 30)


def test_set5_is_reduced_and_enlarged_as_the_published_tables_say():
    paths = sorted((DATA / "Set5").glob("*.png"))
    if len(paths) != 5:
        pytest.skip(f"the five images of Set5 are not in {DATA / 'Set5'}")
    found = []
    for path in paths:
        large = read_image(path)
        height, width = large.shape[0] // 4, large.shape[1] // 4
        again = bicubic_uint8(bicubic_uint8(large, height, width), 4 * height, 4 * width)
        a, b = rgb_to_y(again), rgb_to_y(large[: 4 * height, : 4 * width])
        found.append((psnr_db(a, b, crop=4), ssim(a, b, crop=4)))
    mean_psnr_db, mean_ssim = np.mean(found, axis=0)
    assert mean_psnr_db == pytest.approx(28.43, abs=0.006)  # Timofte et al. 2014 and every table since: 28.42 or 28.43
    assert mean_ssim == pytest.approx(0.811, abs=0.0006)
