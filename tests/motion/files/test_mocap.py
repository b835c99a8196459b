"""Motion capture comes in our joints' names, in meters, and says by its name what it shows."""

from __future__ import annotations

import numpy as np
import pytest
from motion_data import MOCAP

from salticid.errors import InputError
from salticid.motion.files.mocap import find_mocap, read_mocap


def write(path, places, names):
    np.savez_compressed(path, P=places, n=np.array(names))
    return path


def test_centimeters_become_meters_and_joints_get_our_names(tmp_path):
    places = np.arange(4 * 3 * 3, dtype=np.float32).reshape(4, 3, 3)
    path = write(tmp_path / "dataset-2_walk_normal_001.bvh.npz", places, ["joint_Root", "UpperLeg_L", "Hand_R"])
    keypoints = read_mocap(path)
    assert keypoints.names == ("left_hip", "right_wrist")
    np.testing.assert_allclose(keypoints.positions, places[:, 1:] / 100, rtol=1e-6)
    assert keypoints.fps == pytest.approx(30)
    assert (keypoints.scores == 1).all()


def test_the_head_of_the_skeleton_is_no_nose(tmp_path):
    path = write(tmp_path / "a_walk_normal_001.bvh.npz", np.zeros((2, 2, 3)), ["Head", "Neck"])
    assert read_mocap(path).names == ("head", "neck")


def test_a_movement_may_hold_dashes_and_other_files_are_passed_over(tmp_path):
    for name in ("dataset-2_walk-turn-left_elderly_003", "dataset-2_dash_normal_012", "dataset-2_dash_normal_002"):
        write(tmp_path / f"{name}.bvh.npz", np.zeros((1, 1, 3)), ["Hips"])
    (tmp_path / "README.md").write_text("words")
    found = [(file.movement, file.style, file.number) for file in find_mocap(tmp_path)]
    assert found == [("dash", "normal", 2), ("dash", "normal", 12), ("walk-turn-left", "elderly", 3)]


def test_a_folder_without_motion_capture_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no motion capture"):
        find_mocap(tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        find_mocap(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "damage", ["absent", "text", "cut", "other arrays", "one array", "pickled names", "wrong shape", "strangers"]
)
def test_what_is_no_motion_capture_is_refused(tmp_path, damage):
    path = tmp_path / "x_walk_normal_001.bvh.npz"
    if damage == "text":
        path.write_text("not numbers")
    if damage == "cut":
        write(path, np.zeros((50, 1, 3)), ["Hips"])
        path.write_bytes(path.read_bytes()[:100])
    if damage == "other arrays":
        np.savez(path, positions=np.zeros((2, 1, 3)))
    if damage == "one array":
        with path.open("wb") as file:
            np.save(file, np.zeros((2, 1, 3)))
    if damage == "pickled names":
        np.savez(path, P=np.zeros((2, 1, 3)), n=np.array(["Hips"], object))
    if damage == "wrong shape":
        write(path, np.zeros((2, 3)), ["Hips"])
    if damage == "strangers":
        write(path, np.zeros((2, 1, 3)), ["Tail"])
    with pytest.raises(InputError, match=r"x_walk_normal_001\.bvh\.npz"):
        read_mocap(path)


@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion capture is not here: set SALTICID_DATA")
def test_a_real_recording_is_a_person_who_walks_upright():
    files = find_mocap(MOCAP)
    assert {file.style for file in files} >= {"normal", "elderly"}
    keypoints = read_mocap(files[0].path)
    height_m = np.median(keypoints.joint("head")[:, 1] - keypoints.joint("left_toe")[:, 1])
    assert 1.0 < height_m < 1.8
    way_m = np.linalg.norm(keypoints.joint("pelvis")[-1] - keypoints.joint("pelvis")[0])
    assert way_m > 3
