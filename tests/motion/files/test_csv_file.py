"""Tables of keypoints: exact for our own, tolerant of how others name and separate, and precise about what is wrong."""

from __future__ import annotations

import csv
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keypoint_cases import any_keypoints, assert_same, walking

from salticid.errors import InputError
from salticid.motion.files.read import read_keypoints, write_csv
from salticid.motion.keypoints import Keypoints

DEEPLABCUT = """scorer,net,net,net,net,net,net
bodyparts,left_knee,left_knee,left_knee,r_ankle,r_ankle,r_ankle
coords,x,y,likelihood,x,y,likelihood
0,1.5,2,0.9,3,4,0.1
1,,,0.2,5,6,0.7
"""


def read(tmp_path, text, fps=None, name="clip.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_keypoints(path, fps)


@settings(deadline=None)
@given(any_keypoints())
def test_every_bit_comes_back(tmp_path_factory, keypoints):
    path = tmp_path_factory.mktemp("csv") / "clip.csv"
    write_csv(path, keypoints)
    assert_same(read_keypoints(path), keypoints)


def test_a_spreadsheet_sees_one_row_per_frame_and_empty_cells(tmp_path):
    keypoints = walking(3, joints=2)
    write_csv(tmp_path / "clip.csv", keypoints)
    rows = list(csv.DictReader((tmp_path / "clip.csv").read_text().splitlines()))
    assert list(rows[0]) == ["time_s", "nose_x", "nose_y", "nose_score", "left_ear_x", "left_ear_y", "left_ear_score"]
    assert rows[1]["left_ear_x"] == rows[1]["left_ear_y"] == ""
    assert float(rows[2]["time_s"]) == 2 / 60


def test_names_with_commas_and_quotes_come_back_and_ambiguous_ones_are_refused(tmp_path):
    def named(name):
        return Keypoints(np.zeros(1), np.zeros((1, 1, 2), np.float32), np.ones((1, 1), np.float32), (name,))

    write_csv(tmp_path / "clip.csv", named('the "left", knee'))
    assert read_keypoints(tmp_path / "clip.csv").names == ('the "left", knee',)
    for name in ("tip_world", " knee", "two\nlines"):
        with pytest.raises(InputError, match="cannot be written as columns"):
            write_csv(tmp_path / "clip.csv", named(name))


def test_deeplabcut_needs_a_rate_and_a_half_known_place_is_none(tmp_path):
    found = read(tmp_path, DEEPLABCUT, fps=50)
    assert found.names == ("left_knee", "right_ankle")
    assert found.times_s.tolist() == [0, 0.02]
    np.testing.assert_array_equal(found.positions[1], [[np.nan, np.nan], [5, 6]])
    np.testing.assert_allclose(found.scores, [[0.9, 0.1], [0.2, 0.7]])
    with pytest.raises(InputError, match=r"no column time_s.*fps="):
        read(tmp_path, DEEPLABCUT)


def test_several_animals_are_refused_by_name(tmp_path):
    text = "scorer,n,n,n,n\nindividuals,ann,ann,bob,bob\nbodyparts,k,k,k,k\ncoords,x,y,x,y\n0,1,2,3,4\n"
    with pytest.raises(InputError, match=r"several bodies \(ann, bob\)"):
        read(tmp_path, text, fps=30)


@pytest.mark.parametrize(
    "text",
    [
        "\ufefftime_s;LKnee_x;LKnee_y;note\n0;1,5;2;good\n0,02;2,5;3;\n",
        "Time\tleft knee.x\tleft knee.y\n0\t1.5\t2\n0.02\t2.5\t3\n",
        "timestamp_ms,KNEE_L x,KNEE_L y\n0,1.5,2\n20,2.5,3\n",
        "t,left_knee_X,left_knee_Y,left_knee_z,left_knee_visibility\r\n0,1.5,2,,1\r\n\r\n0.02,2.5,3,,1\r\n",
    ],
)
def test_other_spellings_say_the_same(tmp_path, text):
    found = read(tmp_path, text)
    assert found.names == ("left_knee",)
    np.testing.assert_allclose(found.times_s, [0, 0.02])
    if found.dimensions == 2:
        np.testing.assert_array_equal(found.positions[:, 0], [[1.5, 2], [2.5, 3]])
        np.testing.assert_array_equal(found.scores, 1)
    else:
        assert np.isnan(found.positions).all()


def test_frames_left_out_leave_a_gap_in_time(tmp_path):
    found = read(tmp_path, "frame,nose_x,nose_y\n10,1,1\n11,1,1\n15,1,1\n", fps=10)
    np.testing.assert_allclose(found.times_s, [1.0, 1.1, 1.5])


def test_slow_motion_is_undone_by_the_rate_that_was_filmed(tmp_path):
    found = read(tmp_path, "time,nose_x,nose_y\n0,1,1\n0.1,1,1\n0.2,1,1\n0.5,1,1\n", fps=100)
    np.testing.assert_allclose(found.times_s, [0, 0.01, 0.02, 0.05])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time_s,nose_x,nose_y\n0,1,2\n1,abc,2\n", r"line 3, column nose_x: 'abc' is not a number"),
        ("time_s,nose_x,nose_y\n0,1,2\n1,3\n", r"line 3: 2 cells, but 3 columns"),
        ("time_s,nose_x,nose_y\n0,1,2\n1,-inf,2\n", r"line 3, column nose_x: -infinity"),
        ("time_s,nose_x,nose_y\n0,1,2\n2,1,2\n1,1,2\n", r"line 4: time 1 s comes after 2 s"),
        ("time_s,nose_x,nose_y\n0,1,2\n,1,2\n", r"line 3: there is no time"),
        ("time_s,nose_x,nose_y\n0,1,2\n0,1,2\n", r"line 3: time 0 s comes after 0 s"),
        ("time_s,nose_x,nose_y\n", "no row below it"),
        ("time_s,nose_x,nose_y,nose_x\n0,1,2,3\n", r"column 'nose_x' twice"),
        ("time_s,speed\n0,1\n", "no columns as left_hip_x"),
        ("a shopping list\nmilk\n", "no columns as left_hip_x"),
        ("time_s,nose_x,nose_y,width_px,height_px\n0,1,2,0,5\n", "a width and a height of 0 and 5"),
        ("scorer,a\nbodyparts,nose\ncoords,x,y\n0,1,2\n", "heading rows have 2 and 3 cells"),
        ('time_s,nose_x,nose_y\n0,"1,2\n', "cells|not a table"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda data: data.decode("latin-1")))
def test_any_text_is_keypoints_or_an_input_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "clip.csv"
    path.write_bytes(b"time_s,nose_x,nose_y\n" + text.encode("utf-8", "surrogatepass"))
    with suppress(InputError):
        assert len(read_keypoints(path)) > 0


def test_text_in_another_encoding_is_told(tmp_path):
    (tmp_path / "clip.csv").write_bytes("time_s,größe\n".encode("utf-16"))
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_keypoints(tmp_path / "clip.csv")
