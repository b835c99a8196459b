"""The directory of TIFF and EXIF: numbers in both byte orders, counts and offsets that lie, orientation."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image_ifd import (
    STRIP_BYTES,
    STRIP_OFFSETS,
    read_ifd,
    read_orientation,
    reset_orientation,
    tiff_file,
    upright,
)
from salticid.errors import InputError


def test_a_written_file_is_read_again_with_its_strips_in_place():
    data = tiff_file([b"first", b"second"], {256: (7,), 258: (8, 8, 8), 34675: b"profile", 700: b"abc"})
    ifd = read_ifd(data)
    assert (ifd.number(256), ifd.numbers(258).tolist(), ifd.raw(34675), ifd.raw(700)) == (
        7,
        [8, 8, 8],
        b"profile",
        b"abc",
    )
    places = zip(ifd.numbers(STRIP_OFFSETS), ifd.numbers(STRIP_BYTES), strict=True)
    assert [data[start : start + size] for start, size in places] == [b"first", b"second"]


def test_an_absent_tag_is_its_default_or_an_input_error():
    ifd = read_ifd(tiff_file([b"x"], {}))
    assert ifd.number(256, 5) == 5
    assert ifd.numbers(256).size == 0
    assert ifd.raw(256) is None
    with pytest.raises(InputError, match="lacks tag 256"):
        ifd.number(256)


def test_a_count_of_four_billion_takes_no_memory():
    lying = b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 4, 0xFFFFFFFF, 8)
    with pytest.raises(InputError, match="outside the data"):
        read_ifd(lying)


def test_text_where_a_number_belongs_is_an_input_error():
    with pytest.raises(InputError, match="no whole numbers"):
        read_ifd(tiff_file([b"x"], {256: b"text"})).number(256)


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_do_worse_than_an_input_error(data):
    for mark in (b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0"):
        with contextlib.suppress(InputError):
            read_ifd(mark + data)
        assert 1 <= read_orientation(mark + data) <= 8
        assert read_orientation(reset_orientation(mark + data)) == 1


def test_turning_twice_the_other_way_gives_the_picture_back():
    pixels = np.arange(24, dtype=np.uint16).reshape(2, 4, 3)
    undo = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    for orientation, back in undo.items():
        np.testing.assert_array_equal(upright(upright(pixels, orientation), back), pixels)
    np.testing.assert_array_equal(pixels.ravel(), np.arange(24))
