"""Folders of OpenPose's JSON files, one per frame, as OpenPose, AlphaPose and Pose2Sim write them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core.files import read_bytes
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.files.marker_names import joint_name
from salticid.motion.keypoints import Keypoints

_MAX_FILE_BYTES = 1 << 24
_MAX_FRAMES = 1_000_000

# Names by the number of joints, in the order in which they are stored.
_BODY_25 = (
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist CHip RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar "
    "LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
)
_HALPE_26 = (
    "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee LAnkle RAnkle Head "
    "Neck CHip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel"
)
_COCO_18 = (
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar LEar"
)
_COCO_17 = (
    "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee LAnkle RAnkle"
)
_SKELETONS = {
    len(names.split()): tuple(joint_name(name) for name in names.split())
    for names in (_BODY_25, _HALPE_26, _COCO_18, _COCO_17)
}


def is_openpose_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is a folder with JSON files in it."""
    folder = Path(path)
    return folder.is_dir() and next(folder.glob("*.json"), None) is not None


def read_openpose(path: str | os.PathLike[str], fps: float | None) -> Keypoints:
    """Return the keypoints of a folder; the files' names give the order, and every file is a frame.

    Among several people the one is followed who is nearest to where the person was last, from the largest of the first
    frame with anybody on.

    Raises
    ------
    InputError
        `fps` is not given, there is no JSON file, or one of them is damaged or of an unknown skeleton.
    """
    files = sorted(Path(path).glob("*.json"), key=_in_counting_order)
    if not files:
        raise InputError(
            f"{os.fspath(path)} is a folder without JSON files of keypoints: give a file, or OpenPose's folder"
        )
    if fps is None:
        raise InputError(f"{os.fspath(path)}: OpenPose's files have no times: give the frames per second (--fps, fps=)")
    if len(files) > _MAX_FRAMES:
        raise InputError(f"{os.fspath(path)} holds {len(files):,} files: cut it into clips")
    people = [_people(file) for file in files]
    counts = {len(person) for persons in people for person in persons}
    if len(counts) != 1:
        found = "nobody in any frame" if not counts else f"skeletons of {sorted(counts)} joints"
        raise InputError(f"{os.fspath(path)} holds {found}: give a folder with one kind of skeleton")
    joints = _follow(people, counts.pop())
    return Keypoints(
        times_s=np.arange(len(files)) / fps,
        positions=joints[..., :2].astype(np.float32),
        scores=np.nan_to_num(joints[..., 2]).astype(np.float32),
        names=_SKELETONS[joints.shape[1]],
    )


def _in_counting_order(file: Path) -> list[tuple[str, int]]:
    """Return what puts frame 2 before frame 10, also where their numbers are not of one length."""
    return [(text, int(number or -1)) for text, number in re.findall(r"([^0-9]*)([0-9]*)", file.name)]


def _people(file: Path) -> list[Array]:
    """Return one (K, 3) float64 array of x, y and score per person; nan where a joint was not found."""
    data, name = read_bytes(file, max_bytes=_MAX_FILE_BYTES)
    try:
        said: Any = json.loads(data)
        listed = [np.array(person["pose_keypoints_2d"], np.float64).reshape(-1, 3) for person in said["people"]]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as problem:
        raise InputError(f"{name} is not a frame of OpenPose's: {type(problem).__name__}: {problem}") from None
    for joints in listed:
        if len(joints) not in _SKELETONS:
            raise InputError(f"{name} has {len(joints)} joints per person; known are {sorted(_SKELETONS)}")
        joints[(joints[:, 2] == 0) | ~np.isfinite(joints).all(axis=1)] = np.nan  # OpenPose writes 0, 0, 0
    return [joints for joints in listed if np.isfinite(joints).any()]


def _follow(people: list[list[Array]], joints: int) -> Array:
    """Return (T, K, 3) of one person; nan in frames with nobody."""
    followed = np.full((len(people), joints, 3), np.nan)
    last: Array | None = None
    for frame, persons in enumerate(people):
        if not persons:
            continue
        centers = [np.nanmean(person[:, :2], axis=0) for person in persons]
        chosen = _largest(persons) if last is None else int(np.argmin([np.hypot(*(c - last)) for c in centers]))
        followed[frame], last = persons[chosen], centers[chosen]
    return followed


def _largest(persons: list[Array]) -> int:
    return int(np.argmax([np.nanmax(person[:, 1]) - np.nanmin(person[:, 1]) for person in persons]))
