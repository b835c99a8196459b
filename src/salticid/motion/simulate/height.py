"""How high the pelvis is: carried by the legs in walking, thrown in running."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.simulate.footing import Footing
from salticid.motion.simulate.manner import Manner
from salticid.motion.simulate.path import Path, smooth
from salticid.motion.simulate.steps import Steps

GRAVITY = 9.81
GIVING = 0.55  # of the way from contact to loaded: the knee half-way in time


def walking_height(footing: Footing, manner: Manner) -> Path:
    """Return the height over time of a pelvis that the leg in front carries: at contact, loaded and upright."""
    contact, loaded, upright = footing.knees_deg.T
    knees = (contact, contact + GIVING * (loaded - contact), loaded, upright)
    parts = (0, manner.loaded / 2, manner.loaded, manner.upright)
    times = [footing.steps.contacts_s + part * footing.steps.stance_s for part in parts]
    heights = [
        footing.carrying_height_m(time, footing.landing_pitch_deg(footing.every(), time), knee)
        for time, knee in zip(times, knees, strict=True)
    ]
    return smooth(np.stack(times, axis=1).ravel(), np.stack(heights, axis=1).ravel())


@dataclass(frozen=True, slots=True)
class Bounce:
    """The height of a pelvis that falls freely in flight and is turned round by the leg that stands.

    Each stance is the polynomial of degree 5 that takes over the height, speed and acceleration of both parabolas.
    """

    steps: Steps
    low_m: Array  # (N,) at contact
    high_m: Array  # (N,) at toe-off
    down_ms: Array  # (N,) upward speed at contact: negative
    up_ms: Array  # (N,) at toe-off

    def __call__(self, time: Array) -> Array:
        """Return the height (T,)."""
        step = np.clip(np.searchsorted(self.steps.contacts_s, time, "right") - 1, 0, len(self.up_ms) - 1)
        after = time - self.steps.toe_offs_s[step]
        flight = self.high_m[step] + self.up_ms[step] * after - GRAVITY * after**2 / 2
        return np.where(after > 0, flight, self._turned(step, time))

    def _turned(self, step: Array, time: Array) -> Array:
        """Return the height in stance."""
        length = self.steps.stance_s[step]
        part = np.clip((time - self.steps.contacts_s[step]) / length, 0, 1)
        low, start, end = self.low_m[step], self.down_ms[step] * length, self.up_ms[step] * length
        fall = -GRAVITY * length**2 / 2
        rise, speedup = self.high_m[step] - low - start - fall, end - start - 2 * fall
        cubic, quartic, quintic = 10 * rise - 4 * speedup, -15 * rise + 7 * speedup, 6 * rise - 3 * speedup
        return np.asarray(low + part * (start + part * (fall + part * (cubic + part * (quartic + part * quintic)))))


def running_height(footing: Footing, push_deg: float, leaving_knee_deg: Array) -> Bounce:
    """Return the height over time of a pelvis that lands on one leg's knee and leaves from it, toe pushing."""
    steps = footing.steps
    low = footing.carrying_height_m(steps.contacts_s, footing.landing.values[:, 0], footing.knees_deg[:, 0])
    high = footing.carrying_height_m(steps.toe_offs_s, np.full_like(low, push_deg), leaving_knee_deg)
    flight_s = steps.contacts_s[1:] - steps.toe_offs_s[:-1]
    up = (low[1:] - high[:-1]) / flight_s + GRAVITY * flight_s / 2
    down = np.concatenate([[-up[0]], up - GRAVITY * flight_s])
    return Bounce(steps, low, high, down, up)
