"""From a picture or a room to a body's own axes: forward, left, up.

A picture shows two of them; the third is nan. In a room all are known, once it is known which way the body faces.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import SIDES
from salticid.motion.measure.facing import facing
from salticid.motion.measure.filters import low_pass
from salticid.motion.measure.level import leveled
from salticid.motion.measure.view import Seen

HEADING_HZ = 0.3  # far below a stride, so that the rotation of the pelvis within it stays
TREND_HZ = 0.3


def middle(joints: Mapping[str, Array], part: str) -> Array:
    """Return the point between left and right, (T, D); where one is hidden, at its usual distance from the other.

    Where one is never seen, the other alone: from the side they are at nearly the same place.
    """
    left, right = joints[f"left_{part}"], joints[f"right_{part}"]
    apart = right - left
    half = np.array([np.median(axis[np.isfinite(axis)]) if np.isfinite(axis).any() else 0.0 for axis in apart.T]) / 2
    one = np.where(np.isfinite(left), left + half, right - half)
    return np.where(np.isfinite(apart), (left + right) / 2, one)


def in_picture(joints: Mapping[str, Array], seen: Seen, height_px: Array, rate_hz: float) -> dict[str, Array]:
    """Return (T, 3) forward, left and up in body heights from (T, 2) pixels, and nan for the axis that is not seen.

    Where the size of the body changes (`height_px` is (T,)), its travel is added up step by step at the size of each.
    A body that turns round goes on forward, and is unknown while it turns. The ground is level: see `leveled`.
    """
    pelvis = middle(joints, "hip")
    steady = bool(np.ptp(height_px) == 0)
    path = pelvis / height_px[:, None] if steady else _path(pelvis, height_px, rate_hz)
    axis, signs = _across(joints, seen, rate_hz)
    along = _along(path[:, 0], signs)
    turned = {}
    for name, course in joints.items():
        place = (course - pelvis) / height_px[:, None]
        turned[name] = np.full((len(course), 3), np.nan)
        turned[name][:, axis] = along + signs * place[:, 0]
        turned[name][:, 2] = np.where(np.isfinite(signs), -(path + place)[:, 1], np.nan)
    return leveled(turned, rate_hz)


def in_room(joints: Mapping[str, Array], rate_hz: float) -> dict[str, Array]:
    """Return (T, 3) forward, left and up in meters from (T, 3) meters with y up.

    The body faces across the line between its hips and shoulders, filtered so slowly that their rotation within a
    stride stays. What it travels is added up along that heading, so a walk in a circle is a straight one here.

    Raises
    ------
    InputError
        Neither both hips nor both shoulders were ever seen at once.
    """
    pelvis = middle(joints, "hip")
    forward = _heading(joints, rate_hz)
    up = np.broadcast_to([0.0, 1.0, 0.0], forward.shape)
    axes = np.stack([forward, np.cross(up, forward), up], axis=1)  # (T, 3 axes, 3)
    steps = np.einsum("tij,tj->ti", (axes[1:] + axes[:-1]) / 2, np.diff(_bridged(pelvis), axis=0))
    path = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    path[:, 2] = pelvis[:, 1]
    return {name: path + np.einsum("tij,tj->ti", axes, course - pelvis) for name, course in joints.items()}


def _across(joints: Mapping[str, Array], seen: Seen, rate_hz: float) -> tuple[int, Array]:
    """Return which axis of the body runs across the picture, and whether along with x or against it, (T,)."""
    frames = len(joints["left_hip"])
    if seen.view != "side":
        return 1, np.full(frames, -1.0 if seen.view == "rear" else 1.0)
    signs = facing(joints, rate_hz)
    usual = 1.0 if seen.direction == "right" else -1.0
    return 0, signs if np.isfinite(signs).any() else np.full(frames, usual)


def _along(across: Array, signs: Array) -> Array:
    """Return how far a body has come, (T,), from its place across the picture and which way it faces there."""
    if np.ptp(signs) == 0:
        return np.asarray(signs * across)
    steps = np.nan_to_num(signs[1:]) * np.diff(_bridged(across[:, None])[:, 0])
    way = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(np.where(np.isfinite(across), way, np.nan))


def _path(pelvis: Array, height_px: Array, rate_hz: float) -> Array:
    """Return the way of the pelvis, (T, 2) in body heights, without the slow rise that is perspective alone."""
    size = (height_px[1:] + height_px[:-1])[:, None] / 2
    way = np.concatenate([np.zeros((1, 2)), np.cumsum(np.diff(_bridged(pelvis), axis=0) / size, axis=0)])
    way[:, 1] -= low_pass(way[:, 1], rate_hz, TREND_HZ)
    return way


def _heading(joints: Mapping[str, Array], rate_hz: float) -> Array:
    """Return the unit vector that points forward, (T, 3), horizontal."""
    lines = np.array([joints[f"left_{part}"] - joints[f"right_{part}"] for part in ("hip", "shoulder")])
    across = np.where(np.isfinite(lines).any(axis=0), np.nansum(lines, axis=0), np.nan)
    if not np.isfinite(across).all(axis=1).any():
        raise InputError("neither both hips nor both shoulders are seen: which way the body faces cannot be told")
    leftward = low_pass(_bridged(across), rate_hz, HEADING_HZ)
    forward = np.cross(leftward, [0.0, 1.0, 0.0])
    forward[:, 1] = 0
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return np.asarray(forward * _sign(joints, forward))


def _sign(joints: Mapping[str, Array], forward: Array) -> float:
    """Return -1 where the feet point the other way: then left and right are exchanged in the source."""
    feet = [joints[f"{side}_toe"] - joints[f"{side}_ankle"] for side in SIDES]
    ahead = [np.median(known) for known in map(_known, ((foot * forward).sum(axis=1) for foot in feet)) if len(known)]
    return -1.0 if sum(ahead) < 0 else 1.0


def _known(values: Array) -> Array:
    return np.asarray(values[np.isfinite(values)])


def _bridged(course: Array) -> Array:
    """Return the course (T, D) with straight lines through all gaps, for what is added up over time."""
    frames = np.arange(len(course))
    known = np.isfinite(course).all(axis=1)
    columns = [np.interp(frames, frames[known], column[known]) for column in course.T]
    return np.stack(columns, axis=1)
