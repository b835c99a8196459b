"""The part of the demo about motion: a simulated runner whose right knee is stiff, beside five clips of before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from salticid.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from salticid.cli.page import Page
    from salticid.core.types import Image
    from salticid.motion.baseline import Baseline
    from salticid.motion.keypoints import Keypoints
    from salticid.motion.score import MotionScore
    from salticid.motion.simulate.persons import SimulatedMotion

FOLDER = "motion"  # of the demo's folder, for the whole report
SPEED_KMH, HEIGHT_M = 10.0, 1.75
CLIPS, SECONDS, FPS = 5, 8.0, 60.0
CHANGE: Final = "stiff knee"
SHOWN = 3  # moments, and changes
COLUMNS = ("what changed", "side", "now", "least before", "most before", "unit", "own spreads off")


def check_free(output: Path, *, overwrite: bool) -> None:
    """Raise `InputError` before the work where a report is there already that is not to be replaced."""
    from salticid.core.atomic import check_target
    from salticid.motion.report.write import PAGE

    if (output / FOLDER).exists():
        check_target(output / FOLDER / PAGE, overwrite=overwrite)


def show_motion(page: Page, output: Path, out: Output, *, overwrite: bool) -> dict[str, Any] | None:
    """Put a verdict on the page, write the whole report, and return what was found; None without scipy."""
    from salticid.engine import packages
    from salticid.errors import MissingError

    page.heading("What is different today")
    try:
        packages.require("scipy")
    except MissingError as problem:
        page.text(f"Motion was left out: {problem}")
        return None
    from salticid.motion.report.stills import report_stills
    from salticid.motion.report.write import write_report

    own, found, true_deg = _compared(out)
    pictures = report_stills(found, found.name)
    _show(page, found, pictures, true_deg)
    written = write_report(found, own, output / FOLDER, stills=pictures, overwrite=overwrite)
    report = written.folder / written.files[0]
    page.text(f"The whole report, as 'salticid motion score' writes it: {report}")
    page.text("With five videos of a person: salticid models get blazepose, then salticid motion baseline *.mp4 -o me/")
    return {
        "inside": found.inside,
        "score": found.score,
        "limit": found.limit,
        "confidence": found.confidence,
        "notable": [change.key for change in found.notable],
        "true_change_deg": true_deg,
        "report": report,
    }


def _compared(out: Output) -> tuple[Baseline, MotionScore, float]:
    """Return a baseline, one more clip beside it, and by how much the knee truly bends less in it."""
    from salticid.motion.baseline import baseline_of
    from salticid.motion.compare.clip_report import ClipReport
    from salticid.motion.measure.features import measure
    from salticid.motion.options import MotionOptions
    from salticid.motion.simulate.persons import GaitStyle, changed, observe, simulate_baseline

    style = GaitStyle(activity="run", speed_kmh=SPEED_KMH, height_m=HEIGHT_M, treadmill=True)
    before = simulate_baseline(style, CLIPS, seconds=SECONDS, fps=FPS, seed=0)
    [today] = simulate_baseline(changed(style, CHANGE), 1, seconds=SECONDS, fps=FPS, seed=1)
    options = MotionOptions(height_m=HEIGHT_M)
    seen = [observe(motion, "side", noise_m=0.01, seed=seed) for seed, motion in enumerate((*before, today))]
    clips = [measure(keypoints, options, speed_kmh=SPEED_KMH) for keypoints in out.progress(seen, len(seen), "clips")]
    given = [(clip, ClipReport(f"clip {number}")) for number, clip in enumerate(clips[:-1], 1)]
    own = baseline_of(given, name="simulated runner", options=options, speed_kmh=SPEED_KMH)
    knees_deg = [_true_peak_deg(motion) for motion in (*before, today)]
    return own, own.score(_clip(seen[-1]), speed_kmh=SPEED_KMH), sum(knees_deg[:-1]) / CLIPS - knees_deg[-1]


def _true_peak_deg(motion: SimulatedMotion) -> float:
    """Return how far the right knee truly bends in swing: the median over the strides."""
    from itertools import pairwise
    from statistics import median

    times_s, knee_deg = motion.keypoints.times_s, motion.truths["knee_flexion_deg.right"]
    strides = pairwise(motion.contacts_s["right"])
    return float(median(knee_deg[(times_s >= start) & (times_s < end)].max() for start, end in strides))


def _clip(keypoints: Keypoints) -> Any:
    from salticid.motion.pose.clip import Clip
    from salticid.motion.pose.quality import track_quality

    return Clip("today", keypoints, track_quality(keypoints), "simulation", None, {}, ())


def _show(page: Page, found: MotionScore, pictures: Sequence[tuple[Image, str]], true_deg: float) -> None:
    from salticid.motion.report.text import verdict

    page.text(
        f"Five clips of a simulated runner are the baseline. In one more clip the right knee is stiff: it truly bends "
        f"{true_deg:.0f}° less in swing. What is found in keypoints with an error of 1 cm: {verdict(found)}"
    )
    page.table(
        COLUMNS,
        [
            (change.title, change.side or "", change.value, change.low, change.high, change.unit, change.z)
            for change in found.notable[:SHOWN]
        ],
    )
    page.pictures({caption: picture for picture, caption in pictures[-SHOWN:]})
