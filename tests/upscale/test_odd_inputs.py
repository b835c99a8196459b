"""Whatever file comes in: the right image comes out, or an InputError, and never a black or an empty one."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from enlarging_net import write_networks

from salticid.core.image import open_picture, read_image, to_uint8
from salticid.errors import InputError
from salticid.upscale.infer import Upscaler

SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (7, 4), (1, 300), (300, 1), (16, 16), (17, 33), (64, 48)]
SUFFIXES = [".png", ".jpg", ".webp", ".bmp", ".tif", ".ppm"]


@pytest.fixture(scope="module")
def upscalers(tmp_path_factory):
    """Networks for 8 and 16 bits, which hardly change what they enlarge."""
    whole, small = write_networks(tmp_path_factory.mktemp("networks"), layers=1, channels=4)
    return {8: Upscaler(str(small), threads=1), 16: Upscaler(str(whole), precision="fp32", threads=1)}


def pixels(height, width, channels, dtype=np.uint8, seed=0):
    """Return what no file may turn into black: bright, smooth and different everywhere."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.3, 0.9, (3, 3, channels)).astype(np.float32)
    image = cv2.resize(coarse, (width, height)).reshape(height, width, channels)
    return (image * np.iinfo(dtype).max).astype(dtype)


def encoded(suffix, image):
    ok, data = cv2.imencode(suffix, image)
    assert ok
    return data.tobytes()


def good_files():
    for suffix in SUFFIXES:
        for number, size in enumerate(SIZES):
            yield f"color{size}{suffix}", encoded(suffix, pixels(*size, 3, seed=number))
    for number, size in enumerate(SIZES):
        for suffix in (".png", ".tif", ".webp"):
            yield f"alpha{size}{suffix}", encoded(suffix, pixels(*size, 4, seed=number))
        for suffix in (".png", ".jpg", ".bmp", ".tif"):
            yield f"gray{size}{suffix}", encoded(suffix, pixels(*size, 1, seed=number))
        for suffix in (".png", ".tif"):
            for channels in (1, 3):
                image = pixels(*size, channels, np.uint16, seed=number)
                yield f"16 bits, {channels} channels {size}{suffix}", encoded(suffix, image)


def bad_files():
    whole = {suffix: encoded(suffix, pixels(40, 60, 3)) for suffix in SUFFIXES}
    for suffix, data in whole.items():
        for share in (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9):
            yield f"{share} of a file{suffix}", data[: int(share * len(data))]
    rng = np.random.default_rng(0)
    for number in range(40):
        data = bytearray(whole[SUFFIXES[number % len(SUFFIXES)]])
        for place in rng.integers(0, len(data), 6):
            data[place] ^= int(rng.integers(1, 256))
        yield f"changed {number}", bytes(data)
    for width, height in ((40_000, 40_000), (2**31 - 1, 1), (0, 5), (5, 0)):
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        body = b"IHDR" + header
        start = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
        yield f"header of {width} x {height}", b"\x89PNG\r\n\x1a\n" + start + b"\0\0\0\0IEND\xaeB\x60\x82"
    yield "no image", b"GIF89a, or so it says"
    yield "text", b"hello"


def checked(path, upscalers, target):
    """Enlarge a file; where that is possible, check that the image is the one that went in."""
    picture = open_picture(path)
    upscalers[picture.pixels.dtype.itemsize * 8].write(target, path)
    large, small = open_picture(target), to_uint8(picture.pixels).astype(float)
    assert large.pixels.shape[:2] == (4 * small.shape[0], 4 * small.shape[1])
    assert (large.pixels.ndim, large.pixels.dtype) == (picture.pixels.ndim, picture.pixels.dtype)
    assert (large.alpha is None) == (picture.alpha is None)
    back = to_uint8(large.pixels).astype(float).reshape(small.shape[0], 4, small.shape[1], 4, -1).mean(axis=(1, 3))
    assert np.abs(back.reshape(small.shape) - small).mean() < 30


def test_good_files_of_all_kinds_become_large_images(upscalers, tmp_path):
    files = list(good_files())
    assert len(files) >= 150
    for number, (name, data) in enumerate(files):
        path = tmp_path / f"{number}{name[name.rindex('.') :]}"
        path.write_bytes(data)
        try:
            checked(path, upscalers, tmp_path / f"large{number}.png")
        except (AssertionError, InputError) as problem:
            raise AssertionError(f"{name}: {problem}") from problem


def test_bad_files_are_refused_or_what_can_be_read_of_them_is_enlarged(upscalers, tmp_path):
    refused = 0
    for number, (name, data) in enumerate(bad_files()):
        path, target = tmp_path / f"{number}.bin", tmp_path / f"large{number}.png"
        path.write_bytes(data)
        try:
            read_image(path)
        except InputError:
            refused += 1
            with pytest.raises(InputError):
                upscalers[8].write(target, path)
            assert not target.exists(), name
        else:  # a few changed bytes can make another valid image
            checked(path, upscalers, target)
    assert refused > 50
