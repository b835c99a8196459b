"""Motion capture measured as the product would: noisy keypoints, in three dimensions or from one view."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from salticid.errors import InputError
from salticid.motion.files.mocap import find_mocap, read_mocap
from salticid.motion.keypoints import Keypoints
from salticid.motion.measure.features import measure
from salticid.motion.measured import Measured, View
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import observe

Key = tuple[str, str]  # movement, style
Progress = Callable[[str], None]


def measure_folder(
    folder: str | os.PathLike[str], *, view: View, noise_m: float, seed: int, progress: Progress = lambda line: None
) -> tuple[dict[Key, list[Measured]], tuple[tuple[str, str], ...]]:
    """Return every clip of a folder as the product would measure it, by movement and style; and those that failed."""
    clips: dict[Key, list[Measured]] = {}
    failed: list[tuple[str, str]] = []
    for number, file in enumerate(find_mocap(folder)):
        progress(f"measuring {file.path.name}")
        try:
            seen = observe(facing_ahead(read_mocap(file.path)), view, noise_m=noise_m, seed=seed + number)
            clips.setdefault((file.movement, file.style), []).append(measure(seen, MotionOptions()))
        except InputError as problem:
            failed.append((file.path.name, str(problem)))
    return clips, tuple(failed)


def facing_ahead(keypoints: Keypoints) -> Keypoints:
    """Return a body in the room, turned so that it faces along +z for most of the time."""
    across = keypoints.joint("left_hip") - keypoints.joint("right_hip")
    angle = math.atan2(float(np.nanmedian(across[:, 2])), float(np.nanmedian(across[:, 0])))
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    return replace(keypoints, positions=(keypoints.positions @ turn.T).astype(np.float32))
