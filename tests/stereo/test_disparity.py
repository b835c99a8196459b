"""A disparity map is saved exactly, or not at all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from salticid.core.pfm import read_pfm
from salticid.errors import InputError
from salticid.stereo.calibration import Calibration
from salticid.stereo.disparity import DisparityMap

PX = np.float32([[1.5, np.nan, 3.25], [200, 0.0625, np.nan]])


@pytest.fixture
def found():
    confidence = np.where(np.isfinite(PX), np.float32([[0.9, 0, 0.2], [0.5, 1, 0]]), np.float32(0))
    return DisparityMap(PX, confidence, np.full((2, 3, 3), 50, np.uint8), "opencv:hh4", {"match": 1.0})


def test_density_is_the_share_of_known_pixels(found):
    assert found.density == pytest.approx(4 / 6)


def test_pfm_and_npy_keep_every_bit(found, tmp_path):
    found.save(tmp_path / "a.pfm")
    found.save(tmp_path / "a.npy")
    assert np.array_equal(read_pfm(tmp_path / "a.pfm"), PX, equal_nan=True)
    assert np.array_equal(np.load(tmp_path / "a.npy"), PX, equal_nan=True)


def test_png_is_16_bit_with_256_steps_per_pixel_and_0_for_unknown(found, tmp_path):
    found.save(tmp_path / "a.png")
    values = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert values.dtype == np.uint16
    assert values.tolist() == [[384, 0, 832], [51200, 16, 0]]


def test_png_stores_what_is_below_its_smallest_disparity_as_that(found, tmp_path):
    px = np.float32([[0, 1e-6, 0.001], [0.003, 1 / 256, 65535 / 256]])
    DisparityMap(px, found.confidence, found.image, "x").save(tmp_path / "a.png")
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).tolist() == [[1, 1, 1], [1, 1, 65535]]


@pytest.mark.parametrize("name", ["a.NPY", "a.PFM", "a.PNG"])
def test_a_suffix_in_capitals_writes_one_whole_file(found, tmp_path, name):
    found.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).stat().st_size > 0


def test_maps_and_cameras_are_equal_to_themselves_alone(found):
    again = DisparityMap(found.disparity_px, found.confidence, found.image, found.engine)
    assert found == found
    assert found != again
    rig = Calibration.rectified(focal_px=500, baseline_mm=60, center_px=(1, 1), image_size=(3, 2))
    assert rig.left != rig.right


@pytest.mark.parametrize("value", [-3.0, -0.001, 255.999, 256.0])
def test_a_png_that_would_lose_something_is_refused(found, tmp_path, value):
    found = DisparityMap(np.full((2, 3), value, np.float32), found.confidence, found.image, "x")
    with pytest.raises(InputError, match=r"use \.pfm or \.npy"):
        found.save(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(found, tmp_path):
    with pytest.raises(InputError, match=r"use \.pfm, \.npy, \.png"):
        found.save(tmp_path / "a.tif")


def test_the_cloud_leaves_out_what_is_not_sure_enough(found):
    rig = Calibration.rectified(focal_px=500, baseline_mm=60, center_px=(1, 1), image_size=(3, 2))
    assert len(found.to_cloud(rig)) == 4
    assert len(found.to_cloud(rig, min_confidence=0.5)) == 3


def test_the_picture_has_the_size_of_the_map(found):
    assert found.draw().shape == (2, 3, 3)
