"""How far what is measured of simulated strides is from what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
from stereo_candidates import Row

from salticid.core.types import Array
from salticid.motion.keypoints import SIDES
from salticid.motion.measure.features import measure
from salticid.motion.measure.strides import over_stride
from salticid.motion.measured import Measured, Stride
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, SimulatedMotion, observe, simulate_gait

WALKS = tuple(GaitStyle(speed_kmh=speed, treadmill=True) for speed in (3.0, 5.0, 6.0))
RUNS = tuple(
    GaitStyle(activity="run", speed_kmh=speed, strike=strike, treadmill=True)
    for speed, strike in product((8.0, 10.0, 14.0), ("heel", "forefoot"))
)
CONDITIONS = ((60.0, 0.01), (60.0, 0.02), (30.0, 0.01), (120.0, 0.01))  # frames/s, noise of keypoints in m
CLIPS, SECONDS = 5, 10.0
ANGLES = {"knee": "knee_flexion", "hip": "hip_flexion"}


def rows() -> Iterator[Row]:
    """Yield one row per way of moving, frame rate and noise; errors over clips that differ in chance alone."""
    for (fps, noise_m), style in product(CONDITIONS, (*WALKS, *RUNS)):
        clips = [compared(style, fps, noise_m, seed) for seed in range(CLIPS)]
        errors = {name: np.concatenate([clip[name] for clip in clips]) for name in clips[0]}
        yield {
            "kind": "strides",
            "movement": style.activity,
            "speed_kmh": style.speed_kmh,
            "strike": style.strike,
            "fps": fps,
            "noise_cm": 100 * noise_m,
            "cadence_worst_spm": worst(errors["cadence"]),
            "contact_bias_ms": float(1000 * np.mean(errors["contact"])),
            "contact_error_ms": float(1000 * np.mean(np.abs(errors["contact"]))),
            "contact_within_a_frame": float(np.mean(np.abs(errors["contact"]) <= 1 / fps)),
            **{f"{name}_rms_deg": rms(errors[f"{name}_course"]) for name in ANGLES},
            **{f"{name}_curve_rms_deg": worst(errors[f"{name}_curve"]) for name in ANGLES},
            **{f"{name}_at_contact_deg": worst(errors[f"{name}_at_contact"]) for name in ANGLES},
            "strides": len(errors["contact"]),
        }


def worst(errors: Array) -> float:
    """Return the largest error."""
    return float(np.abs(errors).max())


def rms(errors: Array) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(errors**2)))


def compared(style: GaitStyle, fps: float, noise_m: float, seed: int) -> dict[str, Array]:
    """Return the errors of one clip: one per clip for cadence and angles, one per stride for contact."""
    motion = simulate_gait(style, seconds=SECONDS, fps=fps, seed=seed)
    seen = observe(motion, "side", noise_m=noise_m, seed=seed)
    measured = measure(seen, MotionOptions(height_m=style.height_m), speed_kmh=style.speed_kmh)
    errors = {
        "cadence": np.array([measured.measurements["cadence"].value - motion.cadence_spm]),
        "contact": np.concatenate([contact_errors(motion, stride) for stride in measured.strides]),
    }
    for name, signal in ANGLES.items():
        courses = [course_errors(motion, measured, signal, side) for side in SIDES]
        errors[f"{name}_course"] = np.concatenate(courses)
        pairs = [curves(motion, measured, signal, side) for side in SIDES]
        errors[f"{name}_curve"] = np.array([np.sqrt(np.mean((found - true) ** 2)) for found, true in pairs])
        errors[f"{name}_at_contact"] = np.array([found[0] - true[0] for found, true in pairs])
    return errors


def contact_errors(motion: SimulatedMotion, stride: Stride) -> Array:
    """Return how much longer the foot was said to stay than it did, (1,); empty where the clip begins or ends."""
    side = stride.side
    contacts_s, toe_offs_s = motion.contacts_s[side], motion.toe_offs_s[side]
    contact_s = contacts_s[np.abs(contacts_s - stride.start_s).argmin()]
    later_s = toe_offs_s[toe_offs_s > contact_s]
    if not len(later_s) or not np.isfinite(stride.toe_off_s):
        return np.empty(0)
    return np.array([(stride.toe_off_s - stride.start_s) - (later_s[0] - contact_s)])


def course_errors(motion: SimulatedMotion, measured: Measured, signal: str, side: str) -> Array:
    """Return how far an angle is off frame by frame, the first and last tenth of a second left out."""
    signals = measured.signals
    course = signals.values[:, signals.names.index(f"{signal}.{side}")]
    true = np.interp(signals.times_s, motion.keypoints.times_s, motion.truths[f"{signal}_deg.{side}"])
    edge = round(0.1 / float(np.median(np.diff(signals.times_s))))
    return (course - true)[edge:-edge]


def curves(motion: SimulatedMotion, measured: Measured, signal: str, side: str) -> tuple[Array, Array]:
    """Return the mean curve over the stride, as measured and as true over the true strides, (101,) each."""
    times_s, truth = motion.keypoints.times_s, motion.truths[f"{signal}_deg.{side}"]
    contacts_s = motion.contacts_s[side]
    true = [over_stride(times_s, truth, start, end) for start, end in pairwise(contacts_s)]
    found = measured.curves[f"{signal}.{side}"].strides
    return np.nanmean(found, axis=0), np.nanmean(true, axis=0)
