"""A recording is turned to face ahead, seen by a camera, and measured; a broken file is told and stops nothing."""

from __future__ import annotations

import numpy as np
import pytest
from motion_data import MOCAP

from salticid.motion.compare.mocap_measured import facing_ahead, measure_folder
from salticid.motion.files.mocap import find_mocap, read_mocap
from salticid.motion.simulate.persons import GaitStyle, simulate_gait


@pytest.mark.parametrize("heading_deg", [0, 90, 180, 250])
def test_a_body_is_turned_to_face_ahead(heading_deg):
    keypoints = simulate_gait(GaitStyle(heading_deg=heading_deg), seconds=3, fps=30).keypoints
    turned = facing_ahead(keypoints)
    way = turned.joint("left_hip")[-1] - turned.joint("left_hip")[0]
    assert way[2] > 0.98 * np.linalg.norm(way[[0, 2]])


@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion capture is not here: set SALTICID_DATA")
def test_motion_capture_is_turned_and_measured(tmp_path):
    [file, *_] = [file for file in find_mocap(MOCAP) if file.style == "normal"]
    (tmp_path / file.path.name).symlink_to(file.path)
    (tmp_path / "a_walk_broken_001.bvh.npz").write_text("nothing")
    clips, failed = measure_folder(tmp_path, view="side", noise_m=0.01, seed=0)
    assert list(clips) == [("walk", "normal")]
    assert clips["walk", "normal"][0].activity == "walk"
    assert [name for name, _ in failed] == ["a_walk_broken_001.bvh.npz"]
    assert abs(facing_ahead(read_mocap(file.path)).joint("pelvis")[-1, 2]) > 2
