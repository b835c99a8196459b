"""A curve over the stride beside the person's own band, and where it leaves it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from salticid.core.types import Array
from salticid.motion.compare.description import band_names
from salticid.motion.compare.statistics import Statistics
from salticid.motion.compare.thresholds import student_quantile
from salticid.motion.keypoints import Side
from salticid.motion.measured import Curve, Measured

BAND_LEVEL = 0.975  # at each point: one more clip of the person is within for 95 % of the stride
LEAST_PERCENT = 3  # of the stride that a curve is outside for, to be told


@dataclass(frozen=True, slots=True)
class Excursion:
    """A part of the stride in which the mean curve is outside of the band."""

    start_percent: int
    end_percent: int  # included
    most: float  # largest distance from the band, in the curve's unit; above 0 over it


@dataclass(frozen=True, slots=True, eq=False)
class OwnBand:
    """What is usual for one person over the stride."""

    mean: Array  # (101,)
    low: Array  # (101,)
    high: Array  # (101,)


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCurve:
    """One curve of a clip in the person's own band."""

    key: str
    name: str
    side: Side | None
    unit: str
    title: str
    band: OwnBand
    strides: Array  # (N, 101) float32, of the clip
    mean: Array  # (101,) float64, of the clip; nan without a stride
    excursions: tuple[Excursion, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, without the single strides."""
        arrays = {"mean": self.mean, "own_mean": self.band.mean, "own_low": self.band.low, "own_high": self.band.high}
        parts = [
            {"start_percent": part.start_percent, "end_percent": part.end_percent, "most": part.most}
            for part in self.excursions
        ]
        told = {"name": self.name, "side": self.side, "unit": self.unit, "title": self.title, "outside": parts}
        return told | {name: array.tolist() for name, array in arrays.items()}


def scored_curves(statistics: Statistics, measured: Measured) -> dict[str, ScoredCurve]:
    """Return the curves of a clip that the baseline knows too, by key."""
    found = {}
    for key, curve in measured.curves.items():
        band = own_band(statistics, key)
        if band is not None:
            found[key] = _scored(curve, band)
    return found


def own_band(statistics: Statistics, key: str) -> OwnBand | None:
    """Return the band in which one more clip of the person is expected; None where the baseline has no such curve."""
    columns = statistics.columns(band_names(key))
    if columns is None:
        return None
    mean, sd, clips = statistics.mean[columns], statistics.sd[columns], statistics.clips[columns]
    freedom = float(statistics.degrees_of_freedom[columns].min())  # one number: a clip tells a curve whole or not
    reach = student_quantile(BAND_LEVEL, freedom) * sd * np.sqrt(1 + 1 / clips)
    return OwnBand(mean, mean - reach, mean + reach)


def _scored(curve: Curve, band: OwnBand) -> ScoredCurve:
    whole = curve.strides[np.isfinite(curve.strides).all(axis=1)].astype(np.float64)
    mean = whole.mean(axis=0) if len(whole) else np.full(len(band.mean), math.nan)
    outside = tuple(_excursions(mean, band))
    return ScoredCurve(curve.key, curve.name, curve.side, curve.unit, curve.title, band, curve.strides, mean, outside)


def _excursions(mean: Array, band: OwnBand) -> Iterator[Excursion]:
    """Yield where the mean is outside for long enough, each way by itself."""
    for off in (np.maximum(mean - band.high, 0), -np.maximum(band.low - mean, 0)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], off != 0, [False]]).astype(int)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if stop - start >= LEAST_PERCENT and np.isfinite(off[start:stop]).all():
                part = off[start:stop]
                yield Excursion(int(start), int(stop) - 1, float(part[np.argmax(np.abs(part))]))
