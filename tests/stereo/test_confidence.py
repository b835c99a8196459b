"""The confidence is high where the views agree, low where they do not, and zero where nothing can be told."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.stereo.confidence import match_confidence


@pytest.fixture
def views():
    """A random view and the same view as seen 5 px further to the left."""
    left = np.random.default_rng(0).integers(0, 256, (60, 120), np.uint8)
    return left, np.roll(left, -5, axis=1)


def test_a_right_disparity_is_sure_and_a_wrong_one_is_not(views):
    right = match_confidence(*views, np.full((60, 120), 5, np.float32))
    wrong = match_confidence(*views, np.full((60, 120), 9, np.float32))
    assert np.median(right) > 0.95
    assert np.median(wrong) < 0.6


def test_gain_and_offset_between_the_cameras_do_not_matter(views):
    left, right = views
    darker = (right.astype(np.float32) * 0.5 + 20).round().astype(np.uint8)
    assert np.median(match_confidence(left, darker, np.full((60, 120), 5, np.float32))) > 0.9


def test_unknown_pixels_have_none_and_lower_only_the_support_of_their_neighbors(views):
    disparity_px = np.full((60, 120), 5, np.float32)
    whole = match_confidence(*views, disparity_px)
    disparity_px[30, 60:63] = np.nan
    holed = match_confidence(*views, disparity_px)
    assert (holed[30, 60:63] == 0).all()
    assert holed[30, 59] == pytest.approx(whole[30, 59] * (1 - 3 / 225), rel=0.02)


def test_an_outlier_among_its_neighbors_is_less_sure(views):
    disparity_px = np.full((60, 120), 5, np.float32)
    before = match_confidence(*views, disparity_px)[30, 60]
    disparity_px[30, 60] = 40
    assert match_confidence(*views, disparity_px)[30, 60] < 0.7 * before


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 2)])
def test_any_size_works(shape):
    view = np.zeros(shape, np.uint8)
    assert match_confidence(view, view, np.zeros(shape, np.float32)).shape == shape
