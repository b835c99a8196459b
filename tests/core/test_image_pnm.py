"""PNM: text and bytes, comments, any maximum scaled to the full range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image import open_picture, write_image
from salticid.errors import InputError


@pytest.mark.parametrize(
    ("data", "pixels", "kind"),
    [
        (b"P1\n# text\n3 2\n1 0 1\n011", [[0, 255, 0], [255, 0, 0]], np.uint8),
        (b"P2 3 1 255 0 128 255", [[0, 128, 255]], np.uint8),
        (b"P2 3 1 15\n0 # zero\n7\n15\n", [[0, 119, 255]], np.uint8),
        (b"P2 3 1 1023 0 512 1023", [[0, 32800, 65535]], np.uint16),
        (b"P3 1 2 255 1 2 3 4 5 6 7 8", [[[1, 2, 3]], [[4, 5, 6]]], np.uint8),
        (b"P4 9 2\n\xb0\x80\x01\x02", [[0, 255, 0, 0, *[255] * 4, 0], [*[255] * 7, 0, 255]], np.uint8),
        (b"P5\r\n3 1\r\n255\n\1\2\3", [[1, 2, 3]], np.uint8),
        (b"P5 3 1 15\n\1\2\x0f", [[17, 34, 255]], np.uint8),
        (b"P5 2 1 65535\n\1\2\3\4", [[258, 772]], np.uint16),
        (b"P5 2 1 1023\n\1\2\3\xff", [[16528, 65535]], np.uint16),
        (b"P6 1 2 255\n\1\2\3\4\5\6", [[[1, 2, 3]], [[4, 5, 6]]], np.uint8),
        (b"P6 1 1 65535 \1\2\3\4\5\6", [[[258, 772, 1286]]], np.uint16),
    ],
)
def test_hand_made_files_give_their_numbers(data, pixels, kind):
    picture = open_picture(data)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.pixels.dtype, picture.format) == (kind, "PNM")


@given(st.integers(1, 65535), st.data())
@settings(max_examples=60, deadline=None)
def test_zero_and_the_maximum_are_black_and_white_whatever_the_maximum(maximum, data):
    value = data.draw(st.integers(0, maximum))
    top = 255 if maximum < 256 else 65535
    found = open_picture(f"P2 3 1 {maximum} 0 {maximum} {value}".encode()).pixels[0]
    assert found.tolist() == [0, top, round(value * top / maximum)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"P5 3 3 255\n" + bytes(8), "truncated: 9 bytes"),
        (b"P6 3 3 1000\n" + bytes(53), "truncated: 54 bytes"),
        (b"P4 9 2\n" + bytes(3), "truncated: 4 bytes"),
        (b"P1 3 2\n10101", "5 of 6 pixels"),
        (b"P1 2 1\n12", "digit other than 0 and 1"),
        (b"P2 3 1 255 1 2", "2 of 3 samples"),
        (b"P2 3 1 255 ", "0 of 3 samples"),
        (b"P2 2 1 255 1 x", "other text than numbers"),
        (b"P2 2 1 255 1 -2", "other text than numbers"),
        (b"P2 2 1 15 1 16", "sample of 16, above its maximum of 15"),
        (b"P2 2 1 15 1 99999999999999999999", "above its maximum"),
        (b"P5 1 1 15\n\x10", "sample of 16"),
    ],
)
def test_truncated_and_damaged_files_are_input_errors(data, says):
    with pytest.raises(InputError, match=says):
        open_picture(data)


@pytest.mark.parametrize(("name", "start"), [("a.pgm", b"P5\n2 1\n65535\n"), ("a.ppm", b"P6\n2 1\n255\n")])
def test_files_are_written_as_bytes_with_the_full_range(tmp_path, name, start):
    pixels = np.array([[258, 772]], np.uint16) if name == "a.pgm" else np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    write_image(tmp_path / name, pixels)
    assert (tmp_path / name).read_bytes() == start + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
