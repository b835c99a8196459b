"""BMP: palettes, masks and row orders give the stored numbers."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from salticid.core.image import open_picture
from salticid.errors import InputError

PALETTE = bytes([1, 2, 3, 0, 4, 5, 6, 0])  # blue, green, red, unused
BLACK_WHITE = bytes([0, 0, 0, 0, 255, 255, 255, 0])


def bmp(
    size: tuple[int, int],
    bits: int,
    rows: bytes,
    *,
    palette: bytes = b"",
    coding: int = 0,
    masks: tuple[int, ...] = (),
    header: int = 40,
) -> bytes:
    words = struct.pack(f"<{len(masks)}I", *masks)
    info = struct.pack("<IiiHHIIiiII", header, *size, 1, bits, coding, len(rows), 0, 0, 0, 0) + words
    info = info.ljust(header, b"\0")
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + info + palette + rows


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (bmp((1, 2), 24, bytes([1, 2, 3, 0, 4, 5, 6, 0])), [[[6, 5, 4]], [[3, 2, 1]]]),
        (bmp((1, -2), 24, bytes([1, 2, 3, 0, 4, 5, 6, 0])), [[[3, 2, 1]], [[6, 5, 4]]]),
        (bmp((1, 1), 32, bytes([1, 2, 3, 9])), [[[3, 2, 1]]]),
        (bmp((9, 1), 1, b"\xb0\x80\0\0", palette=BLACK_WHITE), [[255, 0, 255, 255, 0, 0, 0, 0, 255]]),
        (bmp((2, 1), 1, b"\x40\0\0\0", palette=PALETTE), [[[3, 2, 1], [6, 5, 4]]]),
        (bmp((4, 1), 4, b"\x01\x10\0\0", palette=BLACK_WHITE), [[0, 255, 255, 0]]),
        (bmp((3, 1), 8, b"\0\1\x4d\0", palette=PALETTE), [[[3, 2, 1], [6, 5, 4], [0, 0, 0]]]),
        (bmp((2, 1), 16, struct.pack("<HH", 0x7FFF, 0x001F)), [[[255, 255, 255], [0, 0, 255]]]),
        (
            bmp((2, 1), 16, struct.pack("<HH", 0xF800, 0x0400), coding=3, masks=(0xF800, 0x7E0, 0x1F)),
            [[[255, 0, 0], [0, 130, 0]]],
        ),
        (
            bmp((1, 1), 32, struct.pack("<I", 0x11223344), coding=3, masks=(0xFF, 0xFF00, 0xFF0000)),
            [[[0x44, 0x33, 0x22]]],
        ),
        (bmp((1, 1), 32, struct.pack("<I", 0x11223344), coding=3, masks=(0, 0, 0)), [[[0, 0, 0]]]),
    ],
)
def test_hand_made_files_give_the_numbers_that_were_stored(data, pixels):
    picture = open_picture(data)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.alpha, picture.format) == (None, "BMP")


def test_a_mask_for_alpha_makes_alpha():
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    picture = open_picture(bmp((1, 1), 32, struct.pack("<I", 0x11223344), coding=3, masks=masks, header=108))
    assert (picture.pixels.tolist(), picture.alpha.tolist()) == ([[[0x22, 0x33, 0x44]]], [[0x11]])


def test_the_short_header_of_os2_is_read():
    head = struct.pack("<IHHHH", 12, 1, 2, 1, 24)
    data = b"BM" + struct.pack("<IHHI", 34, 0, 0, 26) + head + bytes([1, 2, 3, 0, 4, 5, 6, 0])
    assert open_picture(data).pixels.tolist() == [[[6, 5, 4]], [[3, 2, 1]]]


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (4, 8, 3)])
def test_what_opencv_writes_is_read_bit_for_bit(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    found = open_picture(cv2.imencode(".bmp", image)[1].tobytes()).pixels
    np.testing.assert_array_equal(found, image if image.ndim == 2 else image[..., ::-1])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bmp((9, 9), 24, bytes(28 * 9 - 1)), "truncated: 252 bytes"),
        (bmp((4, 1), 8, b"\4\1\0\1", palette=PALETTE, coding=1), "coding 1 is not supported"),
        (bmp((4, 1), 4, b"\4\1\0\1", palette=PALETTE, coding=2), "coding 2 is not supported"),
        (bmp((1, 1), 24, bytes(4), coding=5), "coding 5"),
        (bmp((1, 1), 5, bytes(4)), "5 bits per pixel"),
        (bmp((1, 1), 16, bytes(4), coding=3, masks=(0x5, 0, 0)), "mask 0x5"),
        (bmp((1, 1), 32, bytes(4), coding=3, masks=(0x1FFFF, 0, 0)), "mask 0x1ffff"),
        (bmp((1, 1), 16, bytes(4), coding=3, masks=(0x10000, 0, 0)), "mask 0x10000"),
        (bmp((1, 1), 16, bytes(4), coding=3)[:58], "color masks are missing"),
    ],
)
def test_what_is_not_read_or_damaged_is_an_input_error(data, says):
    with pytest.raises(InputError, match=says):
        open_picture(data)
