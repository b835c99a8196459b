"""A simulated person whose motion is known exactly: for tests, demonstrations, and to learn from.

motion = simulate_gait(GaitStyle(activity="run", speed_kmh=10), seconds=10, fps=60, seed=1)
keypoints = observe(motion, "side", noise_m=0.01)      # as a pose network would give them
motion.contacts_s["left"], motion.truths["knee_flexion_deg.left"]
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from salticid.errors import InputError
from salticid.motion.simulate.camera import observe
from salticid.motion.simulate.exercise import simulate_exercise
from salticid.motion.simulate.gait import simulate_gait
from salticid.motion.simulate.result import SimulatedMotion, angles_of
from salticid.motion.simulate.style import RANGES, Asymmetry, GaitStyle, changed

__all__ = [
    "Asymmetry",
    "GaitStyle",
    "SimulatedMotion",
    "angles_of",
    "changed",
    "observe",
    "simulate_baseline",
    "simulate_exercise",
    "simulate_gait",
]

# How one person's clips of a day differ: standard deviations, as shares of the value and in degrees.
CLIP_SHARES = {"cadence_spm": 0.01, "duty_factor": 0.008, "arm_swing_deg": 0.06}
CLIP_DEGREES = {
    "trunk_lean_deg": 0.7,
    "pelvic_drop_deg": 0.4,
    "knee_contact_deg": 0.7,
    "knee_swing_deg": 1.2,
    "foot_contact_deg": 0.8,
}


def simulate_baseline(
    style: GaitStyle, clips: int = 5, *, seconds: float = 10.0, fps: float = 60.0, spread: float = 1.0, seed: int = 0
) -> tuple[SimulatedMotion, ...]:
    """Return clips of one person that differ as the clips of one person do; `spread` 1 is typical, 0 not at all.

    Raises
    ------
    InputError
        No clips were asked for, or the style asks for more than the legs can reach.
    """
    if clips < 1:
        raise InputError(f"clips is {clips}: ask for at least one")
    rng = np.random.default_rng(seed)
    styles = [_another_day(style, spread, rng) for _ in range(clips)]
    return tuple(simulate_gait(one, seconds=seconds, fps=fps, seed=int(rng.integers(1 << 31))) for one in styles)


def _another_day(style: GaitStyle, spread: float, rng: np.random.Generator) -> GaitStyle:
    """Return the style as the same person has it in another clip."""
    full = style.filled()
    sd = {name: share * getattr(full, name) for name, share in CLIP_SHARES.items()} | CLIP_DEGREES
    side_of_half = (0.501, 0.75) if full.activity == "walk" else (0.2, 0.499)
    limits = RANGES | {"duty_factor": side_of_half}  # a walk stays a walk
    drawn: dict[str, Any] = {
        name: float(np.clip(getattr(full, name) + spread * sd[name] * rng.standard_normal(), *limits[name]))
        for name in sd
    }
    return replace(full, **drawn)
