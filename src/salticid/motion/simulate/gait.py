"""Walking and running with events that are exact by construction, in three dimensions."""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.simulate.body import UpperBody, assemble
from salticid.motion.simulate.footing import place_feet
from salticid.motion.simulate.ground import Ground, stand
from salticid.motion.simulate.manner import MANNERS, Manner
from salticid.motion.simulate.path import smooth
from salticid.motion.simulate.pelvis import carry_pelvis
from salticid.motion.simulate.result import SimulatedMotion, angles_of, room_keypoints
from salticid.motion.simulate.steps import Steps, plan_steps
from salticid.motion.simulate.style import GaitStyle, check_range, given
from salticid.motion.simulate.swing import move_leg, swing

SECONDS, FPS = (0.2, 600.0), (5.0, 2000.0)
TRUNK_NOD_DEG, TRUNK_SIDE_DEG = 1.0, 1.2  # to each side of its mean
ARM_SD = 0.06  # of its swing


def simulate_gait(style: GaitStyle, *, seconds: float = 10.0, fps: float = 60.0, seed: int = 0) -> SimulatedMotion:
    """Return a person who walks or runs in this style, with all that is true of the motion.

    On a treadmill the person stays where the belt runs below; else the way begins at the origin. The pelvis of a runner
    follows a parabola in flight. Feet are locked to the ground or belt from contact to toe-off.

    Raises
    ------
    InputError
        The style asks for more than the legs can reach, or there is too little or too much to simulate.
    """
    check_range("seconds", seconds, *SECONDS)
    check_range("fps", fps, *FPS)
    full, manner, rng = style.filled(), MANNERS[style.activity], np.random.default_rng(seed)
    steps = plan_steps(full, seconds, rng)
    carriage = carry_pelvis(full, manner, steps, rng)
    ground = stand(full, manner, place_feet(full, manner, steps, carriage, rng))
    swings = swing(full, manner, ground, rng)
    time = np.arange(round(seconds * fps)) / fps
    legs = move_leg(ground, swings, time, 0), move_leg(ground, swings, time, 1)
    places = assemble(ground.footing.figure, _upper_body(full, manner, steps, time, rng), legs)
    return _told(full, ground, time, places)


def _upper_body(style: GaitStyle, manner: Manner, steps: Steps, time: Array, rng: np.random.Generator) -> UpperBody:
    """Return trunk and arms: an arm is in front when the other side's foot lands."""
    contacts = steps.contacts_s
    middle = (contacts + steps.toe_offs_s) / 2
    left = np.where(steps.right, -1.0, 1.0)
    noise = style.variability * rng.standard_normal((3, len(left)))
    nod = np.stack([contacts[:-1], (contacts[:-1] + contacts[1:]) / 2], axis=1).ravel()
    nodding = np.tile([TRUNK_NOD_DEG, -TRUNK_NOD_DEG], len(left) - 1) + 0.3 * np.repeat(noise[0, 1:], 2)
    lean = given(style.trunk_lean_deg) + smooth(nod, nodding)(time)
    side = smooth(middle, left * TRUNK_SIDE_DEG + 0.3 * noise[1])(time)
    turn = smooth(contacts, -left * manner.shoulder_turn_deg)(time)
    pendulum = smooth(contacts, -left * (1 + ARM_SD * noise[2]))(time)  # 1: left arm in front
    both = np.stack([pendulum, -pendulum])
    mean, more = manner.elbow_deg
    arms = manner.arm_deg + given(style.arm_swing_deg) * both
    return UpperBody(lean, side, turn, arms, mean + more * both)


def _told(style: GaitStyle, ground: Ground, time: Array, places: Array) -> SimulatedMotion:
    """Return the motion with its truths, in the room's axes."""
    if style.treadmill:
        places = places - np.stack([0 * time, 0 * time, style.speed_ms * time], axis=1)[:, None]
    keypoints = room_keypoints(time, places, style.heading_deg)
    steps, end_s = ground.footing.steps, float(time[-1])
    sides = {side: np.flatnonzero(steps.right == (side == "right")) for side in SIDES}
    landed = {side: step[_within(steps.contacts_s[step], end_s)] for side, step in sides.items()}
    left = {side: step[_within(steps.toe_offs_s[step], end_s)] for side, step in sides.items()}
    strides = {side: np.diff(steps.contacts_s[step]) for side, step in landed.items()}
    contact_time = {side: steps.stance_s[np.intersect1d(landed[side], left[side])] for side in SIDES}
    lengths = np.concatenate([[np.nan], np.diff(ground.footing.flat[:, 2])])
    stride_s = _mean(strides)
    return SimulatedMotion(
        keypoints=keypoints,
        activity=style.activity,
        heading_deg=style.heading_deg,
        height_m=style.height_m,
        treadmill=style.treadmill,
        truths=angles_of(keypoints, style.heading_deg),
        contacts_s={side: steps.contacts_s[step] for side, step in landed.items()},
        toe_offs_s={side: steps.toe_offs_s[step] for side, step in left.items()},
        contact_time_s=contact_time,
        stride_time_s=strides,
        step_length_m={side: lengths[step] for side, step in landed.items()},
        repetitions_s=np.zeros((0, 3)),
        cadence_spm=120 / stride_s,
        duty_factor=_mean(contact_time) / stride_s,
        flight_time_s=float(np.maximum(0.0, stride_s / 2 - _mean(contact_time))),
        speed_kmh=style.speed_kmh,
        vertical_oscillation_m=_oscillation_m(ground, end_s),
    )


def _within(times_s: Array, end_s: float) -> Array:
    """Return which times are in the recording."""
    return np.asarray((times_s >= 0) & (times_s <= end_s))


def _mean(values: dict[Side, Array]) -> float:
    """Return the mean over both sides; nan where there is nothing."""
    together = np.concatenate(list(values.values()))
    return float(together.mean()) if len(together) else float("nan")


def _oscillation_m(ground: Ground, end_s: float) -> float:
    """Return the mean distance of the pelvis' highest and lowest place within a step, read off finely."""
    contacts = ground.footing.steps.contacts_s
    inside = np.flatnonzero(_within(contacts[:-1], end_s) & _within(contacts[1:], end_s))
    if not len(inside):
        return float("nan")
    times = contacts[inside, None] + np.diff(contacts)[inside, None] * np.linspace(0, 1, 101)
    heights = ground.height_m(times.ravel()).reshape(times.shape)
    return float(np.mean(np.ptp(heights, axis=1)))
