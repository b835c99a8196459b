"""From files to measured clips for a baseline: an answer for each, and a refusal that names what stands in the way."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from salticid.errors import InputError, RefusedBaselineError
from salticid.motion.compare.clip_report import ClipReport, source_of
from salticid.motion.measure.features import measure
from salticid.motion.measured import Measured
from salticid.motion.options import MotionOptions
from salticid.motion.pose.clip import Clip
from salticid.motion.pose.clips import ClipProgress, estimate_clips
from salticid.motion.pose.estimator import PoseEstimator
from salticid.runtime.cache import DEFAULT_MAX_BYTES, ArrayCache, default_root, file_digest

USUAL_CLIPS, LEAST_CLIPS = 5, 3
LEAST_FOUND = 0.5  # share of a clip's frames in which the body must be found

File = str | os.PathLike[str]
Given = tuple[Measured | None, ClipReport]


def measured_files(
    videos: Sequence[File],
    options: MotionOptions,
    *,
    speed_kmh: float | None,
    fps: float | None,
    workers: int | None,
    cache_root: File | None,
    progress: ClipProgress | None,
) -> list[Given]:
    """Return what was measured in each file, or None, and its report; parameters as for `create_baseline`.

    Raises
    ------
    InputError
        The speed or the frame rate is not above 0.
    RefusedBaselineError
        There are fewer files than a baseline needs.
    """
    check_speed(speed_kmh)
    if len(videos) < LEAST_CLIPS:
        raise too_few([ClipReport(Path(video).name) for video in videos], len(videos))
    outcomes = estimate_clips(
        videos,
        options,
        capture_fps=fps,
        workers=workers,
        cache_root=cache_root or default_root(),
        progress=progress,
    )
    given: list[Given] = []
    seen: dict[str, str] = {}  # names by digest
    for outcome in outcomes:
        report = ClipReport(Path(outcome.item).name, _digest(outcome.item))
        if report.digest in seen:
            given.append((None, report.left_out(f"it is the same file as {seen[report.digest]}: give another clip")))
        elif outcome.ok:
            given.append(_measured(report, outcome.value, options, speed_kmh))
        else:
            given.append((None, report.left_out(str(outcome.error))))
        if report.digest:
            seen.setdefault(report.digest, report.name)
    return given


def check_speed(speed_kmh: float | None) -> None:
    """Raise `InputError` where a speed is given that is none."""
    if speed_kmh is not None and not (math.isfinite(speed_kmh) and speed_kmh > 0):
        raise InputError(f"speed_kmh must be above 0, not {speed_kmh}: leave it out where it is not known")


def estimated(
    path: File,
    options: MotionOptions,
    fps: float | None,
    cache_root: File | None,
    progress: Callable[[int, int], None] | None,
) -> Clip:
    """Return the joints in one file; parameters and errors as for `Baseline.score`."""
    with ArrayCache(cache_root or default_root(), max_bytes=DEFAULT_MAX_BYTES) as cache:
        estimator = PoseEstimator(options.model, person=options.person, cache=cache)
        return estimator.estimate(path, capture_fps=fps, progress=progress)


def unusable(clip: Clip) -> str:
    """Return why a clip cannot be measured at all; empty when it can."""
    share = clip.quality.found_share
    if share == 0:
        return "no person was found in it: film the whole body, in light, without others in front"
    if share < LEAST_FOUND:
        return f"the person was found in only {share:.0%} of its frames, {LEAST_FOUND:.0%} are needed"
    return ""


def too_few(reports: Sequence[ClipReport], usable: int) -> RefusedBaselineError:
    """Return the error for fewer clips than a baseline needs."""
    return RefusedBaselineError(
        f"{usable} of {len(reports)} clips can be used, and a baseline needs {LEAST_CLIPS} at least, better "
        f"{USUAL_CLIPS}: each is held against the others, and two have no spread to be held against",
        reports,
    )


def incomparable(reports: Sequence[ClipReport]) -> RefusedBaselineError:
    """Return the error for clips of which no limit can be drawn."""
    return RefusedBaselineError(
        "the clips cannot be held against one another: they are copies of one clip, or tell too little in common; "
        "film each by itself and for longer, with the whole body in the picture",
        reports,
    )


def check_alike(reports: Sequence[ClipReport]) -> None:
    """Raise where the clips are of several views or movements."""
    used = [report for report in reports if report.used]
    for what, values in (("view", [clip.view for clip in used]), ("movement", [clip.activity for clip in used])):
        kinds = list(dict.fromkeys(values))
        if len(kinds) == 1:
            continue
        names = {kind: [clip.name for clip, value in zip(used, values, strict=True) if value == kind] for kind in kinds}
        told = "; ".join(f"{kind}: {', '.join(those)}" for kind, those in names.items())
        raise RefusedBaselineError(
            f"the clips are of different {what}s, {told}: give clips of one {what}, or say which it is", reports
        )


def _measured(report: ClipReport, clip: Clip, options: MotionOptions, speed_kmh: float | None) -> Given:
    told = replace(
        report,
        source=source_of(clip),
        frames=len(clip.keypoints),
        found_share=clip.quality.found_share,
        warnings=clip.warnings,
    )
    reason = unusable(clip)
    if reason:
        return None, told.left_out(reason)
    try:
        measured = measure(clip.keypoints, options, speed_kmh=speed_kmh)
    except InputError as problem:
        return None, told.left_out(str(problem))
    return measured, told.warned(*measured.notes)


def _digest(path: File) -> str:
    """Return the digest of a file's bytes; empty where it cannot be read, which its own report then says."""
    try:
        return file_digest(Path(path)).hex()
    except InputError:
        return ""
