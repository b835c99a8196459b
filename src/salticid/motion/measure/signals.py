"""Angles and distances of a body, frame by frame: what curves and features are read from.

Angles are those of projections: on the sagittal plane (forward, up) for flexion, on the frontal plane (left, up) for
drop, sway and valgus. A plane that the view does not show gives nan. Zero is standing upright with straight limbs.
"""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.body import Body
from salticid.motion.measured import Signals

FORWARD, LEFT, UP = 0, 1, 2

# Name, unit, title; those of SIDED are there for left and right, as `knee_flexion.left`.
SIDED = (
    ("knee_flexion", "deg", "Knee flexion"),
    ("hip_flexion", "deg", "Hip flexion, thigh to trunk"),
    ("ankle_dorsiflexion", "deg", "Ankle dorsiflexion"),
    ("thigh_angle", "deg", "Thigh to vertical, knee ahead is positive"),
    ("shank_angle", "deg", "Shank to vertical, ankle ahead is positive"),
    ("foot_angle", "deg", "Foot to the ground, toes up is positive"),
    ("elbow_flexion", "deg", "Elbow flexion"),
    ("arm_swing", "deg", "Upper arm to trunk, elbow ahead is positive"),
    ("ankle_forward", "% height", "Ankle ahead of the pelvis"),
    ("foot_height", "% height", "Lowest point of the foot above the ground"),
    ("pelvic_drop", "deg", "Pelvis, the other side lower is positive"),
    ("knee_valgus", "deg", "Knee valgus in the frontal plane"),
    ("hip_adduction", "deg", "Hip adduction in the frontal plane"),
    ("ankle_inward", "% height", "Ankle beyond the middle of the pelvis"),
)
WHOLE = (
    ("trunk_lean", "deg", "Trunk to vertical, forward is positive"),
    ("trunk_sway", "deg", "Trunk to vertical, to the left is positive"),
    ("shoulder_tilt", "deg", "Shoulders, left side up is positive"),
    ("step_width", "% height", "Ankles beside each other"),
    ("pelvis_height", "% height", "Pelvis above the ground"),
    ("pelvis_speed_up", "% height/s", "Vertical velocity of the pelvis"),
)
TITLES = {name: title for name, _, title in (*SIDED, *WHOLE)}


def signals_of(body: Body) -> Signals:
    """Compute all signals of a body; (T, F) float32 with nan where the view or the source does not tell."""
    whole = _of_whole(body)
    sided = {side: _of_side(body, side, whole) for side in SIDES}
    columns = [(f"{name}.{side}", unit, sided[side][name]) for name, unit, _ in SIDED for side in SIDES]
    columns += [(name, unit, whole[name]) for name, unit, _ in WHOLE]
    names, units, courses = zip(*columns, strict=True)
    return Signals(body.times_s, np.stack(courses, axis=1).astype(np.float32), names, units)


def ground_of(body: Body) -> Array:
    """Return how high the ground lies, (T,) in the unit of the body: below the lowest places of the feet."""
    lowest = np.fmin(*(lowest_of(body, side) for side in SIDES))
    return np.full(len(body), _low(lowest))


def lowest_of(body: Body, side: Side) -> Array:
    """Return the height of the lowest known point of a foot, (T,)."""
    points = [body.joint(f"{side}_{part}")[:, UP] for part in ("heel", "toe")]
    lowest = np.fmin(*points)
    return np.asarray(lowest if np.isfinite(lowest).any() else body.joint(f"{side}_ankle")[:, UP])


def _low(course: Array) -> float:
    known = course[np.isfinite(course)]
    return float(np.percentile(known, 5)) if len(known) else float("nan")


def _of_whole(body: Body) -> dict[str, Array]:
    trunk = body.neck - body.pelvis
    shoulders = body.joint("left_shoulder") - body.joint("right_shoulder")
    height = body.pelvis[:, UP] - ground_of(body)
    return {
        "trunk_lean": _degrees(trunk[:, FORWARD], trunk[:, UP]),
        "trunk_sway": _degrees(trunk[:, LEFT], trunk[:, UP]),
        "shoulder_tilt": _degrees(shoulders[:, UP], shoulders[:, LEFT]),
        "step_width": _percent(body, (body.joint("left_ankle") - body.joint("right_ankle"))[:, LEFT]),
        "pelvis_height": _percent(body, height),
        "pelvis_speed_up": _percent(body, np.gradient(height, body.times_s)),
    }


def _of_side(body: Body, side: Side, whole: dict[str, Array]) -> dict[str, Array]:
    return _sagittal(body, side, whole["trunk_lean"]) | _frontal(body, side)


def _sagittal(body: Body, side: Side, trunk_lean: Array) -> dict[str, Array]:
    hip, knee, ankle = (body.joint(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
    shoulder, elbow, wrist = (body.joint(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist"))
    thigh, shank, upper_arm = knee - hip, ankle - knee, elbow - shoulder
    thigh_angle = _degrees(thigh[:, FORWARD], -thigh[:, UP])
    shank_angle = _degrees(shank[:, FORWARD], -shank[:, UP])
    foot = body.joint(f"{side}_toe") - body.joint(f"{side}_heel")
    foot_angle = _degrees(foot[:, UP], foot[:, FORWARD])
    return {
        "knee_flexion": _wrapped(thigh_angle - shank_angle),
        "hip_flexion": _wrapped(thigh_angle + trunk_lean),
        "ankle_dorsiflexion": _wrapped(foot_angle - shank_angle),
        "thigh_angle": thigh_angle,
        "shank_angle": shank_angle,
        "foot_angle": foot_angle,
        "elbow_flexion": _bend(upper_arm, wrist - elbow),
        "arm_swing": _wrapped(_degrees(upper_arm[:, FORWARD], -upper_arm[:, UP]) + trunk_lean),
        "ankle_forward": _percent(body, (ankle - body.pelvis)[:, FORWARD]),
        "foot_height": _percent(body, lowest_of(body, side) - ground_of(body)),
    }


def _frontal(body: Body, side: Side) -> dict[str, Array]:
    outward = 1.0 if side == "left" else -1.0
    hip, knee, ankle = (body.joint(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
    hips = body.joint("left_hip") - body.joint("right_hip")
    drop = outward * _degrees(hips[:, UP], hips[:, LEFT])
    thigh = _degrees(outward * (knee - hip)[:, LEFT], (hip - knee)[:, UP])
    shank = _degrees(outward * (ankle - knee)[:, LEFT], (knee - ankle)[:, UP])
    return {
        "pelvic_drop": drop,
        "knee_valgus": _wrapped(shank - thigh),
        "hip_adduction": _wrapped(drop - thigh),
        "ankle_inward": _percent(body, -outward * (ankle - body.pelvis)[:, LEFT]),
    }


def _bend(near: Array, far: Array) -> Array:
    """Return the angle between two limbs, 0 when they are in line; in the plane that is seen, or in space."""
    seen = np.isfinite(near).any(axis=0) & np.isfinite(far).any(axis=0)
    if not seen.any():
        return np.full(len(near), np.nan)
    near, far = near[:, seen], far[:, seen]
    size = np.linalg.norm(near, axis=1) * np.linalg.norm(far, axis=1)
    cosine = np.divide((near * far).sum(axis=1), size, out=np.full(len(size), np.nan), where=size > 0)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _degrees(across: Array, along: Array) -> Array:
    return np.asarray(np.degrees(np.arctan2(across, along)))


def _wrapped(degrees: Array) -> Array:
    return np.asarray((degrees + 180) % 360 - 180)


def _percent(body: Body, length: Array) -> Array:
    return np.asarray(100 * length / body.height)


def column_of(signals: Signals, name: str, side: Side | None) -> Array:
    """Return the course (T,) of a signal; that of a side, where the signal has sides."""
    return np.asarray(signals.values[:, signals.names.index(name if name in signals.names else f"{name}.{side}")])


def value_at(signals: Signals, name: str, side: Side | None, time_s: float) -> float:
    """Return a signal at a time; nan where it is not known."""
    course = column_of(signals, name, side)
    return float(np.interp(time_s, signals.times_s, course, left=np.nan, right=np.nan))


def values_during(signals: Signals, name: str, side: Side | None, start_s: float, end_s: float) -> Array:
    """Return a signal from start to end, ends included; a single nan where a part is not known."""
    if not end_s > start_s:
        return np.array([np.nan])
    inside = signals.times_s[(signals.times_s > start_s) & (signals.times_s < end_s)]
    moments = np.array([start_s, *inside, end_s])
    course = np.interp(moments, signals.times_s, column_of(signals, name, side), left=np.nan, right=np.nan)
    return course if np.isfinite(course).all() else np.array([np.nan])
