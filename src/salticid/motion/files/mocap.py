"""Motion capture as keypoints: what evaluation and pre-training read.

A file is an `.npz` with `P`, (T, joints, 3) in centimeters, y up and right-handed, and `n`, the names of the joints, at
30 frames per second: BVH files of the Bandai-Namco Research Motiondataset with the joints' places worked out. Its name
says what is seen: `<set>_<movement>_<style>_<number>.bvh.npz`, as `dataset-2_walk-turn-left_elderly_003.bvh.npz`.
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from salticid.core.files import read_bytes
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.files.array_file import DAMAGED
from salticid.motion.keypoints import Keypoints

FPS = 30.0
CM_PER_M = 100.0
MOST_BYTES = 1 << 28
NORMAL = "normal"  # the style that the others are compared with

# Of the skeleton, and of this package. `UpperArm` is the joint at whose end the upper arm begins: the shoulder.
JOINT_OF = {
    "Hips": "pelvis",
    "Chest": "chest",
    "Neck": "neck",
    "Head": "head",
    **{
        f"{theirs}_{letter}": f"{side}_{ours}"
        for letter, side in (("L", "left"), ("R", "right"))
        for theirs, ours in (
            ("UpperArm", "shoulder"),
            ("LowerArm", "elbow"),
            ("Hand", "wrist"),
            ("UpperLeg", "hip"),
            ("LowerLeg", "knee"),
            ("Foot", "ankle"),
            ("Toes", "toe"),
        )
    },
}

_NAME = re.compile(r"(?P<set>[^_]+)_(?P<movement>[^_]+)_(?P<style>[^_]+)_(?P<number>\d+)\.bvh\.npz")


@dataclass(frozen=True, slots=True)
class MocapFile:
    """One recording, and what its name says."""

    path: Path
    movement: str  # "walk", "walk-turn-left", "dash"
    style: str  # "normal", "elderly"
    number: int


def find_mocap(folder: str | os.PathLike[str]) -> tuple[MocapFile, ...]:
    """Return the recordings in `folder`, by movement, style and number; other files are passed over.

    Raises
    ------
    InputError
        There is no such folder, or no recording in it.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"there is no folder {place}: give the one with the motion capture")
    named = ((path, _NAME.fullmatch(path.name)) for path in place.iterdir())
    files = [MocapFile(path, name["movement"], name["style"], int(name["number"])) for path, name in named if name]
    if not files:
        raise InputError(f"{place} holds no motion capture: files named <set>_<movement>_<style>_<number>.bvh.npz")
    return tuple(sorted(files, key=lambda file: (file.movement, file.style, file.number, file.path.name)))


def read_mocap(path: str | os.PathLike[str]) -> Keypoints:
    """Return one recording as keypoints of three dimensions, in meters, y up; every joint is seen surely.

    Raises
    ------
    InputError
        There is no such file, or it holds something else.
    """
    places_cm, names = _arrays(Path(path))
    if places_cm.ndim != 3 or places_cm.shape[1:] != (len(names), 3):
        raise InputError(f"{path}: P is {places_cm.shape} and n names {len(names)} joints: (T, joints, 3) is needed")
    known = [index for index, name in enumerate(names) if name in JOINT_OF]
    if not known:
        raise InputError(f"{path}: none of its joints is known ({', '.join(names)}); known are {', '.join(JOINT_OF)}")
    positions_m = (places_cm[:, known] / CM_PER_M).astype(np.float32)
    return Keypoints(
        times_s=np.arange(len(positions_m)) / FPS,
        positions=positions_m,
        scores=np.ones(positions_m.shape[:2], np.float32),
        names=tuple(JOINT_OF[names[index]] for index in known),
    )


def _arrays(path: Path) -> tuple[Array, list[str]]:
    data, name = read_bytes(path, max_bytes=MOST_BYTES)
    try:
        with np.load(io.BytesIO(data)) as file:
            return file["P"].astype(np.float64), [str(joint) for joint in file["n"]]
    except DAMAGED as problem:
        raise InputError(f"{name} is no motion capture (an .npz with P and n): {problem}") from problem
