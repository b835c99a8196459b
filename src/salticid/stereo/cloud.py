"""Point clouds: from a disparity map, to and from PLY, and as a picture."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from salticid.core.atomic import replacing
from salticid.core.types import Array, FloatMap, Image
from salticid.errors import InputError
from salticid.stereo.calibration import Calibration

PLY_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "<i2",
    "int16": "<i2",
    "ushort": "<u2",
    "uint16": "<u2",
    "int": "<i4",
    "int32": "<i4",
    "uint": "<u4",
    "uint32": "<u4",
    "float": "<f4",
    "float32": "<f4",
    "double": "<f8",
    "float64": "<f8",
}
PLY_HEADER_LIMIT_BYTES = 1 << 16
PLY_PROPERTIES_LIMIT = 256  # of one vertex


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud:
    """Points in mm in the rectified left camera's frame: x right, y down, z forward."""

    points: FloatMap  # (N, 3) float32, mm
    colors: Image | None = None  # (N, 3) uint8 RGB

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.points)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write a binary little-endian PLY, in mm.

        Raises
        ------
        InputError
            The suffix is not .ply, or the place cannot be written.
        """
        if Path(path).suffix.lower() != ".ply":
            raise InputError(f"cannot save a point cloud as {path}: use .ply")
        fields = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
        if self.colors is not None:
            fields += [("red", "u1"), ("green", "u1"), ("blue", "u1")]
        vertices = np.empty(len(self), fields)
        for axis, name in enumerate(("x", "y", "z")):
            vertices[name] = self.points[:, axis]
        if self.colors is not None:
            for channel, name in enumerate(("red", "green", "blue")):
                vertices[name] = self.colors[:, channel]
        names = {"<f4": "float", "u1": "uchar"}
        properties = "".join(f"property {names[kind]} {name}\n" for name, kind in fields)
        start = "ply\nformat binary_little_endian 1.0\ncomment salticid, unit mm\n"
        header = f"{start}element vertex {len(self)}\n{properties}end_header\n"
        with replacing(path, overwrite=overwrite) as part, part.open("wb") as file:
            file.write(header.encode())
            vertices.tofile(file)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PointCloud:
        """Read a binary little-endian PLY whose first element is its vertices.

        Raises
        ------
        InputError
            The file is missing, truncated, another kind of PLY, or holds what float32 mm and uint8 cannot.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as problem:
            raise InputError(f"cannot read the point cloud {path}: {problem.strerror}") from None
        head, mark, _ = data[:PLY_HEADER_LIMIT_BYTES].partition(b"end_header\n")
        count, fields = _vertex_layout(head.decode("ascii", "replace"), str(path)) if mark else (0, [])
        size = np.dtype(fields).itemsize * count
        if not mark or len(data) - len(head) - len(mark) < size:
            raise InputError(f"{path} is truncated, or not a PLY file")
        vertices = np.frombuffer(data, fields, count, len(head) + len(mark))
        return cls(_points(vertices, str(path)), _colors(vertices, str(path)))

    def draw(self, width: int = 640, height: int = 480, *, turn_deg: float = 25.0) -> Image:
        """Return the cloud as seen from `turn_deg` around its middle, (height, width, 3) uint8 RGB."""
        picture = np.full((height, width, 3), 24, np.uint8)
        if len(self) == 0:
            return picture
        points = _turned(self.points, turn_deg)
        focal_px = 0.9 * width
        columns = np.rint(focal_px * points[:, 0] / points[:, 2] + width / 2).astype(np.int64)
        rows = np.rint(focal_px * points[:, 1] / points[:, 2] + height / 2).astype(np.int64)
        seen = (points[:, 2] > 0) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        colors = np.full((len(self), 3), 200, np.uint8) if self.colors is None else self.colors
        order = np.argsort(-points[seen, 2], kind="stable")  # far first: near points are painted over them
        picture[rows[seen][order], columns[seen][order]] = colors[seen][order]
        return _close_gaps(picture)


def from_disparity(disparity_px: FloatMap, rig: Calibration, *, colors: Image | None = None) -> PointCloud:
    """Return the point of every pixel with a disparity.

    Parameters
    ----------
    disparity_px
        (H, W) float32, nan where unknown.
    colors
        (H, W) or (H, W, 3) uint8 in the same geometry.
    """
    if colors is not None and colors.shape[:2] != disparity_px.shape:
        raise InputError(f"colors are {colors.shape[:2]}, the disparity map is {disparity_px.shape}")
    points = rig.points_mm(disparity_px)
    known = np.isfinite(points[..., 2])
    if colors is not None and colors.ndim == 2:
        colors = np.repeat(colors[..., None], 3, axis=2)
    return PointCloud(points[known], None if colors is None else colors[known])


def _vertex_layout(header: str, name: str) -> tuple[int, list[tuple[str, str]]]:
    """Return the number of vertices and their fields as a numpy dtype."""
    if not header.startswith("ply") or "format binary_little_endian" not in header:
        raise InputError(f"{name} is not a binary little-endian PLY file")
    element = re.search(r"^element vertex (\d{1,12})\s*$", header, re.MULTILINE)
    first = re.search(r"^element (\w+)", header, re.MULTILINE)
    if element is None or first is None or first.group(1) != "vertex":
        raise InputError(f"{name}: the first element of the PLY file must be its vertices")
    own = header[element.end() :].split("\nelement ")[0]
    lines = [line.split()[1:] for line in own.splitlines() if line.startswith("property")]
    if any(len(line) != 2 or line[0] not in PLY_TYPES for line in lines):
        raise InputError(f"{name}: a property of the vertices is none of the types {', '.join(PLY_TYPES)}")
    fields = [(field, PLY_TYPES[kind]) for kind, field in lines]
    names = {field for field, _ in fields}
    if not {"x", "y", "z"} <= names:
        raise InputError(f"{name}: vertices must have x, y, z")
    if len(names) < len(fields) or len(fields) > PLY_PROPERTIES_LIMIT:
        raise InputError(f"{name}: vertices must have each property once, and {PLY_PROPERTIES_LIMIT} at most")
    return int(element.group(1)), fields


def _points(vertices: Array, name: str) -> FloatMap:
    points = np.stack([vertices[axis] for axis in ("x", "y", "z")], axis=-1).astype(np.float64)
    if (np.abs(points[np.isfinite(points)]) > np.finfo(np.float32).max).any():
        raise InputError(f"{name} holds a coordinate beyond {np.finfo(np.float32).max:.3g}, which float32 cannot hold")
    return points.astype(np.float32)


def _colors(vertices: Array, name: str) -> Image | None:
    channels = [vertices[channel] for channel in ("red", "green", "blue") if channel in (vertices.dtype.names or ())]
    if len(channels) < 3:
        return None
    if any(channel.dtype != np.uint8 for channel in channels):
        raise InputError(f"{name}: red, green and blue must be uchar")
    return np.stack(channels, axis=-1)


def _turned(points: Array, turn_deg: float) -> Array:
    """Turn the scene around a vertical axis through its middle, as seen from a camera that keeps its distance."""
    middle = np.median(points, axis=0)
    angle = np.deg2rad(turn_deg)
    rotation = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    turned: Array = (points - middle) @ rotation.T + middle * [0, 0, 1.15]
    return turned


def _close_gaps(picture: Image) -> Image:
    """Give background pixels between points the color of a neighbor, so that the surface reads as one."""
    spread = cv2.dilate(picture, np.ones((3, 3), np.uint8))
    empty = (picture == 24).all(axis=2)
    return np.where(empty[..., None], spread, picture)
