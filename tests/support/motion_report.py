"""A clip with its measurements and a baseline's answer to it, small enough to know by heart."""

from __future__ import annotations

import numpy as np

from salticid.motion.baseline import Baseline, baseline_of
from salticid.motion.compare.clip_report import ClipReport
from salticid.motion.measured import Curve, Feature, Measured, Measurement, Signals, Stride
from salticid.motion.options import MotionOptions
from salticid.motion.pose.clip import Clip
from salticid.motion.score import MotionScore, score_measured

KNEE = Feature(
    "knee_swing_peak", "deg", "Most knee flexion in swing", True, ("side",), ("run",), 0, 1.0, "swing", "Souza 2016"
)
CADENCE = Feature("cadence", "steps/min", "Cadence", False, ("side",), ("run",), 0, 0.5, "whole", "Whittle 2007")
CONTACT = Feature("contact_time", "s", "Contact time", True, ("side",), ("run",), 60, 0.006, "stance", "Whittle 2007")
DROP = Feature("pelvic_drop", "deg", "Pelvic drop in stance", True, ("rear",), ("run",), 0, 0.5, "stance", "Souza 2016")


def measured(
    knee_left: float = 96.0,
    knee_right: float = 80.0,
    day: int | None = None,
    height_m: float = 1.75,
    speed_kmh: float = 10.0,
) -> Measured:
    """Return a run of three strides a side; unless told otherwise, the right knee bends less than the left.

    Knees are in degrees at their most in swing. On another `day` everything is a little different.
    """
    rng = np.random.default_rng(day)
    off = np.zeros(4) if day is None else rng.normal(size=4)
    strides = tuple(
        Stride(side, start + number * 0.7, start + number * 0.7 + 0.25, start + (number + 1) * 0.7)
        for side, start in (("left", 0.0), ("right", 0.35))
        for number in range(3)
    )
    parts = [
        Measurement(KNEE, "left", knee_left + off[0] + np.array([0.0, -1.0, 1.0])),
        Measurement(KNEE, "right", knee_right + off[1] + np.array([0.0, -1.0, 1.0])),
        Measurement(CADENCE, None, np.full(6, 171.4 + off[2])),
        *(
            Measurement(CONTACT, side, np.full(3, 0.25), caution="coarse: a frame lasts 33 ms")
            for side in ("left", "right")
        ),
        *(Measurement(DROP, side, np.empty(0), "not to be seen from the side") for side in ("left", "right")),
    ]
    wave = 0.5 - 0.5 * np.cos(np.linspace(0, 2 * np.pi, 101))
    curves = [
        Curve("knee_flexion", side, "deg", "Knee flexion", np.stack([5 + off[3] + n + wave * most for n in (-1, 0, 1)]))
        for side, most in (("left", knee_left), ("right", knee_right))
    ]
    times = np.arange(150) / 60
    names = ("knee_flexion.left", "knee_flexion.right", "hip_flexion.left", "trunk_lean")
    values = np.stack([50 - 45 * np.cos(9 * times + phase) + one for phase, one in enumerate(off)], axis=1).astype(
        np.float32
    )
    return Measured(
        activity="run",
        view="side",
        direction="right",
        fps=60.0,
        duration_s=2.5,
        speed_kmh=speed_kmh,
        speed_source="given",
        height_m=height_m,
        strides=strides,
        measurements={part.key: part for part in parts},
        curves={curve.key: curve for curve in curves},
        signals=Signals(times, values, names, ("deg",) * 4),
        proportions={"trunk": 0.3},
        notes=("1 of 7 strides is unlike the others and left out",),
    )


def baseline_of_five(options: MotionOptions | None = None) -> Baseline:
    """Return a baseline of five runs that differ by a degree or two, and of one clip that was left out."""
    given = [
        (
            measured(knee_left=96.0, knee_right=96.0, day=number),
            ClipReport(f"{number}.mp4", source="blazepose-full 0123456789ab", found_share=0.99),
        )
        for number in range(5)
    ]
    given.append((None, ClipReport("dark.mp4").left_out("no person was found in it")))
    return baseline_of(given, name="Anna", options=options, speed_kmh=10.0)


def scored(clip: Clip | None = None, **changes) -> MotionScore:
    """Return the answer to that run, or to one with some changes."""
    return score_measured(baseline_of_five(), measured(**changes), name="today.mp4", clip=clip, latency_ms={})
