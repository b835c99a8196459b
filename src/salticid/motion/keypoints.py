"""The joints of one body over time, from whatever found them: a network, a file, a simulation, motion capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

# Names that the steps of this folder look for; a source may leave some out and add others.
JOINTS = (
    "nose",
    *(
        f"{side}_{joint}"
        for joint in ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "toe")
        for side in SIDES
    ),
)

# What is drawn between them: the trunk, then each limb from the trunk outwards.
BONES = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{start}", f"{side}_{end}")
        for side in SIDES
        for start, end in (
            ("shoulder", "hip"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "heel"),
            ("heel", "toe"),
            ("ankle", "toe"),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Keypoints:
    """One body over time; nan where a joint was not found, never a made-up place.

    Raises
    ------
    InputError
        Shapes do not fit each other, times do not rise, or a name is there twice.
    """

    times_s: Array  # (T,) float64, rising; real seconds, slow motion undone
    positions: Array  # (T, K, 2) float32 px, x right and y down; or (T, K, 3) m, y up, right-handed
    scores: Array  # (T, K) float32, 0..1: how surely the joint was seen
    names: tuple[str, ...]  # of the K joints, see JOINTS
    size_px: tuple[int, int] | None = None  # width and height of the picture; None where there was none
    world_m: Array | None = None  # (T, K, 3) float32 m around the hips, as a network guesses from one view; y down

    def __post_init__(self) -> None:
        frames, joints = len(self.times_s), len(self.names)
        if self.positions.shape not in ((frames, joints, 2), (frames, joints, 3)):
            raise InputError(f"{frames} times and {joints} names do not fit positions of {self.positions.shape}")
        if self.scores.shape != (frames, joints):
            raise InputError(f"scores are {self.scores.shape}: give one per time and joint, {(frames, joints)}")
        if self.world_m is not None and self.world_m.shape != (frames, joints, 3):
            raise InputError(f"world_m is {self.world_m.shape}: give one point per time and joint")
        if not (np.isfinite(self.times_s).all() and (np.diff(self.times_s) > 0).all()):
            raise InputError("times must be finite and rise from frame to frame")
        if len(set(self.names)) != joints:
            raise InputError(f"a joint is named twice: {', '.join(self.names)}")

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.times_s)

    @property
    def dimensions(self) -> int:
        """2 in pixels of a picture, 3 in meters of a room."""
        return int(self.positions.shape[2])

    @property
    def fps(self) -> float:
        """Frames per second of real time, as the median of their distances; nan below two frames."""
        return float(1 / np.median(np.diff(self.times_s))) if len(self) > 1 else float("nan")

    @property
    def found(self) -> Array:
        """(T,) bool: whether anything of the body was found."""
        joints = np.all(np.isfinite(self.positions), axis=2)
        return np.asarray(np.any(joints, axis=1))

    def joint(self, name: str) -> Array:
        """Return the (T, 2 or 3) positions of a joint; nan where it was not found, or the source does not know it."""
        if name not in self.names:
            return np.full((len(self), self.dimensions), np.nan, np.float32)
        return np.asarray(self.positions[:, self.names.index(name)])

    def cut(self, frames: slice) -> Keypoints:
        """Return a stretch of frames."""
        world = None if self.world_m is None else self.world_m[frames]
        return replace(
            self,
            times_s=self.times_s[frames],
            positions=self.positions[frames],
            scores=self.scores[frames],
            world_m=world,
        )

    def edges(self) -> list[tuple[int, int]]:
        """Return the numbers of the joints that a line is drawn between."""
        return bones_of(self.names)


def bones_of(names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of positions in `names` between which there is a bone."""
    number = {name: index for index, name in enumerate(names)}
    return [(number[start], number[end]) for start, end in BONES if start in number and end in number]
