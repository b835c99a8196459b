"""TIFF: every kind that is read gives the stored numbers, whatever the strips, tiles, codes and byte order."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core.image import Picture, open_picture, write_image
from salticid.errors import InputError

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
OFFSETS, ORIENTATION, SAMPLES, ROWS, COUNTS = 273, 274, 277, 278, 279
PLANAR, PREDICTOR, COLORS, EXTRA, FORMAT = 284, 317, 320, 338, 339
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
LONG = (OFFSETS, COUNTS, TILE_OFFSETS, TILE_COUNTS)
LZW, DEFLATE, PACKBITS = 5, 8, 32773


def tiff(size: tuple[int, int], pixels: bytes, tags: dict[int, list[int]] | None = None, order: str = "<") -> bytes:
    """Make a TIFF by hand: pixels from byte 8 on, then the directory; offsets in `tags` count from the pixels."""
    values = {WIDTH: [size[0]], HEIGHT: [size[1]], BITS: [8], COMPRESSION: [1], PHOTOMETRIC: [1]} | (tags or {})
    if TILE_OFFSETS not in values:
        values = {ROWS: [size[1]], OFFSETS: [0], COUNTS: [len(pixels)]} | values
    for tag in (OFFSETS, TILE_OFFSETS):
        values |= {tag: [8 + offset for offset in values[tag]]} if tag in values else {}
    body, entries = pixels + bytes(len(pixels) % 2), b""
    for tag, numbers in sorted(values.items()):
        raw = struct.pack(f"{order}{len(numbers)}{'I' if tag in LONG else 'H'}", *numbers)
        place = raw.ljust(4, b"\0")
        if len(raw) > 4:
            place, body = struct.pack(f"{order}I", 8 + len(body)), body + raw
        entries += struct.pack(f"{order}HHI", tag, 4 if tag in LONG else 3, len(numbers)) + place
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return (
        mark
        + struct.pack(f"{order}I", 8 + len(body))
        + body
        + struct.pack(f"{order}H", len(values))
        + entries
        + bytes(4)
    )


def rgb(bits: int = 8, samples: int = 3) -> dict[int, list[int]]:
    return {BITS: [bits] * samples, PHOTOMETRIC: [2], SAMPLES: [samples]}


RAMP = [index * 257 for index in range(256)]


@pytest.mark.parametrize(
    ("data", "pixels", "alpha"),
    [
        (tiff((3, 1), bytes([1, 2, 3])), [[1, 2, 3]], None),
        (tiff((3, 1), bytes([1, 2, 3]), {PHOTOMETRIC: [0]}), [[254, 253, 252]], None),
        (tiff((2, 1), bytes([1, 2, 3, 4]), {BITS: [16]}), [[513, 1027]], None),
        (tiff((2, 1), bytes([1, 2, 3, 4]), {BITS: [16]}, ">"), [[258, 772]], None),
        (tiff((2, 1), bytes([1, 2, 3, 4]), {BITS: [16], PHOTOMETRIC: [0]}), [[65022, 64508]], None),
        (tiff((9, 1), b"\xb0\x80", {BITS: [1]}), [[255, 0, 255, 255, 0, 0, 0, 0, 255]], None),
        (tiff((9, 1), b"\xb0\x80", {BITS: [1], PHOTOMETRIC: [0]}), [[0, 255, 0, 0, 255, 255, 255, 255, 0]], None),
        (tiff((4, 1), b"\x1b", {BITS: [2]}), [[0, 85, 170, 255]], None),
        (tiff((3, 2), b"\x01\x90\xf0\x10", {BITS: [4]}), [[0, 17, 153], [255, 0, 17]], None),
        (tiff((1, 2), bytes(range(1, 7)), rgb()), [[[1, 2, 3]], [[4, 5, 6]]], None),
        (tiff((1, 1), bytes(range(1, 7)), rgb(16)), [[[513, 1027, 1541]]], None),
        (
            tiff((2, 1), bytes(range(1, 7)), rgb() | {PLANAR: [2], OFFSETS: [0, 2, 4], COUNTS: [2, 2, 2]}),
            [[[1, 3, 5], [2, 4, 6]]],
            None,
        ),
        (tiff((1, 1), bytes([10, 20, 30, 40]), rgb(8, 4) | {EXTRA: [2]}), [[[10, 20, 30]]], [[40]]),
        (tiff((1, 1), bytes([10, 20, 30, 40]), rgb(8, 4)), [[[10, 20, 30]]], [[40]]),
        (tiff((1, 1), bytes([10, 20, 30, 40]), rgb(8, 4) | {EXTRA: [1]}), [[[64, 128, 191]]], [[40]]),
        (tiff((1, 1), bytes([0, 0, 0, 0]), rgb(8, 4) | {EXTRA: [1]}), [[[0, 0, 0]]], [[0]]),
        (tiff((1, 1), bytes(range(8)), rgb(16, 4) | {EXTRA: [2]}), [[[256, 770, 1284]]], [[1798]]),
        (tiff((1, 1), bytes([10, 20]), {BITS: [8, 8], SAMPLES: [2], EXTRA: [2]}), [[10]], [[20]]),
        (
            tiff((2, 1), bytes([0, 200]), {PHOTOMETRIC: [3], COLORS: RAMP + RAMP[::-1] + RAMP}),
            [[[0, 255, 0], [200, 55, 200]]],
            None,
        ),
        (
            tiff((2, 1), b"\x09", {BITS: [4], PHOTOMETRIC: [3], COLORS: [index << 12 for index in range(16)] * 3}),
            [[[0, 0, 0], [144, 144, 144]]],
            None,
        ),
        (tiff((2, 2), bytes([1, 2, 3, 4]), {ROWS: [1], OFFSETS: [2, 0], COUNTS: [2, 2]}), [[3, 4], [1, 2]], None),
        (tiff((2, 1), zlib.compress(bytes([5, 1])), {COMPRESSION: [DEFLATE], PREDICTOR: [2]}), [[5, 6]], None),
        (tiff((2, 1), b"\x01\x05\x06", {COMPRESSION: [PACKBITS]}), [[5, 6]], None),
    ],
)
def test_hand_made_files_give_the_numbers_that_were_stored(data, pixels, alpha):
    picture = open_picture(data)
    assert picture.format == "TIFF"
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.alpha is None) == (alpha is None)
    np.testing.assert_array_equal(picture.alpha, alpha) if alpha else None


def test_tiles_are_put_together_and_cut_at_the_edges():
    stored = np.arange(4 * 256, dtype=np.uint8).reshape(2, 2, 16, 16)
    tags = {TILE_WIDTH: [16], TILE_HEIGHT: [16], TILE_OFFSETS: [0, 256, 512, 768], TILE_COUNTS: [256] * 4}
    whole = stored.swapaxes(1, 2).reshape(32, 32)
    np.testing.assert_array_equal(open_picture(tiff((20, 25), stored.tobytes(), tags)).pixels, whole[:25, :20])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation):
    stored = np.array([[1, 2], [3, 4], [5, 6]])
    turned = {1: stored, 2: stored[:, ::-1], 3: stored[::-1, ::-1], 4: stored[::-1]}
    turned |= {5: stored.T, 6: stored[::-1].T, 7: stored[::-1, ::-1].T, 8: stored[:, ::-1].T}
    data = tiff((2, 3), bytes(range(1, 7)), {ORIENTATION: [orientation]})
    np.testing.assert_array_equal(open_picture(data).pixels, turned[orientation])


@given(
    kind=st.sampled_from([np.uint8, np.uint16]),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from([1, 3, 4]),
    compression=st.sampled_from([1, LZW, DEFLATE, PACKBITS]),
    predictor=st.sampled_from([1, 2]),
    rows=st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_what_libtiff_writes_is_read_bit_for_bit(kind, size, channels, compression, predictor, rows):
    image = np.random.default_rng(rows).integers(0, np.iinfo(kind).max, (*size, channels)).astype(kind)
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    data = cv2.imencode(".tiff", image, [*flags, cv2.IMWRITE_TIFF_ROWSPERSTRIP, rows])[1].tobytes()
    picture = open_picture(data)
    stored = image[..., 0] if channels == 1 else image[..., 2::-1]  # OpenCV is given BGR
    np.testing.assert_array_equal(picture.pixels, stored)
    if channels == 4:
        np.testing.assert_array_equal(picture.alpha, image[..., 3])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(33, 21), (33, 21, 3)])
def test_opencv_reads_what_is_written(tmp_path, kind, shape):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, shape).astype(kind)
    write_image(tmp_path / "a.tif", Picture(pixels, icc=b"profile"))
    found = cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found if found.ndim == 2 else found[..., ::-1], pixels)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (tiff((1, 1), bytes(4), {BITS: [32], FORMAT: [3]}), "a map, not a picture"),
        (tiff((1, 1), bytes(1), {FORMAT: [2]}), "signed numbers"),
        (tiff((1, 1), bytes(4), {BITS: [32]}), "32 bits are not supported"),
        (tiff((2, 1), bytes(3), {BITS: [12]}), "12 bits are not supported"),
        (tiff((1, 1), bytes(4), {BITS: [8] * 4, PHOTOMETRIC: [5], SAMPLES: [4]}), "color model 5 is not supported"),
        (tiff((1, 1), bytes(3), {BITS: [8] * 3, PHOTOMETRIC: [1], SAMPLES: [3]}), "do not go with its color model 1"),
        (tiff((1, 1), bytes(5), rgb(8, 5)), "5 samples per pixel"),
        (tiff((1, 1), bytes(4), rgb(8, 4) | {EXTRA: [0]}), "does not say what its extra sample means"),
        (tiff((1, 1), bytes(3), rgb() | {BITS: [8, 8, 16]}), "samples differ in bits"),
        (tiff((1, 1), bytes(1), {COMPRESSION: [7]}), "compression 7 is not supported"),
        (tiff((1, 1), bytes(1), {PREDICTOR: [3]}), "predictor 3"),
        (tiff((8, 1), bytes(1), {BITS: [1], PREDICTOR: [2]}), "predictor 2 for 1 bits"),
        (tiff((1, 1), bytes(1), {266: [2]}), "bits are stored from the right"),
        (tiff((1, 1), bytes(1), {PHOTOMETRIC: [3], COLORS: [0] * 12}), "palette has 12 values"),
        (tiff((1, 1), bytes(1), {ROWS: [0]}), "are not possible"),
        (tiff((9, 9), bytes(81), {TILE_WIDTH: [1], TILE_HEIGHT: [1], TILE_OFFSETS: [0], TILE_COUNTS: [1]}), "1 x 1"),
        (tiff((9, 9), bytes(81), {ROWS: [1]}), "lists 1 strips or tiles where 9 are needed"),
        (tiff((9, 9), bytes(81), {OFFSETS: [900]}), "lies behind its end"),
        (tiff((9, 9), bytes(81), {COUNTS: [80]}), "shorter than its rows"),
        (tiff((9, 9), b"rubbish", {COMPRESSION: [DEFLATE]}), "damaged"),
        (tiff((9, 9), zlib.compress(bytes(80)), {COMPRESSION: [DEFLATE]}), "shorter than its rows"),
        (tiff((8, 8), b"\x80\x00\x00", {COMPRESSION: [LZW]}), "damaged"),
        (tiff((8, 8), b"\x03abc", {COMPRESSION: [PACKBITS]}), "damaged"),
    ],
)
def test_what_is_not_read_or_damaged_is_an_input_error(data, says):
    with pytest.raises(InputError, match=says):
        open_picture(data)


def test_a_strip_that_inflates_without_end_is_cut_where_its_rows_end():
    bomb = zlib.compress(bytes(200_000_000), 9)
    assert open_picture(tiff((2, 2), bomb, {COMPRESSION: [DEFLATE]})).pixels.tolist() == [[0, 0], [0, 0]]


def test_a_huge_strip_is_refused_before_it_is_unpacked():
    with pytest.raises(InputError, match="MB to decode"):
        open_picture(tiff((8000, 8000), bytes(9), rgb() | {COMPRESSION: [PACKBITS]}))
