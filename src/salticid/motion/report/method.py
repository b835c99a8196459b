"""What a report says of itself: how good the clip is, what it was compared with, and how that was computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from salticid.motion.compare.description import cycle_of
from salticid.motion.compare.thresholds import METHOD
from salticid.motion.measured import seen_from
from salticid.motion.report.page import Cell, facts, section, table

if TYPE_CHECKING:
    from salticid.motion.baseline import Baseline
    from salticid.motion.compare.clip_report import ClipReport
    from salticid.motion.pose.quality import TrackQuality
    from salticid.motion.score import MotionScore

_METHODS = {
    "statistics": "distances of features, of curves over the stride, and of signals in windows of a second",
    "autoencoder": "how badly a recurrent network, tuned to the own clips, reproduces the movement",
    "ensemble": "distances of features, curves and signals, together with a recurrent network's error",
}


def quality(score: MotionScore) -> str:
    """Return how well the person was followed; nothing where that is not known."""
    if score.clip is None:
        return ""
    clip, info = score.clip, score.clip.info
    told = [("Clip", clip.name), ("Joints found by", clip.source)]
    if info is not None:
        told.append(("Picture", f"{info.width} × {info.height}"))
    return section("Quality of the clip", facts([*told, *_tracking(clip.quality)]))


def own_clips(baseline: Baseline) -> str:
    """Return what the clip was compared with, clip by clip."""
    cycles = f"{cycle_of(baseline.activity).capitalize()}s"
    columns = (("Clip", ""), (cycles, "number"), ("Found in", "number wide"), ("Score", "number"), ("Remarks", ""))
    rows = [("" if clip.used else "left-out", _own_clip(clip)) for clip in baseline.clips]
    note = "Each of your own clips is scored by the others, as if it were new; the limit is drawn from these scores."
    return section("Compared with", table(columns, rows) if rows else "", note)


def method(score: MotionScore, baseline: Baseline, files: Sequence[tuple[str, str]]) -> str:
    """Return how it was computed, and which files lie beside the page."""
    parts = (
        f"{name} {distance:.2f} (alone it would end at {score.part_limits.get(name, math.nan):.2f})"
        for name, distance in score.parts.items()
    )
    told = [
        ("Baseline", f"{score.baseline}: {len(baseline.used)} clips, {_doing(baseline)}"),
        ("Method", f"{score.method}: {_METHODS.get(score.method, score.method)}"),
        ("Score", f"{score.score:.2f}, made of {'; '.join(parts)}" if score.parts else f"{score.score:.2f}"),
        ("Limit", f"{score.limit:.2f}. {METHOD[0].upper()}{METHOD[1:]}"),
        ("Scores of the own clips", ", ".join(map(_number, score.own_scores))),
        ("Model", baseline.source or "no network: the joints were given"),
    ]
    beside = "<h3>Files of this report</h3>" + facts(files) if files else ""
    return section("How it was computed", facts(told) + beside)


def _own_clip(clip: ClipReport) -> Sequence[Cell]:
    remarks = [f"left out: {clip.reason}"] if clip.reason else list(clip.warnings)
    return (
        clip.name,
        str(clip.strides) if clip.used else "–",
        _percent(clip.found_share) if math.isfinite(clip.found_share) else "–",
        _number(clip.own_score),
        "; ".join(remarks),
    )


def _doing(baseline: Baseline) -> str:
    """Return what is seen in the own clips, from where, and how fast."""
    speed = f", {baseline.speed_kmh:.1f} km/h" if math.isfinite(baseline.speed_kmh) else ""
    return f"{baseline.activity} seen {seen_from(baseline.view)}{speed}, {baseline.fps:.4g} fps"


def _tracking(quality: TrackQuality) -> list[tuple[str, str]]:
    """Return what is known of the tracking; what is not stays out."""
    told = [
        ("Person found in", f"{_percent(quality.found_share)} of the frames"),
        ("Longest gap", f"{1000 * quality.longest_gap_s:.0f} ms"),
    ]
    if quality.people is not None:
        told.append(("People in view", str(quality.people)))
    if math.isfinite(quality.occluded_share):
        told.append(("Joints of trunk and legs hidden", _percent(quality.occluded_share)))
    if math.isfinite(quality.outside_share):
        told.append(("Out of the picture in", f"{_percent(quality.outside_share)} of the frames"))
    mended = f"{_percent(quality.mended_share)} of the frames, and put back"
    swapped = [("Legs taken for each other in", mended), ("Legs that still change places", str(quality.swaps))]
    return [*told, ("Leaps", str(quality.jumps)), *swapped]


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{100 * share:.1f} %"
