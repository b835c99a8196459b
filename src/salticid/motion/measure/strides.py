"""From contacts to strides, and from signals to curves over the stride.

A stride that is unlike the others (a stumble, a lost foot, a missed event) is left out and counted, never repaired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.body import Body
from salticid.motion.measure.events import FootEvents, find_events
from salticid.motion.measure.signals import FORWARD, SIDED, TITLES, UP
from salticid.motion.measured import PHASE_POINTS, Curve, Signals, Stride

UNLIKE_DURATION = 0.25  # share by which a stride's time may differ from the median
UNLIKE_AMPLITUDE = 0.4  # the same for how far the ankle goes
OTHER_FOOT = (0.25, 0.75)  # part of the stride in which the other foot must come down


@dataclass(frozen=True, slots=True)
class FoundStrides:
    """The strides of a clip that are alike, in the order of their beginnings."""

    strides: tuple[Stride, ...]
    rejected: int  # strides that were seen and are unlike the others
    events: dict[Side, FootEvents]  # all that were seen, also those of rejected strides

    def of(self, side: Side) -> list[Stride]:
        """Return those of one foot."""
        return [stride for stride in self.strides if stride.side == side]


def find_strides(body: Body) -> FoundStrides:
    """Find the strides of both feet."""
    events = find_events(body)
    seen = [stride for side in SIDES for stride in _between_contacts(events[side], side)]
    alike = _alike(body, seen, {side: events[side].contacts_s for side in SIDES})
    return FoundStrides(tuple(sorted(alike, key=lambda stride: stride.start_s)), len(seen) - len(alike), events)


def _between_contacts(events: FootEvents, side: Side) -> list[Stride]:
    starts, ends = events.contacts_s[:-1], events.contacts_s[1:]
    return [
        Stride(side, float(start), float(toe_off) if start < toe_off < end else float("nan"), float(end))
        for start, toe_off, end in zip(starts, events.toe_offs_s[:-1], ends, strict=True)
    ]


def _alike(body: Body, strides: Sequence[Stride], contacts_s: Mapping[Side, Array]) -> list[Stride]:
    """Return the strides that are near the median of those seen whole, and have a contact of the other foot."""
    durations = np.array([stride.end_s - stride.start_s for stride in strides])
    reaches = np.array([_reach(body, stride) for stride in strides])
    seen = np.isfinite(reaches)
    if not seen.any():
        return []
    others = np.array([_other_foot(stride, contacts_s) for stride in strides])
    usual_s, usual_reach = np.median(durations[seen]), np.median(reaches[seen])
    good = np.abs(durations / usual_s - 1) < UNLIKE_DURATION
    good &= np.abs(reaches / usual_reach - 1) < UNLIKE_AMPLITUDE
    return [stride for stride, keep in zip(strides, good & others, strict=True) if keep]


def _reach(body: Body, stride: Stride) -> float:
    """Return from where to where the ankle goes against the pelvis; nan where much of it is hidden."""
    within = (body.times_s >= stride.start_s) & (body.times_s <= stride.end_s)
    way = (body.joint(f"{stride.side}_ankle") - body.pelvis)[within]
    axis = FORWARD if np.isfinite(way[:, FORWARD]).any() else UP
    known = way[np.isfinite(way[:, axis]), axis]
    return float(np.ptp(known)) if len(known) > 0.8 * len(way) else float("nan")


def _other_foot(stride: Stride, contacts_s: Mapping[Side, Array]) -> bool:
    other = contacts_s[other_side(stride.side)]
    phase = (other - stride.start_s) / (stride.end_s - stride.start_s)
    return bool(((phase > OTHER_FOOT[0]) & (phase < OTHER_FOOT[1])).any())


def other_side(side: Side) -> Side:
    """Return left for right and right for left."""
    return "right" if side == "left" else "left"


def curves_of(signals: Signals, strides: Sequence[Stride]) -> dict[str, Curve]:
    """Return every signal over 0..100 % of the stride, by key; those without a side over the strides of the left."""
    sided = {name for name, _, _ in SIDED}
    curves = {}
    for column, (name, unit) in enumerate(zip(signals.names, signals.units, strict=True)):
        base, _, side = name.partition(".")
        own = [stride for stride in strides if stride.side == (side if base in sided else "left")]
        course = signals.values[:, column]
        if not own or not np.isfinite(course).any():
            continue
        points = np.stack([over_stride(signals.times_s, course, stride.start_s, stride.end_s) for stride in own])
        kept_side: Side | None = "left" if side == "left" else "right" if side == "right" else None
        curves[name] = Curve(base, kept_side, unit, TITLES[base], points.astype(np.float32))
    return curves


def over_stride(times_s: Array, course: Array, start_s: float, end_s: float) -> Array:
    """Return a course (T,) at 101 points from start to end; nan where it is not known there."""
    return np.asarray(np.interp(np.linspace(start_s, end_s, PHASE_POINTS), times_s, course, left=np.nan, right=np.nan))
