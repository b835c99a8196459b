"""Exercises on the spot with repetitions that are exact by construction: squat, split squat and heel raise.

The feet are locked to the ground; the pelvis goes down (or up) and comes back along a path that rests at both ends, and
the legs follow by inverse kinematics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.keypoints import SIDES
from salticid.motion.simulate.body import Leg, UpperBody, assemble
from salticid.motion.simulate.figure import ANKLE_HEIGHT, Figure, bend_leg, standing_ankle
from salticid.motion.simulate.path import Path
from salticid.motion.simulate.result import SimulatedMotion, angles_of, room_keypoints
from salticid.motion.simulate.style import RANGES, check_range

Kind = Literal["squat", "split squat", "heel raise"]

RAISED_KNEE_DEG = 4.0  # through a heel raise
REST_S = 1.0  # before the first repetition and after the last
DOWN, HELD, DONE = 0.45, 0.52, 0.92  # parts of a repetition: at the turning point, leaving it, back again
PERIOD_SD, DEPTH_SD = 0.04, 0.03
SHANK_SHARE = 0.36  # of the knee's flexion by which the shank leans forward in a squat: Fry 2003
TRUNK_SHARE = 0.40
SPLIT_M = 0.20  # a foot's distance from the pelvis, forward or back, as a share of body height
BACK_PITCH_DEG = -52.0
FEET_APART = 0.17  # share of body height


@dataclass(frozen=True, slots=True)
class Depth:
    """How far an exercise goes, in degrees: what it means, what is typical, and what can be done."""

    rest: float  # between repetitions: knees are never quite straight
    typical: float
    least: float
    most: float


DEPTHS = {
    "squat": Depth(4, 95, 30, 120),  # knee flexion
    "split squat": Depth(30, 90, 40, 105),  # flexion of the front knee
    "heel raise": Depth(0, 35, 10, 50),  # of the sole to the ground
}


@dataclass(frozen=True, slots=True)
class Posture:
    """Where a body stands at each time, in the body's axes; per side (T, ...)."""

    pelvis: Array  # (T, 3)
    flat: tuple[Array, Array]  # (3,) where the ankles are while the feet are flat, left and right
    pitch_deg: tuple[Array, Array]  # (T,) of the soles
    upper: UpperBody


def simulate_exercise(
    kind: Kind = "squat",
    *,
    repetitions: int = 8,
    period_s: float = 3.0,
    depth_deg: float | None = None,
    seconds: float | None = None,
    fps: float = 60.0,
    height_m: float = 1.75,
    heading_deg: float = 0.0,
    variability: float = 1.0,
    seed: int = 0,
) -> SimulatedMotion:
    """Return a person who repeats an exercise; `repetitions_s` are its true times.

    Parameters
    ----------
    depth_deg
        At the turning point: flexion of the (front) knee; of a heel raise the angle of the sole to the ground.
        None is typical.
    seconds
        Of the recording; None ends it shortly after the last repetition.

    Raises
    ------
    InputError
        There is no such exercise, a value is not one that people have, or the repetitions do not fit into `seconds`.
    """
    depth, limits = _depth_deg(kind, depth_deg), DEPTHS[kind]
    check_range("period_s", period_s, 0.8, 20)
    check_range("repetitions", repetitions, 1, 200)
    check_range("fps", fps, 5, 2000)
    check_range("height_m", height_m, *RANGES["height_m"])
    check_range("variability", variability, *RANGES["variability"])
    rng = np.random.default_rng(seed)
    times = _repetition_times(repetitions, period_s, variability, rng)
    last_s = float(times[-1, -1]) + REST_S
    if seconds is not None and seconds < last_s:
        raise InputError(f"{repetitions} repetitions take {last_s:.1f} s: give more than {seconds:g} seconds, or fewer")
    time = np.arange(round((last_s if seconds is None else seconds) * fps)) / fps
    deep = depth * (1 + DEPTH_SD * variability * np.clip(rng.standard_normal(repetitions), -2, 2))
    effort_deg = _effort(times, limits.rest, np.minimum(deep, limits.most))(time)
    figure = Figure(height_m)
    posture = _posture(kind, figure, effort_deg, (effort_deg - limits.rest) / (depth - limits.rest))
    places = _assembled(figure, posture)
    return _told(time, places, times, figure, heading_deg)


def _depth_deg(kind: Kind, given_deg: float | None) -> float:
    """Return how deep an exercise that is known goes, as given or as is typical."""
    if kind not in DEPTHS:
        raise InputError(f"exercise is {kind!r}: choose one of {', '.join(DEPTHS)}")
    limits = DEPTHS[kind]
    depth = limits.typical if given_deg is None else given_deg
    check_range(f"depth_deg of a {kind}", depth, limits.least, limits.most)
    return depth


def _repetition_times(repetitions: int, period_s: float, variability: float, rng: np.random.Generator) -> Array:
    """Return when each repetition starts, arrives, leaves and is done (R, 4)."""
    lengths = period_s * (1 + PERIOD_SD * variability * np.clip(rng.standard_normal(repetitions), -2.5, 2.5))
    starts = REST_S + np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return np.asarray(starts[:, None] + lengths[:, None] * np.array([0, DOWN, HELD, DONE]))


def _effort(times: Array, rest: float, depths: Array) -> Path:
    """Return the path of the angle that is worked with: smooth, and still at every turn."""
    knots = np.concatenate([[0.0], times.ravel(), [times[-1, -1] + REST_S]])
    values = rest + np.concatenate([[0.0], np.outer(depths - rest, (0, 1, 1, 0)).ravel(), [0.0]])
    return Path(knots[None], values[None], np.zeros((1, len(knots))))


def _posture(kind: Kind, figure: Figure, effort_deg: Array, part: Array) -> Posture:
    """Return the posture while the effort is made; `part` is 0 at rest and about 1 at the turning point."""
    return {"squat": _squat, "split squat": _split_squat, "heel raise": _heel_raise}[kind](figure, effort_deg, part)


def _squat(figure: Figure, effort_deg: Array, part: Array) -> Posture:
    """Return a squat: knees forward, hips back, trunk and arms forward."""
    flat = _feet(figure)
    pelvis = _pelvis_over(figure, flat[0], effort_deg, (1 - SHANK_SHARE) * effort_deg)
    still = np.zeros_like(part)
    return Posture(pelvis, flat, (still, still), _upper(2 + TRUNK_SHARE * effort_deg, 85 * part, 10 + 0 * part))


def _split_squat(figure: Figure, effort_deg: Array, part: Array) -> Posture:
    """Return a split squat: left foot in front and flat, right foot behind on its toe."""
    ahead = SPLIT_M * figure.height_m
    (left, right), still = _feet(figure), np.zeros_like(part)
    front, back = left + np.array([0, 0, ahead]), right - np.array([0, 0, ahead])
    line = np.full_like(effort_deg, 0.55 * ahead)
    height = front[1] + np.sqrt(figure.reach_m(effort_deg) ** 2 - line**2 - _aside(figure, front) ** 2)
    pelvis = np.stack([still, height, front[2] - line], axis=1)
    return Posture(
        pelvis, (front, back), (still, still + BACK_PITCH_DEG), _upper(6 + 4 * part, 5 + 0 * part, 15 + 0 * part)
    )


def _heel_raise(figure: Figure, effort_deg: Array, part: Array) -> Posture:
    """Return a heel raise: the heels rise about the toes, and the body above them a little forward."""
    flat = _feet(figure)
    ankle = standing_ankle(figure, np.broadcast_to(flat[0], (len(part), 3)), -effort_deg)
    pelvis = _pelvis_over(figure, ankle, np.full_like(part, RAISED_KNEE_DEG), np.full_like(part, RAISED_KNEE_DEG / 2))
    return Posture(pelvis, flat, (-effort_deg, -effort_deg), _upper(2 + part, 0 * part, 8 + 0 * part))


def _feet(figure: Figure) -> tuple[Array, Array]:
    """Return where the ankles of the left and the right foot are, side by side."""
    side, up = FEET_APART / 2 * figure.height_m, ANKLE_HEIGHT * figure.height_m
    return np.array([side, up, 0.0]), np.array([-side, up, 0.0])


def _aside(figure: Figure, ankle: Array) -> float:
    """Return how far the left ankle is beside the left hip."""
    return float(np.atleast_2d(ankle)[0, 0] - figure.half_pelvis_m)


def _pelvis_over(figure: Figure, ankle: Array, knee_deg: Array, thigh_deg: Array) -> Array:
    """Return the middle of the pelvis (T, 3) above a left ankle, for a knee's flexion and a thigh's angle."""
    knee = np.radians(knee_deg)
    before_line = np.arctan2(figure.shank_m * np.sin(knee), figure.thigh_m + figure.shank_m * np.cos(knee))
    line, reach = np.radians(thigh_deg) - before_line, figure.reach_m(knee_deg)
    up = np.sqrt((reach * np.cos(line)) ** 2 - _aside(figure, ankle) ** 2)
    offset = np.stack([np.zeros_like(up), up, -reach * np.sin(line)], axis=1)
    return np.asarray(ankle * np.array([0, 1, 1]) + offset)


def _upper(lean_deg: Array, arm_deg: Array, elbow_deg: Array) -> UpperBody:
    """Return an upper body that leans, with both arms alike."""
    still = np.zeros_like(lean_deg)
    return UpperBody(lean_deg, still, still, np.stack([arm_deg, arm_deg]), np.stack([elbow_deg, elbow_deg]))


def _assembled(figure: Figure, posture: Posture) -> Array:
    """Return the places (T, K, 3) of all joints."""
    legs = []
    for side, sign in ((0, 1), (1, -1)):
        hip = posture.pelvis + np.array([sign * figure.half_pelvis_m, 0, 0])
        pitch = posture.pitch_deg[side]
        ankle = standing_ankle(figure, np.broadcast_to(posture.flat[side], hip.shape), pitch)
        legs.append(Leg(bend_leg(figure, hip, ankle, pitch), hip, ankle))
    return assemble(figure, posture.upper, (legs[0], legs[1]))


def _told(time: Array, places: Array, times: Array, figure: Figure, heading_deg: float) -> SimulatedMotion:
    """Return the motion with its truths."""
    keypoints = room_keypoints(time, places, heading_deg)
    none = {side: np.zeros(0) for side in SIDES}
    turning = times[:, 1:3].mean(axis=1)
    nothing = float("nan")
    return SimulatedMotion(
        keypoints=keypoints,
        activity="exercise",
        heading_deg=heading_deg,
        height_m=figure.height_m,
        treadmill=False,
        truths=angles_of(keypoints, heading_deg),
        contacts_s=none,
        toe_offs_s=none,
        contact_time_s=none,
        stride_time_s=none,
        step_length_m=none,
        repetitions_s=np.stack([times[:, 0], turning, times[:, 3]], axis=1),
        cadence_spm=nothing,
        duty_factor=nothing,
        flight_time_s=nothing,
        speed_kmh=nothing,
        vertical_oscillation_m=nothing,
    )
