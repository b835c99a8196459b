"""A crop from the planes of a video is what a crop of the RGB picture would be."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image_ifd import upright
from salticid.core.video_planes import Planes, rgb_matrix
from salticid.motion.pose.blazepose import Region, crop_matrix
from salticid.motion.pose.crop import Cropper

WIDTH, HEIGHT, SIZE = 120, 80, 64


def smooth_rgb(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 256, (5, 6, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def planes_of(rgb: np.ndarray, orientation: int = 1, share: int = 2) -> Planes:
    """Return planes, color in fewer pixels, whose upright picture is `rgb`."""
    back = {6: 8, 8: 6}.get(orientation, orientation)
    stored = upright(rgb, back).astype(np.float64)
    to_rgb = rgb_matrix(1, full_range=True)
    yuv = (stored - to_rgb[:, 3]) @ np.linalg.inv(to_rgb[:, :3]).T
    y, u, v = (np.clip(np.rint(yuv[..., channel]), 0, 255).astype(np.uint8) for channel in range(3))
    fewer = (stored.shape[1] // share, stored.shape[0] // share)
    u, v = (cv2.resize(plane, fewer, interpolation=cv2.INTER_AREA) for plane in (u, v))
    return Planes(y, u, v, to_rgb, orientation)


def cropped(rgb: np.ndarray, region: Region, border: int) -> np.ndarray:
    """Return the crop of an RGB picture, by OpenCV at once."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(rgb, crop_matrix(region, SIZE), (SIZE, SIZE), flags=flags, borderMode=border)


REGIONS = [
    Region(60, 40, 50, 0.0),
    Region(60, 40, 50, 0.6),
    Region(30, 20, 90, -2.5),
    Region(110, 70, 64, math.pi / 2),
]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_crop_of_planes_is_that_of_the_upright_picture(region, orientation):
    rgb = smooth_rgb()
    look = Cropper(SIZE, low=0, high=255, outside="edge")
    found = look.image(planes_of(rgb, orientation), region).astype(int)
    expected = cropped(rgb, region, cv2.BORDER_REPLICATE)
    assert np.abs(found - expected).mean() < 2.5
    assert np.abs(found - expected).max() < 30  # color has a quarter of the pixels


@pytest.mark.parametrize("share", [1, 2])
def test_color_lies_where_brightness_does(share):
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[20:40, 40:80] = (250, 20, 20)
    found = Cropper(SIZE, low=0, high=255, outside="edge").image(planes_of(rgb, share=share), Region(60, 40, 64, 0.0))
    red = (found[..., 0].astype(int) - found[..., 1]) > 100
    rows, columns = np.nonzero(red)
    assert rows.mean() == pytest.approx(21.5, abs=0.3)
    assert columns.mean() == pytest.approx(31.5, abs=0.3)


@given(
    st.builds(
        Region, x=st.floats(-50, 170), y=st.floats(-50, 130), side=st.floats(2, 400), angle=st.floats(-math.pi, math.pi)
    ),
    st.sampled_from(["edge", "black"]),
)
@settings(deadline=None)
def test_a_crop_of_an_rgb_image_is_that_of_opencv(region, outside):
    rgb = smooth_rgb()
    border = cv2.BORDER_REPLICATE if outside == "edge" else cv2.BORDER_CONSTANT
    found = Cropper(SIZE, low=0, high=255, outside=outside).image(Planes.of_rgb(rgb), region)
    np.testing.assert_allclose(found.astype(int), cropped(rgb, region, border), atol=1)


@pytest.mark.parametrize("full", [False, True])
def test_beside_the_picture_it_is_black_where_that_is_asked_for(full):
    gray = np.full((HEIGHT, WIDTH), 180, np.uint8)
    color = np.full((HEIGHT // 2, WIDTH // 2), 100, np.uint8)
    planes = Planes(gray, color, color, rgb_matrix(1, full), 1)
    tensor = Cropper(SIZE, low=-1, high=1, outside="black")(planes, Region(WIDTH, HEIGHT, 60, 0.0))
    np.testing.assert_array_equal(tensor[0, -20:, -20:], -1)
    assert tensor[0, :20, :20].max() > 0


def test_black_and_white_become_what_was_asked_for():
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:, 60:] = 255
    tensor = Cropper(SIZE, low=-1, high=1, outside="edge")(Planes.of_rgb(rgb), Region(60, 40, 64, 0.0))
    assert tensor.shape == (1, SIZE, SIZE, 3)
    assert tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor[0, :, :30], -1)
    np.testing.assert_array_equal(tensor[0, :, -30:], 1)
    unit = Cropper(SIZE, low=0, high=1, outside="edge")(Planes.of_rgb(rgb), Region(60, 40, 64, 0.0))
    np.testing.assert_allclose(unit, (tensor + 1) / 2, atol=1e-6)
