from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.color import adain_color_fix, rgb_to_y, wavelet_color_fix
from salticid.errors import InputError

FIXES = pytest.mark.parametrize("fix", [wavelet_color_fix, adain_color_fix])


@pytest.fixture(scope="module")
def golden():
    """Return what the reference implementation of SeeSR made of two images, as (H, W, 3) float32."""
    from safetensors.numpy import load_file

    data = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    path = data.parent / "golden" / "seesr" / "colorfix_io.safetensors"
    if not path.is_file():
        pytest.skip(f"there is no golden data at {path}")
    return {name: array[0].transpose(1, 2, 0) for name, array in load_file(path).items()}


def random_image(seed, *, height=40, width=30, low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (height, width, 3)).astype(np.uint8)


def test_the_wavelet_fix_is_that_of_the_reference_implementation(golden):
    fixed = wavelet_color_fix(golden["content"], golden["style"])
    np.testing.assert_allclose(fixed, golden["wavelet"], atol=1e-6)


def test_the_adain_fix_is_that_of_the_reference_implementation(golden):
    fixed = adain_color_fix(golden["content"], golden["style"])
    np.testing.assert_allclose(fixed, golden["adain"], atol=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_adain_gives_the_reference_s_mean_and_spread_to_each_channel(seed, other):
    image, reference = random_image(seed) / 255.0, random_image(other, high=99) / 255.0
    fixed = adain_color_fix(image, reference)
    np.testing.assert_allclose(fixed.mean((0, 1)), reference.mean((0, 1)), atol=1e-5)
    np.testing.assert_allclose(fixed.std((0, 1)), reference.std((0, 1)), rtol=1e-3)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.tuples(*[st.integers(0, 255)] * 3))
def test_the_wavelet_fix_takes_a_flat_color_over_exactly(seed, color):
    image = random_image(seed) / np.float32(255)
    np.testing.assert_allclose(wavelet_color_fix(image, image), image, atol=1e-6)
    np.testing.assert_allclose(wavelet_color_fix(image + np.float32(color) / 255, image), image, atol=1e-5)


def test_the_wavelet_fix_keeps_detail_and_drops_a_slow_drift():
    rows, columns = np.mgrid[0:256, 0:256].astype(np.float32)
    detail = 0.1 * np.sin(columns * np.pi / 2)[..., None] * np.ones(3, np.float32)
    drift = 0.2 * np.cos(rows * np.pi / 255)[..., None] * np.float32([1, -1, 0])
    gray = np.full((256, 256, 3), 0.5, np.float32)
    fixed = wavelet_color_fix(gray + detail + drift, gray)
    np.testing.assert_allclose(fixed[40:-40, 40:-40], (gray + detail)[40:-40, 40:-40], atol=0.03)


@FIXES
def test_bytes_are_the_floats_rounded_and_clipped(fix):
    image, reference = random_image(1), random_image(2, high=80)
    exact = fix((image / 255).astype(np.float32), (reference / 255).astype(np.float32))
    fixed = fix(image, reference)
    assert fixed.dtype == np.uint8
    np.testing.assert_allclose(fixed, np.clip(255 * exact, 0, 255), atol=0.51)
    assert exact.min() < 0, "the image must leave the range, or nothing is clipped"


@FIXES
def test_the_callers_arrays_stay_as_they_are(fix):
    image, reference = random_image(1) / 255.0, random_image(2) / 255.0
    before = image.copy(), reference.copy()
    fix(image, reference)
    np.testing.assert_array_equal((image, reference), before)


@FIXES
def test_an_image_without_contrast_stays_finite(fix):
    flat = np.full((8, 8, 3), 77, np.uint8)
    np.testing.assert_array_equal(fix(flat, flat), flat)
    assert np.isfinite(fix(flat / 255, random_image(0, height=8, width=8) / 255)).all()


@FIXES
@pytest.mark.parametrize(
    ("image", "reference"),
    [
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3))),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 4), np.uint8)),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)),
        (np.zeros((4, 4, 3), np.int32), np.zeros((4, 4, 3), np.int32)),
        (np.zeros((0, 4, 3), np.uint8), np.zeros((0, 4, 3), np.uint8)),
    ],
)
def test_images_that_do_not_go_together_are_an_input_error(fix, image, reference):
    with pytest.raises(InputError):
        fix(image, reference)


def test_the_reference_may_have_another_size_for_adain_and_not_for_wavelets():
    small = random_image(0, height=10)
    assert adain_color_fix(random_image(1), small).shape == (40, 30, 3)
    with pytest.raises(InputError, match="resize the reference"):
        wavelet_color_fix(random_image(1), small)
    with pytest.raises(InputError):
        adain_color_fix(random_image(1), small[:1, :1])


def test_luma_runs_from_16_to_235_with_the_weights_of_bt_601():
    colors = np.uint8([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    np.testing.assert_allclose(rgb_to_y(colors)[0], [16, 235, 81.481, 144.553, 40.966], atol=1e-9)


def test_luma_of_a_gray_image_is_the_image():
    gray = random_image(0)[..., 0]
    np.testing.assert_array_equal(rgb_to_y(gray), gray)
    with pytest.raises(InputError):
        rgb_to_y(np.zeros((2, 2, 4)))
