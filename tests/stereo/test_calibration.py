"""Calibrations are read from the files that people have, and depth comes out in mm."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.stereo.calibration import Calibration, Rectifier

MIDDLEBURY = """cam0=[3979.911 0 1244.772; 0 3979.911 1019.507; 0 0 1]
cam1=[3979.911 0 1369.115; 0 3979.911 1019.507; 0 0 1]
doffs=124.343
baseline=193.001
width=2964
height=1988
ndisp=280
isint=0
vmin=31
vmax=257
"""

JSON = {
    "left_camera_matrix": [[1780, 0, 728], [0, 1780, 544], [0, 0, 1]],
    "right_camera_matrix": [[1782, 0, 730], [0, 1782, 540], [0, 0, 1]],
    "left_dist_coeffs": [[-0.42, 0.2, 0, 0, 0]],
    "right_dist_coeffs": [[-0.41, 0.2, 0, 0, 0]],
    "R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "T": [[-70.017], [0.1], [0.2]],
    "E": [[0]],
    "calibration_error": 0.31,
    "image_size": [1456, 1088],
}

YAML = """%YAML:1.0
---
camera_matrix_left: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1780., 0., 728., 0., 1780., 544., 0., 0., 1. ]
camera_matrix_right: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1780., 0., 728., 0., 1780., 544., 0., 0., 1. ]
dist_coeffs_left: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ -0.4, 0.1, 0., 0., 0. ]
dist_coeffs_right: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ -0.4, 0.1, 0., 0., 0. ]
R: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1., 0., 0., 0., 1., 0., 0., 0., 1. ]
T: !!opencv-matrix
   rows: 3
   cols: 1
   dt: d
   data: [ -0.070017, 0., 0. ]
image_size: [ 1456, 1088 ]
rms_error: 0.27
baseline_mm: 70.017
"""


def write(tmp_path, text, name="calib.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_middlebury_files_give_depth_as_their_readme_defines_it(tmp_path):
    rig = Calibration.load(write(tmp_path, MIDDLEBURY))
    assert rig.is_rectified
    assert rig.num_disparities == 280
    assert rig.image_size == (2964, 1988)
    assert rig.depth_mm(np.float32([[100]]))[0, 0] == pytest.approx(193.001 * 3979.911 / (100 + 124.343), rel=1e-5)


def test_json_of_scanner_software_is_rectified_to_one_row(tmp_path):
    rig = Calibration.load(write(tmp_path, json.dumps(JSON), "calibration.json"))
    assert not rig.is_rectified
    assert rig.error_px == 0.31
    assert rig.baseline_mm == pytest.approx(np.linalg.norm(JSON["T"]), rel=1e-6)
    point = np.array([40.0, -30.0, 500.0])
    left = rig.P1 @ np.append(rig.R1 @ point, 1)
    right = rig.P2 @ np.append(rig.R1 @ point, 1)
    assert left[1] / left[2] == pytest.approx(right[1] / right[2])
    disparity_px = left[0] / left[2] - right[0] / right[2]
    assert rig.depth_mm(np.float32([[disparity_px]]))[0, 0] == pytest.approx((rig.R1 @ point)[2], rel=1e-4)


def test_opencv_yaml_in_meters_comes_out_in_mm_when_it_says_its_baseline(tmp_path):
    rig = Calibration.load(write(tmp_path, YAML, "stereo.yml"))
    assert rig.baseline_mm == pytest.approx(70.017, rel=1e-5)
    assert rig.error_px == 0.27


def test_a_unit_can_be_named(tmp_path):
    entries = JSON | {"T": [-0.07, 0, 0]}
    rig = Calibration.load(write(tmp_path, json.dumps(entries), "c.json"), unit_mm=1000)
    assert rig.baseline_mm == pytest.approx(70)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    rig = Calibration.load(write(tmp_path, json.dumps(JSON), "c.json"))
    rig.save(tmp_path / "again.json")
    again = Calibration.load(tmp_path / "again.json")
    for name in ("R", "t_mm", "R1", "R2", "P1", "P2", "error_px", "image_size", "num_disparities"):
        assert np.array_equal(getattr(rig, name), getattr(again, name)), name
    assert np.array_equal(rig.left.distortion, again.left.distortion)


def test_disparity_and_depth_are_inverse_and_unknown_stays_unknown():
    rig = Calibration.rectified(focal_px=500, baseline_mm=60, center_px=(2, 1), image_size=(5, 3), doffs_px=4)
    depth = rig.depth_mm(np.float32([[26, np.nan, -4, -5]]))
    assert depth[0, 0] == 1000
    assert np.isnan(depth[0, 1:]).all()


def test_the_principal_point_lies_on_the_axis():
    rig = Calibration.rectified(focal_px=500, baseline_mm=60, center_px=(2, 1), image_size=(5, 3))
    points = rig.points_mm(np.full((3, 5), 30, np.float32))
    assert points[1, 2].tolist() == [0, 0, 1000]
    assert points[0, 4].tolist() == [4, -2, 1000]


def test_rectifying_a_rectified_rig_changes_nothing():
    rig = Calibration.rectified(focal_px=50, baseline_mm=60, center_px=(15.5, 9.5), image_size=(32, 20))
    view = np.random.default_rng(0).integers(0, 256, (20, 32), np.uint8)
    left, right = Rectifier(rig)(view, view)
    assert np.array_equal(left, view)
    assert np.array_equal(right, view)
    with pytest.raises(InputError, match="calibration is for 32x20 views, these are 20x32"):
        Rectifier(rig)(view.T, view.T)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no cam0"),
        ("hello", "no cam0"),
        ("{", "broken JSON"),
        ("{}", "it has no left_camera_matrix"),
        ("[1, 2]", "no cam0"),
        (json.dumps(JSON | {"T": [0, 0, 0]}), "T is zero"),
        (json.dumps(JSON | {"T": [1, 2]}), "T must have 3 numbers, not 2"),
        (json.dumps(JSON | {"T": ["a", "b", "c"]}), "T must be numbers"),
        (json.dumps(JSON | {"R": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]}), "R is not a rotation"),
        (json.dumps(JSON | {"image_size": [0, 5]}), "image_size is 0x5"),
        (json.dumps(JSON | {"left_dist_coeffs": [1, 2, 3]}), "4, 5, 8, 12 or 14"),
        (json.dumps(JSON | {"left_camera_matrix": [[0] * 3] * 3}), "focal length is not positive"),
        (json.dumps(JSON | {"left_camera_matrix": [[float("nan")] * 3] * 3}), "not finite"),
        (MIDDLEBURY.replace("baseline", "base"), "no baseline"),
        (MIDDLEBURY.replace("[3979.911 0 1244.772;", "[3979.911 0"), "must have 3 x 3 numbers"),
        ("%YAML:1.0\n---\nR: !!opencv-matrix\n   rows: 3\n   cols: ", "YAML|left_camera_matrix"),
        ("%YAML:1.0\n---\n", "broken OpenCV YAML"),
    ],
)
def test_a_broken_file_is_an_input_error_that_names_it(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        Calibration.load(path)
    assert "calib.txt" in str(caught.value)


def test_files_that_are_no_text_or_not_there_are_input_errors(tmp_path):
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00\x80")
    (tmp_path / "large").write_bytes(b"x" * (2 << 20))
    for name, message in [("b", "not text"), ("none", "No such file"), ("large", "too large"), (".", "cannot read")]:
        with pytest.raises(InputError, match=message):
            Calibration.load(tmp_path / name)


def test_the_sample_calibration_of_opencv_gives_straight_rows():
    data = Path(os.environ.get("SALTICID_DATA", "../shared/data")) / "stereo" / "calib_chess640"
    if not data.is_dir():
        pytest.skip("the development data is not here: set SALTICID_DATA")
    with pytest.raises(InputError, match="image_size"):
        Calibration.load(data / "intrinsics.yml")
