"""A personal baseline: five clips of one person, and every later clip beside them.

    baseline = create_baseline(["1.mp4", "2.mp4", "3.mp4", "4.mp4", "5.mp4"], speed_kmh=10)
    baseline.save("anna/")
    score = Baseline.load("anna/").score("today.mp4", speed_kmh=10)
    score.inside, score.notable

Five clips are the rule. Three are the least: a clip that is left out must still be held against two others, and below
that there is no spread. With three or four the limit is wider (Student's t), and the baseline says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from salticid.core.options import ProfileName
from salticid.core.plain import strict
from salticid.errors import InputError
from salticid.motion.compare.baseline_file import read_baseline, write_baseline
from salticid.motion.compare.clip_report import ClipReport
from salticid.motion.compare.given import (
    LEAST_CLIPS,
    USUAL_CLIPS,
    File,
    Given,
    check_alike,
    check_speed,
    estimated,
    incomparable,
    measured_files,
    too_few,
    unusable,
)
from salticid.motion.compare.judge import Judge, fit_judge
from salticid.motion.compare.persons import limb_warning, spread_warning, unlike_limbs
from salticid.motion.compare.thresholds import Limit, upper_limit
from salticid.motion.keypoints import Side
from salticid.motion.measure.features import measure
from salticid.motion.measured import Activity, Measured, View
from salticid.motion.options import MotionOptions
from salticid.motion.pose.clip import Clip
from salticid.motion.pose.clips import ClipProgress
from salticid.motion.score import MotionScore, score_measured

LEAST_LIMIT = 1e-3  # a lower limit, or none, is one of copies: own clips lie about 1 from each other


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What is usual for one person doing one movement, seen from one side."""

    name: str
    options: MotionOptions
    view: View
    activity: Activity
    direction: Side | None  # which way the person mostly faces in a side view
    fps: float  # of real time, median of the clips
    capture_fps: float | None  # as given, for slow motion
    speed_kmh: float  # as given, or the median of what was measured; nan where unknown
    height_m: float  # as given; nan where unknown
    source: str  # who found the keypoints: the network and the first digits of its sha256, or a file
    clips: tuple[ClipReport, ...]  # every clip that was given
    judge: Judge
    doubts: tuple[str, ...]  # why the clips may not be of one person

    @property
    def used(self) -> tuple[ClipReport, ...]:
        """The clips that it is made of."""
        return tuple(clip for clip in self.clips if clip.used)

    @property
    def own_scores(self) -> tuple[float, ...]:
        """Of the clips that were used, each by a baseline of the others."""
        return tuple(self.judge.own_scores().tolist())

    @property
    def limit(self) -> Limit:
        """The largest score that is inside."""
        return upper_limit(self.judge.own_scores())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know of it."""
        few = f"made of {len(self.used)} clips: with {USUAL_CLIPS} the own range would be surer, and narrower as a rule"
        return (*((few,) if len(self.used) < USUAL_CLIPS else ()), *self.doubts)

    def score(
        self,
        clip: File | Clip | Measured,
        *,
        speed_kmh: float | None = None,
        fps: float | None = None,
        cache_root: File | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> MotionScore:
        """Return a clip beside this baseline.

        Parameters
        ----------
        clip
            A video, a file of keypoints, or what was found or measured in one already.
        speed_kmh
            Of the treadmill or the run, where it is known.
        fps
            Frames that were filmed per second, where slow motion is to be undone.
        cache_root
            Folder of an `ArrayCache` for keypoints; the user's by default.
        progress
            Called with the frames done and those in all.

        Raises
        ------
        InputError
            The file cannot be read, shows nobody, another view, or nothing that can be compared; or the speed or frame
            rate is not above 0.
        MissingError, IntegrityError
            The network of the baseline is not on this machine, or damaged.
        """
        check_speed(speed_kmh)
        start = time.perf_counter()
        if isinstance(clip, Measured):
            return score_measured(self, clip, latency_ms={})
        found = clip if isinstance(clip, Clip) else estimated(clip, self.options, fps, cache_root, progress)
        posed = time.perf_counter()
        reason = unusable(found)
        if reason:
            raise InputError(f"{found.name}: {reason}")
        measured = measure(found.keypoints, self.options, speed_kmh=speed_kmh)
        told = time.perf_counter()
        score = score_measured(self, measured, name=found.name, clip=found, latency_ms={})
        ended = time.perf_counter()
        stages = {"pose": posed - start, "measure": told - posed, "score": ended - told}
        return replace(score, latency_ms={stage: 1000 * seconds for stage, seconds in stages.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know as plain values for JSON; what is unknown is None."""
        same = ("name", "view", "activity", "direction", "fps", "speed_kmh", "height_m", "source", "warnings")
        told = {field: getattr(self, field) for field in (*same, "own_scores")}
        clips = [asdict(clip) for clip in self.clips]
        found: dict[str, Any] = strict({**told, "limit": self.limit.value, "clips": clips})
        return found

    def save(self, folder: File, *, overwrite: bool = False) -> None:
        """Write it to a folder: calibration.json for people and programs, and arrays beside it.

        Raises
        ------
        InputError, ResourceError
            A baseline is there already, the folder cannot be written, or the disk is full.
        """
        write_baseline(self, folder, overwrite=overwrite)

    @classmethod
    def load(cls, folder: File) -> Baseline:
        """Return the baseline in a folder.

        Raises
        ------
        InputError
            There is none, or a newer version of salticid wrote it.
        IntegrityError
            A file is damaged, or was changed after it was written.
        """
        return cls(**read_baseline(folder))


def create_baseline(
    videos: Sequence[File],
    *,
    name: str = "baseline",
    speed_kmh: float | None = None,
    fps: float | None = None,
    options: MotionOptions | None = None,
    profile: ProfileName = "quality",
    workers: int | None = None,
    cache_root: File | None = None,
    progress: ClipProgress | None = None,
    **fields: Any,
) -> Baseline:
    """Make a baseline of five clips of one person doing one thing.

    Parameters
    ----------
    videos
        Videos or files of keypoints, three at least.
    name
        Of the person, or of whatever tells this baseline from others.
    speed_kmh
        Of the treadmill or the run, where it is known.
    fps
        Frames that were filmed per second, where slow motion is to be undone.
    options, profile, fields
        Options, or a profile and single fields of it, as `height_m=1.75`.
    workers
        Processes for the poses; None: one per CPU. 0 computes here.
    cache_root
        Folder of an `ArrayCache` for keypoints; the user's by default. What was found stays there, also where no
        baseline comes of it.
    progress
        Called with the number of a clip, its frames done and those in all.

    Raises
    ------
    RefusedBaselineError
        An `InputError` whose `clips` say what became of each: fewer than three can be used, or they are of different
        views or movements, or tell nothing to hold them against one another by.
    InputError
        An option is none, or the speed or frame rate is not above 0.
    MissingError, IntegrityError
        A model or an extra is not on this machine, or damaged.
    """
    chosen = (options or MotionOptions.profile(profile)).replace(**fields)
    given = measured_files(
        videos, chosen, speed_kmh=speed_kmh, fps=fps, workers=workers, cache_root=cache_root, progress=progress
    )
    return baseline_of(given, name=name, options=chosen, speed_kmh=speed_kmh, capture_fps=fps)


def baseline_of(
    given: Sequence[Given],
    *,
    name: str = "baseline",
    options: MotionOptions | None = None,
    speed_kmh: float | None = None,
    capture_fps: float | None = None,
) -> Baseline:
    """Make a baseline of clips that are measured already; None for one that could not be.

    Raises
    ------
    RefusedBaselineError
        As `create_baseline`.
    """
    check_speed(speed_kmh)
    chosen = options or MotionOptions()
    reports = [report.with_measured(clip) if clip is not None else report for clip, report in given]
    clips = [clip for clip, _ in given if clip is not None]
    if len(clips) < LEAST_CLIPS:
        raise too_few(reports, len(clips))
    check_alike(reports)
    judge = fit_judge(clips, chosen.method, _network(chosen))
    if not judge.is_able or not upper_limit(judge.own_scores()).value > LEAST_LIMIT:
        raise incomparable(reports)
    used = _with_own_scores([report for report in reports if report.used], judge)
    used, doubts = _doubted(used, clips, judge)
    kept = iter(used)
    return Baseline(
        name=name,
        options=chosen,
        view=clips[0].view,
        activity=clips[0].activity,
        direction=_usual_direction(clips),
        fps=float(np.median([clip.fps for clip in clips])),
        capture_fps=capture_fps,
        speed_kmh=_median([clip.speed_kmh for clip in clips]) if speed_kmh is None else speed_kmh,
        height_m=math.nan if chosen.height_m is None else chosen.height_m,
        source=", ".join(dict.fromkeys(report.source for report in used if report.source)),
        clips=tuple(next(kept) if report.used else report for report in reports),
        judge=judge,
        doubts=doubts,
    )


def _network(options: MotionOptions) -> Any:
    if options.method == "statistics":
        return None
    from salticid.motion.compare.autoencoder_train import shipped_network

    return shipped_network()


def _with_own_scores(used: Sequence[ClipReport], judge: Judge) -> list[ClipReport]:
    """Return the reports with each clip's score by the others, and a warning where it is unlike all of them."""
    scores = judge.own_scores()
    found = []
    for number, (report, score) in enumerate(zip(used, scores.tolist(), strict=True)):
        others = upper_limit(np.delete(scores, number))
        found.append(replace(report, own_score=score).warned(*_own_warnings(score, others)))
    return found


def _own_warnings(score: float, others: Limit) -> Iterator[str]:
    if math.isnan(score):
        yield "it shows too little to be held against the others: the limit is drawn without it"
    if score > others.value:
        yield f"unlike the other clips: {score:.2f} where they end at {others.value:.2f}; look at it again"


def _doubted(
    used: list[ClipReport], clips: Sequence[Measured], judge: Judge
) -> tuple[list[ClipReport], tuple[str, ...]]:
    """Return the reports with warnings of clips that may be of another person, and all such doubts."""
    unlike = {number: limb_warning(share) for number, share in unlike_limbs(clips).items()}
    told = [report.warned(unlike[number]) if number in unlike else report for number, report in enumerate(used)]
    spread = spread_warning(judge.statistics)
    doubts = [f"{used[number].name}: {warning}" for number, warning in unlike.items()] + ([spread] if spread else [])
    return told, tuple(doubts)


def _usual_direction(clips: Sequence[Measured]) -> Side | None:
    directions = [clip.direction for clip in clips]
    return max(dict.fromkeys(directions), key=directions.count)


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan
