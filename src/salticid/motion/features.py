"""What one clip tells: features with units, curves over the stride, and reasons where there is no number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salticid.core.types import Array
from salticid.motion.body import Body, read_body
from salticid.motion.feature_table import ROWS, STRIDE_TIME_VARIABILITY, SYMMETRIC, Row
from salticid.motion.gait import Gait, gait_of
from salticid.motion.keypoints import SIDES, Keypoints, Side
from salticid.motion.measured import Feature, Measured, Measurement, Stride
from salticid.motion.options import MotionOptions
from salticid.motion.signals import UP, signals_of
from salticid.motion.strides import FoundStrides, curves_of, find_strides

LEAST_STRIDES = 2  # in a clip: one alone has nothing that says whether it was a usual one
LEAST_FOR_SPREAD = 5  # strides, for a standard deviation to mean anything
HIDDEN = 0.5  # share of the frames without which a joint counts as not seen
LIMBS = (
    ("thigh", "hip", "knee"),
    ("shank", "knee", "ankle"),
    ("foot", "heel", "toe"),
    ("upper_arm", "shoulder", "elbow"),
    ("forearm", "elbow", "wrist"),
)
UNLIKE_SPEED = 0.15  # share by which the given and the measured speed may differ without a word


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
        No body, or a body whose size or view cannot be told: see `read_body`.
    """
    body = read_body(keypoints, options)
    signals = signals_of(body)
    found = find_strides(body) if body.activity in ("walk", "run") else FoundStrides((), 0, {})
    gait = gait_of(body, signals, found, speed_kmh)
    measurements = _measurements(gait)
    measured_kmh = measurements["speed"].value if "speed" in measurements else float("nan")
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
        measurements=measurements,
        curves=curves_of(signals, found.strides),
        signals=signals,
        proportions=proportions_of(body),
        notes=(*body.notes, *_stride_notes(found), *_speed_notes(speed_kmh, measured_kmh)),
    )


def _measurements(gait: Gait) -> dict[str, Measurement]:
    rows = [row for row in ROWS if gait.body.activity in row.feature.activities]
    single = [_measurement(gait, row, side) for row in rows for side in (SIDES if row.feature.sided else (None,))]
    by_key = {measurement.key: measurement for measurement in single}
    compared = [
        _symmetry(by_key, row.feature, SYMMETRIC[row.feature.name]) for row in rows if row.feature.name in SYMMETRIC
    ]
    varied = [_variability(by_key["stride_time"])] if "stride_time" in by_key else []
    return by_key | {measurement.key: measurement for measurement in (*compared, *varied)}


def _measurement(gait: Gait, row: Row, side: Side | None) -> Measurement:
    """Measure one feature in every stride of a side, or of both."""
    strides = [stride for stride in gait.found.strides if side in (None, stride.side)]
    reason = _reason(gait, row, side, strides)
    values = np.array([] if reason else [row.of_stride(gait, stride) for stride in strides], np.float64)
    if not reason and not np.isfinite(values).any():
        reason = "no stride shows it whole"
    return Measurement(row.feature, side, values, reason, "" if reason else _caution(gait.body, row.feature))


def _reason(gait: Gait, row: Row, side: Side | None, strides: Sequence[Stride]) -> str:
    """Return why a feature cannot be measured; empty when it can."""
    body, views = gait.body, row.feature.views
    if body.view not in views:
        return f"not to be seen from the {body.view}: film from the {' or '.join(views[:2])}"
    if len(gait.found.strides) < LEAST_STRIDES or not strides:
        return f"{len(strides)} good strides: at least {LEAST_STRIDES} are needed, film for longer"
    hidden = [part for part in row.parts if _is_hidden(body, part, side)]
    if hidden:
        return f"hardly seen: {', '.join(hidden)}"
    if row.feature.name == "speed" and body.unit != "m":
        return "the person's height is not given: lengths are in body heights alone"
    return ""


def _is_hidden(body: Body, part: str, side: Side | None) -> bool:
    courses = [body.joint(f"{one}_{part}")[:, UP] for one in (SIDES if side is None else (side,))]
    return any(np.isnan(course).mean() > HIDDEN for course in courses)


def _caution(body: Body, feature: Feature) -> str:
    if body.fps < feature.least_fps - 1:
        return (
            f"coarse: a frame lasts {1000 / body.fps:.0f} ms, film at {feature.least_fps:.0f} frames per second or more"
        )
    return ""


def _symmetry(by_key: dict[str, Measurement], feature: Feature, least_sd: float) -> Measurement:
    """Compare left and right by their medians: 2 |L - R| / (L + R) in percent; Robinson et al. 1987."""
    left, right = (by_key[f"{feature.name}.{side}"] for side in SIDES)
    index = Feature(
        f"{feature.name}_asymmetry",
        "%",
        f"{feature.title}: difference of left and right",
        False,
        feature.views,
        feature.activities,
        feature.least_fps,
        least_sd,
        feature.phase,
        "Robinson et al. 1987",
    )
    values = np.array([200 * abs(left.value - right.value) / abs(left.value + right.value)])
    reason = left.reason or right.reason
    return Measurement(index, None, values[np.isfinite(values)], reason, left.caution)


def _variability(stride_time: Measurement) -> Measurement:
    """Return how much the stride's time varies, in percent of it; Hausdorff 2005."""
    few = stride_time.count < LEAST_FOR_SPREAD
    reason = stride_time.reason or (f"{stride_time.count} strides: {LEAST_FOR_SPREAD} are needed" if few else "")
    values = np.array([] if reason else [100 * stride_time.spread / stride_time.value])
    return Measurement(STRIDE_TIME_VARIABILITY, None, values, reason, stride_time.caution)


def proportions_of(body: Body) -> dict[str, float]:
    """Return the lengths of limbs as a share of the body's height, those that the view shows; median over the clip."""
    limbs = {
        f"{name}.{side}": body.joint(f"{side}_{end}") - body.joint(f"{side}_{start}")
        for name, start, end in LIMBS
        for side in SIDES
    }
    lengths = {name: _length(limb) / body.height for name, limb in (limbs | {"trunk": body.neck - body.pelvis}).items()}
    return {name: length for name, length in lengths.items() if np.isfinite(length)}


def _length(limb: Array) -> float:
    """Return the median length of a limb in the axes that are seen."""
    seen = np.isfinite(limb).any(axis=0)
    lengths = np.linalg.norm(limb[:, seen], axis=1)
    known = lengths[np.isfinite(lengths)]
    return float(np.median(known)) if seen.any() and len(known) else float("nan")


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
