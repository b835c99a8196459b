"""Measured clips of simulated persons, made once for all tests that need some."""

from __future__ import annotations

import functools

from salticid.motion.compare.clip_report import ClipReport
from salticid.motion.measure.features import measure
from salticid.motion.measured import Measured
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, changed, observe, simulate_baseline

WALK = GaitStyle(activity="walk", speed_kmh=5.0)
RUN = GaitStyle(activity="run", speed_kmh=10.0)


@functools.cache
def measured_clips(
    style: GaitStyle = WALK, clips: int = 5, *, view: str = "side", seed: int = 0, fps: float = 60.0
) -> tuple[Measured, ...]:
    """Return clips of one simulated person as they are measured from a view."""
    motions = simulate_baseline(style, clips, seconds=6, fps=fps, seed=seed)
    seen = (observe(motion, view, noise_m=0.01, seed=100 * seed + number) for number, motion in enumerate(motions))
    return tuple(measure(keypoints, MotionOptions(), speed_kmh=style.speed_kmh) for keypoints in seen)


def changed_clip(what: str, style: GaitStyle = WALK, *, view: str = "side", seed: int = 7) -> Measured:
    """Return one clip of the person after a change."""
    return measured_clips(changed(style, what), 1, view=view, seed=seed)[0]


def reported(clips) -> list[tuple[Measured, ClipReport]]:
    """Return clips with reports, as `baseline_of` takes them."""
    return [(clip, ClipReport(f"{number}.mp4")) for number, clip in enumerate(clips, 1)]
