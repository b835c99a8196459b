"""Holes take the farther of their known neighbors on the row; what is known stays."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.stereo.fill import fill_background

NAN = np.nan


def test_a_hole_takes_the_background_beside_it():
    row = np.float32([[NAN, 9, NAN, NAN, 4, 7, NAN]])
    assert fill_background(row).tolist() == [[9, 9, 4, 4, 4, 7, 7]]


def test_a_row_without_any_known_pixel_becomes_zero():
    assert fill_background(np.full((2, 3), NAN, np.float32)).tolist() == [[0, 0, 0]] * 2


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 20), st.floats(0, 1), st.integers(0, 999))
def test_it_does_what_a_loop_over_pixels_does(height, width, share, seed):
    random = np.random.default_rng(seed)
    disparity_px = random.uniform(1, 50, (height, width)).astype(np.float32)
    disparity_px[random.random((height, width)) < share] = NAN
    before = disparity_px.copy()
    filled = fill_background(disparity_px)
    assert np.array_equal(disparity_px, before, equal_nan=True)
    for row, done in zip(disparity_px, filled, strict=True):
        for column in range(width):
            left = [v for v in row[: column + 1] if np.isfinite(v)][-1:]
            right = [v for v in row[column:] if np.isfinite(v)][:1]
            assert done[column] == min(left + right, default=0)
