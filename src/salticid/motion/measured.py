"""What was measured in one clip: features with units, curves over the stride, or the reason why there is no number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import Side

View = Literal["side", "rear", "front", "room"]  # room: three dimensions, seen from everywhere
Activity = Literal["walk", "run", "exercise", "other"]

PHASE_POINTS = 101  # of a stride, 0 and 100 % included


def seen_from(view: View) -> str:
    """Return where something is seen from, in words.

    >>> seen_from("side"), seen_from("room")
    ('from the side', 'in three dimensions')
    """
    return "in three dimensions" if view == "room" else f"from the {view}"


@dataclass(frozen=True, slots=True)
class Feature:
    """A number that the field has a name for."""

    name: str  # "knee_at_contact"
    unit: str  # "deg", "s", "steps/min", "% height", "%"
    title: str  # "Knee flexion at contact"
    sided: bool  # measured for the left and the right
    views: tuple[View, ...]  # from which it can be measured
    activities: tuple[Activity, ...]
    least_fps: float  # below this it is measured, but flagged as coarse
    least_sd: float  # in its unit: a person's own spread between clips is never taken for smaller than this
    phase: str  # part of the stride that it tells about: "contact", "stance", "swing", "whole", ...
    source: str  # where its definition is from


@dataclass(frozen=True, slots=True)
class Measurement:
    """One feature of one side in one clip."""

    feature: Feature
    side: Side | None  # None for what has no side
    values: Array  # (N,) float64, one per stride or repetition; nan where that one could not be measured
    reason: str = ""  # why nothing could be measured; empty when something was
    caution: str = ""  # why the number is coarse; empty when it is not

    @property
    def key(self) -> str:
        """Its name in tables: `knee_at_contact.left`, `cadence`."""
        return self.feature.name if self.side is None else f"{self.feature.name}.{self.side}"

    @property
    def count(self) -> int:
        """How many strides told."""
        return int(np.isfinite(self.values).sum())

    @property
    def value(self) -> float:
        """The median over the strides; nan where nothing could be measured."""
        return float(np.median(self.values[np.isfinite(self.values)])) if self.count else float("nan")

    @property
    def spread(self) -> float:
        """The standard deviation between strides; nan below two of them."""
        return float(np.std(self.values[np.isfinite(self.values)], ddof=1)) if self.count > 1 else float("nan")


@dataclass(frozen=True, slots=True)
class Stride:
    """From one contact of a foot to its next; in seconds of the clip."""

    side: Side
    start_s: float  # contact
    toe_off_s: float  # nan where it was not seen
    end_s: float  # the next contact of the same foot


@dataclass(frozen=True, slots=True)
class Curve:
    """An angle or distance over the stride, each stride stretched to 0..100 %."""

    name: str  # "knee_flexion"
    side: Side | None
    unit: str
    title: str
    strides: Array  # (N, 101) float32

    @property
    def key(self) -> str:
        """Its name in tables."""
        return self.name if self.side is None else f"{self.name}.{self.side}"


@dataclass(frozen=True, slots=True)
class Signals:
    """Angles and distances frame by frame, filtered."""

    times_s: Array  # (T,) float64, evenly spaced
    values: Array  # (T, F) float32; nan where not known
    names: tuple[str, ...]  # F, as `knee_flexion.left`
    units: tuple[str, ...]  # F


@dataclass(frozen=True, slots=True)
class Measured:
    """All that one clip tells about a movement."""

    activity: Activity
    view: View
    direction: Side | None  # which way the person faces in a side view
    fps: float
    duration_s: float  # that the person was followed
    speed_kmh: float  # as given, or measured; nan where unknown
    speed_source: Literal["given", "measured", "unknown"]
    height_m: float  # as given; nan where unknown: then lengths are in percent of body height alone
    strides: tuple[Stride, ...]
    measurements: dict[str, Measurement]  # by key
    curves: dict[str, Curve]  # by key
    signals: Signals
    proportions: dict[str, float]  # lengths of limbs as a share of the body's: what tells persons apart
    notes: tuple[str, ...]  # what a reader should know
