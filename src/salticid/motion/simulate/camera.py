"""What a camera, or a network behind one, would see of a body in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import Keypoints, Side
from salticid.motion.measured import View
from salticid.motion.simulate.flaws import Flaws
from salticid.motion.simulate.result import SimulatedMotion
from salticid.motion.simulate.style import check_range

# Of the picture's height, where no focal length is given: what the person fills, and what head and feet stay within.
SHARE_OF_PICTURE, WITHIN = 0.7, 0.85
NEAR_M = 0.3  # what is closer to the camera than this is not seen


@dataclass(frozen=True, slots=True)
class Camera:
    """A level pinhole camera without distortion."""

    right: Array  # (3,) unit vector of the picture's x axis
    ahead: Array  # (3,) unit vector along which it looks
    place_m: Array  # (T, 3)
    focal_px: float
    size_px: tuple[int, int]
    distance_m: float  # from which everything is seen if there is no perspective
    perspective: bool

    def project(self, points: Array) -> Array:
        """Return the pixels (T, K, 2) of points (T, K, 3) m; nan where they are not in the picture."""
        seen = points - self.place_m[:, None]
        depth = seen @ self.ahead if self.perspective else np.full(seen.shape[:2], self.distance_m)
        scale = self.focal_px / np.where(depth > NEAR_M, depth, np.nan)
        pixels = np.stack([scale * (seen @ self.right), -scale * seen[..., 1]], axis=-1) + np.array(self.size_px) / 2
        inside = np.all((pixels >= 0) & (pixels <= self.size_px), axis=-1, keepdims=True)
        return np.where(inside, pixels, np.nan)


def observe(
    motion: SimulatedMotion | Keypoints,
    view: View = "side",
    *,
    direction: Side = "right",
    noise_m: float = 0.01,
    noise_memory_s: float = 0.0,
    distance_m: float = 4.0,
    camera_height_m: float = 1.0,
    focal_px: float | None = None,
    size_px: tuple[int, int] = (1280, 720),
    perspective: bool = True,
    follow: bool = True,
    missing: float = 0.0,
    missing_s: float = 0.1,
    time_jitter: float = 0.0,
    dropped: float = 0.0,
    seed: int = 0,
) -> Keypoints:
    """Return the keypoints as they would be found from a view: pixels, or meters of the room for "room".

    Parameters
    ----------
    motion
        Keypoints alone are taken to face along +z.
    direction
        Which way the person faces in a side view; for "right" the camera sees the body's right side.
    noise_m, noise_memory_s, missing, missing_s, time_jitter, dropped
        See `Flaws`.
    distance_m
        From the camera to the middle of the hips, on average where it follows.
    focal_px
        None lets the person fill 70 % of the picture's height, or less where head or feet would leave it.
    follow
        The camera travels with the person; else it stands beside the middle of the way (from the rear: behind its
        start, from the front: beyond its end), and what leaves the picture is nan.

    Raises
    ------
    InputError
        The view is not known, a value is out of its range, or the keypoints are not of three dimensions.
    """
    keypoints, heading_deg = (motion, 0.0) if isinstance(motion, Keypoints) else (motion.keypoints, motion.heading_deg)
    flaws = Flaws(
        noise_m=noise_m,
        noise_memory_s=noise_memory_s,
        missing=missing,
        missing_s=missing_s,
        time_jitter=time_jitter,
        dropped=dropped,
    )
    if keypoints.dimensions != 3:
        raise InputError("a camera needs a body in three dimensions: these keypoints are in pixels already")
    check_range("distance_m", distance_m, 2 * NEAR_M, 100)
    rng = np.random.default_rng(seed)
    keypoints = flaws.retimed(keypoints, rng)
    points = keypoints.positions.astype(float)
    noise = flaws.noise(points.shape, keypoints.times_s, rng)
    lost = flaws.lost(points.shape[:2], keypoints.fps, rng)
    if view == "room":
        return _found(keypoints, np.where(lost[..., None], np.nan, points + noise), None)
    right, ahead = _looking(view, direction, np.radians(heading_deg))
    way = _way(keypoints, None if follow else view)
    way[:, 1] = camera_height_m
    focal = _filling_focal_px(points, camera_height_m, size_px, distance_m) if focal_px is None else focal_px
    camera = Camera(right, ahead, way - distance_m * ahead, focal, size_px, distance_m, perspective)
    in_picture = noise[..., :1] * right + noise[..., 1:2] * np.array([0, 1, 0])
    return _found(keypoints, np.where(lost[..., None], np.nan, camera.project(points + in_picture)), size_px)


def _looking(view: View, direction: Side, heading: float) -> tuple[Array, Array]:
    """Return the picture's x axis and the way the camera looks, in the room."""
    forward = np.array([np.sin(heading), 0, np.cos(heading)])
    left = np.array([np.cos(heading), 0, -np.sin(heading)])
    if view == "side" and direction in ("left", "right"):
        return (forward, left) if direction == "right" else (-forward, -left)
    if view in ("rear", "front"):
        return (-left, forward) if view == "rear" else (left, -forward)
    raise InputError(
        f"view is {view!r} and direction {direction!r}: choose 'side', 'rear', 'front' or 'room', and 'left' or 'right'"
    )


def _way(keypoints: Keypoints, standing: View | None) -> Array:
    """Return the places (T, 3) beside which the camera is: the hips' at even speed, or one place for a view."""
    hips = (keypoints.joint("left_hip") + keypoints.joint("right_hip")).astype(float) / 2
    time = keypoints.times_s - keypoints.times_s.mean()
    middle = hips.mean(axis=0)
    way = middle + np.outer(time, time @ (hips - middle) / (time @ time))
    if standing is None:
        return np.asarray(way)
    frame = {"rear": 0, "front": -1}.get(standing, len(way) // 2)
    return np.repeat(way[frame][None], len(way), axis=0)


def _filling_focal_px(points: Array, camera_height_m: float, size_px: tuple[int, int], distance_m: float) -> float:
    """Return the focal length in pixels with which the person fills its share of the picture, head and feet in it."""
    up = points[..., 1]
    reach_m = 2 * float(np.abs(up - camera_height_m).max())
    shown_m = max(float(np.ptp(up)) / SHARE_OF_PICTURE, reach_m / WITHIN)
    return size_px[1] * distance_m / shown_m


def _found(keypoints: Keypoints, positions: Array, size_px: tuple[int, int] | None) -> Keypoints:
    """Return keypoints at other positions; what is nan was not found."""
    found = np.all(np.isfinite(positions), axis=2)
    scores = np.asarray(found, np.float32)
    return Keypoints(keypoints.times_s, positions.astype(np.float32), scores, keypoints.names, size_px)
