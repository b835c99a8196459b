"""Pictures of a video as the decoder left them: brightness and two planes of color, not converted and not turned.

    with VideoReader("walk.mp4") as video:
        for frame in video.planes():
            ...                                             # frame.planes.y, .u, .v, frame.time_s

Whoever needs only a part of a picture, or a smaller one, converts just that. Videos store brightness for every pixel
and color for fewer; `Planes.to_rgb` says how they make red, green and blue, and `Planes.upright` where a pixel lies
in the picture as people see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from salticid.core.types import Array, Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from av.video.reformatter import VideoReformatter

# Three planes of 8 bits each; every other format is first converted to one of these.
_PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
_SUBSTITUTE = "yuv420p"

# The weights of red and blue in brightness, by FFmpeg's number of the color space (ITU-T H.273, table 4).
_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
_USUAL_WEIGHTS = (0.299, 0.114)  # BT.601, which FFmpeg takes where a file says nothing
_RGB_SPACE, _FULL_RANGE = 0, 2

# How stored pixels lie upright, per EXIF orientation: x' and y' as (of x, of y, of the last column, of the last row).
_UPRIGHT = {
    1: ((1, 0, 0, 0), (0, 1, 0, 0)),
    2: ((-1, 0, 1, 0), (0, 1, 0, 0)),
    3: ((-1, 0, 1, 0), (0, -1, 0, 1)),
    4: ((1, 0, 0, 0), (0, -1, 0, 1)),
    5: ((0, 1, 0, 0), (1, 0, 0, 0)),
    6: ((0, -1, 0, 1), (1, 0, 0, 0)),
    7: ((0, -1, 0, 1), (-1, 0, 1, 0)),
    8: ((0, 1, 0, 0), (-1, 0, 1, 0)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """One picture in brightness and color, as stored."""

    y: Image  # (H, W) uint8
    u: Image  # (h, w) uint8, spread over the same area
    v: Image  # (h, w) uint8
    to_rgb: Array  # (3, 4) float32: RGB in 0..255 = to_rgb @ (y, u, v, 1), then cut off
    orientation: int  # 1..8 as EXIF numbers them

    @classmethod
    def of_rgb(cls, image: Image) -> Self:
        """Return an upright RGB image, (H, W, 3) uint8, for those who take planes."""
        red, green, blue = (np.ascontiguousarray(image[..., channel]) for channel in range(3))
        return cls(red, green, blue, np.eye(3, 4, dtype=np.float32), 1)

    @property
    def width(self) -> int:
        """Width of the upright picture."""
        return int(self.y.shape[1 if self.orientation < 5 else 0])

    @property
    def height(self) -> int:
        """Height of the upright picture."""
        return int(self.y.shape[0 if self.orientation < 5 else 1])

    @property
    def black(self) -> tuple[int, int, int]:
        """Y, U and V of black."""
        y, u, v = np.rint(np.linalg.solve(self.to_rgb[:, :3], -self.to_rgb[:, 3])).astype(int).tolist()
        return y, u, v

    @property
    def upright(self) -> Array:
        """The (2, 3) float64 matrix from a stored pixel (x, y) to its place in the upright picture."""
        last = np.array([self.y.shape[1] - 1, self.y.shape[0] - 1], np.float64)
        rows = np.array(_UPRIGHT[self.orientation], np.float64)
        return np.column_stack([rows[:, :2], rows[:, 2:] @ last])


@dataclass(frozen=True, slots=True, eq=False)
class PlanesFrame:
    """One picture of a video, in planes."""

    index: int
    time_s: float  # on the container's clock
    planes: Planes


def planes_of(picture: VideoFrame, orientation: int, reformatter: VideoReformatter, threads: int) -> Planes:
    """Return the planes of a decoded picture, without a copy where its format allows.

    Raises
    ------
    av.FFmpegError, ValueError
        The picture is of a format that cannot be converted.
    """
    if picture.format.name not in _PLANAR:
        picture = reformatter.reformat(picture, format=_SUBSTITUTE, threads=threads, **_colors(picture))
    y, u, v = (_pixels(plane) for plane in picture.planes)
    full = picture.format.name.startswith("yuvj") or int(picture.color_range) == _FULL_RANGE
    return Planes(y, u, v, rgb_matrix(int(picture.colorspace), full), orientation)


def rgb_matrix(color_space: int, full_range: bool) -> Array:
    """Return the (3, 4) float32 matrix from (Y, U, V, 1) in 0..255 to RGB in 0..255; ITU-T H.273, 8.3."""
    red, blue = _WEIGHTS.get(color_space, _USUAL_WEIGHTS)
    green = 1 - red - blue
    light, color, dark = (1.0, 1.0, 0.0) if full_range else (255 / 219, 255 / 224, 16.0)
    from_u = np.array([0, -2 * blue * (1 - blue) / green, 2 * (1 - blue)]) * color
    from_v = np.array([2 * (1 - red), -2 * red * (1 - red) / green, 0]) * color
    shift = -light * dark - 128 * (from_u + from_v)
    return np.column_stack([np.full(3, light), from_u, from_v, shift]).astype(np.float32)


def _colors(picture: VideoFrame) -> dict[str, Any]:
    """Return what has to be said to the converter: the colors of RGB pictures have no brightness yet."""
    if picture.format.is_rgb or int(picture.colorspace) == _RGB_SPACE:
        return {"dst_colorspace": "itu601", "dst_color_range": "MPEG"}
    return {}


def _pixels(plane: VideoPlane) -> Image:
    """Return a view of a plane, (H, W) uint8; it keeps the decoder's memory alive."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]  # a buffer in C
    return np.asarray(rows[: plane.height, : plane.width])
