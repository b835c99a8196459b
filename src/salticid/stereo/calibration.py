"""Calibration of a camera pair: read from the files that people have, rectify, and turn disparity into depth."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.core import geometry
from salticid.core.atomic import write_bytes
from salticid.core.types import FloatMap, Image, Mask
from salticid.errors import InputError
from salticid.stereo import calibration_files
from salticid.stereo.calibration_files import Entries, scalar, shaped

Matrix = NDArray[np.float64]

UNITS_MM = (1.0, 10.0, 25.4, 1000.0)  # that T is written in: mm, cm, inches, m
UNIT_RANGE_MM = (1e-6, 1e6)
SAME_LENGTH = 0.02  # two statements of one length may differ by this share
LEAST_BASELINE = 1e-9  # in whatever unit: less is rounding
LEAST_FOCAL_PX = 1e-3  # less is no lens
MAX_SIDE_PX = 32767  # cv2.remap's limit
DISTORTION_SIZES = (0, 4, 5, 8, 12, 14)

# What to do about an entry that a file lacks.
ADVICE = {
    "image_size": ": give image_size=(width, height)",
    "R": f": in the file, or in {calibration_files.EXTRINSICS} beside it",
    "T": f": in the file, or in {calibration_files.EXTRINSICS} beside it",
}


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera with OpenCV's distortion model."""

    K: Matrix  # (3, 3), px
    distortion: Matrix  # (N,), N = 0, 4, 5, 8, 12 or 14: k1 k2 p1 p2 k3 ...


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Two cameras, how they stand to each other, and the projections of the rectified views."""

    left: Camera
    right: Camera
    R: Matrix  # (3, 3), from left to right camera coordinates
    t_mm: Matrix  # (3,)
    image_size: tuple[int, int]  # width, height in px
    R1: Matrix  # (3, 3), rectifying rotation of the left camera
    R2: Matrix  # (3, 3), of the right
    P1: Matrix  # (3, 4), projection of the rectified left view; mm to px
    P2: Matrix  # (3, 4), of the right
    error_px: float = float("nan")  # reprojection error; nan where the file does not tell
    num_disparities: int | None = None  # a hint that Middlebury's files carry

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, unit_mm: float = 1.0, image_size: tuple[int, int] | None = None
    ) -> Calibration:
        """Read Middlebury's `calib.txt`, or OpenCV's names in JSON, YAML or XML.

        A file with the cameras alone, as OpenCV's sample writes `intrinsics.yml`, takes R and T from the
        `extrinsics.yml` beside it.

        Parameters
        ----------
        unit_mm
            Length of the file's unit in mm: 1000 when its `T` is in meters. A file that says `baseline_mm`
            decides that itself.
        image_size
            Width and height in px, for a file that does not tell.

        Raises
        ------
        InputError
            The file is missing, is none of these, describes no possible camera pair or one that salticid does
            not match (views swapped, cameras one above the other), or contradicts `image_size`.
        """
        if not UNIT_RANGE_MM[0] <= unit_mm <= UNIT_RANGE_MM[1]:
            raise InputError(f"unit_mm must be the length of the file's unit, such as 1 or 1000, not {unit_mm}")
        entries = calibration_files.read(Path(path))
        if image_size is not None:
            given = {"image_size": np.array(image_size, np.float64)}
            entries = given | entries
        rig = _checked(entries, unit_mm, str(path))
        if image_size is not None and rig.image_size != tuple(image_size):
            raise InputError(f"{path} is for {_by(rig.image_size)} views, image_size says {_by(tuple(image_size))}")
        return rig

    @classmethod
    def rectified(
        cls,
        *,
        focal_px: float,
        baseline_mm: float,
        center_px: tuple[float, float],
        image_size: tuple[int, int],
        doffs_px: float = 0.0,
        num_disparities: int | None = None,
    ) -> Calibration:
        """Return the calibration of a pair that is rectified already.

        Parameters
        ----------
        doffs_px
            x of the right principal point minus x of the left, as Middlebury defines it.
        num_disparities
            A hint how far to search.

        Raises
        ------
        InputError
            No camera pair is like that.
        """
        K = np.array([[focal_px, 0, center_px[0]], [0, focal_px, center_px[1]], [0, 0, 1]], np.float64)
        entries = {
            "left_camera_matrix": K,
            "right_camera_matrix": K + np.array([[0, 0, doffs_px], [0, 0, 0], [0, 0, 0]]),
            "R": np.eye(3),
            "T": np.array([-baseline_mm, 0, 0], np.float64),
            "image_size": np.array(image_size, np.float64),
        }
        rig = _checked(entries, 1.0, f"a pair of focal_px {focal_px}, baseline_mm {baseline_mm}")
        return dataclasses.replace(rig, num_disparities=num_disparities)

    @property
    def focal_px(self) -> float:
        """Focal length of the rectified views."""
        return float(self.P1[0, 0])

    @property
    def baseline_mm(self) -> float:
        """Distance of the two cameras."""
        return float(-self.P2[0, 3] / self.P2[0, 0])

    @property
    def doffs_px(self) -> float:
        """Disparity of a point at infinity, negated: x of the right principal point minus x of the left."""
        return float(self.P2[0, 2] - self.P1[0, 2])

    @property
    def is_rectified(self) -> bool:
        """Whether the views as they come from the cameras are rectified already."""
        same = np.allclose(self.left.K, self.P1[:, :3]) and np.allclose(self.right.K, self.P2[:, :3])
        straight = np.allclose(self.R1, np.eye(3)) and np.allclose(self.R2, np.eye(3))
        return bool(same and straight and not self.left.distortion.any() and not self.right.distortion.any())

    def depth_mm(self, disparity_px: FloatMap) -> FloatMap:
        """Return the distance along the optical axis, nan where the disparity is unknown or beyond infinity."""
        return geometry.depth_mm(disparity_px, self.focal_px, self.baseline_mm, self.doffs_px)

    def points_mm(self, disparity_px: FloatMap) -> FloatMap:
        """Return (H, W, 3) points in the rectified left camera's frame: x right, y down, z forward; nan if unknown."""
        depth = self.depth_mm(disparity_px)
        height, width = depth.shape
        x = (np.arange(width, dtype=np.float32) - np.float32(self.P1[0, 2])) / np.float32(self.P1[0, 0])
        y = (np.arange(height, dtype=np.float32) - np.float32(self.P1[1, 2])) / np.float32(self.P1[1, 1])
        points: FloatMap = np.stack([x[None, :] * depth, y[:, None] * depth, depth], axis=-1)
        return points

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write JSON with OpenCV's names, lengths in mm; `load` reads it back."""
        entries = {
            "left_camera_matrix": self.left.K.tolist(),
            "right_camera_matrix": self.right.K.tolist(),
            "left_dist_coeffs": self.left.distortion.tolist(),
            "right_dist_coeffs": self.right.distortion.tolist(),
            "R": self.R.tolist(),
            "T": self.t_mm.tolist(),
            "R1": self.R1.tolist(),
            "R2": self.R2.tolist(),
            "P1": self.P1.tolist(),
            "P2": self.P2.tolist(),
            "image_size": list(self.image_size),
            "calibration_error": None if np.isnan(self.error_px) else self.error_px,
            "num_disparities": self.num_disparities,
        }
        write_bytes(path, json.dumps(entries, indent=1).encode(), overwrite=overwrite)


class Rectifier:
    """Warps both views so that the same point lies on the same row; holds the maps."""

    def __init__(self, rig: Calibration) -> None:
        """Compute the maps of `rig`, once."""
        self._size = rig.image_size
        self._maps = [
            cv2.initUndistortRectifyMap(camera.K, camera.distortion, R, P, rig.image_size, cv2.CV_16SC2)
            for camera, R, P in ((rig.left, rig.R1, rig.P1), (rig.right, rig.R2, rig.P2))
        ]
        white = np.full(self._size[::-1], 255, np.uint8)
        self._visible: Mask = cv2.remap(white, *self._maps[0], cv2.INTER_LINEAR) == 255

    @property
    def visible(self) -> Mask:
        """Where the rectified left view shows what the left camera saw, (H, W); elsewhere black is mixed in."""
        return self._visible

    def __call__(self, left: Image, right: Image) -> tuple[Image, Image]:
        """Return the rectified views, black outside what the cameras saw."""
        for view in (left, right):
            if view.shape[1::-1] != self._size:
                raise InputError(f"the calibration is for {_by(self._size)} views, these are {_by(view.shape[1::-1])}")
        one, two = (
            np.asarray(cv2.remap(view, *maps, cv2.INTER_LINEAR), np.uint8)
            for view, maps in zip((left, right), self._maps, strict=True)
        )
        return one, two


def _checked(entries: Entries, unit_mm: float, whose: str) -> Calibration:
    try:
        return _from_entries(entries, unit_mm)
    except KeyError as missing:
        name = missing.args[0]
        raise InputError(f"{whose} is not a stereo calibration: it has no {name}{ADVICE.get(name, '')}") from None
    except (ValueError, cv2.error) as problem:
        raise InputError(f"{whose} is not a stereo calibration: {problem}") from None


def _from_entries(entries: Entries, unit_mm: float) -> Calibration:
    """Return the calibration of `entries`; `KeyError` names what is missing, `ValueError` says what is wrong."""
    left, right = _camera(entries, "left"), _camera(entries, "right")
    size, error_px = _image_size(entries), scalar(entries, "calibration_error")
    R, t = shaped(entries, "R", (3, 3)), shaped(entries, "T", (3,))
    _check_rotation(R, "R")
    if np.linalg.norm(t) < LEAST_BASELINE:
        raise ValueError("T is zero: both cameras would stand at one place")
    unit_mm = _unit_mm(entries, t, unit_mm)
    projections = _given_projections(entries, unit_mm) or _projections(left, right, R, t * unit_mm, size)
    _check_projections(*projections, baseline_mm=float(np.linalg.norm(t)) * unit_mm)
    return Calibration(
        left,
        right,
        R,
        t * unit_mm,
        size,
        *projections,
        error_px=float("nan") if error_px is None else error_px,
        num_disparities=_hint(entries),
    )


def _camera(entries: Entries, side: str) -> Camera:
    K = shaped(entries, f"{side}_camera_matrix", (3, 3))
    if min(K[0, 0], K[1, 1]) < LEAST_FOCAL_PX:
        raise ValueError("a focal length is not positive")
    if K[1:, 0].any() or K[2].tolist() != [0, 0, 1]:
        raise ValueError(f"{side}_camera_matrix is not fx 0 cx, 0 fy cy, 0 0 1")
    name = f"{side}_dist_coeffs"
    size = entries[name].size if name in entries else 0
    if size not in DISTORTION_SIZES:
        raise ValueError(f"{name} must have 4, 5, 8, 12 or 14 coefficients, not {size}")
    return Camera(K, shaped(entries, name, (size,)) if size else np.zeros(0))


def _image_size(entries: Entries) -> tuple[int, int]:
    width, height = shaped(entries, "image_size", (2,))
    if not all(1 <= side <= MAX_SIDE_PX and side.is_integer() for side in (width, height)):
        raise ValueError(f"image_size is {width:g}x{height:g}, not 1 to {MAX_SIDE_PX} px each way")
    return int(width), int(height)


def _unit_mm(entries: Entries, t: Matrix, unit_mm: float) -> float:
    """Return the length of the unit of `t`: `unit_mm`, unless the file says its baseline in mm, which decides."""
    baseline_mm, length = scalar(entries, "baseline_mm"), float(np.linalg.norm(t))
    if baseline_mm is None:
        return unit_mm
    for candidate_mm in UNITS_MM:
        if abs(length * candidate_mm - baseline_mm) <= SAME_LENGTH * baseline_mm:
            return candidate_mm
    raise ValueError(
        f"baseline_mm is {baseline_mm:g}, but T is {length:g} long, which is not that in mm, cm, inches or m"
    )


def _given_projections(entries: Entries, unit_mm: float) -> tuple[Matrix, Matrix, Matrix, Matrix] | None:
    """Return the file's own R1, R2, P1, P2, lengths in mm, if it has them all."""
    if not {"R1", "R2", "P1", "P2"} <= entries.keys():
        return None
    R1, R2, P1, P2 = (shaped(entries, name, (3, 3 + (name[0] == "P"))) for name in ("R1", "R2", "P1", "P2"))
    return R1, R2, P1, P2 * [1, 1, 1, unit_mm]


def _projections(
    left: Camera, right: Camera, R: Matrix, t_mm: Matrix, size: tuple[int, int]
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Return R1, R2, P1, P2: those of a pair that needs no rectification, or new ones."""
    parallel = (
        np.allclose(R, np.eye(3)) and not t_mm[1:].any() and not left.distortion.any() and not right.distortion.any()
    )
    if parallel and np.allclose(left.K[:, :2], right.K[:, :2]) and left.K[1, 2] == right.K[1, 2]:
        shift = np.array([[left.K[0, 0] * t_mm[0]], [0], [0]])
        return np.eye(3), np.eye(3), np.hstack([left.K, np.zeros((3, 1))]), np.hstack([right.K, shift])
    found = cv2.stereoRectify(
        left.K,
        left.distortion,
        right.K,
        right.distortion,
        size,
        R,
        t_mm[:, None],
        flags=cv2.CALIB_ZERO_DISPARITY,
        alpha=0,
    )
    R1, R2, P1, P2 = (np.asarray(matrix, np.float64) for matrix in found[:4])
    return R1, R2, P1, P2


def _check_rotation(R: Matrix, name: str) -> None:
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-3):
        raise ValueError(f"{name} is not a rotation")
    if np.linalg.det(R) < 0:
        raise ValueError(f"{name} is a reflection, not a rotation: its determinant is negative")


def _check_projections(R1: Matrix, R2: Matrix, P1: Matrix, P2: Matrix, baseline_mm: float) -> None:
    """Raise unless these make a pair side by side, the left camera on the left, as far apart as T says."""
    if not all(np.isfinite(matrix).all() for matrix in (R1, R2, P1, P2)):
        raise ValueError("the cameras cannot be rectified: check the camera matrices, the distortion and R")
    _check_rotation(R1, "R1")
    _check_rotation(R2, "R2")
    if min(P1[0, 0], P1[1, 1], P2[0, 0], P2[1, 1]) < LEAST_FOCAL_PX:
        raise ValueError("a focal length of P1 or P2 is not positive")
    across_mm, down_mm = -P2[:2, 3] / P2[[0, 1], [0, 1]]
    if abs(down_mm) > abs(across_mm):
        raise ValueError(
            "one camera stands above the other, which is not supported: turn the rig and both views by 90 degrees"
        )
    if across_mm <= 0:
        raise ValueError("the right camera stands to the left of the left one: swap left and right")
    if abs(across_mm - baseline_mm) > SAME_LENGTH * baseline_mm:
        raise ValueError(f"P2 has a baseline of {across_mm:g} mm, but T is {baseline_mm:g} mm long")


def _hint(entries: Entries) -> int | None:
    value = scalar(entries, "num_disparities")
    if value is not None and not (value.is_integer() and 1 <= value <= MAX_SIDE_PX):
        raise ValueError(f"num_disparities must be a whole number, 1 to {MAX_SIDE_PX}, not {value:g}")
    return None if value is None else int(value)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
