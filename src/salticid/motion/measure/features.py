"""What one clip tells: features with units, curves over the stride, and reasons where there is no number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from salticid.errors import InputError
from salticid.motion.keypoints import SIDES, Keypoints, Side
from salticid.motion.measure.body import Body, read_body
from salticid.motion.measure.exercise_table import REPETITION_ROWS
from salticid.motion.measure.feature_table import ROWS, STRIDE_TIME_VARIABILITY, SYMMETRIES, Row
from salticid.motion.measure.gait import Gait, gait_of
from salticid.motion.measure.limbs import proportions_of
from salticid.motion.measure.measuring import measurement_of, symmetry_of, variability_of
from salticid.motion.measure.repetitions import find_repetitions, repetition_curves
from salticid.motion.measure.signals import UP, signals_of
from salticid.motion.measure.strides import FoundStrides, curves_of, find_strides
from salticid.motion.measured import Curve, Measured, Measurement, Signals, Stride
from salticid.motion.options import MotionOptions

UNLIKE_SPEED = 0.15  # share by which the given and the measured speed may differ without a word
UNKNOWN_ACTIVITY = "neither walking nor running nor a repeated exercise is recognized: say what it is (activity)"


@dataclass(frozen=True, slots=True)
class _Found:
    """What an activity's own steps find in a clip."""

    measurements: dict[str, Measurement]
    curves: dict[str, Curve]
    strides: tuple[Stride, ...] = ()
    notes: tuple[str, ...] = ()


def measure(keypoints: Keypoints, options: MotionOptions, *, speed_kmh: float | None = None) -> Measured:
    """Measure one clip.

    Parameters
    ----------
    keypoints
        One person, pixels or meters, in real time (slow motion undone).
    speed_kmh
        Of the treadmill, or of the run, where it is known.

    Returns
    -------
    Measured
        A feature that the view, the joints or too few strides cannot tell has no values, and a reason.

    Raises
    ------
    InputError
        No body, or a body whose size or view cannot be told (see `read_body`), or a speed that is not above 0.
    """
    if speed_kmh is not None and not speed_kmh > 0:
        raise InputError(f"the speed is {speed_kmh} km/h: give one above 0, or none where it is not known")
    body = read_body(keypoints, options)
    signals = signals_of(body)
    found = _of_activity(body, signals, speed_kmh)
    measured_kmh = found.measurements["speed"].value if "speed" in found.measurements else float("nan")
    return Measured(
        activity=body.activity,
        view=body.view,
        direction=body.direction,
        fps=body.fps,
        duration_s=float(np.isfinite(body.pelvis[:, UP]).sum() / body.rate_hz),
        speed_kmh=measured_kmh if speed_kmh is None else speed_kmh,
        speed_source="given" if speed_kmh is not None else "measured" if np.isfinite(measured_kmh) else "unknown",
        height_m=options.height_m if options.height_m is not None else float("nan"),
        strides=found.strides,
        measurements=found.measurements,
        curves=found.curves,
        signals=signals,
        proportions=proportions_of(body),
        notes=(*body.notes, *found.notes, *_speed_notes(speed_kmh, measured_kmh)),
    )


def _of_activity(body: Body, signals: Signals, speed_kmh: float | None) -> _Found:
    if body.activity == "exercise":
        return _of_exercise(body, signals)
    if body.activity == "other":
        return _Found({}, {}, notes=(UNKNOWN_ACTIVITY,))
    found = find_strides(body)
    measurements = _of_gait(gait_of(body, signals, found, speed_kmh))
    return _Found(measurements, curves_of(signals, found.strides), found.strides, _stride_notes(found))


def _of_gait(gait: Gait) -> dict[str, Measurement]:
    rows = [row for row in ROWS if gait.body.activity in row.feature.activities]
    single = [_of_strides(gait, row, side) for row in rows for side in (SIDES if row.feature.sided else (None,))]
    by_key = {one.key: one for one in single}
    compared = [
        symmetry_of(feature, by_key[f"{name}.left"], by_key[f"{name}.right"]) for name, feature in SYMMETRIES.items()
    ]
    varied = variability_of(gait.body, STRIDE_TIME_VARIABILITY, by_key["stride_time"])
    return by_key | {one.key: one for one in (*compared, varied)}


def _of_strides(gait: Gait, row: Row, side: Side | None) -> Measurement:
    strides = [stride for stride in gait.found.strides if side in (None, stride.side)]
    values_of = [partial(row.of_stride, gait, stride) for stride in strides]
    return measurement_of(gait.body, row.feature, row.parts, side, values_of)


def _of_exercise(body: Body, signals: Signals) -> _Found:
    repetitions = find_repetitions(body)
    single = [
        measurement_of(body, row.feature, row.parts, side, [partial(row.of, signals, side, one) for one in repetitions])
        for row in REPETITION_ROWS
        for side in (SIDES if row.feature.sided else (None,))
    ]
    return _Found({one.key: one for one in single}, repetition_curves(signals, repetitions))


def _stride_notes(found: FoundStrides) -> tuple[str, ...]:
    if not found.rejected:
        return ()
    return (f"{found.rejected} of {found.rejected + len(found.strides)} strides are unlike the others and left out",)


def _speed_notes(given_kmh: float | None, measured_kmh: float) -> tuple[str, ...]:
    if given_kmh is None or not abs(measured_kmh / given_kmh - 1) > UNLIKE_SPEED:
        return ()
    return (
        f"the speed given is {given_kmh:g} km/h, the feet say {measured_kmh:.1f}: "
        "check the speed, the height and the frame rate of slow motion",
    )
