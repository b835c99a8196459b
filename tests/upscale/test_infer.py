from __future__ import annotations

from dataclasses import asdict

import cv2
import numpy as np
import pytest
from enlarging_net import write_networks
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image import Picture, open_picture
from salticid.core.resample import bicubic_uint8
from salticid.errors import InputError, ResourceError
from salticid.upscale.infer import Upscaler


def picture(height, width, channels=3, dtype=np.uint8, seed=0):
    """Return an image with edges and gradients."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, np.iinfo(dtype).max, (5, 6, 3), dtype).astype(np.float32)
    image = np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, np.iinfo(dtype).max)
    return image.astype(dtype) if channels == 3 else image[..., 0].astype(dtype)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Both forms of a network that enlarges 4 times."""
    return dict(zip(("fp32", "int8"), write_networks(tmp_path_factory.mktemp("networks")), strict=True))


@pytest.fixture(scope="module", params=["native", "onnxruntime", "fp32"])
def upscaler(request, files):
    """Every way of computing a network."""
    if request.param == "fp32":
        return Upscaler(str(files["fp32"]), precision="fp32", threads=1)
    return Upscaler(str(files["int8"]), engine=request.param, precision="int8", threads=1)


def with_tiles(upscaler, tile):
    return Upscaler(upscaler.model, **{**asdict(upscaler.options), "tile_px": tile})


def test_native_kernel_and_onnxruntime_make_the_same_image(files):
    image = picture(37, 53)
    ours, theirs = (Upscaler(str(files["int8"]), engine=engine)(image).image for engine in ("native", "onnxruntime"))
    np.testing.assert_array_equal(ours, theirs)


@settings(deadline=None, max_examples=12)
@given(height=st.integers(1, 70), width=st.integers(1, 70), tile=st.integers(16, 40))
def test_tiles_of_any_size_make_the_image_of_the_whole_bit_for_bit(upscaler, height, width, tile):
    image = picture(height, width)
    np.testing.assert_array_equal(with_tiles(upscaler, tile)(image).image, with_tiles(upscaler, 128)(image).image)


@pytest.mark.parametrize(("scale", "size"), [(1, (20, 30)), (1.7, (34, 51)), (3, (60, 90)), (4, (80, 120))])
def test_any_scale_gives_the_size_that_it_says(files, scale, size):
    for model in (str(files["int8"]), "bicubic"):
        assert Upscaler(model)(picture(20, 30), scale=scale).image.shape == (*size, 3)


def test_strength_0_is_bicubic(files):
    image = picture(20, 30)
    found = Upscaler(str(files["int8"]), precision="int8", strength=0.0)(image).image
    assert np.abs(found.astype(int) - bicubic_uint8(image, 80, 120)).max() <= 1


def test_strength_counts_where_it_is_given(files):
    image, where = picture(20, 30), np.zeros((20, 30))
    where[:, 15:] = 1
    upscaler = Upscaler(str(files["int8"]), precision="int8")
    mixed, whole = upscaler(image, strength=where).image, upscaler(image).image
    np.testing.assert_array_equal(mixed[:, 60:], whole[:, 60:])
    assert np.abs(mixed[:, :60].astype(int) - bicubic_uint8(image, 80, 120)[:, :60]).max() <= 1


def test_gray_stays_gray_and_16_bits_stay_16(files):
    upscaler = Upscaler(str(files["fp32"]), precision="fp32")
    result = upscaler(picture(20, 30, 1, np.uint16)).image
    assert result.shape == (80, 120)
    assert result.dtype == np.uint16
    color = upscaler(picture(20, 30, 3, np.uint16)).image
    bytes_ = upscaler((picture(20, 30, 3, np.uint16) // 257).astype(np.uint8)).image
    assert np.abs(color / 257 - bytes_).max() < 3


def test_alpha_profile_and_exif_are_kept(files, tmp_path):
    exif = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    given = Picture(picture(20, 30), alpha=picture(20, 30, 1), icc=b"profile of colors", exif=exif)
    result = Upscaler(str(files["int8"]), precision="int8").write(tmp_path / "large.png", given)
    found = open_picture(tmp_path / "large.png")
    assert found.pixels.shape == (80, 120, 3)
    np.testing.assert_array_equal(found.alpha, bicubic_uint8(given.alpha, 80, 120))
    assert (found.icc, found.exif) == (given.icc, given.exif)
    assert result.scale == (4.0, 4.0)


def test_a_file_that_is_written_in_strips_holds_the_image_that_is_returned(files, tmp_path):
    upscaler = Upscaler(str(files["int8"]), precision="int8", tile_px=16)
    image = picture(50, 45)
    upscaler.write(tmp_path / "large.png", image, scale=3)
    np.testing.assert_array_equal(open_picture(tmp_path / "large.png").pixels, upscaler(image, scale=3).image)


def test_a_limit_of_memory_that_the_process_has_passed_already_is_said_once(files):
    upscaler = Upscaler(str(files["int8"]), precision="int8", max_memory_mb=64)
    with pytest.raises(ResourceError, match="before anything is enlarged") as told:
        upscaler(picture(300, 400))
    assert str(told.value).count("max_memory_mb=64") == 1


def test_what_is_planned_is_what_is_written(files, tmp_path):
    upscaler = Upscaler("nano", device="cpu")
    given = Picture(picture(40, 50, 3, np.uint16), alpha=picture(40, 50, 1, np.uint16))
    plain, deep = upscaler.plan_write("a.png", picture(40, 50)), upscaler.plan_write("a.png", given)
    assert (plain.step, deep.step) == ("int8 on cpu", "fp32 on cpu")
    assert upscaler.write(tmp_path / "a.png", given).step == deep.step
    assert upscaler.plan_write("a.tif", given).peak_bytes > deep.peak_bytes
    assert not (tmp_path / "a.tif").exists()


def test_a_side_that_a_format_does_not_hold_is_said_before_the_work(tmp_path):
    with pytest.raises(InputError, match="16383"):
        Upscaler("bicubic").write(tmp_path / "wide.webp", np.zeros((2, 4100, 3), np.uint8))


@pytest.mark.parametrize(
    "alpha", [np.zeros((10, 30), np.uint8), np.zeros((20, 30), np.uint16), np.zeros((20, 30, 1), np.uint8)]
)
def test_alpha_of_another_size_or_type_is_refused(alpha):
    with pytest.raises(InputError, match="alpha must be"):
        Upscaler("bicubic")(Picture(picture(20, 30), alpha=alpha))


@pytest.mark.parametrize(
    ("strength", "said"),
    [
        (np.full((20, 30), 255), "0 to 1, not 255"),
        (np.full((20, 30), np.nan), "0 to 1"),
        (np.ones((20, 29)), "one for each pixel"),
        ([[1.0]], "not a list"),
    ],
)
def test_a_strength_that_is_none_is_refused_with_why(strength, said):
    with pytest.raises(InputError, match=said):
        Upscaler("bicubic")(picture(20, 30), strength=strength)


@pytest.mark.parametrize(
    "image", [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3)), [[1]]]
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InputError, match="an image must be"):
        Upscaler("bicubic")(image)


def test_an_unknown_model_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"choose .*auto, bicubic"):
        Upscaler("huge")
