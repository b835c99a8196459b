"""The upper body above the hips, and all joints in one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import JOINTS, SIDES
from salticid.motion.simulate.figure import (
    FOREARM,
    HALF_SHOULDERS,
    TRUNK,
    UPPER_ARM,
    Figure,
    LegPose,
    knee_of,
    sole_of,
)

HALF_HEAD, EAR_UP, NOSE_FORWARD, NOSE_UP = 0.043, 0.112, 0.058, 0.118  # shares of height, from between the shoulders
HALF_ARM_ASIDE_DEG = 8.0  # the arms hang a little away from the trunk


@dataclass(frozen=True, slots=True)
class UpperBody:
    """Angles above the hips, (T,) degrees; of the arms (2, T), left and right."""

    lean_deg: Array  # forward
    side_deg: Array  # to the left
    turn_deg: Array  # left shoulder forward
    upper_arm_deg: Array  # forward from straight down
    elbow_deg: Array  # flexion


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg over time."""

    pose: LegPose
    hip: Array  # (T, 3) m
    ankle: Array  # (T, 3) m


def assemble(figure: Figure, upper: UpperBody, legs: tuple[Leg, Leg]) -> Array:
    """Return the places (T, K, 3) of all JOINTS, in the body's axes; `legs`: left and right."""
    places = _above(figure, upper, (legs[0].hip + legs[1].hip) / 2)
    for side, leg in zip(SIDES, legs, strict=True):
        heel, toe = sole_of(figure, leg.ankle, leg.pose.pitch_deg)
        places |= {
            f"{side}_hip": leg.hip,
            f"{side}_knee": knee_of(figure, leg.hip, leg.pose),
            f"{side}_ankle": leg.ankle,
            f"{side}_heel": heel,
            f"{side}_toe": toe,
        }
    return np.stack([places[name] for name in JOINTS], axis=1)


def _above(figure: Figure, upper: UpperBody, pelvis: Array) -> dict[str, Array]:
    """Return head, shoulders and arms above the middle of the hips."""
    height = figure.height_m
    lean, side, turn = (np.radians(angle) for angle in (upper.lean_deg, upper.side_deg, upper.turn_deg))
    spine = np.stack([np.tan(side), np.ones_like(lean), np.tan(lean)], axis=1)
    spine /= np.linalg.norm(spine, axis=1, keepdims=True)
    neck = pelvis + TRUNK * height * spine
    across = np.stack([np.cos(turn), np.zeros_like(turn), np.sin(turn)], axis=1)
    straight = np.stack([np.tan(side) / 2, np.ones_like(lean), np.tan(lean) / 2], axis=1)  # the head stays upright
    head = straight / np.linalg.norm(straight, axis=1, keepdims=True) * height
    ahead = np.array([0, 0, 1.0]) * height
    places = {"nose": neck + NOSE_UP * head + (NOSE_FORWARD + 0.02) * ahead}
    for number, (name, sign) in enumerate((("left", 1), ("right", -1))):
        places[f"{name}_ear"] = neck + EAR_UP * head + 0.02 * ahead + [sign * HALF_HEAD * height, 0, 0]
        shoulder = neck + sign * HALF_SHOULDERS * height * across
        arm, elbow = upper.upper_arm_deg[number], upper.elbow_deg[number]
        places[f"{name}_shoulder"] = shoulder
        places[f"{name}_elbow"] = shoulder + UPPER_ARM * height * _hanging(arm, sign * HALF_ARM_ASIDE_DEG)
        places[f"{name}_wrist"] = places[f"{name}_elbow"] + FOREARM * height * _hanging(arm + elbow, 0)
    return places


def _hanging(forward_deg: Array, aside_deg: float) -> Array:
    """Return the unit vector (T, 3) that hangs down, turned forward and to the left."""
    forward, aside = np.radians(forward_deg), np.radians(aside_deg)
    return np.stack(
        [np.full_like(forward, np.sin(aside)), -np.cos(aside) * np.cos(forward), np.cos(aside) * np.sin(forward)],
        axis=1,
    )
