"""Compressed files taken apart: truncation and damage are found, animations give their first frame, ink becomes RGB."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from salticid.core.image import Picture, open_picture, write_image
from salticid.errors import InputError

NOISE = np.random.default_rng(7).integers(0, 256, (40, 60, 3), np.uint8)
FLAGS = {
    ".png": [],
    ".jpg": [cv2.IMWRITE_JPEG_RST_INTERVAL, 4],
    ".jpeg": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 80],
    ".gif": [],
}


def encoded(suffix: str) -> bytes:
    return cv2.imencode(suffix, NOISE, FLAGS[suffix])[1].tobytes()


@pytest.mark.parametrize("suffix", FLAGS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_an_input_error_that_names_the_file(tmp_path, suffix, share):
    whole = encoded(suffix)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=rf"cut\{suffix}.*(truncated|not an image|not a)"):
        open_picture(path)


@pytest.mark.parametrize("suffix", FLAGS)
def test_bytes_behind_the_end_do_not_matter(suffix):
    whole = encoded(suffix)
    np.testing.assert_array_equal(open_picture(whole + b"trailer").pixels, open_picture(whole).pixels)


def test_a_flipped_bit_in_a_png_does_not_pass_its_checksum():
    whole = bytearray(encoded(".png"))
    whole[len(whole) // 2] ^= 1
    with pytest.raises(InputError, match="does not match its checksum"):
        open_picture(bytes(whole))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(kind: bytes, content: bytes) -> bytes:
    whole = encoded(".png")
    return whole[:33] + chunk(kind, content) + whole[33:]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (with_chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)), "two IHDR chunks"),
        (with_chunk(b"CgBI", b"...."), "critical chunk b'CgBI' is not known"),
        (encoded(".png")[:33] + chunk(b"IEND", b""), "cannot be decoded"),
        (encoded(".png")[:33] + chunk(b"IDAT", zlib.compress(b"\0" * 50)) + chunk(b"IEND", b""), "cannot be decoded"),
    ],
)
def test_a_png_that_lies_about_its_chunks_is_refused(data, says):
    with pytest.raises(InputError, match=says):
        open_picture(data)


@pytest.mark.parametrize("profile", [b"", b"name", b"name\0\0junk", b"name\0\0" + zlib.compress(bytes(999))[:-6]])
def test_a_damaged_color_profile_is_left_out_and_logged(profile, caplog):
    assert open_picture(with_chunk(b"iCCP", profile)).icc is None
    assert "ICC profile" in caplog.text or not profile


def test_a_color_profile_that_inflates_without_end_is_left_out():
    bomb = b"name\0\0" + zlib.compress(bytes(100_000_000), 9)
    assert open_picture(with_chunk(b"iCCP", bomb)).icc is None


def test_texts_and_thumbnails_never_reach_the_decoder():
    bomb = with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    np.testing.assert_array_equal(open_picture(bomb).pixels, NOISE[..., ::-1])


# JPEG, made by hand of blocks that hold one value each.


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(levels: list[int], *extra: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    """Return a baseline JPEG of one color: each block is its mean (a Huffman code of 4 bits) and no more (1 bit)."""
    count = len(levels)
    parts = [b"\xff\xd8", *extra, segment(0xDB, b"\0" + bytes([8] * 64))]
    components = b"".join(bytes([number, 0x11, 0]) for number in range(1, count + 1))
    parts.append(segment(0xC0, struct.pack(">BHHB", 8, size[1], size[0], count) + components))
    parts.append(segment(0xC4, b"\0" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12))))
    parts.append(segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0"))
    selectors = b"".join(bytes([number, 0]) for number in range(1, count + 1))
    parts.append(segment(0xDA, bytes([count]) + selectors + b"\0\x3f\0"))
    bits = "".join(mean_bits(level - 128) + "0" for level in levels)
    bits += ("0000" + "0") * count * (-(-size[0] // 8) * -(-size[1] // 8) - 1)  # every other block: no difference
    bits += "1" * (-len(bits) % 8)
    coded = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return b"".join(parts) + coded.replace(b"\xff", b"\xff\0") + b"\xff\xd9"


def mean_bits(difference: int) -> str:
    size = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    return f"{size:04b}" + (f"{value:0{size}b}" if size else "")


def adobe(transform: int) -> bytes:
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


@pytest.mark.parametrize(
    ("data", "pixel", "tolerance"),
    [
        (jpeg([77]), 77, 0),
        (jpeg([100, 128, 128]), [100, 100, 100], 0),
        (jpeg([100, 128, 200]), [201, 49, 100], 1),  # ITU-T T.871: R = Y + 1.402 (Cr - 128)
        (jpeg([10, 20, 30], adobe(0)), [10, 20, 30], 0),  # RGB as it is
        (jpeg([0, 50, 100, 200], adobe(0)), [0, 39, 78], 1),  # inverted inks: C K / 255
        (jpeg([100, 128, 128, 200], adobe(2)), [121, 121, 121], 1),  # YCCK: (255 - Y) K / 255
    ],
)
def test_jpegs_of_one_color_have_that_color(data, pixel, tolerance):
    picture = open_picture(data)
    assert picture.pixels.shape[:2] == (8, 8)
    assert picture.pixels.ndim == (2 if isinstance(pixel, int) else 3)
    assert np.abs(picture.pixels.astype(int) - pixel).max() <= tolerance


def test_ink_without_adobes_mark_is_refused_because_it_may_be_inverted():
    with pytest.raises(InputError, match=r"four inks.*convert it to RGB"):
        open_picture(jpeg([0, 50, 100, 200]))


def test_the_profile_of_inks_does_not_stay_with_rgb_pixels():
    profile = segment(0xE2, b"ICC_PROFILE\0\1\1ink")
    assert open_picture(jpeg([0, 50, 100, 200], adobe(0), profile)).icc is None
    assert open_picture(jpeg([100, 128, 128], profile)).icc == b"ink"


def test_a_profile_in_pieces_is_joined_in_their_order():
    pieces = [segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 3]) + text) for number, text in ((2, b"b"), (1, b"a"))]
    third = segment(0xE2, b"ICC_PROFILE\0\3\3c")
    assert open_picture(jpeg([77], *pieces, third)).icc == b"abc"
    assert open_picture(jpeg([77], *pieces)).icc is None


def test_a_jpeg_that_is_far_too_short_for_its_pixels_is_truncated():
    whole = jpeg([77]).replace(struct.pack(">HHB", 8, 8, 1), struct.pack(">HHB", 9000, 9000, 1))
    with pytest.raises(InputError, match="cannot hold 9000 x 9000 pixels"):
        open_picture(whole)


def test_a_jpeg_of_a_thousand_scans_is_refused():
    whole = jpeg([77])
    scan = whole[whole.index(b"\xff\xda") : -2]
    with pytest.raises(InputError, match="has 1000 scans"):
        open_picture(whole[:-2] + scan * 999 + whole[-2:])


def test_a_second_frame_header_is_refused():
    whole = jpeg([77])
    start = whole.index(b"\xff\xc0")
    frame = segment(0xC0, struct.pack(">BHHB", 8, 60000, 60000, 1) + bytes([1, 0x11, 0]))
    with pytest.raises(InputError, match="more than one frame header"):
        open_picture(whole[: start + 13] + frame + whole[start + 13 :])


# GIF, made by hand with codes that never grow.

COLORS = bytes(value for index in range(256) for value in (index, 255 - index, 7))


def gif_frame(
    place: tuple[int, int, int, int], indices: list[int], *, clear: int | None = None, flags: int = 0
) -> bytes:
    control = b"" if clear is None else bytes([0x21, 0xF9, 4, 1, 0, 0, clear, 0])
    bits = "".join(f"{code:09b}"[::-1] for index in indices for code in (256, index)) + f"{257:09b}"[::-1]
    packed = bytes(int(bits[at : at + 8].ljust(8, "0")[::-1], 2) for at in range(0, len(bits), 8))
    blocks = b"".join(bytes([len(packed[at : at + 255])]) + packed[at : at + 255] for at in range(0, len(packed), 255))
    return control + b"\x2c" + struct.pack("<HHHHB", *place, flags) + b"\x08" + blocks + b"\0"


def gif(size: tuple[int, int], *frames: bytes, colors: bytes = COLORS) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", *size, 0xF7 if colors else 0x70, 9, 0) + colors + b"".join(frames) + b";"


def color(index: int) -> list[int]:
    return [index, 255 - index, 7]


def test_a_gif_gives_its_first_frame():
    picture = open_picture(gif((3, 1), gif_frame((0, 0, 3, 1), [0, 1, 255]), gif_frame((0, 0, 3, 1), [9, 9, 9])))
    np.testing.assert_array_equal(picture.pixels, [[color(0), color(1), color(255)]])
    assert picture.alpha is None


def test_the_clear_color_of_a_gif_is_alpha():
    picture = open_picture(gif((3, 1), gif_frame((0, 0, 3, 1), [0, 1, 255], clear=1)))
    np.testing.assert_array_equal(picture.alpha, [[255, 0, 255]])
    np.testing.assert_array_equal(picture.pixels[0, [0, 2]], [color(0), color(255)])


def test_a_first_frame_that_is_smaller_lies_on_a_clear_canvas():
    picture = open_picture(gif((3, 2), gif_frame((1, 1, 2, 1), [3, 4])))
    np.testing.assert_array_equal(picture.alpha, [[0, 0, 0], [0, 255, 255]])
    np.testing.assert_array_equal(picture.pixels[1, 1:], [color(3), color(4)])


def test_interlaced_rows_come_in_order():
    picture = open_picture(gif((1, 9), gif_frame((0, 0, 1, 9), [0, 8, 4, 2, 6, 1, 3, 5, 7], flags=0x40)))
    np.testing.assert_array_equal(picture.pixels[:, 0, 0], range(9))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gif((3, 1), gif_frame((1, 0, 3, 1), [0, 1, 2])), "does not fit the canvas"),
        (gif((3, 1), gif_frame((0, 0, 0, 1), [])), "does not fit the canvas"),
        (gif((3, 1), gif_frame((0, 0, 3, 1), [0, 1, 2]), colors=b""), "no colors"),
        (gif((3, 1)), "holds no picture"),
        (gif((3, 1), b"\x77"), "begins no block"),
    ],
)
def test_a_gif_that_makes_no_sense_is_refused(data, says):
    with pytest.raises(InputError, match=says):
        open_picture(data)


# WebP and animated PNG.


def animated(suffix: str) -> bytes:
    moving = cv2.Animation()
    moving.frames = [np.full((20, 30, 4), value, np.uint8) for value in (200, 50)]
    moving.durations = [100, 100]
    return cv2.imencodeanimation(suffix, moving)[1].tobytes()


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_an_animation_gives_its_first_frame(suffix):
    pixels = open_picture(animated(suffix)).pixels
    assert pixels.shape == (20, 30, 3)
    assert np.abs(pixels.astype(int) - 200).max() <= 2


def test_a_webp_frame_that_is_larger_than_its_canvas_is_refused(tmp_path):
    write_image(tmp_path / "a.webp", Picture(NOISE, icc=b"profile"))
    whole = (tmp_path / "a.webp").read_bytes()
    assert whole[24:27] == (59).to_bytes(3, "little")
    with pytest.raises(InputError, match=r"60 x 40 at \(0, 0\), does not fit the canvas of 9 x 40"):
        open_picture(whole[:24] + (8).to_bytes(3, "little") + whole[27:])


def test_the_smallest_webp_is_read(tmp_path):
    write_image(tmp_path / "a.webp", np.full((1, 1, 3), 7, np.uint8))
    assert open_picture(tmp_path / "a.webp").pixels.tolist() == [[[7, 7, 7]]]
