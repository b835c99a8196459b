"""Label images: the numbers come back, whatever colors a viewer shows."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from salticid.core.image import open_picture, read_image, write_image
from salticid.core.image_labels import read_labels, write_labels
from salticid.core.palette import class_palette
from salticid.errors import InputError

LABELS = np.arange(12, dtype=np.uint8).reshape(3, 4)


def png(bits, color_type, rows, palette=b"", *, width):
    """Write a PNG by hand, each row as bytes."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, len(rows), bits, color_type, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *([chunk(b"PLTE", palette)] if palette else [])]
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IDAT", pixels), chunk(b"IEND", b"")])


@given(nps.arrays(np.uint8, nps.array_shapes(min_dims=2, max_dims=2, max_side=40)), st.integers(1, 256))
@settings(max_examples=50, deadline=None)
def test_labels_come_back_exactly(tmp_path_factory, labels, count):
    path = tmp_path_factory.mktemp("labels") / "a.png"
    write_labels(path, labels, class_palette(count))
    np.testing.assert_array_equal(read_labels(path), labels)


def test_a_viewer_sees_the_colors_of_the_palette_and_black_beyond_it(tmp_path):
    write_labels(tmp_path / "a.png", LABELS, class_palette(11))
    shown = cv2.imread(str(tmp_path / "a.png"))[..., ::-1]
    np.testing.assert_array_equal(shown.reshape(-1, 3)[:11], class_palette(11))
    assert shown[-1, -1].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), shown)


@pytest.mark.parametrize(
    ("bits", "rows", "labels"),
    [
        (1, [[0b10110000]], [[1, 0, 1, 1]]),
        (2, [[0b11100100]], [[3, 2, 1, 0]]),
        (4, [[0x0F, 0x72]], [[0, 15, 7, 2]]),
        (8, [[0, 255, 7, 2]], [[0, 255, 7, 2]]),
    ],
)
def test_every_depth_of_an_indexed_or_gray_png_gives_what_is_stored(bits, rows, labels):
    palette = class_palette(1 << bits).tobytes()
    assert read_labels(png(bits, 3, rows, palette, width=4)).tolist() == labels
    assert read_labels(png(bits, 0, rows, width=4)).tolist() == labels


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".pgm"])
def test_gray_images_of_other_programs_are_label_images_too(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), LABELS)
    np.testing.assert_array_equal(read_labels(path), LABELS)


def test_sixteen_bits_are_taken_when_the_numbers_are_class_numbers(tmp_path):
    write_image(tmp_path / "a.png", LABELS.astype(np.uint16))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), LABELS)
    write_image(tmp_path / "b.png", LABELS.astype(np.uint16) + 300)
    with pytest.raises(InputError, match=r"b\.png holds values up to 311; labels go from 0 to 255"):
        read_labels(tmp_path / "b.png")


def test_colors_and_jpegs_are_no_labels(tmp_path):
    write_image(tmp_path / "rgb.png", class_palette(12).reshape(3, 4, 3))
    with pytest.raises(InputError, match=r"rgb\.png holds colors"):
        read_labels(tmp_path / "rgb.png")
    write_image(tmp_path / "a.jpg", LABELS)
    with pytest.raises(InputError, match=r"a\.jpg is a JPEG, which changes numbers"):
        read_labels(tmp_path / "a.jpg")


def test_a_damaged_label_image_is_named(tmp_path):
    write_labels(tmp_path / "a.png", LABELS, class_palette(12))
    data = (tmp_path / "a.png").read_bytes()
    for name, content in {"cut.png": data[:-20], "text.png": b"class 1", "empty.png": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_labels(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "labels", "palette", "words"),
    [
        ("a.jpg", LABELS, class_palette(2), "PNG files"),
        ("a.png", LABELS.astype(int), class_palette(2), "uint8"),
        ("a.png", LABELS[None], class_palette(2), "uint8"),
        ("a.png", LABELS[:0], class_palette(2), "not empty"),
        ("a.png", LABELS, class_palette(300), r"palette must be \(1 to 256, 3\)"),
        ("no/a.png", LABELS, class_palette(2), "make it first"),
    ],
)
def test_what_is_no_label_image_is_not_written(tmp_path, name, labels, palette, words):
    with pytest.raises(InputError, match=words):
        write_labels(tmp_path / name, labels, palette)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_kept_unless_asked(tmp_path):
    path = tmp_path / "a.png"
    write_labels(path, LABELS, class_palette(2))
    with pytest.raises(InputError, match="exists"):
        write_labels(path, LABELS, class_palette(2), overwrite=False)
    assert open_picture(path).pixels.shape == (3, 4, 3)
