"""The simulated body: lengths of its segments, and a leg between a hip and an ankle.

Axes of the body: x to its left, y up, z forward (right-handed); arrays of points are (T, 3) float64, meters.
A foot is one rigid wedge: ankle, heel and toe, where toe is the ball of the big toe about which the heel rises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError

# Shares of body height: Winter 2009, table 4.1 and figure 4.1, after Drillis and Contini.
THIGH, SHANK, ANKLE_HEIGHT = 0.245, 0.246, 0.039
HEEL_BEHIND, TOE_AHEAD = 0.04, 0.10
HALF_PELVIS, HALF_SHOULDERS = 0.05, 0.115  # between the joints' centers, not the skin
TRUNK, UPPER_ARM, FOREARM = 0.288, 0.186, 0.146
LONGEST = 1 - 1e-6  # of the straight leg: beyond it there is no knee


@dataclass(frozen=True, slots=True)
class Figure:
    """A body of a height."""

    height_m: float

    @property
    def thigh_m(self) -> float:
        """Hip to knee."""
        return THIGH * self.height_m

    @property
    def shank_m(self) -> float:
        """Knee to ankle."""
        return SHANK * self.height_m

    @property
    def half_pelvis_m(self) -> float:
        """From the middle of the pelvis to a hip."""
        return HALF_PELVIS * self.height_m

    def reach_m(self, knee_deg: Array) -> Array:
        """Return the distance of hip and ankle at a knee flexion (law of cosines)."""
        a, b = self.thigh_m, self.shank_m
        return np.asarray(np.sqrt(a * a + b * b + 2 * a * b * np.cos(np.radians(knee_deg))))


@dataclass(frozen=True, slots=True)
class LegPose:
    """Angles of a leg in the plane of hip, ankle and the way forward; degrees, (T,)."""

    thigh_deg: Array  # forward from straight down
    knee_deg: Array  # 0 is straight
    roll_deg: Array  # of the plane: ankle to the left of the hip
    pitch_deg: Array  # of the sole, toe up is positive

    @property
    def shank_deg(self) -> Array:
        """Of the shank, lower end forward from straight down."""
        return np.asarray(self.thigh_deg - self.knee_deg)

    @property
    def ankle_deg(self) -> Array:
        """Dorsiflexion; 0 is a foot at right angles to the shank."""
        return np.asarray(self.pitch_deg - self.shank_deg)


def bend_leg(figure: Figure, hip: Array, ankle: Array, pitch_deg: Array) -> LegPose:
    """Return the pose of the leg between a hip and an ankle (T, 3), knee to the front.

    Raises
    ------
    InputError
        The ankle is farther away than the leg is long.
    """
    line = ankle - hip
    down = np.hypot(line[:, 0], line[:, 1])
    distance = np.hypot(down, line[:, 2])
    a, b = figure.thigh_m, figure.shank_m
    if (distance > LONGEST * (a + b)).any():
        missing = 100 * (distance.max() / (a + b) - 1)
        raise InputError(f"the legs are {missing:.1f} % too short for this style: lower the speed or raise the cadence")
    knee = np.arccos((distance**2 - a * a - b * b) / (2 * a * b))
    thigh = np.arctan2(line[:, 2], down) + np.arctan2(b * np.sin(knee), a + b * np.cos(knee))
    roll = np.arctan2(line[:, 0], -line[:, 1])
    return LegPose(np.degrees(thigh), np.degrees(knee), np.degrees(roll), pitch_deg)


def knee_of(figure: Figure, hip: Array, pose: LegPose) -> Array:
    """Return the place (T, 3) of the knee."""
    return np.asarray(hip + figure.thigh_m * _along(pose.thigh_deg, pose.roll_deg))


def ankle_of(figure: Figure, hip: Array, pose: LegPose) -> Array:
    """Return the place (T, 3) of the ankle."""
    return np.asarray(knee_of(figure, hip, pose) + figure.shank_m * _along(pose.shank_deg, pose.roll_deg))


def sole_of(figure: Figure, ankle: Array, pitch_deg: Array) -> tuple[Array, Array]:
    """Return the places (T, 3) of heel and toe."""
    height, behind, ahead = (share * figure.height_m for share in (ANKLE_HEIGHT, HEEL_BEHIND, TOE_AHEAD))
    return ankle + _pitched(-behind, -height, pitch_deg), ankle + _pitched(ahead, -height, pitch_deg)


def standing_ankle(figure: Figure, flat: Array, pitch_deg: Array) -> Array:
    """Return the ankle (T, 3) of a foot on the ground that rests on its heel (toe up), flat, or on its toe (heel up).

    `flat` (T, 3) is where the ankle is while the foot is flat.
    """
    height = ANKLE_HEIGHT * figure.height_m
    forward = np.where(pitch_deg >= 0, -HEEL_BEHIND, TOE_AHEAD) * figure.height_m
    pivot = np.stack([np.zeros_like(forward), np.full_like(forward, -height), forward], axis=1)
    return np.asarray(flat + pivot - _pitched(forward, np.full_like(forward, -height), pitch_deg))


def _along(angle_deg: Array, roll_deg: Array) -> Array:
    """Return the unit vector (T, 3) that is `angle_deg` forward from down, in a plane that is rolled to the left."""
    angle, roll = np.radians(angle_deg), np.radians(roll_deg)
    return np.stack([np.cos(angle) * np.sin(roll), -np.cos(angle) * np.cos(roll), np.sin(angle)], axis=1)


def _pitched(forward: float | Array, up: float | Array, pitch_deg: Array) -> Array:
    """Return a vector of the foot (T, 3) turned by its pitch, toe up."""
    pitch = np.radians(pitch_deg)
    return np.stack(
        [
            np.zeros_like(pitch),
            up * np.cos(pitch) + forward * np.sin(pitch),
            forward * np.cos(pitch) - up * np.sin(pitch),
        ],
        axis=1,
    )
