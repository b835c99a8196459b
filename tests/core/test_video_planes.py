"""Planes of a video: the same pictures as in RGB, without a conversion, whatever the file stores."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from salticid.core.image_ifd import upright
from salticid.core.video import VideoReader, VideoWriter
from salticid.core.video_planes import Planes, rgb_matrix
from salticid.errors import BrokenStreamError, InputError

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

WIDTH, HEIGHT = 96, 64
QUARTER_TURNS = {1: (1, 0, 0, 1), 3: (-1, 0, 0, -1), 6: (0, 1, -1, 0), 8: (0, -1, 1, 0), 2: (-1, 0, 0, 1)}


def picture() -> np.ndarray:
    """Return a smooth picture whose corners differ in color."""
    corners = np.array([[[220, 40, 40], [40, 200, 60]], [[50, 60, 210], [230, 220, 60]]], np.uint8)
    return cv2.resize(corners, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def make(path, codec="libx264", pixels="yuv420p", *, matrix=None, colors=None, count=5):
    """Write a video of one picture by PyAV alone."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, pixels, 8_000_000
        if matrix is not None:
            a, b, c, d = matrix
            stream.set_display_matrix([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30])
        space, range_ = colors or (None, None)
        if colors:
            stream.codec_context.colorspace, stream.codec_context.color_range = space, range_
        for step in range(count):
            rgb = av.VideoFrame.from_ndarray(picture(), format="rgb24")
            kind = {} if colors is None else {"dst_colorspace": space, "dst_color_range": range_}
            frame = rgb.reformat(format=pixels, **kind)
            frame.pts, frame.time_base = step, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def rgb_of(planes: Planes) -> np.ndarray:
    """Return the upright picture that the planes stand for, (H, W, 3) float."""
    size = planes.y.shape[::-1]
    full = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (planes.y, planes.u, planes.v)]
    stacked = np.stack([*full, np.ones_like(full[0])], axis=-1).astype(np.float64)
    return upright(np.clip(stacked @ planes.to_rgb.T, 0, 255), planes.orientation)


FORMATS = [
    ("a.mp4", "libx264", "yuv420p"),
    ("a.mp4", "libx264", "yuv422p"),
    ("a.mp4", "libx264", "yuv444p"),
    ("a.mp4", "libx264", "yuv420p10le"),
    ("a.mp4", "libx264", "yuvj420p"),
    ("a.mp4", "libx264", "nv12"),
    ("a.mov", "mjpeg", "yuvj422p"),
    ("a.mkv", "ffv1", "bgr0"),
    ("a.mkv", "ffv1", "gray"),
]


@pytest.mark.parametrize(("name", "codec", "pixels"), FORMATS)
def test_planes_of_every_format_show_the_picture_that_rgb_shows(tmp_path, name, codec, pixels):
    path = make(tmp_path / name, codec, pixels)
    with VideoReader(path) as video, VideoReader(path) as other:
        for frame, planes in zip(video, other.planes(), strict=True):
            shown = rgb_of(planes.planes)
            assert shown.shape == frame.image.shape
            assert np.abs(shown - frame.image).mean() < 2
            assert np.abs(shown - frame.image).max() < 12  # where color is interpolated
            assert (frame.index, frame.time_s) == (planes.index, planes.time_s)


@pytest.mark.parametrize("orientation", QUARTER_TURNS)
def test_the_size_and_the_place_of_a_pixel_are_those_of_the_upright_picture(tmp_path, orientation):
    path = make(tmp_path / "a.mp4", matrix=QUARTER_TURNS[orientation])
    with VideoReader(path) as video, VideoReader(path) as other:
        image, planes = next(iter(video)).image, next(other.planes()).planes
    assert planes.orientation == orientation
    assert (planes.height, planes.width) == image.shape[:2]
    assert np.abs(rgb_of(planes) - image).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_matrix_of_an_orientation_does_what_turning_the_picture_does(orientation):
    stored = np.arange(6 * 9, dtype=np.uint8).reshape(6, 9)
    planes = Planes(stored, stored, stored, rgb_matrix(1, full_range=False), orientation)
    turned = upright(stored, orientation)
    assert (planes.height, planes.width) == turned.shape
    for y, x in np.ndindex(stored.shape):
        new_x, new_y = planes.upright @ (x, y, 1)
        assert turned[int(new_y), int(new_x)] == stored[y, x]


@pytest.mark.parametrize("space", ["itu709", "itu601"])
@pytest.mark.parametrize("range_", ["MPEG", "JPEG"])
def test_colors_are_those_of_the_declared_matrix_and_range(tmp_path, space, range_):
    from av.video.reformatter import ColorRange, Colorspace

    path = make(tmp_path / "a.mp4", pixels="yuv444p", colors=(Colorspace[space.upper()], ColorRange[range_]))
    with VideoReader(path) as video:
        planes = next(video.planes()).planes
    assert np.abs(rgb_of(planes) - picture()).mean() < 2.5


@pytest.mark.parametrize("space", [1, 2, 5, 6, 7, 9])
@pytest.mark.parametrize(("full", "dark", "light"), [(False, 16, 235), (True, 0, 255)])
def test_gray_stays_gray_from_black_to_white(space, full, dark, light):
    matrix = rgb_matrix(space, full)
    np.testing.assert_allclose(matrix @ (dark, 128, 128, 1), 0, atol=1e-3)
    np.testing.assert_allclose(matrix @ (light, 128, 128, 1), 255, atol=1e-3)
    assert Planes(*[np.zeros((2, 2), np.uint8)] * 3, matrix, 1).black == (dark, 128, 128)


def test_the_red_of_bt709_is_red():
    np.testing.assert_allclose(rgb_matrix(1, full_range=False) @ (63, 102, 240, 1), (255, 0, 0), atol=1.5)


def test_an_rgb_image_is_its_own_planes():
    planes = Planes.of_rgb(picture())
    np.testing.assert_array_equal(rgb_of(planes), picture())
    assert planes.black == (0, 0, 0)


def test_planes_outlive_the_reader(tmp_path):
    path = make(tmp_path / "a.mp4")
    with VideoReader(path) as video:
        kept = [frame.planes for frame in video.planes()]
    assert len(kept) == 5
    assert all(np.abs(rgb_of(planes) - picture()).mean() < 2 for planes in kept)


def test_a_truncated_video_breaks_after_as_many_planes_as_pictures(tmp_path):
    path = tmp_path / "a.mp4"
    noise = np.random.default_rng(0)
    with VideoWriter(path, fps=25, width=WIDTH, height=HEIGHT) as out:
        for _ in range(30):
            out.write(noise.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    counts = []
    for read in (VideoReader.__iter__, VideoReader.planes):
        with VideoReader(path, threads=1) as video, pytest.raises(BrokenStreamError) as caught:
            list(read(video))
        counts.append(caught.value.frames_read)
    assert 5 < counts[0] == counts[1] < 30


def test_a_video_is_read_once_as_pictures_or_as_planes(tmp_path):
    with VideoReader(make(tmp_path / "a.mp4")) as video:
        assert len(list(video.planes())) == 5
        with pytest.raises(InputError, match="read or closed already"):
            next(iter(video))
