from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.errors import InputError
from salticid.runtime.tiles import apply_blended, apply_exact, plan_patches, plan_tiles, strips, strips_of

SIDES = st.integers(1, 24)
RADIUS = 3


def convolve(image):
    """Return a stack of three 3x3 filters with a bend between them: it sees three pixels far, and pads with zeros."""
    out = image.astype(np.int64)
    for kernel in ([1, 2, 1], [-1, 0, 2], [1, 1, -3]):
        padded = np.pad(out, [(1, 1), (1, 1)] + [(0, 0)] * (out.ndim - 2))
        mixed = sum(weight * padded[1:-1, index : index + out.shape[1]] for index, weight in enumerate(kernel))
        padded = np.pad(mixed, [(1, 1), (1, 1)] + [(0, 0)] * (out.ndim - 2))
        out = sum(weight * padded[index : index + out.shape[0], 1:-1] for index, weight in enumerate(kernel))
        out = np.maximum(out, out // 4)
    return out


def pooled(image):
    """Return a step of stride 4: the mean of each cell of 4 x 4 pixels, cut at the border, and its neighbours."""
    height, width = image.shape[:2]
    cells = np.add.reduceat(np.add.reduceat(image.astype(np.int64), range(0, height, 4)), range(0, width, 4), axis=1)
    padded = np.pad(cells, 1)
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] - 3 * padded[1:-1, :-2] + cells
    return np.kron(around, np.ones((4, 4), np.int64))[:height, :width]


def enlarged(image):
    """Return a step of scale 3 that looks one pixel far."""
    padded = np.pad(image.astype(np.float32), 1, mode="edge")
    mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
    return np.stack([mean, image, -mean], axis=-1).repeat(3, axis=0).repeat(3, axis=1)


def random_image(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@settings(max_examples=60)
@given(SIDES, SIDES, st.integers(3, 20), st.integers(RADIUS, 6), st.sampled_from([(), (1,), (3,)]))
def test_tiles_give_the_result_of_the_whole_image_bit_for_bit(height, width, tile, halo, channels):
    image = random_image(height, width, *channels)
    np.testing.assert_array_equal(apply_exact(convolve, image, tile=tile, halo=halo), convolve(image))


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(4, 20), st.integers(7, 12))
def test_a_step_with_a_stride_is_exact_when_tiles_are_aligned_to_it(height, width, tile, halo):
    image = random_image(height, width)
    np.testing.assert_array_equal(apply_exact(pooled, image, tile=tile, halo=halo, align=4), pooled(image))


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(1, 20))
def test_a_step_that_enlarges_and_adds_channels_is_exact(height, width, tile):
    image = random_image(height, width)
    np.testing.assert_array_equal(apply_exact(enlarged, image, tile=tile, halo=1, scale=3), enlarged(image))


def blur(part):
    return cv2.GaussianBlur(part, (9, 9), 2.0, borderType=cv2.BORDER_REPLICATE)


def test_a_fixed_point_filter_of_opencv_is_exact_and_a_floating_point_one_to_the_last_digit():
    image = random_image(301, 257, 3)
    np.testing.assert_array_equal(apply_exact(blur, image, tile=96, halo=4), blur(image))
    image = image.astype(np.float32)
    np.testing.assert_allclose(apply_exact(blur, image, tile=96, halo=4), blur(image), rtol=1e-6)


def test_a_halo_that_is_too_narrow_shows():
    image = random_image(40, 40)
    assert (apply_exact(convolve, image, tile=16, halo=RADIUS - 1) != convolve(image)).any()


@settings(max_examples=60)
@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 40), st.integers(0, 20), st.sampled_from([1, 2, 8]))
def test_cores_cover_every_pixel_once_and_windows_stay_inside(height, width, tile, halo, align):
    tile = max(tile, align)
    count = np.zeros((height, width), int)
    for piece in plan_tiles(height, width, tile=tile, halo=halo, align=align):
        count[piece.core] += 1
        for core, window, length in zip(piece.core, piece.window, (height, width), strict=True):
            assert 0 <= window.start <= max(core.start - halo, 0)
            assert min(core.stop + halo, length) <= window.stop <= length
            assert core.stop - core.start <= tile
            assert window.start % align == 0
            assert window.stop % align == 0 or window.stop == length
    assert (count == 1).all()


def test_the_remainder_is_shared_and_no_tile_is_a_sliver():
    plan = plan_tiles(130, 64, tile=64, halo=0)
    assert [piece.core[0].stop - piece.core[0].start for piece in plan] == [43, 43, 44]


def test_an_image_smaller_than_a_tile_is_one_tile():
    [piece] = plan_tiles(5, 7, tile=64, halo=16, align=8)
    assert piece.window == piece.core == (slice(0, 5), slice(0, 7))


def test_strips_below_each_other_are_the_result_and_come_one_by_one():
    image, seen = random_image(50, 30), []

    def step(part):
        seen.append(part.shape)
        return convolve(part)

    pieces = strips(step, image, tile=16, halo=RADIUS)
    first = next(pieces)
    assert len(seen) == 2
    assert first.shape == (12, 30)
    np.testing.assert_array_equal(np.concatenate([first, *pieces]), convolve(image))


def test_strips_need_memory_for_one_strip_and_not_for_the_result():
    image = random_image(4096, 256)
    tracemalloc.start()
    rows = sum(len(strip) for strip in strips(enlarged, image, tile=128, halo=1, scale=3))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 3 * 4096
    assert peak < 3 * 4096 * 3 * 256 * 3 * 4 / 8


def test_of_an_image_that_comes_in_strips_no_more_is_kept_than_a_row_of_tiles_sees():
    image_bytes = 8192 * 512
    tracemalloc.start()
    parts = (np.zeros((8, 512), np.uint8) for _ in range(1024))
    rows = sum(len(strip) for strip in strips_of(np.copy, parts, (8192, 512), tile=64, halo=4))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 8192
    assert peak < image_bytes / 10


def test_a_step_may_return_the_same_buffer_each_time():
    image, buffer = random_image(64, 64), np.empty((64, 64), np.int64)

    def step(part):
        out = buffer[: part.shape[0], : part.shape[1]]
        out[:] = convolve(part)
        return out

    np.testing.assert_array_equal(apply_exact(step, image, tile=24, halo=RADIUS), convolve(image))


def test_the_result_is_written_where_the_caller_says():
    image = random_image(20, 30)
    out = np.empty((20, 30), np.int64)
    assert apply_exact(convolve, image, tile=8, halo=3, out=out) is out
    np.testing.assert_array_equal(out, convolve(image))


@pytest.mark.parametrize(
    "out", [np.empty((20, 31), np.int64), np.empty((20, 30), np.int32), np.empty((20, 30, 1), int)]
)
def test_an_output_that_does_not_fit_is_an_input_error(out):
    with pytest.raises(InputError, match="out is"):
        apply_exact(convolve, random_image(20, 30), tile=8, halo=3, out=out)


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(2, 24), st.integers(0, 12), st.integers(1, 3))
def test_the_weights_of_all_patches_sum_to_one_and_none_is_negative(height, width, tile, overlap, scale):
    overlap = min(overlap, tile - 1)
    total = np.zeros((height * scale, width * scale))
    for patch in plan_patches(height, width, tile=tile, overlap=overlap, scale=scale):
        rows, columns = (slice(part.start * scale, part.stop * scale) for part in patch.window)
        total[rows, columns] += np.outer(*patch.weights)
        assert all(weights.min() > 0 for weights in patch.weights)
        assert [part.stop - part.start for part in patch.window] == [min(tile, height), min(tile, width)]
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(max_examples=20)
@given(st.integers(30, 80), st.integers(8, 24), st.integers(1, 7))
def test_neighbouring_patches_overlap_at_least_as_far_as_asked(length, tile, overlap):
    plan = plan_patches(length, 1, tile=tile, overlap=overlap)
    starts = [patch.window[0].start for patch in plan]
    assert max(np.diff(starts)) <= tile - overlap
    assert starts[0] == 0
    assert starts[-1] == length - tile


def test_blending_leaves_a_step_that_treats_all_pixels_alike_as_it_is():
    image = random_image(70, 50, 3)
    np.testing.assert_array_equal(apply_blended(lambda part: 255 - part, image, tile=24, overlap=8), 255 - image)


def test_blending_hides_the_seam_between_tiles_that_disagree():
    levels = iter([0.0, 1.0])
    out = apply_blended(
        lambda part: np.full(part.shape, next(levels), np.float32), np.zeros((1, 30)), tile=20, overlap=10
    )[0]
    assert (out[:10] == 0).all()
    assert (out[20:] == 1).all()
    assert 0 < np.diff(out).max() < 0.16, "a ramp of a squared sine over ten pixels rises by 0.156 at most"
    assert (np.diff(out) >= 0).all()


def test_ramps_are_smooth_in_the_enlarged_result_too():
    levels = iter([0.0, 1.0])

    def step(part):
        return np.full((4 * part.shape[0], 4 * part.shape[1]), next(levels), np.float32)

    out = apply_blended(step, np.zeros((1, 30)), tile=20, overlap=10, scale=4)[0]
    assert np.diff(out).max() < 0.04


def test_blending_keeps_the_precision_of_the_step():
    image = np.random.default_rng(0).normal(size=(40, 40))
    out = apply_blended(lambda part: part, image, tile=16, overlap=4)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out, image, rtol=1e-6)


@pytest.mark.parametrize("kind", [bool, object, complex])
def test_blending_what_has_no_mean_is_an_input_error(kind):
    with pytest.raises(InputError, match="no mean"):
        apply_blended(lambda part: np.zeros(part.shape, kind), np.zeros((8, 8)), tile=4, overlap=1)


def exactly(step, image):
    return apply_exact(step, image, tile=4, halo=1)


def blended(step, image):
    return apply_blended(step, image, tile=4, overlap=1)


@pytest.mark.parametrize("run", [exactly, blended])
@pytest.mark.parametrize("step", [lambda part: part[1:], lambda part: part.repeat(2, axis=0), np.mean])
def test_a_step_that_answers_in_another_size_is_an_input_error(run, step):
    with pytest.raises(InputError, match="was expected: check scale"):
        run(step, np.zeros((9, 5), np.float32))


@pytest.mark.parametrize("run", [exactly, blended])
@pytest.mark.parametrize("kinds", [[np.float32, np.float64], ["3f4", "4f4"], [np.uint8, np.bool_]])
def test_a_step_that_answers_in_another_kind_from_tile_to_tile_is_an_input_error(run, kinds):
    kinds = iter(kinds)
    with pytest.raises(InputError, match="one kind"):
        run(lambda part: np.zeros(part.shape, next(kinds)), np.zeros((9, 5)))


@pytest.mark.parametrize(
    "options",
    [
        {"tile": 0},
        {"tile": 4, "align": 8},
        {"tile": 4, "align": 0},
        {"halo": -1},
        {"scale": 0},
        {"shape": (0, 5)},
        {"shape": (5,)},
    ],
)
def test_sizes_that_make_no_sense_are_input_errors(options):
    options = {"tile": 8, "halo": 1, **options}
    image = np.zeros(options.pop("shape", (8, 8)))
    with pytest.raises(InputError):
        apply_exact(convolve, image, **options)


def test_an_overlap_as_wide_as_the_tile_is_an_input_error():
    with pytest.raises(InputError, match="overlap"):
        plan_patches(20, 20, tile=8, overlap=8)
