from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.upscale import rows


def strips(image, heights):
    top = 0
    while top < len(image):
        height = max(1, heights[top % len(heights)])
        yield image[top : top + height]
        top += height


HEIGHTS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@settings(deadline=None, max_examples=30)
@given(HEIGHTS, HEIGHTS)
def test_rows_of_two_images_come_together_whatever_their_strips(first, second):
    one, other = np.arange(40)[:, None], 100 + np.arange(40)[:, None]
    pairs = list(rows.together(strips(one, first), strips(other, second)))
    np.testing.assert_array_equal(np.concatenate([a for a, _ in pairs]), one)
    np.testing.assert_array_equal(np.concatenate([b for _, b in pairs]), other)


def test_strength_0_is_bicubic_and_1_the_network():
    large, plain = np.full((4, 4, 3), 200, np.uint8), np.full((4, 4, 3), 100, np.uint8)
    strengths = np.array([[0, 1, 0.5, 1]], np.float32).repeat(4, axis=0)
    [mixed] = rows.blended([large], [plain], [strengths])
    np.testing.assert_array_equal(mixed[0, :, 0], [100, 200, 150, 200])


def test_alpha_goes_along():
    [both] = rows.with_alpha([np.zeros((2, 3, 3), np.uint8)], [np.full((2, 3), 9, np.uint8)])
    assert both.shape == (2, 3, 4)
    assert (both[..., 3] == 9).all()


def test_bands_are_the_same_rows_of_few_pixels_at_a_time():
    image = np.arange(800_000).reshape(-1, 1000)
    bands = list(rows.banded([image[:7], image[7:]]))
    assert max(band.size for band in bands) <= rows.BAND_PX
    np.testing.assert_array_equal(np.concatenate(bands), image)
