"""A walk or run with its strides: what the definitions of features ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import Side
from salticid.motion.measure.body import Body
from salticid.motion.measure.ground import ground_speed
from salticid.motion.measure.signals import FORWARD, column_of, value_at, values_during
from salticid.motion.measure.strides import FoundStrides, other_side
from salticid.motion.measured import Signals, Stride

LOADING = 0.6  # part of the stance, from contact, in which a joint takes the load


@dataclass(frozen=True, slots=True)
class Gait:
    """A body that walks or runs; every answer is nan where it cannot be known."""

    body: Body
    signals: Signals
    found: FoundStrides
    ground_speed: float  # unit of the body / s along its forward axis
    given_m_s: float | None  # speed over the ground as the user says

    def at(self, name: str, side: Side, time_s: float) -> float:
        """Return a signal at a time."""
        return value_at(self.signals, name, side, time_s)

    def during(self, name: str, side: Side, start_s: float, end_s: float) -> Array:
        """Return a signal from start to end; a single nan where a part is not known."""
        return values_during(self.signals, name, side, start_s, end_s)

    def place(self, joint: str, axis: int, time_s: float) -> float:
        """Return where a joint is along an axis of the body."""
        return float(np.interp(time_s, self.body.times_s, self.body.joint(joint)[:, axis], left=np.nan, right=np.nan))

    def contact_of_other(self, stride: Stride) -> float:
        """Return when the other foot comes down within a stride."""
        return _first_within(self.found.events[other_side(stride.side)].contacts_s, stride.start_s, stride.end_s)

    def toe_off_of_other(self, stride: Stride) -> float:
        """Return when the other foot leaves the ground around the contact that begins a stride.

        A moment later in walking, before it where both feet were in the air.
        """
        half_s = (stride.end_s - stride.start_s) / 2
        toe_offs_s = self.found.events[other_side(stride.side)].toe_offs_s
        return _first_within(toe_offs_s, stride.start_s - half_s, stride.start_s + half_s)

    def contact_before(self, stride: Stride) -> float:
        """Return the other foot's last contact before a stride; nan where it is further away than a stride."""
        duration = stride.end_s - stride.start_s
        contacts = self.found.events[other_side(stride.side)].contacts_s
        before = contacts[(contacts < stride.start_s) & (contacts > stride.start_s - duration)]
        return float(before[-1]) if len(before) else float("nan")

    def midstance_s(self, stride: Stride) -> float:
        """Return the middle of the stance: halfway to toe-off, or where the view hides that, as the pelvis tells it."""
        if np.isfinite(stride.toe_off_s):
            return (stride.start_s + stride.toe_off_s) / 2
        return self._turn_of_pelvis(stride.start_s, self.contact_of_other(stride))

    def loading_s(self, stride: Stride) -> tuple[float, float]:
        """Return from when to when the leg takes the load."""
        return stride.start_s, stride.start_s + 2 * LOADING * (self.midstance_s(stride) - stride.start_s)

    def midstance_of_other(self, stride: Stride) -> float:
        """Return the middle of the other foot's stance that begins within a stride."""
        contact_s = self.contact_of_other(stride)
        events = self.found.events[other_side(stride.side)]
        toe_offs_s = events.toe_offs_s[events.contacts_s == contact_s]
        known = len(toe_offs_s) > 0 and np.isfinite(toe_offs_s[0])
        return float(contact_s + toe_offs_s[0]) / 2 if known else self._turn_of_pelvis(contact_s, stride.end_s)

    def _turn_of_pelvis(self, start_s: float, end_s: float) -> float:
        """Return when the pelvis is highest over the standing leg in walking, and lowest upon it in running."""
        times_s, height = self.signals.times_s, column_of(self.signals, "pelvis_height", None)
        inside = (times_s >= start_s) & (times_s <= end_s) & np.isfinite(height)
        if not inside.any():
            return float("nan")
        height = height[inside] if self.body.activity == "walk" else -height[inside]
        return float(times_s[inside][np.argmax(height)])

    def advance(self, stride: Stride) -> float:
        """Return how far the body goes over the ground in a stride, in its unit."""
        duration_s = stride.end_s - stride.start_s
        if self.given_m_s is not None and self.body.unit == "m":
            return self.given_m_s * duration_s
        return self.measured_advance(stride)

    def measured_advance(self, stride: Stride) -> float:
        """Return what the picture says about `advance`: the travel of the pelvis, against the ground's own."""
        pelvis = np.interp([stride.start_s, stride.end_s], self.body.times_s, self.body.pelvis[:, FORWARD])
        return float(pelvis[1] - pelvis[0] - self.ground_speed * (stride.end_s - stride.start_s))


def gait_of(body: Body, signals: Signals, found: FoundStrides, given_kmh: float | None = None) -> Gait:
    """Put together what was found and what the user said."""
    return Gait(body, signals, found, ground_speed(body), None if given_kmh is None else given_kmh / 3.6)


def _first_within(times_s: Array, start_s: float, end_s: float) -> float:
    within = times_s[(times_s > start_s) & (times_s < end_s)]
    return float(within[0]) if len(within) else float("nan")
