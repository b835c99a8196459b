"""When the feet touch the ground and leave it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.simulate.style import LEAST_DOUBLE_SUPPORT, LEAST_FLIGHT, GaitStyle

STEP_SD = 0.02  # of a step's time
DUTY_SD = 0.015  # of the time on the ground
MARGIN_STRIDES = 3  # simulated before and after the recording, so that nothing begins or ends within it


@dataclass(frozen=True, slots=True)
class Steps:
    """N contacts in turn, left first; exact times in seconds of the recording."""

    contacts_s: Array  # (N,) float64
    toe_offs_s: Array  # (N,) float64
    right: Array  # (N,) bool

    @property
    def stance_s(self) -> Array:
        """(N,) time on the ground."""
        return np.asarray(self.toe_offs_s - self.contacts_s)


def plan_steps(style: GaitStyle, seconds: float, rng: np.random.Generator) -> Steps:
    """Return the steps of a `style` that is filled, some of them before and after the recording."""
    assert style.cadence_spm is not None
    assert style.duty_factor is not None
    step_s = 60 / style.cadence_spm
    count = 2 * (int(np.ceil(seconds / step_s)) // 2 + 2 * MARGIN_STRIDES + 1)
    right = np.arange(count) % 2 == 1
    onto_right = np.where(right, 1, -1) * style.asymmetry.step_time / 2  # the stride's time stays
    durations = step_s * (1 + onto_right + STEP_SD * style.variability * _limited(rng, count))
    contacts = np.cumsum(durations) - durations[0] - (2 * MARGIN_STRIDES - 2 * rng.random()) * step_s
    share = 1 + np.where(right, 1, -1) * style.asymmetry.contact_time / 2
    share = share * (1 + DUTY_SD * style.variability * _limited(rng, count))
    return Steps(contacts[:-2], _toe_offs(style, contacts, style.duty_factor * share), right[:-2])


def _toe_offs(style: GaitStyle, contacts: Array, duty: Array) -> Array:
    """Return when the feet leave: in running before the other foot's contact, in walking after it."""
    steps = np.diff(contacts)[:-1]
    stance = duty[:-2] * (contacts[2:] - contacts[:-2])
    if style.activity == "run":
        return np.asarray(contacts[:-2] + np.minimum(stance, (1 - LEAST_FLIGHT) * steps))
    following = np.diff(contacts)[1:]
    support = np.clip(stance - steps, LEAST_DOUBLE_SUPPORT * following, 0.5 * following)
    return np.asarray(contacts[1:-1] + support)


def _limited(rng: np.random.Generator, count: int) -> Array:
    """Return `count` normal numbers without the rare far ones, which no leg could follow."""
    return np.clip(rng.standard_normal(count), -2.5, 2.5)
