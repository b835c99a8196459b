"""How the pelvis travels, sways and turns over the steps; how high it is carried follows from the legs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.simulate.figure import Figure
from salticid.motion.simulate.manner import Manner
from salticid.motion.simulate.path import Path, smooth
from salticid.motion.simulate.steps import Steps
from salticid.motion.simulate.style import GaitStyle, given

ANGLE_SD_DEG = 0.6  # of the pelvis, from step to step
SUPPORT_PEAK, SUPPORT_LEVEL = 0.3, 0.9  # of a step: where the other side has dropped, and where it is level again


@dataclass(frozen=True, slots=True)
class Carriage:
    """The pelvis but for its height, as paths over time."""

    forward_m: Path
    sway_m: Path  # to the left
    list_deg: Path  # left hip up: the right side has dropped
    turn_deg: Path  # left hip forward
    half_m: float

    def hip(self, time: Array, left: Array) -> Array:
        """Return the hips' places (T, 3); their height is above the middle of the pelvis. `left`: 1 or -1."""
        tilt, turn = np.radians(self.list_deg(time)), np.radians(self.turn_deg(time))
        axis = np.stack([np.cos(tilt) * np.cos(turn), np.sin(tilt), np.cos(tilt) * np.sin(turn)], axis=1)
        middle = np.stack([self.sway_m(time), np.zeros_like(time), self.forward_m(time)], axis=1)
        return np.asarray(middle + axis * (self.half_m * left)[:, None])


def carry_pelvis(style: GaitStyle, manner: Manner, steps: Steps, rng: np.random.Generator) -> Carriage:
    """Return how the pelvis moves over the steps of a filled style."""
    left = np.where(steps.right, -1.0, 1.0)
    starts, lengths = steps.contacts_s[:-1], np.diff(steps.contacts_s)
    middle = (starts + steps.toe_offs_s[:-1]) / 2
    wobble = style.variability * ANGLE_SD_DEG * rng.standard_normal((2, len(left)))
    drop = left * (given(style.pelvic_drop_deg) + steps.right * style.asymmetry.pelvic_drop_deg + wobble[0])
    turn = left * (manner.turn_deg + wobble[1])
    dropped = _interleaved(starts + SUPPORT_PEAK * lengths, starts + SUPPORT_LEVEL * lengths)
    advance = _walking_forward if style.activity == "walk" else _running_forward
    forward = advance(style.speed_ms, manner.speed_change_ms, steps)
    return Carriage(
        forward,
        smooth(middle, left[:-1] * manner.sway_m),
        smooth(dropped, _interleaved(drop[:-1], np.zeros_like(starts))),
        smooth(steps.contacts_s, turn),
        Figure(style.height_m).half_pelvis_m,
    )


def _walking_forward(speed_ms: float, change_ms: float, steps: Steps) -> Path:
    """Return the way of a pelvis that is fastest while both feet stand."""
    fastest = (steps.contacts_s[1:] + steps.toe_offs_s[:-1]) / 2
    lengths = np.diff(fastest)
    ahead = change_ms * lengths / (2 * np.pi)
    quarter, last = fastest[:-1] + lengths / 4, fastest[:-1] + 3 * lengths / 4
    knots = _interleaved(quarter, last)
    return smooth(knots, speed_ms * knots + _interleaved(ahead, -ahead))


def _running_forward(speed_ms: float, change_ms: float, steps: Steps) -> Path:
    """Return the way of a pelvis whose speed is constant in flight, and lower while a foot brakes and pushes."""
    flight_s = steps.contacts_s[1:] - steps.toe_offs_s[:-1]
    gained = change_ms * flight_s / 2
    knots = _interleaved(steps.toe_offs_s[:-1], steps.contacts_s[1:])
    values = speed_ms * knots + _interleaved(-gained, gained)
    slopes = np.full_like(values, speed_ms + change_ms)
    return Path(knots[None], values[None], slopes[None])


def _interleaved(first: Array, second: Array) -> Array:
    """Return first[0], second[0], first[1], ..."""
    return np.stack([first, second], axis=-1).ravel()
