"""One feature measured: its values, or why there are none, or why they are coarse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measure.body import Body
from salticid.motion.measure.signals import UP
from salticid.motion.measured import Feature, Measurement

LEAST_COUNT = 2  # strides or repetitions of a clip: one alone has nothing that says whether it was a usual one
LEAST_FOR_SPREAD = 5  # for a standard deviation to mean anything
HIDDEN = 0.5  # share of the frames without which a joint counts as not seen
TIMED = ("step_time", "stride_time")  # what hangs on single contacts
FPS_SLACK = 1.0  # 59.94 is 60


def measurement_of(
    body: Body,
    feature: Feature,
    parts: Sequence[str],
    side: Side | None,
    values_of: Sequence[Callable[[], float]],
) -> Measurement:
    """Measure a feature once for each function of `values_of`: one per stride or repetition."""
    reason = _reason(body, feature, parts, side, len(values_of))
    values = np.array([] if reason else [value_of() for value_of in values_of], np.float64)
    if not reason and not np.isfinite(values).any():
        reason = "none of the strides or repetitions shows it whole"
    return Measurement(feature, side, values, reason, "" if reason else _caution(body, feature))


def symmetry_of(feature: Feature, left: Measurement, right: Measurement) -> Measurement:
    """Compare both sides by their medians, 2 |L - R| / (L + R) in percent; Robinson et al. 1987."""
    whole = abs(left.value + right.value)
    reason = left.reason or right.reason or ("left and right add up to 0" if whole == 0 else "")
    values = np.array([] if reason else [200 * abs(left.value - right.value) / whole])
    return Measurement(feature, None, values, reason, "" if reason else left.caution)


def variability_of(body: Body, feature: Feature, times: Measurement) -> Measurement:
    """Return how much a time varies from stride to stride, in percent of it."""
    few = times.count < LEAST_FOR_SPREAD
    reason = times.reason or (
        f"{times.count} are too few: {LEAST_FOR_SPREAD} are needed, film for longer" if few else ""
    )
    values = np.array([] if reason else [100 * times.spread / times.value])
    return Measurement(feature, None, values, reason, "" if reason else _caution(body, feature))


def _reason(body: Body, feature: Feature, parts: Sequence[str], side: Side | None, count: int) -> str:
    """Return why a feature cannot be measured; empty when it can."""
    if body.view not in feature.views:
        return f"not to be seen from the {body.view}: film from the {' or '.join(feature.views[:-1])}"
    hidden = [part for part in parts if _is_hidden(body, part, side)]
    if hidden:
        return f"hardly seen: {', '.join(hidden)}"
    if count < LEAST_COUNT:
        return f"only {count} were found whole: at least {LEAST_COUNT} are needed, film for longer"
    if feature.unit == "km/h" and body.unit != "m":
        return "the person's height is not given: lengths are in body heights alone"
    return ""


def _is_hidden(body: Body, part: str, side: Side | None) -> bool:
    courses = [body.joint(f"{one}_{part}")[:, UP] for one in (SIDES if side is None else (side,))]
    return any(np.isnan(course).mean() > HIDDEN for course in courses)


def _caution(body: Body, feature: Feature) -> str:
    if body.view in ("rear", "front") and feature.name.startswith(TIMED):
        return f"coarse: seen from the {body.view}, contacts are timed to about 30 ms; film from the side"
    if body.fps >= feature.least_fps - FPS_SLACK:
        return ""
    return f"coarse: a frame lasts {1000 / body.fps:.0f} ms, film at {feature.least_fps:.0f} frames per second or more"
