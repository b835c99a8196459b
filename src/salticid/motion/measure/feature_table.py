"""The features of walking and running: one row each, with its definition.

`least_sd` is how far the median over a clip strays although a person moves as ever: the standard deviation over 14
simulated clips of about 8 strides a side, typical differences between strides, keypoint noise 1 cm, 60 frames per
second; the mean of walking at 5 and running at 11 km/h, seen from the side (from behind what only that shows), rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from salticid.motion.measure.gait import Gait
from salticid.motion.measure.signals import FORWARD, LEFT
from salticid.motion.measure.strides import other_side
from salticid.motion.measured import Activity, Feature, Stride, View

Definition = Callable[[Gait, Stride], float]

SAGITTAL: tuple[View, ...] = ("side", "room")
FRONTAL: tuple[View, ...] = ("rear", "front", "room")
EVERY: tuple[View, ...] = ("side", "rear", "front", "room")
GAIT: tuple[Activity, ...] = ("walk", "run")
ANKLE = "ankle_dorsiflexion"


@dataclass(frozen=True, slots=True)
class Row:
    """A feature, the parts of the body that it needs to see, and how one stride tells it."""

    feature: Feature
    parts: tuple[str, ...]
    of_stride: Definition


def _duration(gait: Gait, stride: Stride) -> float:
    return stride.end_s - stride.start_s


def _cadence(gait: Gait, stride: Stride) -> float:
    return 120 / _duration(gait, stride)


def _step_time(gait: Gait, stride: Stride) -> float:
    return stride.start_s - gait.contact_before(stride)


def _contact_time(gait: Gait, stride: Stride) -> float:
    return stride.toe_off_s - stride.start_s


def _swing_time(gait: Gait, stride: Stride) -> float:
    return stride.end_s - stride.toe_off_s


def _duty_factor(gait: Gait, stride: Stride) -> float:
    return 100 * _contact_time(gait, stride) / _duration(gait, stride)


def _double_support(gait: Gait, stride: Stride) -> float:
    first = gait.toe_off_of_other(stride) - stride.start_s
    second = stride.toe_off_s - gait.contact_of_other(stride)
    if min(first, second) < 0:  # the toe that the source knows leaves before the foot does
        return float("nan")
    return 100 * (first + second) / _duration(gait, stride)


def _flight_time(gait: Gait, stride: Stride) -> float:
    return gait.contact_of_other(stride) - stride.toe_off_s


def _stride_length(gait: Gait, stride: Stride) -> float:
    return 100 * gait.advance(stride) / gait.body.height


def _step_length(gait: Gait, stride: Stride) -> float:
    """Return how far ahead of the other foot's last place on the ground this one comes down."""
    before_s, other = gait.contact_before(stride), other_side(stride.side)
    there = gait.place(f"{other}_ankle", FORWARD, before_s) + gait.ground_speed * (stride.start_s - before_s)
    return 100 * (gait.place(f"{stride.side}_ankle", FORWARD, stride.start_s) - there) / gait.body.height


def _speed(gait: Gait, stride: Stride) -> float:
    return 3.6 * gait.measured_advance(stride) / _duration(gait, stride) if gait.body.unit == "m" else float("nan")


def _rise(gait: Gait, stride: Stride) -> float:
    """Return how far the pelvis goes up and down in a step; the mean of the stride's two."""
    times_s = (stride.start_s, gait.contact_of_other(stride), stride.end_s)
    steps = [gait.during("pelvis_height", stride.side, start, end) for start, end in pairwise(times_s)]
    return float(np.mean([np.ptp(step) for step in steps]))


def _step_width(gait: Gait, stride: Stride) -> float:
    """Return how far outside of the other foot's place this one stands; below 0 they cross."""
    own = gait.place(f"{stride.side}_ankle", LEFT, gait.midstance_s(stride))
    other = gait.place(f"{other_side(stride.side)}_ankle", LEFT, gait.midstance_of_other(stride))
    return 100 * (own - other if stride.side == "left" else other - own) / gait.body.height


def at_contact(name: str) -> Definition:
    """Return the definition "this signal when the foot comes down"."""
    return lambda gait, stride: gait.at(name, stride.side, stride.start_s)


def at_midstance(name: str) -> Definition:
    """Return the definition "this signal halfway from contact to toe-off"."""
    return lambda gait, stride: gait.at(name, stride.side, gait.midstance_s(stride))


def loading_peak(name: str) -> Definition:
    """Return the definition "the most of this signal while the leg takes the load"."""
    return lambda gait, stride: float(gait.during(name, stride.side, *gait.loading_s(stride)).max())


def stance_peak(name: str) -> Definition:
    """Return the definition "the most of this signal on the ground"."""
    return lambda gait, stride: float(gait.during(name, stride.side, stride.start_s, stride.toe_off_s).max())


def swing_peak(name: str) -> Definition:
    """Return the definition "the most of this signal in the air"."""
    return lambda gait, stride: float(gait.during(name, stride.side, stride.toe_off_s, stride.end_s).max())


def least(name: str) -> Definition:
    """Return the definition "the least of this signal in the stride"."""
    return lambda gait, stride: float(gait.during(name, stride.side, stride.start_s, stride.end_s).min())


def reach(name: str) -> Definition:
    """Return the definition "from the least to the most of this signal in the stride"."""
    return lambda gait, stride: float(np.ptp(gait.during(name, stride.side, stride.start_s, stride.end_s)))


def mean(name: str) -> Definition:
    """Return the definition "the mean of this signal over the stride"."""
    return lambda gait, stride: float(gait.during(name, stride.side, stride.start_s, stride.end_s).mean())


def _row(
    name: str,
    unit: str,
    title: str,
    of_stride: Definition,
    parts: tuple[str, ...],
    least_sd: float,
    phase: str,
    source: str,
    sided: bool = True,
) -> Row:
    """Return the row of what is seen from the side, of both activities, at any frame rate."""
    return Row(Feature(name, unit, title, sided, SAGITTAL, GAIT, 0.0, least_sd, phase, source), parts, of_stride)


def _but(rows: tuple[Row, ...], **changes: Any) -> tuple[Row, ...]:
    """Return rows with other views, activities or frame rates."""
    return tuple(replace(row, feature=replace(row.feature, **changes)) for row in rows)


WHITTLE = "Whittle 2007"  # Gait Analysis: An Introduction
PERRY = "Perry & Burnfield 2010"  # Gait Analysis: Normal and Pathological Function
NOVACHECK = "Novacheck 1998"  # The biomechanics of running
SOUZA = "Souza 2016"  # An evidence-based videotaped running biomechanics analysis
ALEXANDER = "Alexander 1989"  # Optimization and gaits in the locomotion of vertebrates

ANKLES, FOOT, SOLE, TRUNK = ("ankle",), ("ankle", "toe"), ("heel", "toe"), ("shoulder", "hip")
LEG, SHANK, ANKLE_JOINT = ("hip", "knee", "ankle"), ("knee", "ankle"), ("knee", "ankle", "heel", "toe")
ARM = ("shoulder", "elbow", "wrist")
TIMED_FPS = 60.0  # below it, a frame is more than a tenth of a runner's time on the ground

STEPS = (
    _row("cadence", "steps/min", "Cadence", _cadence, ANKLES, 0.8, "whole", WHITTLE, sided=False),
    _row("stride_time", "s", "Stride time", _duration, ANKLES, 0.005, "whole", WHITTLE, sided=False),
    _row("step_time", "s", "Step time", _step_time, ANKLES, 0.006, "whole", WHITTLE),
    _row("vertical_oscillation", "% height", "Vertical oscillation", _rise, ("hip",), 0.1, "whole", SOUZA, sided=False),
)
CONTACT = (
    _row("contact_time", "s", "Contact time", _contact_time, FOOT, 0.009, "stance", WHITTLE),
    _row("swing_time", "s", "Swing time", _swing_time, FOOT, 0.01, "swing", WHITTLE),
    _row("duty_factor", "%", "Duty factor", _duty_factor, FOOT, 1.0, "stance", ALEXANDER),
)
DOUBLE_SUPPORT = _row("double_support", "%", "Double support", _double_support, FOOT, 1.0, "stance", PERRY, sided=False)
FLIGHT = _row("flight_time", "s", "Flight time", _flight_time, FOOT, 0.009, "swing", NOVACHECK)
SIDE_VIEW = (
    _row("stride_length", "% height", "Stride length", _stride_length, ANKLES, 1.1, "whole", WHITTLE, sided=False),
    _row("step_length", "% height", "Step length", _step_length, ANKLES, 0.7, "contact", WHITTLE),
    _row("speed", "km/h", "Speed", _speed, ANKLES, 0.06, "whole", WHITTLE, sided=False),
    _row("trunk_lean", "deg", "Trunk lean", mean("trunk_lean"), TRUNK, 0.1, "whole", SOUZA, sided=False),
    _row(
        "trunk_lean_range", "deg", "Range of trunk lean", reach("trunk_lean"), TRUNK, 0.25, "whole", SOUZA, sided=False
    ),
    _row("knee_at_contact", "deg", "Knee flexion at contact", at_contact("knee_flexion"), LEG, 1.5, "contact", SOUZA),
    _row("knee_midstance", "deg", "Knee flexion at midstance", at_midstance("knee_flexion"), LEG, 1.1, "stance", SOUZA),
    _row(
        "knee_loading_peak",
        "deg",
        "Most knee flexion under load",
        loading_peak("knee_flexion"),
        LEG,
        1.0,
        "stance",
        PERRY,
    ),
    _row("knee_swing_peak", "deg", "Most knee flexion in swing", swing_peak("knee_flexion"), LEG, 0.8, "swing", PERRY),
    _row("knee_range", "deg", "Range of knee flexion", reach("knee_flexion"), LEG, 1.0, "whole", PERRY),
    _row("hip_at_contact", "deg", "Hip flexion at contact", at_contact("hip_flexion"), LEG, 0.7, "contact", NOVACHECK),
    _row(
        "hip_midstance", "deg", "Hip flexion at midstance", at_midstance("hip_flexion"), LEG, 1.0, "stance", NOVACHECK
    ),
    _row("hip_least", "deg", "Least hip flexion", least("hip_flexion"), LEG, 0.6, "stance", NOVACHECK),
    _row("hip_swing_peak", "deg", "Most hip flexion in swing", swing_peak("hip_flexion"), LEG, 0.8, "swing", NOVACHECK),
    _row("hip_range", "deg", "Range of hip flexion", reach("hip_flexion"), LEG, 0.9, "whole", NOVACHECK),
    _row(
        "ankle_at_contact",
        "deg",
        "Ankle dorsiflexion at contact",
        at_contact(ANKLE),
        ANKLE_JOINT,
        1.1,
        "contact",
        NOVACHECK,
    ),
    _row(
        "ankle_midstance",
        "deg",
        "Ankle dorsiflexion at midstance",
        at_midstance(ANKLE),
        ANKLE_JOINT,
        1.0,
        "stance",
        PERRY,
    ),
    _row(
        "ankle_stance_peak",
        "deg",
        "Most ankle dorsiflexion in stance",
        stance_peak(ANKLE),
        ANKLE_JOINT,
        1.0,
        "stance",
        PERRY,
    ),
    _row("ankle_range", "deg", "Range of ankle dorsiflexion", reach(ANKLE), ANKLE_JOINT, 1.6, "whole", PERRY),
    _row(
        "shank_at_contact",
        "deg",
        "Shank to vertical at contact",
        at_contact("shank_angle"),
        SHANK,
        1.3,
        "contact",
        SOUZA,
    ),
    _row(
        "overstride",
        "% height",
        "Ankle ahead of the pelvis at contact",
        at_contact("ankle_forward"),
        ANKLES,
        0.5,
        "contact",
        SOUZA,
    ),
    _row("arm_swing_range", "deg", "Range of arm swing", reach("arm_swing"), ARM[:2], 1.1, "whole", PERRY),
    _row("elbow_flexion", "deg", "Elbow flexion", mean("elbow_flexion"), ARM, 0.3, "whole", NOVACHECK),
)
FOOT_ANGLE = _row(
    "foot_at_contact", "deg", "Foot to the ground at contact", at_contact("foot_angle"), SOLE, 1.8, "contact", SOUZA
)
REAR_VIEW = (
    _row(
        "pelvic_drop", "deg", "Pelvic drop in stance", loading_peak("pelvic_drop"), ("hip",), 0.9, "stance", NOVACHECK
    ),
    _row(
        "hip_adduction", "deg", "Most hip adduction in stance", loading_peak("hip_adduction"), LEG, 1.0, "stance", SOUZA
    ),
    _row("knee_valgus", "deg", "Knee valgus at midstance", at_midstance("knee_valgus"), LEG, 0.8, "stance", SOUZA),
    _row(
        "crossover",
        "% height",
        "Foot beyond the middle at midstance",
        at_midstance("ankle_inward"),
        ANKLES,
        0.2,
        "stance",
        SOUZA,
    ),
    _row("step_width", "% height", "Step width", _step_width, ANKLES, 0.25, "stance", WHITTLE, sided=False),
    _row(
        "trunk_sway_range", "deg", "Range of trunk sway", reach("trunk_sway"), TRUNK, 0.3, "whole", WHITTLE, sided=False
    ),
)

ROWS: tuple[Row, ...] = (
    *_but(STEPS, views=EVERY),
    *_but(CONTACT, least_fps=TIMED_FPS),
    *_but((DOUBLE_SUPPORT,), activities=("walk",), least_fps=TIMED_FPS),
    *_but((FLIGHT,), activities=("run",), least_fps=TIMED_FPS),
    *SIDE_VIEW,
    *_but((FOOT_ANGLE,), least_fps=TIMED_FPS),
    *_but(REAR_VIEW, views=FRONTAL),
)

STRIDE_TIME_VARIABILITY = Feature(
    "stride_time_variability", "%", "Variation of the stride's time", False, EVERY, GAIT, TIMED_FPS, 0.25, "whole",
    "Hausdorff 2005",
)  # fmt: skip

# Features of which left and right are compared, and the least sd of that index in percent.
COMPARED = {
    "step_time": 1.4,
    "contact_time": 0.8,
    "step_length": 1.5,
    "knee_swing_peak": 0.9,
    "arm_swing_range": 2.2,
}


def _symmetry(feature: Feature, least_sd: float) -> Feature:
    """Return the feature that says how differently left and right do this one."""
    title = f"{feature.title}: difference of left and right"
    name, source = f"{feature.name}_asymmetry", "Robinson et al. 1987"
    return replace(feature, name=name, unit="%", title=title, sided=False, least_sd=least_sd, source=source)


SYMMETRIES = {
    row.feature.name: _symmetry(row.feature, COMPARED[row.feature.name]) for row in ROWS if row.feature.name in COMPARED
}
