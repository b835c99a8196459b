"""Legs whose feet swing: smooth angles from toe-off to the next contact.

Thigh, knee and ankle leave the ground with the angles and speeds that they had on it, and come down with those of the
next contact; the foot meets the ground with a speed, as real feet do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.simulate.body import Leg
from salticid.motion.simulate.figure import Figure, LegPose, ankle_of, bend_leg, sole_of, standing_ankle
from salticid.motion.simulate.footing import LEAST_KNEE_DEG
from salticid.motion.simulate.ground import Ground
from salticid.motion.simulate.manner import Manner
from salticid.motion.simulate.path import Path, smooth
from salticid.motion.simulate.style import GaitStyle, given

INSTANT_S = 1e-4  # over which a speed is read off
ANGLE_SD_DEG = 1.5  # of the peaks, from step to step
PUSHED = 0.05  # part of swing by which the ankle comes to rest from its push
CLEARANCE = 0.007  # share of body height that the lowest point of a swinging foot keeps


@dataclass(frozen=True, slots=True)
class Swings:
    """Angles from toe-off to the next contact, over the part of swing, of all steps but the last two."""

    thigh_deg: Path
    knee_deg: Path
    roll_deg: Path
    ankle_deg: Path

    def pose(self, step: Array, part: Array) -> LegPose:
        """Return the pose of these steps' legs while their feet swing."""
        thigh, knee, roll, ankle = (
            path.at(step, part) for path in (self.thigh_deg, self.knee_deg, self.roll_deg, self.ankle_deg)
        )
        return LegPose(thigh, knee, roll, ankle + thigh - knee)


def swing(style: GaitStyle, manner: Manner, ground: Ground, rng: np.random.Generator) -> Swings:
    """Return how the legs swing between the steps of a filled style."""
    steps = ground.footing.steps
    step = np.arange(len(steps.right) - 2)
    thigh_noise, knee_noise = ANGLE_SD_DEG * style.variability * rng.standard_normal((2, len(step)))
    knee_peak = given(style.knee_swing_deg) + steps.right[step] * style.asymmetry.knee_swing_deg + knee_noise
    ends = _ends(style, manner, ground, step)
    straight, straighter = manner.knee_straight
    pushed = ends.start.ankle_deg + PUSHED / 3 * ends.leaving("ankle_deg")
    return Swings(
        ends.path("thigh_deg", (manner.thigh_peak[0], manner.thigh_peak[1] + thigh_noise)),
        ends.path(
            "knee_deg",
            (manner.knee_peak, knee_peak),
            (straight, np.maximum(ends.end.knee_deg - straighter, LEAST_KNEE_DEG)),
        ),
        ends.path("roll_deg"),
        ends.path("ankle_deg", (PUSHED, pushed), *manner.ankle),
    )


def move_leg(ground: Ground, swings: Swings, time: Array, side: int) -> Leg:
    """Return the left (0) or right (1) leg over time."""
    figure, steps = ground.footing.figure, ground.footing.steps
    step = 2 * (np.searchsorted(steps.contacts_s[side::2], time, "right") - 1) + side
    leaving = steps.toe_offs_s[step]
    swinging = time > leaving
    part = np.clip((time - leaving) / (steps.contacts_s[step + 2] - leaving), 0, 1)
    hip, swung = ground.hip(step, time), swings.pose(step, part)
    pitch = np.where(swinging, swung.pitch_deg, ground.pitch_deg(step, time))
    standing = standing_ankle(figure, ground.footing.flat[step], pitch)
    ankle = np.where(swinging[:, None], _lifted(figure, ankle_of(figure, hip, swung), pitch, part), standing)
    return Leg(bend_leg(figure, hip, ankle, pitch), hip, ankle)


@dataclass(frozen=True, slots=True)
class _Ends:
    """The poses between which legs swing."""

    before: LegPose  # an instant before toe-off
    start: LegPose
    ahead: LegPose  # an instant before contact
    end: LegPose
    swing_s: Array

    def leaving(self, angle: str) -> Array:
        """Return the speed of an angle at toe-off, per swing."""
        return np.asarray((getattr(self.start, angle) - getattr(self.before, angle)) / INSTANT_S * self.swing_s)

    def path(self, angle: str, *between: tuple[float, Array | float]) -> Path:
        """Return the path of an angle through places (part of swing, value) between both ends."""
        first, last = getattr(self.start, angle), getattr(self.end, angle)
        parts = [0.0, *(part for part, _ in between), 1.0]
        values = [first, *(np.broadcast_to(value, first.shape) for _, value in between), last]
        arriving = (last - getattr(self.ahead, angle)) / INSTANT_S * self.swing_s
        knots = np.broadcast_to(parts, (len(first), len(parts)))
        return smooth(knots, np.stack(values, axis=1), self.leaving(angle), arriving)


def _ends(style: GaitStyle, manner: Manner, ground: Ground, step: Array) -> _Ends:
    """Return the poses at which these steps' feet leave the ground, and come down to the next."""
    steps = ground.footing.steps
    toe_off, contact = steps.toe_offs_s[step], steps.contacts_s[step + 2]
    end = ground.pose(step + 2, contact)
    thigh, knee = np.array(manner.landing_deg) * style.speed_ms * INSTANT_S
    toe = ground.footing.landing.slopes[step + 2, 0] * INSTANT_S
    return _Ends(
        ground.pose(step, toe_off - INSTANT_S),
        ground.pose(step, toe_off),
        LegPose(end.thigh_deg - thigh, end.knee_deg - knee, end.roll_deg, end.pitch_deg - toe),
        end,
        contact - toe_off,
    )


def _lifted(figure: Figure, ankle: Array, pitch_deg: Array, part: Array) -> Array:
    """Return the ankles of swinging feet, lifted smoothly where a foot would not clear the ground."""
    lowest = np.minimum(*(point[:, 1] for point in sole_of(figure, ankle, pitch_deg)))
    margin = CLEARANCE * figure.height_m * 16 * (part * (1 - part)) ** 2
    missing = margin - lowest
    lift = (missing + np.hypot(missing, margin)) / 2
    return np.asarray(ankle + lift[:, None] * np.array([0, 1, 0]))
