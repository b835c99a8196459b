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
from salticid.core.types import FloatMap, Image
from salticid.errors import InputError
from salticid.stereo import calibration_files

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
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
    def load(cls, path: str | os.PathLike[str], *, unit_mm: float = 1.0) -> Calibration:
        """Read Middlebury's `calib.txt`, or OpenCV's names in JSON, YAML or XML.

        Parameters
        ----------
        unit_mm
            Length of the file's unit in mm: 1000 when its `T` is in meters.

        Raises
        ------
        InputError
            The file is missing, is none of these, or describes no possible camera pair.
        """
        entries = calibration_files.read(Path(path))
        try:
            return _from_entries(entries, unit_mm)
        except (KeyError, ValueError, cv2.error) as problem:
            raise InputError(f"{path} is not a stereo calibration: {_reason(problem)}") from None

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
        """
        K = np.array([[focal_px, 0, center_px[0]], [0, focal_px, center_px[1]], [0, 0, 1]], np.float64)
        entries = {
            "left_camera_matrix": K,
            "right_camera_matrix": K + np.array([[0, 0, doffs_px], [0, 0, 0], [0, 0, 0]]),
            "T": np.array([-baseline_mm, 0, 0], np.float64),
            "image_size": np.array(image_size, np.float64),
        }
        return dataclasses.replace(_from_entries(entries, 1.0), num_disparities=num_disparities)

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

    def __call__(self, left: Image, right: Image) -> tuple[Image, Image]:
        """Return the rectified views, black outside what the cameras saw."""
        width, height = self._size
        if left.shape[:2] != (height, width):
            raise InputError(
                f"the calibration is for {width}x{height} views, these are {left.shape[1]}x{left.shape[0]}"
            )
        one, two = (
            np.asarray(cv2.remap(view, *maps, cv2.INTER_LINEAR), np.uint8)
            for view, maps in zip((left, right), self._maps, strict=True)
        )
        return one, two


def _from_entries(entries: calibration_files.Entries, unit_mm: float) -> Calibration:
    left = Camera(_shaped(entries, "left_camera_matrix", (3, 3)), entries.get("left_dist_coeffs", np.zeros(0)).ravel())
    right = Camera(
        _shaped(entries, "right_camera_matrix", (3, 3)), entries.get("right_dist_coeffs", np.zeros(0)).ravel()
    )
    width, height = (int(value) for value in _shaped(entries, "image_size", (2,)))
    R = _shaped(entries, "R", (3, 3)) if "R" in entries else np.eye(3)
    t_mm = _shaped(entries, "T", (3,)) * unit_mm
    _check_sense(left, right, R, t_mm, (width, height))
    rig = Calibration(
        left, right, R, t_mm, (width, height), *_projections(entries, left, right, R, t_mm, (width, height), unit_mm)
    )
    hint = entries.get("num_disparities")
    return dataclasses.replace(
        rig,
        error_px=float(entries.get("calibration_error", np.array(np.nan)).ravel()[0]),
        num_disparities=None if hint is None else int(hint.ravel()[0]),
    )


def _projections(
    entries: calibration_files.Entries,
    left: Camera,
    right: Camera,
    R: Matrix,
    t_mm: Matrix,
    size: tuple[int, int],
    unit_mm: float,
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Return R1, R2, P1, P2: the file's own, those of a pair that needs no rectification, or new ones."""
    if {"R1", "R2", "P1", "P2"} <= entries.keys():
        R1, R2 = _shaped(entries, "R1", (3, 3)), _shaped(entries, "R2", (3, 3))
        P1, P2 = _shaped(entries, "P1", (3, 4)), _shaped(entries, "P2", (3, 4)).copy()
        P2[:, 3] *= unit_mm
        return R1, R2, P1, P2
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


def _shaped(entries: calibration_files.Entries, name: str, shape: tuple[int, ...]) -> Matrix:
    if name not in entries:
        raise KeyError(name)
    array = entries[name]
    if array.size != np.prod(shape):
        raise ValueError(f"{name} must have {' x '.join(map(str, shape))} numbers, not {array.size}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds a number that is not finite")
    return array.reshape(shape)


def _check_sense(left: Camera, right: Camera, R: Matrix, t_mm: Matrix, size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise ValueError(f"image_size is {size[0]}x{size[1]}")
    if min(left.K[0, 0], left.K[1, 1], right.K[0, 0], right.K[1, 1]) <= 0:
        raise ValueError("a focal length is not positive")
    if not np.allclose(R @ R.T, np.eye(3), atol=1e-3):
        raise ValueError("R is not a rotation")
    if not t_mm.any():
        raise ValueError("T is zero: both cameras would stand at one place")
    if left.distortion.size not in (0, 4, 5, 8, 12, 14) or right.distortion.size not in (0, 4, 5, 8, 12, 14):
        raise ValueError("distortion must have 4, 5, 8, 12 or 14 coefficients")


def _reason(problem: Exception) -> str:
    return f"it has no {problem.args[0]}" if isinstance(problem, KeyError) else str(problem)
