"""Images: the right numbers from hand-made files, all that a file holds kept, limits before decoding, nothing lost."""

from __future__ import annotations

import dataclasses
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from salticid.core.image import (
    Picture,
    check_writable,
    open_picture,
    read_gray,
    read_image,
    resize,
    to_uint8,
    write_image,
)
from salticid.core.image_encode import holds_exif
from salticid.core.image_header import Format
from salticid.errors import InputError

GRAY, RGB, INDEXED, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
PEAK_BYTES = 1_000_000_000


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(size: tuple[int, int], bits: int, color: int, rows: list[bytes], *extra: bytes) -> bytes:
    """Make a PNG by hand; `rows` are the bytes of the unfiltered rows."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, color, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + chunk(b"IEND", b"")


PALETTE = chunk(b"PLTE", bytes([1, 2, 3, 4, 5, 6, 7, 8, 9]))


@pytest.mark.parametrize(
    ("data", "pixels", "alpha"),
    [
        (png((9, 1), 1, GRAY, [b"\xb0\x80"]), [[255, 0, 255, 255, 0, 0, 0, 0, 255]], None),
        (png((4, 1), 2, GRAY, [b"\x1b"]), [[0, 85, 170, 255]], None),
        (png((4, 1), 4, GRAY, [b"\x01\x9f"]), [[0, 17, 153, 255]], None),
        (png((2, 2), 8, GRAY, [b"\x00\x01", b"\xc8\xff"]), [[0, 1], [200, 255]], None),
        (png((2, 1), 8, RGB, [bytes([1, 2, 3, 4, 5, 6])]), [[[1, 2, 3], [4, 5, 6]]], None),
        (png((2, 1), 8, GRAY_ALPHA, [bytes([1, 2, 3, 4])]), [[1, 3]], [[2, 4]]),
        (png((2, 1), 8, RGB_ALPHA, [bytes([1, 2, 3, 4, 5, 6, 7, 0])]), [[[1, 2, 3], [5, 6, 7]]], [[4, 0]]),
        (png((3, 1), 8, INDEXED, [bytes([0, 2, 1])], PALETTE), [[[1, 2, 3], [7, 8, 9], [4, 5, 6]]], None),
        (png((3, 1), 2, INDEXED, [b"\x24"], PALETTE), [[[1, 2, 3], [7, 8, 9], [4, 5, 6]]], None),
        (
            png((2, 1), 8, INDEXED, [bytes([0, 1])], PALETTE, chunk(b"tRNS", b"\x09")),
            [[[1, 2, 3], [4, 5, 6]]],
            [[9, 255]],
        ),
        (png((3, 1), 8, GRAY, [bytes([0, 2, 1])], chunk(b"tRNS", b"\0\x02")), [[0, 2, 1]], [[255, 0, 255]]),
        (png((4, 1), 2, GRAY, [b"\x1b"], chunk(b"tRNS", b"\0\x01")), [[0, 85, 170, 255]], [[255, 0, 255, 255]]),
        (
            png((2, 1), 8, RGB, [bytes([1, 2, 3, 1, 2, 4])], chunk(b"tRNS", bytes([0, 1, 0, 2, 0, 3]))),
            [[[1, 2, 3], [1, 2, 4]]],
            [[0, 255]],
        ),
    ],
)
def test_pngs_of_eight_bits_and_fewer_give_the_numbers_that_were_stored(data, pixels, alpha):
    picture = open_picture(data)
    assert picture.format == "PNG"
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels, pixels)
    np.testing.assert_array_equal(picture.alpha, alpha) if alpha else None
    assert (picture.alpha is None) == (alpha is None)


@pytest.mark.parametrize(
    ("data", "pixels", "alpha"),
    [
        (png((2, 1), 16, GRAY, [bytes([1, 2, 3, 4])]), [[258, 772]], None),
        (png((1, 1), 16, RGB, [bytes([1, 2, 3, 4, 5, 6])]), [[[258, 772, 1286]]], None),
        (png((1, 1), 16, GRAY_ALPHA, [bytes([1, 2, 3, 4])]), [[258]], [[772]]),
        (png((1, 1), 16, RGB_ALPHA, [bytes([1, 2, 3, 4, 5, 6, 7, 8])]), [[[258, 772, 1286]]], [[1800]]),
        (png((2, 1), 16, GRAY, [bytes([0, 2, 2, 0])], chunk(b"tRNS", b"\x02\0")), [[2, 512]], [[65535, 0]]),
    ],
)
def test_pngs_of_sixteen_bits_stay_sixteen(data, pixels, alpha):
    picture = open_picture(data)
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, pixels)
    np.testing.assert_array_equal(picture.alpha, alpha) if alpha else None
    assert (picture.alpha is None) == (alpha is None)


def test_read_image_gives_rgb_of_any_png():
    assert read_image(png((1, 1), 8, GRAY, [b"\x07"])).tolist() == [[[7, 7, 7]]]
    assert read_image(png((1, 1), 16, RGB, [bytes([0, 127, 255, 255, 0, 129])])).tolist() == [[[0, 255, 1]]]
    assert read_image(png((1, 1), 8, RGB_ALPHA, [bytes([1, 2, 3, 0])])).tolist() == [[[1, 2, 3]]]


def test_read_gray_weights_colors_as_bt_601():
    found = read_gray(png((3, 1), 8, RGB, [bytes([255, 0, 0, 0, 255, 0, 0, 0, 255])]))
    np.testing.assert_array_equal(found, [[76, 150, 29]])
    np.testing.assert_array_equal(read_gray(png((1, 1), 8, GRAY, [b"\x07"])), [[7]])


def test_sixteen_bits_are_rounded_to_the_nearest_of_eight():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(to_uint8(values), np.rint(values / 257).astype(np.uint8))


# Round trips: what was written is what is read.

PIXELS = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda kind: st.sampled_from([(), (3,)]).flatmap(
        lambda channels: arrays.array_shapes(min_dims=2, max_dims=2, max_side=7).flatmap(
            lambda size: arrays.arrays(kind, size + channels)
        )
    )
)


@given(PIXELS, st.sampled_from([".png", ".tif", ".pnm"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_lossless_formats_give_back_every_bit(tmp_path_factory, pixels, suffix, clear):
    path = tmp_path_factory.mktemp("image") / f"a{suffix}"
    alpha = pixels.reshape(*pixels.shape[:2], -1)[..., 0] if clear and suffix != ".pnm" else None
    if suffix == ".png" and alpha is not None and pixels.ndim == 2:
        pixels = np.dstack([pixels] * 3)  # gray with alpha is stored as color
    write_image(path, Picture(pixels, alpha))
    found = open_picture(path)
    assert found.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(found.pixels, pixels)
    assert (found.alpha is None) == (alpha is None)
    np.testing.assert_array_equal(found.alpha, alpha) if alpha is not None else None


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))))
@settings(max_examples=30, deadline=None)
def test_webp_is_lossless_even_where_nothing_shows(tmp_path_factory, samples):
    path = tmp_path_factory.mktemp("image") / "a.webp"
    write_image(path, Picture(np.ascontiguousarray(samples[..., :3]), np.ascontiguousarray(samples[..., 3])))
    found = open_picture(path)
    np.testing.assert_array_equal(found.pixels, samples[..., :3])
    cover = np.full(samples.shape[:2], 255) if found.alpha is None else found.alpha  # an encoder drops full cover
    np.testing.assert_array_equal(cover, samples[..., 3])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_color_profile_travels_with_the_picture(tmp_path, suffix):
    profile = bytes(range(256)) * 600  # more than one JPEG segment
    write_image(tmp_path / f"a{suffix}", Picture(np.full((20, 30, 3), 90, np.uint8), icc=profile))
    found = open_picture(tmp_path / f"a{suffix}")
    assert found.icc == profile
    assert np.abs(found.pixels.astype(int) - 90).max() <= 1


EXIF = b"MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\x01\x0f\0\x02\0\0\0\x04Eye\0\0\0\0\0"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_exif_travels_with_the_picture(tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", Picture(np.zeros((4, 6, 3), np.uint8), exif=EXIF, icc=b"profile"))
    found = open_picture(tmp_path / f"a{suffix}")
    assert (found.exif, found.icc) == (EXIF, b"profile")


TURNED = {
    1: [[1, 2], [3, 4], [5, 6]],
    2: [[2, 1], [4, 3], [6, 5]],
    3: [[6, 5], [4, 3], [2, 1]],
    4: [[5, 6], [3, 4], [1, 2]],
    5: [[1, 3, 5], [2, 4, 6]],
    6: [[5, 3, 1], [6, 4, 2]],
    7: [[6, 4, 2], [5, 3, 1]],
    8: [[2, 4, 6], [1, 3, 5]],
}


def oriented(orientation: int, order: str) -> bytes:
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", TURNED)
def test_all_eight_orientations_are_applied_once_and_reset(orientation, order):
    exif = chunk(b"eXIf", oriented(orientation, order))
    picture = open_picture(png((2, 3), 8, GRAY_ALPHA, [bytes([1, 1, 2, 2]), b"\3\3\4\4", b"\5\5\6\6"], exif))
    np.testing.assert_array_equal(picture.pixels, TURNED[orientation])
    np.testing.assert_array_equal(picture.alpha, TURNED[orientation])
    assert picture.exif == oriented(1, order)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize("orientation", TURNED)
def test_orientation_is_applied_in_every_container(tmp_path, suffix, orientation):
    corners = np.array(TURNED[1], np.uint8).repeat(16, 0).repeat(16, 1) * 40
    upright = np.array(TURNED[orientation], np.uint8).repeat(16, 0).repeat(16, 1) * 40
    write_image(tmp_path / f"a{suffix}", Picture(np.dstack([corners] * 3), exif=oriented(orientation, "<")))
    assert np.abs(read_gray(tmp_path / f"a{suffix}").astype(int) - upright).max() <= 3
    assert np.abs(read_image(tmp_path / f"a{suffix}")[..., 1].astype(int) - upright).max() <= 3


@pytest.mark.parametrize("exif", [b"", b"MM", b"MM\0*\xff\xff\xff\xff", b"junk that is no EXIF", oriented(9, "<")])
def test_exif_that_makes_no_sense_does_not_turn_the_picture(exif):
    assert open_picture(png((2, 1), 8, GRAY, [b"\1\2"], chunk(b"eXIf", exif))).pixels.tolist() == [[1, 2]]


# Writing: in one step, and never less than was given.

DEEP, COLOR = np.zeros((2, 2), np.uint16), np.zeros((2, 2, 3), np.uint8)


@pytest.mark.parametrize(
    ("name", "picture", "says"),
    [
        ("a.jpg", Picture(DEEP), r"JPEG holds 8 bits, not 16: write PNG or TIFF"),
        ("a.webp", Picture(DEEP), "WebP holds 8 bits"),
        ("a.bmp", Picture(DEEP), "BMP holds 8 bits"),
        ("a.jpg", Picture(COLOR, alpha=COLOR[..., 0]), "no transparency: write PNG or TIFF or WebP"),
        ("a.ppm", Picture(COLOR, alpha=COLOR[..., 0]), "ppm is not for 4 channels"),
        ("a.pnm", Picture(COLOR, alpha=COLOR[..., 0]), "no transparency"),
        ("a.bmp", Picture(COLOR, icc=b"x"), "no color profile"),
        ("a.tif", Picture(COLOR, exif=EXIF), "no EXIF: write PNG or WebP or JPEG"),
        ("a.jpg", Picture(COLOR, exif=EXIF + bytes(70_000)), "65,527 bytes of EXIF"),
        ("a.jpg", Picture(COLOR, icc=bytes(20_000_000)), "of color profile"),
        ("a.webp", Picture(np.zeros((1, 16384), np.uint8)), "at most 16383 pixels"),
        ("a.jpg", Picture(np.zeros((65501, 1), np.uint8)), "at most 65500 pixels"),
        ("a.gif", Picture(COLOR), "does not write GIF"),
        ("a.pgm", Picture(COLOR), "use .pgm for gray, .ppm for RGB"),
        ("a.ppm", Picture(COLOR[..., 0]), "use .pgm for gray, .ppm for RGB"),
        ("a.xyz", Picture(COLOR), "names no image format"),
        ("a", Picture(COLOR), "no suffix"),
        ("a.png", Picture(np.zeros((2, 2))), "must be uint8 or uint16, not float64"),
        ("a.png", Picture(np.zeros((2, 2, 4), np.uint8)), "alpha goes into Picture.alpha"),
        ("a.png", Picture(np.zeros((0, 2), np.uint8)), r"not \(0, 2\)"),
        ("a.png", Picture(COLOR, alpha=DEEP), "does not go with pixels"),
    ],
)
def test_what_a_format_cannot_hold_is_an_error_with_a_way_out(tmp_path, name, picture, says):
    with pytest.raises(InputError, match=says):
        write_image(tmp_path / name, picture)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [
        ("a.webp", (1, 16384), "cannot write a.webp: WebP holds at most 16383 pixels a side, not 16384: write PNG"),
        ("a.webp", (16384, 1), "WebP holds at most 16383 pixels a side, not 16384: write PNG"),
        ("a.jpg", (65501, 1), "JPEG holds at most 65500 pixels a side, not 65501: write PNG"),
        ("a.bmp", (9, 40_000), "BMP holds at most 32767 pixels a side, not 40000: write PNG"),
    ],
)
def test_a_result_too_large_for_its_format_is_refused_before_it_is_made(name, size, says):
    check_writable(name, COLOR)
    check_writable(name, COLOR, (16383, 2))
    with pytest.raises(InputError, match=says):
        check_writable(name, COLOR, size)


def test_exif_goes_into_png_jpeg_and_webp_alone():
    assert {kind for kind in get_args(Format) if holds_exif(kind)} == {"PNG", "JPEG", "WebP"}


@pytest.mark.parametrize("keywords", [{"png_level": 10}, {"png_level": -1}, {"jpeg_quality": 0}, {"jpeg_quality": 101}])
def test_levels_and_qualities_out_of_range_are_refused(tmp_path, keywords):
    with pytest.raises(InputError, match="png_level must be"):
        write_image(tmp_path / "a.png", COLOR, **keywords)


def test_an_existing_image_is_kept_when_overwriting_is_off(tmp_path):
    write_image(tmp_path / "a.png", COLOR)
    with pytest.raises(InputError, match="exists"):
        write_image(tmp_path / "a.png", COLOR + 1, overwrite=False)
    assert not read_image(tmp_path / "a.png").any()


def test_quality_and_level_do_what_they_say(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    sizes = []
    for name, keywords in (("a.jpg", {"jpeg_quality": 30}), ("a.jpg", {}), ("a.png", {"png_level": 0})):
        write_image(tmp_path / name, noise, **keywords)
        sizes.append((tmp_path / name).stat().st_size)
    assert sizes == sorted(sizes)


def test_views_are_written_as_they_look_and_left_alone(tmp_path):
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    view = pixels[::-1, ::2]
    for suffix in (".png", ".tif", ".webp", ".bmp", ".ppm"):
        write_image(tmp_path / f"a{suffix}", view)
        np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), view)
    np.testing.assert_array_equal(pixels.ravel(), np.arange(60))


# Reading: wrong names and wrong things.


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.jpg", png((1, 1), 8, GRAY, [b"\0"]), r"a\.jpg holds a PNG image.*rename it to a\.png"),
        ("a.png", b"%PDF-1.7 ....", "it looks like a PDF document"),
        ("a.png", b"<html><body>not found", "it looks like an HTML page"),
        ("a.png", b"\0\0\0\x20ftypisom", "it looks like an MP4 video"),
        ("a.png", b"\0\0\0\x20ftypavif", "it looks like an AVIF image"),
        ("a.png", b"version https://git-lfs.github.com/spec/v1\n", "run 'git lfs pull'"),
        ("a.png", b"hello", "it looks like text; give PNG, JPEG"),
        ("a.png", b"", "is empty"),
    ],
)
def test_a_file_that_is_something_else_says_what_it_looks_like(tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=says):
        read_image(tmp_path / name)


def test_a_file_without_a_known_suffix_is_read_by_its_content(tmp_path):
    (tmp_path / "upload").write_bytes(png((1, 1), 8, GRAY, [b"\x07"]))
    assert read_gray(tmp_path / "upload").tolist() == [[7]]


@pytest.mark.parametrize("read", [read_image, read_gray, open_picture])
def test_more_pixels_than_allowed_are_refused_by_the_header(read):
    with pytest.raises(InputError, match=r"declares 3 x 2 pixels, more than max_pixels=5"):
        read(png((3, 2), 8, GRAY, [b"\0\0\0"] * 2), max_pixels=5)
    assert read(png((3, 2), 8, GRAY, [b"\0\0\0"] * 2), max_pixels=6) is not None


def test_a_picture_that_needs_too_much_memory_is_refused_before_it_is_decoded():
    size = (7200, 7200)  # fewer pixels than allowed, but 16 bytes each while they are decoded
    with pytest.raises(InputError, match="MB to decode, more than the 800 MB of max_pixels"):
        open_picture(png(size, 16, RGB_ALPHA, [b"\0" * 57600]))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory of a process is read in /proc")
@pytest.mark.parametrize(
    ("size", "bits", "color"), [((32000, 32000), 1, GRAY), ((9900, 9900), 8, RGB), ((7000, 7000), 16, RGB_ALPHA)]
)
def test_reading_a_huge_png_stays_below_a_gigabyte(tmp_path, size, bits, color):
    bytes_per_row = (size[0] * bits * {GRAY: 1, RGB: 3, RGB_ALPHA: 4}[color] + 7) // 8
    packer = zlib.compressobj(1)
    row = b"\0" + bytes(bytes_per_row)
    pixels = b"".join(packer.compress(row) for _ in range(size[1])) + packer.flush()
    head = png(size, bits, color, [], chunk(b"eXIf", oriented(6, "<")))
    (tmp_path / "huge.png").write_bytes(head.replace(chunk(b"IDAT", zlib.compress(b"")), chunk(b"IDAT", pixels)))
    script = (
        "import sys; from salticid.core.image import read_image; from salticid.errors import InputError\n"
        "try: read_image(sys.argv[1])\n"
        "except InputError as error: print(error)\n"
        "else: print('read')\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "huge.png")], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[0] == "read" or "max_pixels" in said[0]
    assert int(said[1]) * 1024 < PEAK_BYTES


# Resizing.


def test_shrinking_averages_areas():
    checkers = (np.indices((64, 64)).sum(0) % 2 * 200).astype(np.uint8)
    assert (resize(checkers, 32, 32) == 100).all()
    assert (resize(checkers, 8, 64) == 100).all()


def test_growing_is_cubic_a_ramp_stays_nearly_straight_and_an_edge_overshoots():
    ramp = np.tile(np.arange(0, 200, 10, dtype=np.float32), (4, 1))
    expected = (np.arange(40) + 0.5) / 2 - 0.5
    np.testing.assert_allclose(resize(ramp, 40, 8)[3, 6:-6], expected[6:-6] * 10, atol=0.5)
    edge = np.repeat(np.array([[0, 100]], np.float32), 4, axis=1)
    assert resize(edge, 16, 2).max() > 105
    assert resize(edge, 16, 2).min() < -5


def test_shrinking_one_side_while_the_other_grows_averages_too():
    stripes = np.tile(np.array([0, 200], np.uint8), (4, 32))
    assert (resize(stripes, 32, 16) == 100).all()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_resizing_keeps_dtype_and_channels(shape, kind):
    image = np.ones(shape, kind)
    for width, height in ((3, 2), (7, 5), (20, 2), (21, 15)):
        found = resize(image, width, height)
        assert found.shape == (height, width, *shape[2:])
        assert found.dtype == kind
        assert found is not image
        np.testing.assert_allclose(found, 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("image", "size", "says"),
    [
        (np.array([[1, np.nan]], np.float32), (4, 4), "nan or inf"),
        (np.zeros((2, 2)), (4, 4), "float64"),
        (np.zeros((0, 2), np.uint8), (4, 4), r"\(0, 2\)"),
        (np.zeros((2, 2), np.uint8), (0, 4), "at least 1"),
        (np.zeros((2, 2, 2, 2), np.uint8), (4, 4), "can resize"),
    ],
)
def test_what_cannot_be_resized_is_an_input_error(image, size, says):
    with pytest.raises(InputError, match=says):
        resize(image, *size)


def test_a_picture_is_replaced_field_by_field_not_changed(tmp_path):
    picture = Picture(COLOR, icc=b"profile", format="PNG")
    with pytest.raises(dataclasses.FrozenInstanceError):
        picture.icc = None
    write_image(tmp_path / "a.bmp", dataclasses.replace(picture, icc=None))
    assert cv2.imread(str(tmp_path / "a.bmp")).shape == (2, 2, 3)
