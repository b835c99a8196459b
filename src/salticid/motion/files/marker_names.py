"""The joints' names in other programs' files: OpenPose, HALPE, COCO, BlazePose, OpenSim's markers, Plug-in Gait.

Sources: the skeletons of Pose2Sim and Sports2D (BODY_25, HALPE_26, COCO_17 as `LHip`, `RBigToe`), MediaPipe's landmarks
(`left_foot_index`), the markers of OpenSim's gait2354 and gait2392 (`R.Toe.Tip`), Plug-in Gait (`LKNE`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from salticid.errors import InputError
from salticid.motion.keypoints import Side

# Spellings of a joint that has a side, without that side, separators and capitals. A marker on the skin stands for the
# joint below it; where several do (R.Knee.Lat), only one name is here. A pelvis marker (ASIS) is no hip joint.
_SIDED = {
    "ear": ("ear",),
    "eye": ("eye",),
    "shoulder": ("shoulder", "sho", "acromium", "acromion"),
    "elbow": ("elbow", "elb"),
    "wrist": ("wrist", "wristlat", "wra"),
    "hip": ("hip", "hipj"),
    "knee": ("knee", "kneelat", "kne"),
    "ankle": ("ankle", "anklelat", "ank"),
    "heel": ("heel", "hee"),
    "toe": ("toe", "bigtoe", "footindex", "toetip"),
    "small_toe": ("smalltoe",),
}
_MIDDLE = {
    "nose": ("nose",),
    "neck": ("neck",),
    "head": ("head", "tophead"),
    "pelvis": ("pelvis", "hip", "chip", "midhip"),
}
_SIDED_BY_SPELLING = {spelling: joint for joint, spellings in _SIDED.items() for spelling in spellings}
_MIDDLE_BY_SPELLING = {spelling: joint for joint, spellings in _MIDDLE.items() for spelling in spellings}
_SIDES: tuple[tuple[str, Side], ...] = (("left", "left"), ("right", "right"), ("l", "left"), ("r", "right"))


def joint_name(marker: str) -> str:
    """Return our name of the joint that `marker` means in any of those conventions; `marker` itself where none is.

    >>> joint_name("LBigToe"), joint_name("R.Knee.Lat"), joint_name("left_foot_index"), joint_name("V.Sacral")
    ('left_toe', 'right_knee', 'left_toe', 'V.Sacral')
    """
    words = re.findall(r"[a-z0-9]+", marker.lower())
    letters = "".join(words)
    if letters in _MIDDLE_BY_SPELLING:
        return _MIDDLE_BY_SPELLING[letters]
    for mark, side in _SIDES:
        at_end = len(mark) > 1 or [mark] == words[-1:]  # a letter alone: knee_l, but not heel
        for rest in (letters.removeprefix(mark), letters.removesuffix(mark) if at_end else letters):
            if rest != letters and rest in _SIDED_BY_SPELLING:
                return f"{side}_{_SIDED_BY_SPELLING[rest]}"
    return marker


def joint_names(markers: Sequence[str], file: str) -> tuple[str, ...]:
    """Return our names of all markers of a file.

    Where two markers mean one joint, the one that comes first gets its name and the other keeps its own.

    Raises
    ------
    InputError
        Two markers have the same name.
    """
    twice = sorted({marker for marker in markers if markers.count(marker) > 1})
    if twice:
        raise InputError(f"{file} names a joint twice: {', '.join(twice)}; rename one of them")
    names: dict[str, str] = {}
    for marker in markers:
        name = joint_name(marker)
        names[marker] = marker if name in names.values() or (name != marker and name in markers) else name
    return tuple(names.values())
