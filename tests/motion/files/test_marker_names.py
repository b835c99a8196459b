"""One joint, many names: all conventions lead to ours."""

from __future__ import annotations

import pytest

from salticid.errors import InputError
from salticid.motion.files.marker_names import joint_name, joint_names
from salticid.motion.files.trc import marker_name
from salticid.motion.keypoints import JOINTS


@pytest.mark.parametrize(
    ("joint", "markers"),
    [
        ("left_hip", ["LHip", "left_hip", "LHipJ", "hip_l", "Left Hip", "lhip", "hip.left"]),
        ("right_toe", ["RBigToe", "right_foot_index", "R.Toe.Tip", "RTOE", "right_big_toe"]),
        ("left_small_toe", ["LSmallToe", "left_small_toe"]),
        ("right_ankle", ["RAnkle", "R.Ankle.Lat", "RANK"]),
        ("left_heel", ["LHeel", "L.Heel", "LHEE"]),
        ("right_shoulder", ["RShoulder", "R.Acromium", "RSHO"]),
        ("left_wrist", ["LWrist", "LWRA"]),
        ("nose", ["Nose", "NOSE"]),
    ],
)
def test_every_convention_means_our_joint(joint, markers):
    assert [joint_name(marker) for marker in markers] == [joint] * len(markers)


def test_what_is_no_joint_of_ours_keeps_its_name():
    for marker in ("R.ASIS", "V.Sacral", "r_knee_study", "heel", "real", "", "Letter"):
        assert joint_name(marker) == marker


def test_our_names_survive_the_way_to_opensims_and_back():
    for joint in (*JOINTS, "left_eye", "right_small_toe", "neck", "pelvis"):
        assert joint_name(joint) == joint
        assert joint_name(marker_name(joint)) == joint


def test_of_two_markers_for_a_joint_our_own_name_wins_and_then_the_first():
    assert joint_names(["R.Knee.Lat", "RKnee", "LKnee", "left_knee"], "a.trc") == (
        "right_knee",
        "RKnee",
        "LKnee",
        "left_knee",
    )
    with pytest.raises(InputError, match=r"a\.trc names a joint twice: RKnee"):
        joint_names(["RKnee", "RKnee"], "a.trc")
