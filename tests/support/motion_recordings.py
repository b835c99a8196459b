"""Motion capture as its files are, made by the simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from salticid.motion.simulate.persons import GaitStyle, simulate_gait

NAMES = {
    "hip": "UpperLeg",
    "knee": "LowerLeg",
    "ankle": "Foot",
    "toe": "Toes",
    "shoulder": "UpperArm",
    "elbow": "LowerArm",
    "wrist": "Hand",
}


def write_recordings(folder: Path, style: str, gait: GaitStyle, count: int, seconds: float = 3.0) -> None:
    """Write the same walk as often as is asked; whoever measures recordings adds noise of its own to each."""
    keypoints = simulate_gait(gait, seconds=seconds, fps=30).keypoints
    kept = [name for name in keypoints.names if name.partition("_")[2] in NAMES]
    names = [f"{NAMES[name.partition('_')[2]]}_{name[0].upper()}" for name in kept]
    places_cm = np.stack([100 * keypoints.joint(name) for name in kept], axis=1)
    for number in range(1, count + 1):
        np.savez(folder / f"x_walk_{style}_{number:03d}.bvh.npz", P=places_cm, n=np.array(names))
