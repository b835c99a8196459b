"""Legs whose feet are on the ground.

The foot lands, rolls to flat, and then its heel rises about the toe as far as the knee asks: hip, toe and the knee's
flexion close a chain of thigh, shank and foot, so the knee follows its own path while the pelvis moves on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.simulate.figure import ANKLE_HEIGHT, TOE_AHEAD, Figure, LegPose, bend_leg, standing_ankle
from salticid.motion.simulate.footing import LEAST_KNEE_DEG, Footing
from salticid.motion.simulate.height import running_height, walking_height
from salticid.motion.simulate.manner import Manner
from salticid.motion.simulate.path import Path, smooth
from salticid.motion.simulate.style import GaitStyle

ALLOWED = 0.15  # part of stance after the foot is flat within which the heel may begin to rise


@dataclass(frozen=True, slots=True)
class Ground:
    """N steps on the ground, and the pelvis above them."""

    footing: Footing
    height_m: Callable[[Array], Array]  # of the middle of the pelvis, over time
    rising: Path  # knee flexion that the heel rises to keep, over time
    rounding_m: float

    def hip(self, step: Array, time: Array) -> Array:
        """Return the places (T, 3) of the hips above these steps' feet."""
        hip = self.footing.carriage.hip(time, self.footing.left(step))
        return np.asarray(hip + self.height_m(time)[:, None] * np.array([0, 1, 0]))

    def pitch_deg(self, step: Array, time: Array) -> Array:
        """Return the pitch (T,) of the soles: as they land, then heel up from heel rise on."""
        knots = self.rising.knots
        knee = self.rising.at(step, np.clip(time, knots[step, 0], knots[step, -1]))
        closing = _closing_pitch_deg(
            self.footing.figure, self.hip(step, time), self.footing.flat[step], knee, self.rounding_m
        )
        flat_s = self.footing.flat_s(step)
        begun = np.clip((time - flat_s) / (ALLOWED * self.footing.steps.stance_s[step]), 0, 1)
        risen = begun**2 * (3 - 2 * begun) * np.minimum(closing, 0)
        return np.where(time > flat_s, risen, self.footing.landing_pitch_deg(step, time))

    def pose(self, step: Array, time: Array) -> LegPose:
        """Return the pose of these steps' legs while their feet stand."""
        pitch = self.pitch_deg(step, time)
        ankle = standing_ankle(self.footing.figure, self.footing.flat[step], pitch)
        return bend_leg(self.footing.figure, self.hip(step, time), ankle, pitch)


def stand(style: GaitStyle, manner: Manner, footing: Footing) -> Ground:
    """Return what the footing asks of pelvis and legs; `style` is filled."""
    faster_ms = style.pace_ms - manner.faster[0]
    rising = _rising(manner, footing, manner.faster[1] * faster_ms)
    rounding_m = manner.rounding * style.height_m
    if style.activity == "walk":
        return Ground(footing, walking_height(footing, manner), rising, rounding_m)
    push_deg = manner.push_deg[0] + manner.push_deg[1] * faster_ms
    return Ground(footing, running_height(footing, push_deg, rising.values[:, -1]), rising, rounding_m)


def _rising(manner: Manner, footing: Footing, more_deg: float) -> Path:
    """Return the knee flexion that the heel rises to keep; it varies from step to step as the knees do."""
    parts, angles = np.array(manner.rising).T
    angles[-1] += more_deg
    steps = footing.steps
    varied = angles + (footing.knees_deg[:, 2:] - manner.upright_knee_deg)
    return smooth(
        steps.contacts_s[:, None] + steps.stance_s[:, None] * parts,
        np.maximum(varied, LEAST_KNEE_DEG),
        end_slope=manner.rising_slope_deg / steps.stance_s,
    )


def _closing_pitch_deg(figure: Figure, hip: Array, flat: Array, knee_deg: Array, rounding_m: float) -> Array:
    """Return the pitch of a sole on its toe that brings the ankle to where the leg, flexed at least so far, ends."""
    height, ahead = ANKLE_HEIGHT * figure.height_m, TOE_AHEAD * figure.height_m
    foot = np.hypot(height, ahead)
    aside, up, forward = (hip - flat).T
    leg = _smaller(np.hypot(up, forward), np.sqrt(figure.reach_m(knee_deg) ** 2 - aside**2), rounding_m)
    up, forward = up + height, forward - ahead  # from the toe now
    far = np.hypot(up, forward)
    between = np.arccos(np.clip((foot**2 + far**2 - leg**2) / (2 * foot * far), -1, 1))
    return np.asarray(np.degrees(np.arctan2(up, forward) + between - np.arctan2(height, -ahead)))


def _smaller(first: Array, second: Array, rounding: float) -> Array:
    """Return the smaller of two, without a kink where they cross."""
    near = np.maximum(rounding - np.abs(first - second), 0)
    return np.asarray(np.minimum(first, second) - near**2 / (4 * rounding))
