"""Headers: the declared size of every format, and an InputError for whatever is no header."""

from __future__ import annotations

import contextlib
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image_header import SUFFIXES, Header, read_header
from salticid.errors import InputError

GRAY = np.zeros((5, 7), np.uint8)
RGB, RGBA = np.dstack([GRAY] * 3), np.dstack([GRAY, GRAY + 1, GRAY + 2, GRAY + 3])


def encoded(suffix: str, image: np.ndarray, *flags: int) -> bytes:
    return cv2.imencode(suffix, image, flags)[1].tobytes()


def bmp_core(width: int, height: int, bits: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 26, 0, 0, 26) + struct.pack("<IHHHH", 12, width, height, 1, bits)


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (encoded(".png", GRAY), Header("PNG", 7, 5, 1, 8)),
        (encoded(".png", RGB.astype(np.uint16)), Header("PNG", 7, 5, 3, 16)),
        (encoded(".png", RGBA), Header("PNG", 7, 5, 4, 8)),
        (encoded(".png", GRAY, cv2.IMWRITE_PNG_BILEVEL, 1), Header("PNG", 7, 5, 1, 1)),
        (encoded(".jpg", GRAY), Header("JPEG", 7, 5, 1, 8)),
        (encoded(".jpg", RGB), Header("JPEG", 7, 5, 3, 8)),
        (encoded(".jpg", RGB, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), Header("JPEG", 7, 5, 3, 8)),
        (encoded(".bmp", RGB), Header("BMP", 7, 5, 3, 24)),
        (encoded(".bmp", GRAY), Header("BMP", 7, 5, 3, 8)),
        (bmp_core(7, 5, 4), Header("BMP", 7, 5, 3, 4)),
        (encoded(".gif", RGB), Header("GIF", 7, 5, 3, 8)),
        (encoded(".tiff", GRAY), Header("TIFF", 7, 5, 1, 8)),
        (encoded(".tiff", RGBA.astype(np.uint16)), Header("TIFF", 7, 5, 4, 16)),
        (encoded(".webp", RGB), Header("WebP", 7, 5, 3, 8)),
        (encoded(".webp", RGB, cv2.IMWRITE_WEBP_QUALITY, 60), Header("WebP", 7, 5, 3, 8)),
        (encoded(".webp", RGBA, cv2.IMWRITE_WEBP_QUALITY, 60), Header("WebP", 7, 5, 4, 8)),
        (b"P1 7 5\n", Header("PNM", 7, 5, 1, 1)),
        (b"P2 # a comment\n7\t5\n# and one more\n255\n", Header("PNM", 7, 5, 1, 8)),
        (b"P3\r\n7 5\r\n300\r\n", Header("PNM", 7, 5, 3, 16)),
        (b"P4\n7 5\n", Header("PNM", 7, 5, 1, 1)),
        (b"P5 7 5 15 ", Header("PNM", 7, 5, 1, 8)),
        (b"P6 7 5 65535\n", Header("PNM", 7, 5, 3, 16)),
    ],
)
def test_the_header_says_what_the_file_declares(data, header):
    assert read_header(data) == header
    assert header.pixels == 35


def test_a_bmp_that_is_stored_from_the_top_has_a_positive_height():
    info = struct.pack("<IiiHHIIiiII", 40, 7, -5, 1, 24, 0, 0, 0, 0, 0, 0)
    assert read_header(b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info).height == 5


def test_a_huge_declaration_is_read_without_any_of_its_pixels():
    head = struct.pack(">I4sIIBBBBB", 13, b"IHDR", 32000, 32000, 1, 0, 0, 0, 0)
    assert read_header(b"\x89PNG\r\n\x1a\n" + head).pixels == 1_024_000_000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n", "truncated: its PNG header"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IDAT", 1, 1, 8, 0), "IHDR"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IHDR", 1, 1, 3, 0), "3 bits does not exist"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IHDR", 0, 1, 8, 0), "0 x 1 pixels"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IHDR", 1 << 31, 1, 8, 0), "2147483648 x 1 pixels"),
        (b"\xff\xd8\xff", "truncated: its JPEG header"),
        (b"\xff\xd8\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\0\x04..rubbish", "no marker"),
        (b"\xff\xd8\xff\xc3\0\x0b\x08\0\x05\0\x07\x01\x01\x11\0", r"SOF3\) are not supported"),
        (b"\xff\xd8\xff\xc9\0\x0b\x08\0\x05\0\x07\x01\x01\x11\0", r"SOF9\) are not supported"),
        (b"\xff\xd8\xff\xc0\0\x0b\x0c\0\x05\0\x07\x01\x01\x11\0", "1 components of 12 bits"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\x05\0\x07\x02\x01\x11\0", "2 components"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x07\x01\x01\x11\0", "7 x 0 pixels"),
        (b"BM" + bytes(12) + b"\x07\0\0\0", "header has 7 bytes"),
        (b"BM", "truncated: its BMP header"),
        (b"GIF89a\x01", "truncated: its GIF header"),
        (b"II*\0\xff\xff\xff\xff", "TIFF directory lies outside"),
        (b"II*\0\x08\0\0\0\0\0", "lacks tag 256"),
        (b"MM\0*\0\0\0\x08\0\x01\x01\0\0\x04\xff\xff\xff\xff\0\0\0\0", "tag 256 of its TIFF directory lies outside"),
        (b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0....", "truncated: its WebP header"),
        (b"RIFF\x10\0\0\0WEBPVP8 \x0a\0\0\0..........", "no start code"),
        (b"RIFF\x10\0\0\0WEBPJUNK....", "where the picture should begin"),
        (b"P5 7 5", "lacks the width, height or maximum"),
        (b"P5 7 5 0\n", "maximum is 0"),
        (b"P5 7 5 65536\n", "maximum is 65536"),
        (b"P5 7 9999999999999 255\n", "lacks the width"),
        (b"P5 -7 5 255\n", "lacks the width"),
        (b"P7\nWIDTH 1\n", "looks like a PAM image"),
        (b"\x76\x2f\x31\x01", "looks like an OpenEXR image"),
        (b"", "not an image"),
    ],
)
def test_an_impossible_header_is_an_input_error_that_names_the_file(data, says):
    with pytest.raises(InputError, match=says) as caught:
        read_header(data, "some/left.image")
    assert str(caught.value).startswith("some/left.image")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_suffix_of_another_format_is_refused_and_the_right_one_named(suffix):
    data, kind = (b"GIF89a\x07\0\x05\0", "GIF") if SUFFIXES[suffix] != "GIF" else (encoded(".bmp", RGB), "BMP")
    with pytest.raises(InputError, match=rf"holds a {kind} image, not {suffix}: rename it to left\.{kind.lower()}"):
        read_header(data, f"left{suffix}")
    assert read_header(data, f"LEFT.{kind}").format == kind


STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF89a", b"II*\0", b"MM\0*", b"RIFF....WEBP", b"P3 ", b"P4\n")


@given(st.sampled_from(STARTS), st.binary(max_size=120))
@settings(max_examples=300)
def test_no_bytes_do_worse_than_an_input_error(start, rest):
    with contextlib.suppress(InputError):
        header = read_header(start + rest)
        assert header.width > 0
        assert header.height > 0


@given(st.sampled_from([".png", ".jpg", ".bmp", ".gif", ".tiff", ".webp", ".ppm"]), st.data())
@settings(max_examples=100, deadline=None)
def test_every_shortened_or_changed_file_has_a_header_or_none(suffix, data):
    whole = bytearray(encoded(suffix, RGB))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        assert read_header(bytes(whole[: data.draw(st.integers(0, len(whole)))])).pixels > 0
