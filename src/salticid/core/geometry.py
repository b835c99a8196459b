"""Pinhole cameras, triangulation, rigid transforms, and depth from disparity.

Camera frames have x to the right, y down and z forward. All arithmetic is float64; what has no answer is nan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from salticid.core.types import Array, FloatMap
from salticid.errors import InputError

_DISTORTION_LENGTHS = (4, 5, 8)
_UNDISTORT_STEPS = 200
_UNDISTORT_TOLERANCE = 1e-10  # in units of the focal length: 2e-7 px at 2000 px
_ROTATION_TOLERANCE = 1e-6
_DEGENERATE = 1e-9  # a spread of points smaller than this share of the largest one


def project(
    points: Array, K: Array, R: Array | None = None, t: Array | None = None, distortion: Array | None = None
) -> Array:
    """Project points into an image.

    Parameters
    ----------
    points
        (N, 3), in the world frame.
    K
        (3, 3) camera matrix, px.
    R, t
        (3, 3) and (3,), from the world to the camera: x = R X + t. Identity and zero by default.
    distortion
        k1, k2, p1, p2[, k3[, k4, k5, k6]] of OpenCV's model (Brown 1966 and its rational form).

    Returns
    -------
    Array
        (N, 2) float64, px; nan for a point at or behind the camera.

    Raises
    ------
    InputError
        A shape does not fit.
    """
    points, K = _points(points, 3, "points"), _matrix(K, (3, 3), "K")
    R = np.eye(3) if R is None else _matrix(R, (3, 3), "R")
    t = np.zeros(3) if t is None else _matrix(np.ravel(t), (3,), "t")
    camera = points @ R.T + t
    depth = np.where(camera[:, 2:] > 0, camera[:, 2:], np.nan)
    normalized = camera[:, :2] / depth
    if distortion is not None:
        normalized = _distort(normalized, _coefficients(distortion))
    return _to_pixels(normalized, K)


def undistort_points(pixels: Array, K: Array, distortion: Array) -> Array:
    """Return where pixels would lie if the lens were a pinhole.

    Parameters
    ----------
    pixels
        (N, 2), px.
    K, distortion
        See `project`.

    Returns
    -------
    Array
        (N, 2) float64, px of the same K; nan where the model has no answer, as it may be far
        outside the image that it was calibrated on.
    """
    pixels, K, k = _points(pixels, 2, "pixels"), _matrix(K, (3, 3), "K"), _coefficients(distortion)
    bent = np.linalg.solve(K, _homogeneous(pixels).T).T[:, :2]
    return _to_pixels(_undistort(bent, k), K)


def triangulate(P1: Array, P2: Array, x1: Array, x2: Array) -> Array:
    """Return the points that two cameras see at `x1` and `x2`.

    Linear triangulation: Hartley and Zisserman 2004, section 12.2, rows scaled to length one.

    Parameters
    ----------
    P1, P2
        (3, 4) projection matrices K [R | t].
    x1, x2
        (N, 2), px, without distortion.

    Returns
    -------
    Array
        (N, 3) float64, in the world frame; nan for points that are unknown in one view or lie at
        infinity.

    Raises
    ------
    InputError
        A shape does not fit.
    """
    P1, P2 = _matrix(P1, (3, 4), "P1"), _matrix(P2, (3, 4), "P2")
    x1, x2 = _points(x1, 2, "x1"), _points(x2, 2, "x2")
    if len(x1) != len(x2):
        raise InputError(f"x1 has {len(x1)} points and x2 has {len(x2)}: give pairs")
    known = np.isfinite(x1).all(axis=1) & np.isfinite(x2).all(axis=1)
    points = np.full((len(x1), 3), np.nan)
    rows = np.concatenate([_line_rows(P1, x1[known]), _line_rows(P2, x2[known])], axis=1)
    solution = np.linalg.svd(rows / np.linalg.norm(rows, axis=2, keepdims=True)).Vh[:, 3]
    scale = solution[:, 3:]
    finite = np.abs(scale) > np.finfo(np.float64).eps * np.abs(solution).max(axis=1, keepdims=True)
    points[known] = solution[:, :3] / np.where(finite, scale, np.nan)
    return points


@dataclass(frozen=True, slots=True, eq=False)
class RigidTransform:
    """A rotation and a translation: `x -> R x + t`; built from a matrix that is no rotation it raises `InputError`."""

    R: Array  # (3, 3) float64
    t: Array  # (3,) float64

    def __post_init__(self) -> None:
        R, t = _matrix(self.R, (3, 3), "R").copy(), _matrix(np.ravel(self.t), (3,), "t").copy()
        if np.abs(R @ R.T - np.eye(3)).max() > _ROTATION_TOLERANCE or np.linalg.det(R) < 0:
            raise InputError(f"R is no rotation: {R.tolist()}")
        for name, value in (("R", R), ("t", t)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def identity(cls) -> Self:
        """Return the transform that leaves every point where it is."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def from_rotation_vector(cls, vector: Array, t: Array | None = None) -> Self:
        """Return the rotation about the axis `vector` (3,) by its length in radians, then the translation `t`."""
        x, y, z = axis = _matrix(np.ravel(vector), (3,), "vector")
        angle = float(np.linalg.norm(axis))
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        # Rodrigues' formula; sinc keeps it exact for small angles. np.sinc(x) is sin(pi x) / (pi x).
        sine, half_sine = np.sinc(angle / np.pi), np.sinc(angle / (2 * np.pi))
        R = np.eye(3) + sine * cross + half_sine**2 / 2 * (cross @ cross)
        return cls(R, np.zeros(3) if t is None else t)

    def apply(self, points: Array) -> Array:
        """Return `points` (..., 3) moved, float64."""
        points = np.asarray(points, np.float64)
        if points.shape[-1:] != (3,):
            raise InputError(f"points must be (..., 3), not {points.shape}")
        return points @ self.R.T + self.t

    def inverse(self) -> RigidTransform:
        """Return the transform that undoes this one."""
        return RigidTransform(self.R.T, -self.R.T @ self.t)

    def compose(self, first: RigidTransform) -> RigidTransform:
        """Return `self @ first`: the transform that does `first` and then this one."""
        return RigidTransform(self.R @ first.R, self.R @ first.t + self.t)

    def __matmul__(self, first: RigidTransform) -> RigidTransform:
        """Return `self.compose(first)`."""
        return self.compose(first)


def fit_rigid(a: Array, b: Array) -> RigidTransform:
    """Return the rigid transform that moves `a` closest to `b` in the least-squares sense.

    Kabsch 1976, with Umeyama's correction (1991, equation 43) that rules out a reflection.

    Parameters
    ----------
    a, b
        (N, 3) corresponding points, 3 or more that do not lie on one line.

    Raises
    ------
    InputError
        Shapes differ, a point is not finite, or the points do not determine a rotation.
    """
    a, b = _points(a, 3, "a"), _points(b, 3, "b")
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError(f"a is {a.shape} and b is {b.shape}: give as many points in both, all known")
    if len(a) < 3:
        raise InputError(f"{len(a)} points do not determine a rotation: give 3 or more")
    center_a, center_b = a.mean(axis=0), b.mean(axis=0)
    U, spread, Vh = np.linalg.svd((b - center_b).T @ (a - center_a))
    if spread[1] <= _DEGENERATE * max(spread[0], np.finfo(np.float64).tiny):
        raise InputError("the points lie on one line or in one place, which leaves the rotation open: add others")
    U[:, 2] *= np.sign(np.linalg.det(U) * np.linalg.det(Vh))
    R = U @ Vh
    return RigidTransform(R, center_b - R @ center_a)


def reproject_disparity(disparity_px: FloatMap, Q: Array) -> Array:
    """Return the point of every pixel of a disparity map.

    Parameters
    ----------
    disparity_px
        (H, W), nan where unknown.
    Q
        (4, 4), from (column, row, disparity, 1) to homogeneous points, as stereo rectification makes it.

    Returns
    -------
    Array
        (H, W, 3) float32, in the unit of the baseline; nan where the disparity is unknown or the
        point lies at infinity.
    """
    Q = _matrix(Q, (4, 4), "Q")
    if disparity_px.ndim != 2:
        raise InputError(f"disparity_px must be (H, W), not {disparity_px.shape}")
    if not disparity_px.size:
        return np.empty((*disparity_px.shape, 3), np.float32)
    points = cv2.reprojectImageTo3D(np.ascontiguousarray(disparity_px, np.float32), Q)
    x, y, z = np.moveaxis(points, 2, 0)
    points[~(np.isfinite(x) & np.isfinite(y) & np.isfinite(z))] = np.nan
    return points


def depth_mm(disparity_px: Array, focal_px: float, baseline_mm: float, doffs_px: float = 0) -> Array:
    """Return the depth of rectified disparities: focal_px * baseline_mm / (disparity_px + doffs_px).

    Parameters
    ----------
    disparity_px
        Of any shape; nan where unknown.
    focal_px, baseline_mm
        Of the rectified pair, above 0.
    doffs_px
        Column of the right principal point less that of the left one.

    Returns
    -------
    Array
        float32 of the same shape; nan where the disparity is unknown or the depth is not finite
        and positive.
    """
    if not (focal_px > 0 and baseline_mm > 0):
        raise InputError(f"focal_px {focal_px} and baseline_mm {baseline_mm} must be above 0")
    shift = np.asarray(disparity_px, np.float64) + doffs_px
    usable = np.isfinite(shift) & (shift > 0)
    with np.errstate(over="ignore"):
        depth = (focal_px * baseline_mm / np.where(usable, shift, np.nan)).astype(np.float32)
    return np.where(np.isfinite(depth), depth, np.float32(np.nan))


def _points(points: Array, size: int, name: str) -> Array:
    array = np.asarray(points, np.float64)
    if array.ndim != 2 or array.shape[1] != size:
        raise InputError(f"{name} must be (N, {size}), not {array.shape}")
    return array


def _matrix(matrix: Array, shape: tuple[int, ...], name: str) -> Array:
    array = np.asarray(matrix, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise InputError(f"{name} must be {shape} and finite, not {array.tolist()}")
    return array


def _coefficients(distortion: Array) -> Array:
    """Return k1, k2, p1, p2, k3, k4, k5, k6."""
    given = np.ravel(np.asarray(distortion, np.float64))
    used = given[: max(_DISTORTION_LENGTHS)]
    if len(used) not in _DISTORTION_LENGTHS or given[len(used) :].any() or not np.isfinite(given).all():
        raise InputError(
            f"distortion {given.tolist()} is not k1, k2, p1, p2[, k3[, k4, k5, k6]]: "
            f"thin prism and tilted sensors are not modelled"
        )
    return np.pad(used, (0, max(_DISTORTION_LENGTHS) - len(used)))


def _lens(normalized: Array, k: Array) -> tuple[Array, Array]:
    """Return by what the lens multiplies (N, 1) and what it adds (N, 2) at undistorted points (N, 2)."""
    x, y = normalized.T
    r2 = x * x + y * y
    numerator = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]))
    denominator = 1 + r2 * (k[5] + r2 * (k[6] + r2 * k[7]))
    shift_x = 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x)
    shift_y = k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y
    return (numerator / denominator)[:, None], np.stack([shift_x, shift_y], axis=1)


def _distort(normalized: Array, k: Array) -> Array:
    factor, shift = _lens(normalized, k)
    return normalized * factor + shift


def _undistort(bent: Array, k: Array) -> Array:
    """Invert `_distort` by fixed-point iteration; nan where it does not settle."""
    points = bent.copy()
    with np.errstate(all="ignore"):
        for _ in range(_UNDISTORT_STEPS):
            factor, shift = _lens(points, k)
            before, points = points, (bent - shift) / factor
            if not (np.abs(points - before) > _UNDISTORT_TOLERANCE / 10).any():
                break
        settled = np.abs(_distort(points, k) - bent).max(axis=1, initial=0) <= _UNDISTORT_TOLERANCE
        settled &= _lens(points, k)[0][:, 0] > 0
    return np.where(settled[:, None], points, np.nan)


def _homogeneous(points: Array) -> Array:
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)


def _to_pixels(normalized: Array, K: Array) -> Array:
    return np.asarray((_homogeneous(normalized) @ K.T)[:, :2])


def _line_rows(P: Array, x: Array) -> Array:
    """Return the two equations per point that say that P X and x are parallel, (N, 2, 4)."""
    return np.asarray(x[:, :, None] * P[2] - P[:2])
