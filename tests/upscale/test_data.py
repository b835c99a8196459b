from __future__ import annotations

import cv2
import numpy as np
import pytest

from salticid.core.image import write_image
from salticid.errors import InputError
from salticid.upscale.data import JUDGED_SIDE, apart, degraded_pair, find_images, load, shrunk, with_reduced
from salticid.upscale.train import luma_psnr_db


def smooth(height, width, seed=0):
    """Return an image whose small version is nearly itself."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def folder(tmp_path):
    for number, size in enumerate([(120, 100), (99, 131), (40, 200)]):
        write_image(tmp_path / f"{number}.png", smooth(*size, seed=number))
    return tmp_path


def test_images_that_are_too_small_for_a_crop_are_left_out(folder):
    pairs = list(load(find_images([folder]), 4, 24))
    assert [pair.large.shape for pair in pairs] == [(120, 100, 3), (96, 128, 3)]
    assert [pair.small.shape for pair in pairs] == [(30, 25, 3), (24, 32, 3)]


@pytest.mark.parametrize(("scale", "side", "count"), [(4, 10, 3), (4, 11, 2), (2, 49, 2), (2, 50, 1), (2, 51, 0)])
def test_an_image_is_too_small_where_it_is_smaller_than_a_crop_and_not_before(folder, scale, side, count):
    assert len(list(load(find_images([folder]), scale, side))) == count


@pytest.mark.parametrize("scale", [2, 4])
def test_the_least_image_that_is_judged_by_has_something_within_its_borders(tmp_path, scale):
    for name, side in (("least", JUDGED_SIDE * scale), ("less", JUDGED_SIDE * scale - 1)):
        write_image(tmp_path / f"{name}.png", smooth(side, side))
    [pair] = load(find_images([tmp_path]), scale, JUDGED_SIDE)
    found = degraded_pair(pair, scale, 0)
    assert found.small.shape == (JUDGED_SIDE, JUDGED_SIDE, 3)
    assert np.isfinite(luma_psnr_db(255 - pair.large, pair.large, scale))


def test_a_large_image_is_cut_to_a_multiple_of_the_scale_from_its_corner():
    image = smooth(99, 131)
    np.testing.assert_array_equal(shrunk(image, 4).large, image[:96, :128])


def test_reduced_images_come_beside_the_others_as_long_as_there_is_something_left():
    pairs = [shrunk(smooth(40, 80), 4), shrunk(smooth(4, 8), 4)]
    found = with_reduced(pairs, 4, 5, (0.75, 0.5))
    assert found[:2] == pairs
    assert [pair.large.shape[:2] for pair in found[2:]] == [(28, 60), (20, 40)]
    assert with_reduced(pairs, 4, 5, ()) == pairs
    with pytest.raises(InputError, match=r"at 0.4 of their sides no image holds a crop of 20 px"):
        with_reduced(pairs, 4, 5, (0.4,))


def test_no_image_that_is_judged_is_learned_from(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(100)]
    learned, judged = apart(paths)
    assert len(judged) == 2
    assert sorted([*learned, *judged]) == sorted(paths)


def test_places_without_images_are_named(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        find_images([tmp_path / "none"])
    with pytest.raises(InputError, match="holds no image"):
        find_images([tmp_path])
