"""A new clip against a person's own: inside or outside, what changed, on which side, in which phase, and how surely."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from salticid.core.plain import strict
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.compare.band import ScoredCurve, scored_curves
from salticid.motion.compare.clip_report import source_of
from salticid.motion.compare.confidence import judge_confidence
from salticid.motion.compare.description import Description, cycle_of, describe, feature_name
from salticid.motion.compare.judge import Verdict
from salticid.motion.compare.statistics import Statistics, deviations
from salticid.motion.compare.thresholds import student_quantile
from salticid.motion.keypoints import SIDES, Side
from salticid.motion.measured import Activity, Measured, Measurement, seen_from
from salticid.motion.pose.clip import Clip

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline

NOTABLE_LEVEL = 0.995  # one-sided: about one feature in a hundred is called notable by chance
OTHER_SPEED = 0.07  # share by which speeds differ that are told to
OTHER_RATE = 0.2  # likewise of frame rates

# Of the features: those that follow speed in everybody (Schwartz et al. 2008 for walking, Brughelli et al. 2011 for
# running), so that another speed alone changes them.
FOLLOW_SPEED = (
    *("cadence", "stride_time", "step_time", "contact_time", "swing_time", "duty_factor", "double_support"),
    *("flight_time", "stride_length", "step_length", "speed", "vertical_oscillation", "overstride", "arm_swing_range"),
    *("knee_swing_peak", "knee_range", "hip_range", "hip_at_contact", "hip_least", "hip_swing_peak", "foot_at_contact"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One feature of the clip beside the person's own values."""

    key: str  # "knee_at_contact.left"
    name: str  # of the feature
    side: Side | None
    title: str
    unit: str
    phase: str
    value: float
    low: float  # of the own clips
    high: float
    mean: float
    sd: float  # between the own clips, moderated
    t: float  # deviation of one more clip, in what it may well deviate by: what changes are ranked by
    notable: bool  # |t| is beyond what one more clip of the person shows, and the value beyond the own range
    strides: int  # that told
    caution: str
    follows_speed: bool
    own: tuple[float, ...]  # values of the own clips; nan where one did not tell

    @property
    def z(self) -> float:
        """Deviation from the own mean in own spreads, `sd`."""
        return (self.value - self.mean) / self.sd

    @property
    def direction(self) -> str:
        """ "more" or "less" than the own mean."""
        return "more" if self.value > self.mean else "less"

    @property
    def beyond(self) -> float:
        """How far the value is outside of all own values, in the feature's unit; 0 within them."""
        return max(self.value - self.high, self.low - self.value, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class MotionScore:
    """What one clip is beside a baseline."""

    name: str  # of the clip
    baseline: str  # its name
    own_activity: Activity  # of the baseline
    method: str
    inside: bool
    score: float  # distance: by the statistics about 1 for an own clip
    limit: float
    parts: dict[str, float]  # what the score is made of
    part_limits: dict[str, float]
    own_scores: tuple[float, ...]  # of the own clips, each by the others
    changes: tuple[Change, ...]  # of every feature that both tell, the largest first
    curves: dict[str, ScoredCurve]  # by key
    confidence: float  # 0..1, of the verdict; no probability: the least of what speaks against being sure
    reasons: tuple[str, ...]  # for the confidence
    warnings: tuple[str, ...]
    not_compared: dict[str, str]  # features by key, and why: not measurable in this clip, or not in the baseline
    latency_ms: dict[str, float]
    measured: Measured
    clip: Clip | None  # keypoints and quality; None where only measurements were given

    @property
    def notable(self) -> tuple[Change, ...]:
        """The changes that are beyond what the person shows, the largest first."""
        return tuple(change for change in self.changes if change.notable)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON; what is unknown is None."""
        fields = ("name", "baseline", "method", "inside", "score", "limit", "parts", "part_limits", "own_scores")
        more = ("confidence", "reasons", "warnings", "not_compared", "latency_ms")
        plain = {field: getattr(self, field) for field in (*fields, *more)}
        changes = [
            {**asdict(one), "z": one.z, "direction": one.direction, "beyond": one.beyond} for one in self.changes
        ]
        curves = {key: curve.to_dict() for key, curve in self.curves.items()}
        found: dict[str, Any] = strict({**plain, "changes": changes, "curves": curves})
        return found


def score_measured(
    baseline: Baseline,
    measured: Measured,
    *,
    name: str = "clip",
    clip: Clip | None = None,
    latency_ms: dict[str, float],
) -> MotionScore:
    """Return a measured clip beside a baseline.

    Raises
    ------
    InputError
        The clip is seen from elsewhere than those of the baseline, or tells nothing that can be compared.
    """
    if measured.view != baseline.view:
        raise InputError(
            f"{name} is seen {seen_from(measured.view)} and the baseline {seen_from(baseline.view)}: "
            "compare clips of one view, or make a baseline of this one; where the camera looks obliquely, say the view"
        )
    verdict = baseline.judge(measured)
    statistics, description = baseline.judge.statistics, describe(measured)
    sure = judge_confidence(baseline, measured, verdict, clip)
    return MotionScore(
        name=name,
        baseline=baseline.name,
        own_activity=baseline.activity,
        method=baseline.judge.method,
        inside=verdict.inside,
        score=verdict.score,
        limit=verdict.limit.value,
        parts=verdict.parts,
        part_limits=verdict.part_limits,
        own_scores=tuple(verdict.own_scores.tolist()),
        changes=_changes(statistics, measured, description),
        curves=scored_curves(statistics, measured),
        confidence=sure.value,
        reasons=sure.reasons,
        warnings=tuple(_warnings(baseline, measured, verdict, clip)),
        not_compared=_not_compared(statistics, measured),
        latency_ms=latency_ms,
        measured=measured,
        clip=clip,
    )


def _changes(statistics: Statistics, measured: Measured, description: Description) -> tuple[Change, ...]:
    t = deviations(statistics, description)
    place = {name: index for index, name in enumerate(statistics.names)}
    found = [
        _change(statistics, measurement, place[feature_name(measurement)], t)
        for measurement in measured.measurements.values()
        if measurement.count and feature_name(measurement) in place
    ]
    return tuple(sorted(found, key=lambda change: -abs(change.t)))


def _change(statistics: Statistics, measurement: Measurement, column: int, deviation: Array) -> Change:
    feature, t = measurement.feature, float(deviation[column])
    low, high = float(statistics.low[column]), float(statistics.high[column])
    least = student_quantile(NOTABLE_LEVEL, float(statistics.degrees_of_freedom[column]))
    return Change(
        key=measurement.key,
        name=feature.name,
        side=measurement.side,
        title=feature.title,
        unit=feature.unit,
        phase=feature.phase,
        value=measurement.value,
        low=low,
        high=high,
        mean=float(statistics.mean[column]),
        sd=float(statistics.sd[column]),
        t=t,
        notable=abs(t) > least and not low <= measurement.value <= high,
        strides=measurement.count,
        caution=measurement.caution,
        follows_speed=feature.name in FOLLOW_SPEED,
        own=tuple(statistics.values[:, column].tolist()),
    )


def _not_compared(statistics: Statistics, measured: Measured) -> dict[str, str]:
    known = set(statistics.names)
    return {
        key: measurement.reason or "the clips of the baseline do not tell it"
        for key, measurement in measured.measurements.items()
        if not measurement.count or feature_name(measurement) not in known
    }


def _warnings(baseline: Baseline, measured: Measured, verdict: Verdict, clip: Clip | None) -> list[str]:
    told = [*(clip.warnings if clip else ()), *measured.notes]
    if measured.activity != baseline.activity:
        told.append(f"the clip shows {_doing(measured.activity)}, the baseline {_doing(baseline.activity)}")
    if "bands" not in verdict.parts and "bands" in baseline.judge.known_parts:
        told.append(f"too few {cycle_of(measured.activity)}s were seen whole: judged without the curves over them")
    if clip is not None and baseline.source and source_of(clip) != baseline.source:
        told.append(
            f"the joints were found by other means ({source_of(clip)}) than in the baseline ({baseline.source}): "
            "differences may come from that"
        )
    told += _speed_warnings(baseline, measured)
    if differs(measured.fps, baseline.fps, OTHER_RATE):
        told.append(
            f"the clip has {measured.fps:.0f} frames per second, the baseline {baseline.fps:.0f}: "
            "differences of times may come from that"
        )
    if measured.view == "side" and {baseline.direction, measured.direction} == {*SIDES}:
        told.append(
            f"the person faces {measured.direction} here and {baseline.direction} in the baseline: the other side of "
            "the body is near the camera, and joints behind the body are found less well"
        )
    return told


def _speed_warnings(baseline: Baseline, measured: Measured) -> list[str]:
    if not differs(measured.speed_kmh, baseline.speed_kmh, OTHER_SPEED):
        return []
    present = [
        name for name in FOLLOW_SPEED if any(part.feature.name == name for part in measured.measurements.values())
    ]
    return [
        f"the speed is {measured.speed_kmh:.1f} km/h, that of the baseline {baseline.speed_kmh:.1f}: these follow "
        f"speed in everybody: {', '.join(present)}"
    ]


def differs(value: float, usual: float, share: float) -> bool:
    """Say whether two known numbers differ by more than a share of the usual; what is unknown differs from nothing."""
    return math.isfinite(value) and math.isfinite(usual) and abs(value - usual) > share * abs(usual)


def _doing(activity: str) -> str:
    return {"walk": "walking", "run": "running", "exercise": "an exercise"}.get(activity, "another movement")
