"""A PNG written strip by strip is the picture, has the same bytes for any strips, and is whole or not there."""

from __future__ import annotations

import resource
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image import open_picture
from salticid.core.png_stream import PngWriter
from salticid.errors import InputError, ResourceError

SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda size: st.sampled_from([size, *((*size, channels) for channels in (1, 2, 3, 4))])
)
DTYPES = st.sampled_from([np.uint8, np.uint16])
STRIPS = st.lists(st.integers(0, 30), min_size=1, max_size=5)
# EXIF of an upright picture, as a TIFF structure.
EXIF = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 274, 3, 1, 1, 0, 0)


def noise(shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def smooth(height, width, dtype=np.uint8):
    """Return a picture of many different bytes that can be compressed."""
    y, x = np.mgrid[:height, :width]
    ramps = np.dstack([x + y, 2 * x - y, x + 3 * y]) * (np.iinfo(dtype).max / (3 * max(height, width)))
    return np.clip(ramps, 0, np.iinfo(dtype).max).astype(dtype)


def write(path, image, heights=(), **options):
    """Write an image in strips of these heights, and what is left at the end."""
    with PngWriter(path, image.shape, image.dtype, **options) as png:
        top = 0
        for step in heights:
            png.write(image[top : top + step])
            top += step
        png.write(image[top:])


def chunks(data):
    """Return the (kind, content) of a PNG, whose checksums must hold."""
    position, found = 8, []
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        found.append((kind, content))
        position += 12 + length
    return found


def as_opencv(image):
    """Return an image as OpenCV reads it: BGR, and gray with alpha as BGRA."""
    channels = image.shape[2] if image.ndim == 3 else 1
    order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    turned = image.reshape(*image.shape[:2], channels)[..., order]
    return turned[..., 0] if channels == 1 else turned


def assert_is_picture(path, image):
    found = open_picture(path)
    channels = image.shape[2] if image.ndim == 3 else 1
    colors = image.reshape(*image.shape[:2], channels)
    expected = colors[..., :3] if channels > 2 else colors[..., 0]
    assert (found.format, found.pixels.dtype) == ("PNG", image.dtype)
    np.testing.assert_array_equal(found.pixels, expected)
    assert (found.alpha is not None) == (channels in (2, 4))
    if found.alpha is not None:
        np.testing.assert_array_equal(found.alpha, colors[..., -1])
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), as_opencv(image))


@given(SHAPES, DTYPES, STRIPS, st.integers(0, 9), st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_what_was_written_is_what_is_read(tmp_path_factory, shape, dtype, heights, level, threads):
    path, image = tmp_path_factory.mktemp("png") / "a.png", noise(shape, dtype)
    write(path, image, heights, level=level, threads=threads)
    assert_is_picture(path, image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_of_many_blocks_is_read_back(tmp_path, dtype):
    image = smooth(1500, 1100, dtype)
    write(tmp_path / "a.png", image, [1, 700, 33], threads=2)
    assert_is_picture(tmp_path / "a.png", image)


def test_a_row_longer_than_a_block_is_read_back(tmp_path):
    image = noise((3, 200_000, 4), np.uint16)
    write(tmp_path / "a.png", image, [1])
    assert_is_picture(tmp_path / "a.png", image)


def test_neither_strips_nor_threads_change_a_byte_of_the_file(tmp_path):
    image = smooth(1200, 1000)
    write(tmp_path / "whole.png", image)
    for number, (heights, threads) in enumerate([([1] * 50, 1), ([349, 350, 351], 2), ([0, 999], 4)]):
        path = tmp_path / f"{number}.png"
        write(path, image, heights, threads=threads)
        assert path.read_bytes() == (tmp_path / "whole.png").read_bytes()


def test_pixels_lie_in_chunks_of_bounded_size_that_make_one_zlib_stream(tmp_path):
    image = noise((1000, 1200, 3))
    write(tmp_path / "a.png", image)
    pieces = [content for kind, content in chunks((tmp_path / "a.png").read_bytes()) if kind == b"IDAT"]
    assert max(map(len, pieces)) < 1_100_000
    inflater = zlib.decompressobj()
    rows = inflater.decompress(b"".join(pieces))
    assert inflater.eof  # so the sum over all bytes is right
    assert inflater.unused_data == b""
    assert len(rows) == 1000 * (1 + 3600)


def test_profile_and_exif_stand_before_the_pixels_and_are_read_back(tmp_path):
    profile = bytes(range(256)) * 20
    write(tmp_path / "a.png", noise((4, 5, 3)), icc=profile, exif=EXIF)
    found = open_picture(tmp_path / "a.png")
    assert (found.icc, found.exif) == (profile, EXIF)
    kinds = [kind for kind, _ in chunks((tmp_path / "a.png").read_bytes())]
    assert kinds == [b"IHDR", b"iCCP", b"eXIf", b"IDAT", b"IDAT", b"IDAT", b"IEND"]


def test_a_higher_level_makes_a_smaller_file(tmp_path):
    image = cv2.GaussianBlur(noise((300, 400, 3)), (0, 0), 3)
    sizes = []
    for level in (0, 1, 9):
        write(tmp_path / f"{level}.png", image, level=level)
        sizes.append((tmp_path / f"{level}.png").stat().st_size)
    assert sizes[0] > image.nbytes > sizes[1] > sizes[2]


def test_memory_does_not_grow_with_the_picture(tmp_path):
    strip = smooth(20, 2000)
    tracemalloc.start()
    with PngWriter(tmp_path / "a.png", (1600, 2000, 3)) as png:
        for _ in range(80):
            png.write(strip)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 7_000_000  # the picture has 9,600,000


def wrong_rows(png, image):
    png.write(image[:5])
    png.write(image)


def wrong_width(png, image):
    png.write(image[:, :-1])


def wrong_depth(png, image):
    png.write(image[..., 0])


def wrong_dtype(png, image):
    png.write(image.astype(np.uint16))


def too_few(png, image):
    png.write(image[:-1])


def a_failure_elsewhere(png, image):
    png.write(image)
    raise InputError("the next step failed")


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (wrong_rows, "5 of the 10 rows of .* are left, so a strip cannot have 10"),
        (wrong_width, r"must be \(rows, 8, 3\) uint8, not \(10, 7, 3\) uint8"),
        (wrong_depth, r"must be \(rows, 8, 3\) uint8, not \(10, 8\) uint8"),
        (wrong_dtype, r"must be \(rows, 8, 3\) uint8, not \(10, 8, 3\) uint16"),
        (too_few, "9 of 10 rows were written"),
        (a_failure_elsewhere, "the next step failed"),
    ],
)
def test_after_an_error_the_old_file_is_there_and_nothing_beside_it(tmp_path, use, message):
    path = tmp_path / "a.png"
    path.write_text("old")
    with pytest.raises(InputError, match=message), PngWriter(path, (10, 8, 3)) as png:
        use(png, noise((10, 8, 3)))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("a.jpg", (2, 2), {}, "must end in .png"),
        ("a.png", (2, 2, 5), {}, r"\(H, W, 1..4\)"),
        ("a.png", (0, 2), {}, "with pixels"),
        ("a.png", (2,), {}, r"\(H, W\)"),
        ("a.png", (2, 1_000_001), {}, "at most 1000000 pixels a side"),
        ("a.png", (2, 2), {"dtype": np.float32}, "uint8 or uint16, not float32"),
        ("a.png", (2, 2), {"dtype": ">u2"}, "uint8 or uint16, not >u2"),
        ("a.png", (2, 2), {"level": 10}, "level must be 0..9"),
        ("a.png", (2, 2), {"threads": 0}, "threads at least 1"),
        ("no/a.png", (2, 2), {}, "does not exist"),
        ("there.png", (2, 2), {"overwrite": False}, "say --overwrite"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_row_is_made(tmp_path, name, shape, options, message):
    (tmp_path / "there.png").write_text("x")
    with pytest.raises(InputError, match=message):
        PngWriter(tmp_path / name, shape, **options)


def test_rows_are_taken_inside_the_with_block_alone(tmp_path):
    png = PngWriter(tmp_path / "a.png", (2, 2))
    with pytest.raises(InputError, match="inside its 'with' block"):
        png.write(noise((2, 2)))


@pytest.mark.parametrize("image", [noise((20, 20)), noise((900, 900, 3))])
def test_a_full_disk_is_a_resource_error_and_leaves_nothing(tmp_path, image):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (image.nbytes // 2, limits[1]))
    try:
        with pytest.raises(ResourceError, match="the disk is full"):
            write(tmp_path / "a.png", image, [10])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_the_caller_s_strip_may_change_after_it_was_written(tmp_path):
    image = smooth(700, 900)
    with PngWriter(tmp_path / "a.png", image.shape, threads=2) as png:
        strip = np.empty_like(image[:100])
        for top in range(0, 700, 100):
            strip[:] = image[top : top + 100]
            png.write(strip)
            strip[:] = 0
    assert_is_picture(tmp_path / "a.png", image)
