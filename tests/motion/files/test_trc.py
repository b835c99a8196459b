"""TRC: laid out as OpenSim wants it, read back to a hundredth of a millimeter, and precise about what is wrong."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keypoint_cases import any_keypoints, walking

from salticid.errors import InputError
from salticid.motion.files.read import read_keypoints
from salticid.motion.files.trc import write_body, write_trc, write_world
from salticid.motion.keypoints import Keypoints

POSE2SIM = (
    "PathFileType\t4\t(X/Y/Z)\ta.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
    "60\t60\t2\t2\tm\t60\t0\t2\n"
    "Frame#\tTime\tRBigToe\t\t\tLHip\t\t\t\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n"
    "\n"
    "1\t0.5\t0.1\t0.2\t0.3\t1\t2\t3\n"
    "2\t0.75\t\t\t\t1.1\t2.1\t3.1\n"
)


def read(tmp_path, text):
    (tmp_path / "clip.trc").write_text(text)
    return read_keypoints(tmp_path / "clip.trc")


@settings(deadline=None)
@given(any_keypoints(dimensions=(3,)))
def test_a_room_comes_back(tmp_path_factory, keypoints):
    path = tmp_path_factory.mktemp("trc") / "clip.trc"
    positions = np.where(np.isfinite(keypoints.positions), np.clip(keypoints.positions, -100, 100), np.nan)
    positions[0, 0] = 1.5, 2.5, 3.5  # a room, whatever else is drawn
    write_trc(path, keypoints.times_s, positions, keypoints.names)
    found = read_keypoints(path)
    assert found.names == keypoints.names
    np.testing.assert_array_equal(found.times_s, keypoints.times_s)
    np.testing.assert_allclose(found.positions, positions, atol=1e-5, rtol=1e-6)
    np.testing.assert_array_equal(found.scores == 1, np.isfinite(positions[..., 0]))


def test_the_layout_is_that_of_opensim(tmp_path):
    keypoints = walking(3, 3, joints=3)
    write_trc(tmp_path / "clip.trc", keypoints.times_s, keypoints.positions, keypoints.names)
    lines = (tmp_path / "clip.trc").read_text().split("\n")
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\tclip.trc"
    assert lines[1].split("\t")[:5] == ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units"]
    assert lines[2] == "60\t60\t3\t3\tm\t60\t1\t3"
    assert lines[3] == "Frame#\tTime\tNose\t\t\tLEar\t\t\tREar\t\t"
    assert lines[4] == "\t\t" + "\t".join(f"{axis}{number}" for number in (1, 2, 3) for axis in "XYZ")
    assert lines[5] == ""
    assert [len(line.split("\t")) for line in lines[6:9]] == [2 + 3 * 3] * 3
    assert lines[7].startswith("2\t")
    assert "nan\tnan\tnan" in lines[7]


@pytest.mark.parametrize(("hidden", "across"), [(2, 0), (0, 2)])
def test_a_plane_comes_back_as_a_picture_in_millimeters_and_not_as_a_flat_room(tmp_path, hidden, across):
    positions = np.array(walking(5, 3).positions, np.float64)
    seen = positions.copy()
    seen[..., hidden] = np.nan
    write_trc(tmp_path / "clip.trc", np.arange(5) / 50, seen, walking(5, 3).names)
    found = read_keypoints(tmp_path / "clip.trc")
    assert found.dimensions == 2
    expected = positions[..., [across, 1]] * [1000, -1000]
    np.testing.assert_allclose(found.positions, np.where(np.isfinite(positions[..., :1]), expected, np.nan), atol=0.01)


@pytest.mark.parametrize(("unit", "meters"), [("m", 1), ("cm", 0.01), ("mm", 0.001)])
def test_units_become_meters_and_names_ours(tmp_path, unit, meters):
    found = read(tmp_path, POSE2SIM.replace("\tm\t", f"\t{unit}\t"))
    assert found.names == ("right_toe", "left_hip")
    assert found.times_s.tolist() == [0.5, 0.75]
    np.testing.assert_allclose(found.positions[0], np.array([[0.1, 0.2, 0.3], [1, 2, 3]]) * meters, rtol=1e-6)
    assert np.isnan(found.positions[1, 0]).all()
    assert found.scores.tolist() == [[1, 1], [0, 1]]


def test_pixels_of_sports2d_become_a_picture_with_y_down(tmp_path):
    text = POSE2SIM.replace("\tm\t", "\tpx\t").replace("0.2\t0.3", "-20\t0").replace("2\t3\n", "-30\t0\n")
    found = read(tmp_path, text)
    np.testing.assert_allclose(found.positions[0], [[0.1, 20], [1, 30]], rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1\t2\t3\n", "1\ttwo\t3\n", r"line 7, column LHip Y: 'two' is not a number"),
        ("1\t2\t3\n", "1\t2\n", r"line 7: 7 cells, but 8 columns"),
        ("2\t0.75", "2\t0.25", r"line 8: time 0.25 s comes after 0.5 s"),
        ("2\t0.75", "2\t", r"line 8: there is no time"),
        ("60\t60\t2\t2", "60\t60\t3\t2", r"holds 2 frames, but line 3 promises 3"),
        ("60\t60\t2\t2", "60\t60\t2\t3", r"line 4 names 2 markers, but line 3 counts 3"),
        ("60\t60\t2\t2", "60\t60\t2\t-2", r"NumMarkers is '-2'"),
        ("60\t60\t2\t2", "60\t60\t2\t\u00b2", r"no sensible count"),
        ("60\t60\t2\t2", "60\t60\t2\t999999999999", r"no sensible count"),
        ("\tm\t", "\tinches\t", r"the unit 'inches' is unknown"),
        ("NumFrames", "Frames", r"NumFrames is missing from the heading"),
        ("LHip", "RBigToe", r"names a joint twice: RBigToe"),
        ("3.1\n", "inf\n", r"line 8, column LHip Z: infinity"),
        (POSE2SIM[POSE2SIM.index("1\t0.5") :], "", r"cut short"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(tmp_path, old, new, words):
    assert old in POSE2SIM
    with pytest.raises(InputError, match=words):
        read(tmp_path, POSE2SIM.replace(old, new))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, len(POSE2SIM)))
def test_a_file_cut_anywhere_is_an_input_error_or_lacks_digits_of_the_last_number(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("cut") / "clip.trc"
    path.write_text(POSE2SIM[:length])
    if length > POSE2SIM.rindex("\t"):
        assert len(read_keypoints(path)) == 2
        return
    with pytest.raises(InputError, match=r"clip\.trc"):
        read_keypoints(path)


def body(unit, **joints):
    return SimpleNamespace(times_s=np.arange(4) / 50, joints=joints, unit=unit)


def test_a_body_is_written_forward_up_right_without_the_joints_it_never_saw(tmp_path):
    hip = np.array([[number, -0.2, 1.0] for number in range(4)])
    write_body(tmp_path / "clip.trc", body("m", left_hip=hip, nose=np.full((4, 3), np.nan)))
    found = read_keypoints(tmp_path / "clip.trc")
    assert found.names == ("left_hip",)
    np.testing.assert_allclose(found.positions[3, 0], [3, 1.0, 0.2], rtol=1e-6)


def test_without_the_persons_height_there_are_no_meters_to_write(tmp_path):
    with pytest.raises(InputError, match="height_m"):
        write_body(tmp_path / "clip.trc", body("height", left_hip=np.ones((4, 3))))
    with pytest.raises(InputError, match="no joint was seen"):
        write_body(tmp_path / "clip.trc", body("m", left_hip=np.full((4, 3), np.nan)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("view", "direction", "forward", "right"),
    [
        ("side", "right", (1, 0), (0, -1)),
        ("side", "left", (-1, 0), (0, 1)),
        ("rear", None, (0, 1), (1, 0)),
        ("front", None, (0, -1), (-1, 0)),
    ],
)
def test_the_guess_of_a_network_is_turned_the_way_the_person_faces(tmp_path, view, direction, forward, right):
    world = np.full((2, 1, 3), [0.3, -0.4, 0.2], np.float32)  # right in the picture, up, away from the camera
    keypoints = Keypoints(np.arange(2) / 30, np.zeros((2, 1, 2), "f4"), np.ones((2, 1), "f4"), ("nose",), None, world)
    write_world(tmp_path / "clip.trc", keypoints, view, direction)
    expected = [np.dot(forward, [0.3, 0.2]), 0.4, np.dot(right, [0.3, 0.2])]
    np.testing.assert_allclose(read_keypoints(tmp_path / "clip.trc").positions[0, 0], expected, atol=1e-6)
    with pytest.raises(InputError, match="no places in a room"):
        write_world(tmp_path / "clip.trc", walking(), view, direction)
    with pytest.raises(InputError, match="no places in a room"):
        write_world(tmp_path / "clip.trc", keypoints, "room")


def test_a_name_with_a_tab_or_a_line_in_it_makes_no_more_cells(tmp_path):
    write_trc(tmp_path / "clip.trc", np.arange(2) / 30, np.ones((2, 1, 3)), ("a\tb\nc",))
    assert read_keypoints(tmp_path / "clip.trc").names == ("a b c",)
