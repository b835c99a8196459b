"""What a simulation gives: the joints, and all that is known to be true of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import JOINTS, SIDES, Keypoints, Side


@dataclass(frozen=True, slots=True)
class SimulatedMotion:
    """A simulated body in three dimensions with exact truths; what does not apply is empty or nan."""

    keypoints: Keypoints  # (T, K, 3) m, y up; all of JOINTS
    activity: str  # "walk", "run" or "exercise"
    heading_deg: float  # the person faces along (sin, 0, cos) of it
    height_m: float
    treadmill: bool
    truths: dict[str, Array]  # per frame (T,), as "knee_flexion_deg.left"; see `angles_of`
    contacts_s: dict[Side, Array]  # within the recording
    toe_offs_s: dict[Side, Array]  # within the recording
    contact_time_s: dict[Side, Array]  # of each contact whose toe-off is in the recording too
    stride_time_s: dict[Side, Array]  # of each stride that begins and ends in the recording
    step_length_m: dict[Side, Array]  # onto that foot from the other, ankle to ankle with flat feet
    repetitions_s: Array  # (R, 3) start, turning point and end of each repetition of an exercise
    cadence_spm: float  # of the strides in the recording
    duty_factor: float
    flight_time_s: float  # mean; 0 in walking; nan where no stride is in the recording
    speed_kmh: float  # nan in an exercise
    vertical_oscillation_m: float  # of the middle of the hips, mean of the steps


def room_keypoints(times_s: Array, places: Array, heading_deg: float) -> Keypoints:
    """Return places (T, K, 3) of all JOINTS in the body's axes as keypoints of the room."""
    sine, cosine = np.sin(np.radians(heading_deg)), np.cos(np.radians(heading_deg))
    x, y, z = np.moveaxis(places, 2, 0)
    turned = np.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=2)
    return Keypoints(times_s, turned.astype(np.float32), np.ones(turned.shape[:2], np.float32), JOINTS)


def angles_of(keypoints: Keypoints, heading_deg: float = 0.0) -> dict[str, Array]:
    """Return the angles (T,) of a body in three dimensions, as seen exactly from its side or from behind; degrees.

    Per side: `knee_flexion_deg` (0 is straight), `hip_flexion_deg` (thigh to the trunk's line), `thigh_deg` (thigh
    to the vertical, forward), `ankle_dorsiflexion_deg` (0 is a foot at right angles to the shank), `foot_pitch_deg`
    (sole to the ground, toe up). Of the body: `trunk_lean_deg` (forward), `trunk_side_deg` (to the left),
    `pelvic_list_deg` (left hip up: the right side has dropped).
    """
    axes = BodyView(keypoints, heading_deg)
    shoulders, hips = (axes.middle(joint) for joint in ("shoulder", "hip"))
    up = shoulders - hips
    across = axes.joint("left_hip") - axes.joint("right_hip")
    lean = _degrees(up[:, 2], up[:, 1])
    truths = {
        "trunk_lean_deg": lean,
        "trunk_side_deg": _degrees(up[:, 0], up[:, 1]),
        "pelvic_list_deg": _degrees(across[:, 1], across[:, 0]),
    }
    for side in SIDES:
        hip, knee, ankle, heel, toe = (axes.joint(f"{side}_{j}") for j in ("hip", "knee", "ankle", "heel", "toe"))
        thigh, shank = (_degrees(d[:, 2], -d[:, 1]) for d in (knee - hip, ankle - knee))
        pitch = _degrees((toe - heel)[:, 1], (toe - heel)[:, 2])
        truths |= {
            f"thigh_deg.{side}": thigh,
            f"hip_flexion_deg.{side}": thigh + lean,
            f"knee_flexion_deg.{side}": _wrapped(thigh - shank),
            f"ankle_dorsiflexion_deg.{side}": _wrapped(pitch - shank),
            f"foot_pitch_deg.{side}": pitch,
        }
    return truths


@dataclass(frozen=True, slots=True)
class BodyView:
    """Joints in the body's own axes: x to its left, y up, z forward."""

    keypoints: Keypoints
    heading_deg: float

    def joint(self, name: str) -> Array:
        """Return the places (T, 3) of a joint."""
        x, y, z = self.keypoints.joint(name).astype(float).T
        sine, cosine = np.sin(np.radians(self.heading_deg)), np.cos(np.radians(self.heading_deg))
        return np.stack([x * cosine - z * sine, y, x * sine + z * cosine], axis=1)

    def middle(self, joint: str) -> Array:
        """Return the middle (T, 3) of the left and the right joint."""
        return np.asarray((self.joint(f"left_{joint}") + self.joint(f"right_{joint}")) / 2)


def _degrees(opposite: Array, adjacent: Array) -> Array:
    """Return the angle of a direction."""
    return np.degrees(np.arctan2(opposite, adjacent))


def _wrapped(angle_deg: Array) -> Array:
    """Return the same angle between -180 and 180 degrees."""
    return np.asarray((angle_deg + 180) % 360 - 180)
