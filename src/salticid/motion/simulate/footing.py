"""Where the feet stand and how they come down: all that is fixed before the pelvis has a height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.simulate.figure import ANKLE_HEIGHT, Figure, standing_ankle
from salticid.motion.simulate.manner import Manner
from salticid.motion.simulate.path import Path
from salticid.motion.simulate.pelvis import Carriage
from salticid.motion.simulate.steps import Steps
from salticid.motion.simulate.style import GaitStyle, given

LEAST_KNEE_DEG = 3.0
KNEE_SD_DEG, PITCH_SD_DEG, PLACE_SD_M = 1.0, 1.5, 0.006  # from step to step
FIRST_SLOPE = -1.8  # of the pitch as the foot comes down, in units of the pitch and of the time until it is flat


@dataclass(frozen=True, slots=True)
class Footing:
    """N steps on the ground."""

    figure: Figure
    steps: Steps
    carriage: Carriage
    flat: Array  # (N, 3) where the ankle is while the foot is flat
    landing: Path  # pitch of the sole from contact until it is flat, over time
    knees_deg: Array  # (N, 3) flexion at contact, loaded, upright

    def every(self) -> Array:
        """(N,) the numbers of all steps."""
        return np.arange(len(self.steps.right))

    def left(self, step: Array) -> Array:
        """Return 1 for steps of the left foot, -1 for the right."""
        return np.where(self.steps.right[step], -1.0, 1.0)

    def flat_s(self, step: Array) -> Array:
        """Return when the soles are flat."""
        return np.asarray(self.landing.knots[step, 1])

    def landing_pitch_deg(self, step: Array, time: Array) -> Array:
        """Return the pitch of the soles until they are flat, and 0 from then on."""
        return self.landing.at(step, np.minimum(time, self.flat_s(step)))

    def carrying_height_m(self, time: Array, pitch_deg: Array, knee_deg: Array) -> Array:
        """Return how high (N,) the legs carry the middle of the pelvis with such soles and knees, step by step."""
        hip = self.carriage.hip(time, self.left(self.every()))
        ankle = standing_ankle(self.figure, self.flat, pitch_deg)
        level = ((ankle - hip)[:, [0, 2]] ** 2).sum(axis=1)
        return np.asarray(ankle[:, 1] + np.sqrt(self.figure.reach_m(knee_deg) ** 2 - level) - hip[:, 1])


def place_feet(style: GaitStyle, manner: Manner, steps: Steps, carriage: Carriage, rng: np.random.Generator) -> Footing:
    """Return the footing of a filled style: each foot below its hip at a part of stance, half a step's width aside."""
    figure = Figure(style.height_m)
    left = np.where(steps.right, -1.0, 1.0)
    sideways, along, pitch, knee = style.variability * rng.standard_normal((4, len(left)))
    hip = carriage.hip(steps.contacts_s + manner.over * steps.stance_s, left)
    flat = np.stack(
        [
            left * given(style.step_width_m) / 2 + PLACE_SD_M * sideways,
            np.full_like(left, ANKLE_HEIGHT * figure.height_m),
            hip[:, 2] + PLACE_SD_M * along,
        ],
        axis=1,
    )
    landing = _landing(steps, manner.flat, given(style.foot_contact_deg) + PITCH_SD_DEG * pitch)
    return Footing(figure, steps, carriage, flat, landing, _knees(style, manner, steps, KNEE_SD_DEG * knee))


def _landing(steps: Steps, flat: float, pitch_deg: Array) -> Path:
    """Return the pitch of the soles from contact until they rest."""
    until_s = flat * steps.stance_s
    still = np.zeros_like(pitch_deg)
    return Path(
        np.stack([steps.contacts_s, steps.contacts_s + until_s], axis=1),
        np.stack([pitch_deg, still], axis=1),
        np.stack([FIRST_SLOPE * pitch_deg / until_s, still], axis=1),
    )


def _knees(style: GaitStyle, manner: Manner, steps: Steps, noise_deg: Array) -> Array:
    """Return the knee flexion at contact, loaded (the more, the faster: Winter 1991) and upright."""
    contact = given(style.knee_contact_deg) + steps.right * style.asymmetry.knee_contact_deg
    loaded = contact + 3 + 6.5 * style.pace_ms
    knees = np.stack([contact, loaded, np.full_like(contact, manner.upright_knee_deg)], axis=1)
    return np.asarray(np.maximum(knees + noise_deg[:, None], LEAST_KNEE_DEG))
