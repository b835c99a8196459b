"""Contacts from behind or in front, where only rise and fall are seen.

Feet tell little there: a foot that stands on a treadmill comes towards the camera, so the picture lowers it as if it
fell. The trunk tells more. A walker's is lowest when both feet are on the ground, just after a contact; a runner's
falls fastest when a foot meets the ground (Milner & Paquette 2015). Which foot it was, the feet tell together: over the
whole clip the one in the air is higher. When a toe leaves is not to be seen, so what needs it is not measured.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.activity import vertex
from salticid.motion.measure.body import Body
from salticid.motion.measure.signals import UP

APART = 0.35  # of a stride, between the contacts of both feet
LEAST_DIP = 0.3  # of what the trunk usually does: less is noise
AIRBORNE = (0.4, 0.2)  # of a stride before its contact: when a foot is in the air
LEAST_STEPS = 3


def vertical_contacts(body: Body, stride_s: float) -> dict[Side, Array]:
    """Return when each foot lands, (N,) seconds, roughly; nothing where the feet are hidden that tell them apart."""
    nothing = {side: np.empty(0) for side in SIDES}
    steps_s = _steps(body, stride_s)
    if len(steps_s) < LEAST_STEPS:
        return nothing
    halves = np.round(np.diff(steps_s) / (stride_s / 2)).astype(int)  # one by one, for small errors add up
    parity = np.concatenate([[0], np.cumsum(halves)]) % 2
    higher = _left_above_right(body, steps_s, stride_s)
    known = np.isfinite(higher)
    if not known.any():
        return nothing
    left = parity == (0 if (higher[known] * (1 - 2 * parity[known])).sum() > 0 else 1)
    return {"left": steps_s[left], "right": steps_s[~left]}


def _steps(body: Body, stride_s: float) -> Array:
    """Return when either foot lands."""
    height = (body.pelvis[:, UP] + body.neck[:, UP]) / 2
    height = height if np.isfinite(height).any() else body.pelvis[:, UP]
    course = -height if body.activity == "walk" else -np.gradient(height, body.times_s)
    known = course[np.isfinite(course)]
    if len(known) < LEAST_STEPS:
        return np.empty(0)
    filled = np.where(np.isfinite(course), course, known.min())
    least = LEAST_DIP * float(np.subtract(*np.percentile(known, [95, 5])))
    distance = max(1, round(APART * stride_s * body.rate_hz))
    found, _ = packages.require("scipy").signal.find_peaks(filled, prominence=least, distance=distance)
    beside = np.array([vertex(*filled[top - 1 : top + 2]) for top in found.tolist()])
    return np.asarray(body.times_s[found] + beside / body.rate_hz)


def _left_above_right(body: Body, steps_s: Array, stride_s: float) -> Array:
    """Return by how much the left foot is above the right one before each step; nan where that is hidden."""
    above = foot_height(body.joints, "left") - foot_height(body.joints, "right")
    early, late = (share * stride_s for share in AIRBORNE)
    windows = [(body.times_s > step - early) & (body.times_s < step - late) for step in steps_s]
    return np.array([above[window].mean() if window.any() else np.nan for window in windows])


def foot_height(joints: Mapping[str, Array], side: Side) -> Array:
    """Return the height of the middle of a foot, (T,); of its ankle where nothing else is known."""
    middle = (joints[f"{side}_heel"] + joints[f"{side}_toe"])[:, UP] / 2
    return np.asarray(middle if np.isfinite(middle).any() else joints[f"{side}_ankle"][:, UP])
