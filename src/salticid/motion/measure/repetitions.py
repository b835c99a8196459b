"""Repetitions of an exercise in place: squats, sit-to-stands, lunges; all that takes the pelvis down and up again.

The rhythm of the pelvis' height tells how long one takes; each begins and ends where the pelvis is highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.activity import REPETITION_HZ, rhythm, spread
from salticid.motion.measure.body import Body
from salticid.motion.measure.filters import low_pass
from salticid.motion.measure.signals import SIDED, TITLES, UP
from salticid.motion.measure.strides import over_stride
from salticid.motion.measured import Curve, Signals

SMOOTH = 6.0  # per repetition: faster rises and falls are noise
SHALLOW = 0.5  # of the usual depth: a movement that is less deep is no repetition
BOTTOM = 0.05  # of the depth: the turn is the middle of the time spent so low, for people pause there
UNLIKE_DURATION = 0.4  # share by which a repetition's time may differ from the median
MOVING = 0.02  # of the depth: where a repetition begins and ends, for people rest between two
STILL = 0.25  # of the fastest rise: what is slower at the end of a clip is nearly up


@dataclass(frozen=True, slots=True)
class Repetition:
    """Once down and up; in seconds of the clip."""

    start_s: float
    turn_s: float  # the middle of the time for which the pelvis is lowest
    end_s: float


def find_repetitions(body: Body) -> tuple[Repetition, ...]:
    """Find the repetitions that are like the others; none where nothing repeats."""
    height = body.pelvis[:, UP]
    period = 1 / rhythm(height, body.rate_hz, REPETITION_HZ).hz
    if not np.isfinite(period):
        return ()
    height = low_pass(height, body.rate_hz, SMOOTH / period)
    depth = spread(height)
    signal = packages.require("scipy").signal
    filled = np.where(np.isfinite(height), height, np.nanmax(height))
    distance = max(1, round(0.6 * period * body.rate_hz))
    turns, _ = signal.find_peaks(-filled, prominence=SHALLOW * depth, distance=distance)
    found = [_around(body.times_s, height, turn, depth) for turn in turns.tolist()]
    return _alike([repetition for repetition in found if repetition is not None])


def _around(times_s: Array, height: Array, turn: int, depth: float) -> Repetition | None:
    """Return the repetition around its lowest sample; None where its beginning or its end is not in the clip."""
    halves = (_rise(height[turn::-1], depth), _rise(height[turn:], depth))
    if None in halves:
        return None
    before, after = halves
    frame_s = times_s[1] - times_s[0]
    low = height < height[turn] + BOTTOM * depth
    first, last = turn - int(np.argmin(low[turn::-1])), turn + int(np.argmin(low[turn:]))
    turn_s = float(times_s[first] + times_s[last]) / 2
    return Repetition(float(times_s[turn] - before * frame_s), turn_s, float(times_s[turn] + after * frame_s))


def _rise(course: Array, depth: float) -> float | None:
    """Return after how many samples a course that begins at its lowest is up again; None where it still rises."""
    passed = np.flatnonzero(course > course[0] + SHALLOW * depth)
    if not len(passed):
        return None
    rises = np.diff(course)
    falls = np.flatnonzero(rises[passed[0] :] < 0)
    if not len(falls) and not rises[-1] < STILL * rises.max():
        return None
    top = int(passed[0] + falls[0]) if len(falls) else len(course) - 1
    highest = course[: top + 1]
    if not np.isfinite(highest).all():
        return None
    level = highest[-1] - MOVING * (highest[-1] - course[0])
    last = int(np.flatnonzero(highest < level)[-1])
    return last + float((level - course[last]) / (course[last + 1] - course[last]))


def _alike(repetitions: Sequence[Repetition]) -> tuple[Repetition, ...]:
    if not repetitions:
        return ()
    durations = np.array([repetition.end_s - repetition.start_s for repetition in repetitions])
    alike = np.abs(durations / np.median(durations) - 1) < UNLIKE_DURATION
    return tuple(repetition for repetition, keep in zip(repetitions, alike, strict=True) if keep)


def repetition_curves(signals: Signals, repetitions: Sequence[Repetition]) -> dict[str, Curve]:
    """Return every signal over 0..100 % of the repetition, by key."""
    curves = {}
    sided = {name for name, _, _ in SIDED}
    for column, (name, unit) in enumerate(zip(signals.names, signals.units, strict=True)):
        course = signals.values[:, column]
        if not repetitions or not np.isfinite(course).any():
            continue
        points = [over_stride(signals.times_s, course, one.start_s, one.end_s) for one in repetitions]
        base, _, tail = name.partition(".")
        side: Side | None = next((one for one in SIDES if one == tail and base in sided), None)
        curves[name] = Curve(base, side, unit, TITLES[base], np.stack(points).astype(np.float32))
    return curves
