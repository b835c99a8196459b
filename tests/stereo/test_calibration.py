"""Calibrations are read from the files that people have, and depth comes out in mm."""

from __future__ import annotations

import json
import re

import cv2
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


# The same rig, the right camera turned by a few degrees about all axes.
ROTATED = JSON | {"R": cv2.Rodrigues(np.deg2rad([2.0, -3.0, 4.0]))[0].tolist(), "T": [-70.0, 3.0, -5.0]}
PROJECTIONS = {
    "R1": np.eye(3).tolist(),
    "R2": np.eye(3).tolist(),
    "P1": [[1780, 0, 728, 0], [0, 1780, 544, 0], [0, 0, 1, 0]],
    "P2": [[1780, 0, 728, -1780 * 70.017], [0, 1780, 544, 0], [0, 0, 1, 0]],
}
FLAT = np.zeros((3, 4)).tolist()


def write(tmp_path, text, name="calib.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def check_rows_and_depth(rig):
    """Check that points in the left camera's frame land on one row in both views, as far apart as their depth says."""
    for point in np.array([[40.0, -30.0, 500.0], [-120.0, 80.0, 900.0], [5.0, 5.0, 300.0]]):
        turned = rig.R1 @ point
        left = rig.P1[:, :3] @ turned
        right = rig.P2[:, :3] @ rig.R2 @ (rig.R @ point + rig.t_mm)
        assert left[1] / left[2] == pytest.approx(right[1] / right[2], abs=1e-6)
        disparity_px = left[0] / left[2] - right[0] / right[2]
        assert rig.depth_mm(np.float32([[disparity_px]]))[0, 0] == pytest.approx(turned[2], rel=1e-4)


def test_middlebury_files_give_depth_as_their_readme_defines_it(tmp_path):
    rig = Calibration.load(write(tmp_path, MIDDLEBURY))
    assert rig.is_rectified
    assert rig.num_disparities == 280
    assert rig.image_size == (2964, 1988)
    assert rig.depth_mm(np.float32([[100]]))[0, 0] == pytest.approx(193.001 * 3979.911 / (100 + 124.343), rel=1e-5)


def test_json_of_scanner_software_is_rectified_to_one_row(tmp_path):
    rig = Calibration.load(write(tmp_path, json.dumps(ROTATED), "calibration.json"))
    assert not rig.is_rectified
    assert rig.error_px == 0.31
    assert rig.baseline_mm == pytest.approx(np.linalg.norm(ROTATED["T"]), rel=1e-6)
    assert not np.allclose(rig.R1, rig.R2, atol=0.01)
    check_rows_and_depth(rig)


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
        ("[1, 2]", "one object of named entries"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps(JSON)[:-1] + ', "T": ' + "[" * 500 + "]" * 500 + "}", "T must"),
        (json.dumps({name: value for name, value in JSON.items() if name != "R"}), "it has no R"),
        (json.dumps(JSON | {"calibration_error": []}), "calibration_error must be one number"),
        (json.dumps(JSON | {"num_disparities": float("inf")}), "num_disparities holds a number that is not finite"),
        (json.dumps(JSON | {"num_disparities": [64, 64]}), "num_disparities must"),
        (json.dumps(JSON | {"num_disparities": "64"}), "num_disparities must be numbers"),
        (json.dumps(JSON | {"num_disparities": -16}), "num_disparities must be a whole number"),
        (json.dumps(JSON | {"baseline_mm": []}), "baseline_mm must"),
        (json.dumps(JSON | {"T": [10**400, 0, 0]}), "T must be numbers"),
        (json.dumps(JSON | {"T": [1e300, 0, 0]}), "T holds a number beyond"),
        (json.dumps(JSON | {"R": [[1, 0], [0, 1, 0]]}), "R must be numbers, in rows of one length"),
        (json.dumps(JSON | {"T": {"x": 1}}), "T must be numbers"),
        (json.dumps(JSON | {"T": [70, 0, 0]}), "swap left and right"),
        (json.dumps(JSON | {"T": [1, -70, 0]}), "one camera stands above the other"),
        (json.dumps(JSON | {"R": [[1, 0, 0], [0, 1, 0], [0, 0, -1]]}), "R is a reflection"),
        (json.dumps(JSON | {"left_dist_coeffs": [float("nan"), 0, 0, 0]}), "left_dist_coeffs .* not finite"),
        (json.dumps(JSON | {"right_dist_coeffs": [0, float("inf"), 0, 0]}), "right_dist_coeffs .* not finite"),
        (json.dumps(JSON | PROJECTIONS | {"P1": FLAT}), "focal length of P1 or P2"),
        (json.dumps(JSON | PROJECTIONS | {"P2": FLAT}), "focal length of P1 or P2"),
        (json.dumps(JSON | PROJECTIONS | {"P2": PROJECTIONS["P1"]}), "swap left and right"),
        (json.dumps(JSON | PROJECTIONS | {"P2": [[float("nan")] * 4] * 3}), "P2 .* not finite"),
        (json.dumps(JSON | PROJECTIONS | {"T": [-0.07, 0, 0]}), "P2 has a baseline of 70.017 mm, but T is 0.07 mm"),
        (json.dumps(JSON | {"image_size": [1e300, 5]}), "image_size"),
        (MIDDLEBURY.replace("baseline=193.001", "baseline=unknown"), "baseline must be numbers"),
        (MIDDLEBURY.replace("baseline=193.001", "baseline="), "T must have 3 numbers"),
        (YAML.replace("rms_error: 0.27", 'rms_error: "abc"'), "rms_error must be numbers"),
        (YAML.replace("rows: 3", "rows: 4", 1), "camera_matrix_left must be numbers"),
        (YAML.replace("dt: d", "dt: 9d"), "broken OpenCV YAML"),
        ("%YAML:1.0\n---\nR: " + "[" * 150_000, "nested too deeply"),
        ('<?xml version="1.0"?>\n<opencv_storage>\n' + "<a>\n" * 150_000, "nested too deeply"),
        (YAML.replace("rows: 3", "rows: -3"), "camera_matrix_left must be numbers"),
        (YAML.replace("70.017\n", "[" + "1.,\n   " * 90_000 + "1. ]\n"), "baseline_mm must be numbers"),
        (YAML.replace("[ 1456, 1088 ]", "[ 1456, abc ]"), "image_size must be numbers"),
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
        ("%YAML:1.0\n---\nR: !!opencv-matrix\n   rows: 3\n   cols: ", "YAML|R must be numbers"),
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


def write_opencv(path, entries):
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, value in entries.items():
        storage.write(name, value)
    storage.release()


def opencv_sample(folder, **extrinsics):
    """Write what OpenCV's stereo_calib sample writes, for the rig of `JSON`; lengths in mm."""
    folder.mkdir(exist_ok=True)
    entries = {name: np.array(value, float) for name, value in JSON.items()}
    names = {"M1": "left_camera_matrix", "D1": "left_dist_coeffs", "M2": "right_camera_matrix"}
    cameras = {ours: entries[theirs] for ours, theirs in (names | {"D2": "right_dist_coeffs"}).items()}
    write_opencv(folder / "intrinsics.yml", cameras)
    write_opencv(folder / "extrinsics.yml", {"R": entries["R"], "T": entries["T"]} | extrinsics)
    return folder / "intrinsics.yml"


def test_the_two_files_of_opencvs_sample_give_straight_rows_and_the_right_depth(tmp_path):
    check_rows_and_depth(Calibration.load(opencv_sample(tmp_path), image_size=(1456, 1088)))


def test_the_projections_of_opencvs_extrinsics_are_kept(tmp_path):
    rig = Calibration.load(write(tmp_path, json.dumps(JSON)))
    given = {"R1": rig.R1, "R2": rig.R2, "P1": rig.P1, "P2": rig.P2, "Q": np.eye(4)}
    again = Calibration.load(opencv_sample(tmp_path / "two", **given), image_size=(1456, 1088))
    assert np.array_equal(again.P2, rig.P2)
    check_rows_and_depth(again)


@pytest.mark.parametrize("name", ["a.yml", "a.xml"])
def test_what_a_program_writes_with_opencv_is_read_whatever_the_shape_of_its_arrays(tmp_path, name):
    names = ("left_camera_matrix", "right_camera_matrix", "R", "T", "left_dist_coeffs", "right_dist_coeffs")
    entries = {name: np.array(JSON[name], float) for name in names}
    entries |= {"T": entries["T"].ravel(), "left_dist_coeffs": entries["left_dist_coeffs"].ravel()}
    write_opencv(tmp_path / name, entries | {"image_size": np.array([1456, 1088]), "rms_error": 0.31})
    rig, same = Calibration.load(tmp_path / name), Calibration.load(write(tmp_path, json.dumps(JSON)))
    assert np.array_equal(rig.left.distortion, same.left.distortion)
    assert np.allclose(rig.P2, same.P2, rtol=1e-12)
    assert rig.error_px == 0.31


def test_what_the_two_files_lack_is_named(tmp_path):
    path = opencv_sample(tmp_path)
    with pytest.raises(InputError, match=r"it has no image_size: give image_size=\(width, height\)"):
        Calibration.load(path)
    (tmp_path / "extrinsics.yml").unlink()
    with pytest.raises(InputError, match=r"it has no R: in the file, or in extrinsics\.yml beside it"):
        Calibration.load(path, image_size=(1456, 1088))


def test_a_size_that_contradicts_the_file_is_refused(tmp_path):
    path = write(tmp_path, json.dumps(JSON))
    assert Calibration.load(path, image_size=(1456, 1088)).image_size == (1456, 1088)
    with pytest.raises(InputError, match="is for 1456x1088 views, image_size says 640x480"):
        Calibration.load(path, image_size=(640, 480))


@pytest.mark.parametrize("unit_mm", [1.0, 1000.0])
def test_a_baseline_in_mm_decides_and_the_named_unit_does_not_scale_again(tmp_path, unit_mm):
    rig = Calibration.load(write(tmp_path, YAML), unit_mm=unit_mm)
    assert rig.baseline_mm == pytest.approx(70.017)
    assert rig.t_mm.tolist() == [pytest.approx(-70.017), 0, 0]


@pytest.mark.parametrize(("unit", "length"), [(1, 70.0), (10, 7.0), (25.4, 70 / 25.4), (1000, 0.07)])
def test_the_projections_are_scaled_with_the_unit_of_t(tmp_path, unit, length):
    rig = Calibration.load(write(tmp_path, json.dumps(JSON)))
    share = length / np.linalg.norm(JSON["T"])
    P2 = rig.P2 * [1, 1, 1, share]
    own = {"R1": rig.R1.tolist(), "R2": rig.R2.tolist(), "P1": rig.P1.tolist(), "P2": P2.tolist()}
    entries = JSON | own | {"T": (np.array(JSON["T"]) * share).tolist(), "baseline_mm": 70.3}
    scaled = Calibration.load(write(tmp_path, json.dumps(entries)))
    assert scaled.baseline_mm == pytest.approx(length * unit, rel=1e-9)
    assert np.linalg.norm(scaled.t_mm) == pytest.approx(length * unit, rel=1e-9)


def test_a_baseline_that_fits_no_unit_is_refused_with_both_numbers(tmp_path):
    with pytest.raises(InputError, match=r"baseline_mm is 7001\.7, but T is 0\.070017 long"):
        Calibration.load(write(tmp_path, YAML.replace("baseline_mm: 70.017", "baseline_mm: 7001.7")))


@pytest.mark.parametrize("unit_mm", [0, -1, float("nan"), float("inf")])
def test_a_unit_that_is_no_length_is_refused(tmp_path, unit_mm):
    with pytest.raises(InputError, match="unit_mm must be"):
        Calibration.load(write(tmp_path, MIDDLEBURY), unit_mm=unit_mm)


def test_a_byte_order_mark_is_fine(tmp_path):
    for text in (MIDDLEBURY, json.dumps(JSON), YAML):
        assert Calibration.load(write(tmp_path, "\ufeff" + text)).image_size[0] in (1456, 2964)


@pytest.mark.parametrize("text", [MIDDLEBURY, json.dumps(JSON), YAML], ids=["middlebury", "json", "yaml"])
def test_a_mutated_file_is_a_calibration_or_an_input_error(tmp_path, text):
    random = np.random.default_rng(0)
    path, outcomes = tmp_path / "calib", set()
    for _ in range(300):
        path.write_bytes(mutated(text.encode(), random))
        try:
            rig = Calibration.load(path)
        except InputError:
            outcomes.add("refused")
            continue
        outcomes.add("read")
        assert rig.baseline_mm > 0
        assert rig.focal_px > 0
    assert outcomes == {"refused", "read"}


def mutated(data, random):
    """Return `data` with one to three bytes, numbers or stretches replaced, removed or repeated."""
    for _ in range(random.integers(1, 4)):
        kind, start = random.integers(5), int(random.integers(len(data) + 1))
        stop = start + int(random.integers(1, 20))
        numbers = list(re.finditer(rb"-?[\d.]+", data))
        if kind == 0:
            data = data[:start] + data[stop:]
        elif kind == 1:
            data = data[:start] + data[start:stop] * 3 + data[stop:]
        elif kind == 2:
            data = data[:start] + bytes([random.integers(256)]) + data[start + 1 :]
        elif kind == 3:
            data = data[:start] + random.choice([b"\0", b"[", b"{", b"]", b'"', b"\n", b":", b"=", b" "]) + data[start:]
        elif numbers:
            found = numbers[random.integers(len(numbers))]
            odd = [b"0", b"-1", b"1e308", b"1e999", b"1e-320", b"NaN", b"Infinity", b"[]", b'"x"', b"null", b"{}"]
            data = data[: found.start()] + odd[random.integers(len(odd))] + data[found.end() :]
    return data


def test_the_visible_part_is_what_the_left_camera_saw(tmp_path):
    straight = Calibration.rectified(focal_px=50, baseline_mm=60, center_px=(15.5, 9.5), image_size=(32, 20))
    assert Rectifier(straight).visible.all()
    moved = np.add(PROJECTIONS["P1"], [[0, 0, 100, 0], [0, 0, -7, 0], [0, 0, 0, 0]])
    plain = JSON | PROJECTIONS | {"left_dist_coeffs": [0] * 5, "P1": moved.tolist()}
    visible = Rectifier(Calibration.load(write(tmp_path, json.dumps(plain)))).visible
    assert visible.dtype == bool
    assert visible.shape == (1088, 1456)
    assert not visible[:, :100].any()
    assert not visible[-7:].any()
    assert visible[:-7, 100:].all()


def test_a_right_view_of_another_size_is_refused():
    rig = Calibration.rectified(focal_px=50, baseline_mm=60, center_px=(15.5, 9.5), image_size=(32, 20))
    with pytest.raises(InputError, match="32x20 views, these are 16x20"):
        Rectifier(rig)(np.zeros((20, 32), np.uint8), np.zeros((20, 16), np.uint8))


@pytest.mark.parametrize("wrong", [{"focal_px": -1}, {"baseline_mm": 0}, {"baseline_mm": -60}, {"image_size": (0, 4)}])
def test_a_rectified_pair_that_cannot_be_is_refused(wrong):
    right = {"focal_px": 50, "baseline_mm": 60, "center_px": (15.5, 9.5), "image_size": (32, 20)}
    with pytest.raises(InputError, match="not a stereo calibration"):
        Calibration.rectified(**right | wrong)
