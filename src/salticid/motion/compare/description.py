"""What of a clip is compared with a baseline, as one row of numbers: the person's features, curves and signals.

Three groups, each with its own view of the movement, and each of its numbers one value per clip:

    features/knee_at_contact.left        median over the strides
    bands/knee_flexion.left/35           mean curve at 35 % of the stride
    windows/trunk_lean/mean, .../sd      median over windows of a second: needs no stride, so any movement has it
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from salticid.core.types import Array
from salticid.motion.measured import PHASE_POINTS, Curve, Measured, Measurement, Signals

Group = Literal["features", "bands", "windows"]
GROUPS: tuple[Group, ...] = get_args(Group)

WINDOW_S = 1.0  # about a stride of walking
LEAST_KNOWN = 0.8  # share of a window's frames whose signal is known

# A feature's own `least_sd` is for a person who moves as ever. Real persons differ from clip to clip by about 3 times
# as much: 2 to 4.5 in the middle half of the features, in motion capture of seven ways of walking.
BETWEEN_CLIPS = 3.0

# How much a person differs from clip to clip at least in a curve or a signal, by its unit: about half of the error from
# session to session (McGinley et al. 2009: 2-5 degrees), as clips are mostly of one day.
LEAST_SD_OF_UNIT = {
    "deg": 1.5,
    "% height": 0.7,
    "% height/s": 2.0,
    "heights/s": 0.02,
    "%": 1.0,
    "m": 0.01,
    "m/s": 0.03,
    "deg/s": 15.0,
}


@dataclass(frozen=True, slots=True)
class Description:
    """One clip as P numbers, each with what is known about its own noise."""

    names: tuple[str, ...]  # P, as `group/key` or `group/key/place`
    values: Array  # (P,) float64; nan where the clip does not tell
    least_sd: Array  # (P,) float64, in the number's unit: a person's spread is never taken for smaller
    variance: Array  # (P,) float64, between the strides of this clip; 0 where there are less than two or none
    strides: Array  # (P,) float64, how many strides told; nan for what no stride is needed for


def describe(measured: Measured) -> Description:
    """Return one clip as a row of numbers; a signal in a unit that is not known here stays out."""
    rows = [row for part in (_features, _bands, _windows) for row in part(measured)]
    names, values, least_sd, variance, strides = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Description(
        tuple(np.concatenate([np.asarray(part, str) for part in names]).tolist()) if names else (),
        *(
            np.concatenate(part).astype(np.float64) if part else np.zeros(0)
            for part in (values, least_sd, variance, strides)
        ),
    )


def group_of(name: str) -> str:
    """Return the group that a number belongs to."""
    return name.partition("/")[0]


def band_names(key: str) -> list[str]:
    """Return the names of the 101 numbers of a curve."""
    return [f"bands/{key}/{percent}" for percent in range(PHASE_POINTS)]


def feature_name(measurement: Measurement) -> str:
    """Return the name of the number of a feature."""
    return f"features/{measurement.key}"


_Row = tuple[list[str], Array, Array, Array, Array]


def _features(measured: Measured) -> Iterator[_Row]:
    for measurement in measured.measurements.values():
        spread = measurement.spread
        yield (
            [feature_name(measurement)],
            np.array([measurement.value]),
            np.array([BETWEEN_CLIPS * measurement.feature.least_sd]),
            np.array([spread**2 if np.isfinite(spread) else 0.0]),
            np.array([float(measurement.count)]),
        )


def _bands(measured: Measured) -> Iterator[_Row]:
    for curve in measured.curves.values():
        if curve.unit not in LEAST_SD_OF_UNIT:
            continue
        known = curve.strides[np.isfinite(curve.strides).all(axis=1)].astype(np.float64)
        mean = known.mean(axis=0) if len(known) else np.full(PHASE_POINTS, np.nan)
        yield (
            band_names(curve.key),
            mean,
            np.full(PHASE_POINTS, _least_sd(curve)),
            known.var(axis=0, ddof=1) if len(known) > 1 else np.zeros(PHASE_POINTS),
            np.full(PHASE_POINTS, float(len(known))),
        )


def _windows(measured: Measured) -> Iterator[_Row]:
    signals = measured.signals
    means, deviations = _window_statistics(signals)
    for column, (name, unit) in enumerate(zip(signals.names, signals.units, strict=True)):
        if unit not in LEAST_SD_OF_UNIT:
            continue
        yield (
            [f"windows/{name}/mean", f"windows/{name}/sd"],
            np.array([means[column], deviations[column]]),
            np.full(2, LEAST_SD_OF_UNIT[unit]),
            np.zeros(2),
            np.full(2, np.nan),
        )


def cycles_of(measured: Measured) -> int:
    """Return how many strides, or repetitions of an exercise, a clip tells of."""
    return max((len(curve.strides) for curve in measured.curves.values()), default=0)


def cycle_of(activity: str) -> str:
    """Return what a movement consists of."""
    return "repetition" if activity == "exercise" else "stride"


def _least_sd(curve: Curve) -> float:
    return LEAST_SD_OF_UNIT[curve.unit]


def _window_statistics(signals: Signals) -> tuple[Array, Array]:
    """Return the median over half-overlapping windows of their mean and of their standard deviation, (F,) each."""
    windows = signal_windows(signals, WINDOW_S)
    if not len(windows):
        nothing = np.full(len(signals.names), np.nan)
        return nothing, nothing
    known = np.isfinite(windows)
    enough = known.mean(axis=1) >= LEAST_KNOWN
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, windows, 0).sum(axis=1) / count
    variance = (np.where(known, windows - mean[:, None], 0) ** 2).sum(axis=1) / count
    return _median(mean, enough), _median(np.sqrt(variance), enough)


def signal_windows(signals: Signals, window_s: float) -> Array:
    """Return half-overlapping stretches of the signals, (N, frames, F) float64."""
    times_s = signals.times_s
    if len(times_s) < 2:
        return np.zeros((0, 0, len(signals.names)))
    length = max(2, round(window_s / float(np.median(np.diff(times_s)))))
    if len(times_s) < length:
        return np.zeros((0, length, len(signals.names)))
    stretches = np.lib.stride_tricks.sliding_window_view(signals.values.astype(np.float64), length, axis=0)
    return np.asarray(np.moveaxis(stretches[:: max(1, length // 2)], 2, 1))


def _median(values: Array, counts: Array) -> Array:
    """Return the median of each column over the rows that count; nan where none does."""
    columns = (values[counts[:, column], column] for column in range(values.shape[1]))
    return np.array([np.median(column) if len(column) else np.nan for column in columns])
