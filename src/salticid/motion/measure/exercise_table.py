"""The features of a repeated exercise: one row each, with its definition. `least_sd` as in `feature_table`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from salticid.motion.keypoints import Side
from salticid.motion.measure.feature_table import EVERY, FRONTAL, SAGITTAL
from salticid.motion.measure.repetitions import Repetition
from salticid.motion.measure.signals import values_during
from salticid.motion.measured import Feature, Signals, View

Definition = Callable[[Signals, Side | None, Repetition], float]

SCHOENFELD = "Schoenfeld 2010"  # Squatting kinematics and kinetics
HEWETT = "Hewett et al. 2005"  # Valgus in landing and squatting


@dataclass(frozen=True, slots=True)
class RepetitionRow:
    """A feature, the parts of the body that it needs to see, and how one repetition tells it."""

    feature: Feature
    parts: tuple[str, ...]
    of: Definition


def _duration(signals: Signals, side: Side | None, one: Repetition) -> float:
    return one.end_s - one.start_s


def _down(signals: Signals, side: Side | None, one: Repetition) -> float:
    return one.turn_s - one.start_s


def _up(signals: Signals, side: Side | None, one: Repetition) -> float:
    return one.end_s - one.turn_s


def _most(name: str) -> Definition:
    return lambda signals, side, one: float(values_during(signals, name, side, one.start_s, one.end_s).max())


def _reach(name: str) -> Definition:
    return lambda signals, side, one: float(np.ptp(values_during(signals, name, side, one.start_s, one.end_s)))


def _unlike(name: str) -> Definition:
    """Return the definition "how differently left and right go through this signal", in its own unit."""

    def difference(signals: Signals, side: Side | None, one: Repetition) -> float:
        courses = [values_during(signals, name, each, one.start_s, one.end_s) for each in ("left", "right")]
        return float(np.abs(courses[0].max() - courses[1].max()))

    return difference


def _row(
    name: str,
    unit: str,
    title: str,
    of: Definition,
    parts: tuple[str, ...],
    least_sd: float,
    sided: bool = False,
    views: tuple[View, ...] = EVERY,
    source: str = SCHOENFELD,
) -> RepetitionRow:
    return RepetitionRow(
        Feature(name, unit, title, sided, views, ("exercise",), 0.0, least_sd, "repetition", source), parts, of
    )


LEG, TRUNK = ("hip", "knee", "ankle"), ("shoulder", "hip")

REPETITION_ROWS: tuple[RepetitionRow, ...] = (
    _row("repetition_time", "s", "Time of a repetition", _duration, ("hip",), 0.05),
    _row("time_down", "s", "Time on the way down", _down, ("hip",), 0.035),
    _row("time_up", "s", "Time on the way up", _up, ("hip",), 0.03),
    _row("depth", "% height", "How far the pelvis goes down", _reach("pelvis_height"), ("hip",), 0.45),
    _row("knee_peak", "deg", "Most knee flexion", _most("knee_flexion"), LEG, 1.1, True, SAGITTAL),
    _row("hip_peak", "deg", "Most hip flexion", _most("hip_flexion"), (*LEG, "shoulder"), 1.2, True, SAGITTAL),
    _row(
        "ankle_peak",
        "deg",
        "Most ankle dorsiflexion",
        _most("ankle_dorsiflexion"),
        ("knee", "ankle", "heel", "toe"),
        0.65,
        True,
        SAGITTAL,
    ),
    _row("trunk_lean_peak", "deg", "Most trunk lean", _most("trunk_lean"), TRUNK, 0.5, False, SAGITTAL),
    _row(
        "knee_peak_difference",
        "deg",
        "Knee flexion, left against right",
        _unlike("knee_flexion"),
        LEG,
        0.4,
        False,
        SAGITTAL,
    ),
    _row("knee_valgus_peak", "deg", "Most knee valgus", _most("knee_valgus"), LEG, 0.5, True, FRONTAL, HEWETT),
    _row("trunk_sway_reach", "deg", "Range of trunk sway", _reach("trunk_sway"), TRUNK, 0.15, False, FRONTAL),
    _row(
        "shoulder_tilt_reach",
        "deg",
        "Range of the shoulders' tilt",
        _reach("shoulder_tilt"),
        ("shoulder",),
        0.25,
        False,
        FRONTAL,
    ),
)
