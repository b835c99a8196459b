"""What a body does: walk, run, repeat an exercise in place, or something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.measure.axes import middle
from salticid.motion.measure.filters import low_pass
from salticid.motion.measured import Activity

STRIDE_HZ = (0.45, 2.2)  # of gait, from a shuffle to a sprint
REPETITION_HZ = (0.1, 1.6)
LEAST_PERIODIC = 0.4  # autocorrelation one period later
LEAST_STRIDE, LEAST_LIFT = 0.12, 0.02  # of the ankles against each other: forward and up, in body heights
LEAST_DEPTH = 0.06  # of the pelvis in an exercise, in body heights
# Between walking and running, in strides per second; Nilsson & Thorstensson 1987: they overlap between 0.9 and 1.4.
BETWEEN_HZ = 1.15


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The period of a course, and how surely it is one."""

    hz: float  # nan where nothing repeats
    strength: float  # -1..1, autocorrelation one period later


def find_activity(joints: Mapping[str, Array], rate_hz: float) -> Activity:
    """Find what a body does from (T, 3) joints in body heights."""
    gait = gait_rhythm(joints, rate_hz)
    if np.isfinite(gait.hz):
        return "run" if _runs(joints, rate_hz, gait.hz) else "walk"
    height = middle(joints, "hip")[:, 2]
    if spread(height) < LEAST_DEPTH or not np.isfinite(rhythm(height, rate_hz, REPETITION_HZ).hz):
        return "other"
    return "exercise"


def gait_rhythm(joints: Mapping[str, Array], rate_hz: float) -> Rhythm:
    """Return the rhythm of strides; nan where the feet do not take turns."""
    apart = joints["left_ankle"] - joints["right_ankle"]
    axis, least = (0, LEAST_STRIDE) if np.isfinite(apart[:, 0]).any() else (2, LEAST_LIFT)
    if not spread(apart[:, axis]) > least:
        return Rhythm(float("nan"), 0.0)
    return rhythm(apart[:, axis], rate_hz, STRIDE_HZ)


def rhythm(course: Array, rate_hz: float, band_hz: tuple[float, float]) -> Rhythm:
    """Return the period after which a course (T,) is most like itself, within a band of frequencies."""
    known = np.isfinite(course)
    if known.sum() < 0.5 * len(course):
        return Rhythm(float("nan"), 0.0)
    values = np.where(known, course - np.mean(course[known]), 0.0)
    lags = np.arange(int(rate_hz / band_hz[1]), min(int(rate_hz / band_hz[0]) + 2, int(0.75 * len(values))))
    if len(lags) < 3:
        return Rhythm(float("nan"), 0.0)
    alike = np.array([_alike(values[:-lag], values[lag:]) for lag in lags])
    peaks = 1 + np.flatnonzero((alike[1:-1] >= alike[:-2]) & (alike[1:-1] > alike[2:]))
    if not len(peaks) or alike[peaks].max() < LEAST_PERIODIC:
        return Rhythm(float("nan"), 0.0)
    first = peaks[alike[peaks] > 0.85 * alike[peaks].max()][0]  # not a multiple of the period
    return Rhythm(float(rate_hz / (lags[first] + vertex(*alike[first - 1 : first + 2]))), float(alike[first]))


def _alike(early: Array, late: Array) -> float:
    size = np.sqrt((early**2).sum() * (late**2).sum())
    return float((early * late).sum() / size) if size > 0 else 0.0


def vertex(before: float, top: float, after: float) -> float:
    """Return where between its neighbors the top of a parabola lies, -0.5..0.5 of their distance."""
    bend = before - 2 * top + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0


def _runs(joints: Mapping[str, Array], rate_hz: float, stride_hz: float) -> bool:
    """Tell running from walking.

    Walking vaults over the leg: the pelvis is lowest when the feet are furthest apart. Running bounces on it: the
    pelvis is highest then (Cavagna et al. 1977). Where that says little, or forward is not seen, the pace decides.
    """
    pace = float(np.clip((stride_hz - BETWEEN_HZ) / 0.3, -1, 1))
    return _bounce(joints, rate_hz) + 0.5 * pace > 0


def _bounce(joints: Mapping[str, Array], rate_hz: float) -> float:
    """Return how the height of the pelvis goes along with the distance of the feet, -1..1; 0 where it is not seen."""
    height = middle(joints, "hip")[:, 2]
    height = height - low_pass(height, rate_hz, 0.7)
    apart = np.abs(joints["left_ankle"] - joints["right_ankle"])[:, 0]
    known = np.isfinite(height) & np.isfinite(apart)
    if known.sum() < 0.5 * len(known):
        return 0.0
    return float(np.corrcoef(height[known], apart[known])[0, 1])


def spread(course: Array) -> float:
    """Return from where to where a course goes, but for its outermost 3 % at either end; nan where it is unknown."""
    known = course[np.isfinite(course)]
    return float(np.subtract(*np.percentile(known, [97, 3]))) if len(known) else float("nan")
