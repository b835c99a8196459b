"""Whatever a file of keypoints is called, its content decides; and a file of another kind is named for what it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from keypoint_cases import assert_same, walking

from salticid.errors import InputError
from salticid.motion.files.read import is_keypoint_file, read_keypoints, write_csv, write_npz


def test_the_content_decides_and_not_the_name(tmp_path):
    keypoints = walking()
    write_npz(tmp_path / "clip.npz", keypoints)
    write_csv(tmp_path / "clip.csv", keypoints)
    for name, disguise in (("clip.npz", "a.csv"), ("clip.csv", "b.trc")):
        (tmp_path / name).rename(tmp_path / disguise)
        assert_same(read_keypoints(tmp_path / disguise), keypoints)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\x89PNG\r\n\x1a\n123", "a PNG image"), (b"\0\0\0\x18ftypmp42", "an MP4 video"), (b"", "is empty")],
)
def test_other_files_are_named_for_what_they_are(tmp_path, content, words):
    (tmp_path / "clip.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_keypoints(tmp_path / "clip.csv")


def test_a_missing_file_and_an_impossible_rate_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_keypoints(tmp_path / "clip.csv")
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="fps must be above 0"):
            read_keypoints(tmp_path / "clip.csv", fps)


def test_videos_are_told_from_keypoints_by_their_names(tmp_path):
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "0_keypoints.json").write_text("{}")
    assert is_keypoint_file("a/clip.TRC")
    assert is_keypoint_file(tmp_path / "json")
    assert not is_keypoint_file("clip.mp4")
    assert not is_keypoint_file(tmp_path)


def openpose(folder, frames):
    folder.mkdir()
    for number, people in enumerate(frames):
        persons = [{"pose_keypoints_2d": np.ravel(person).tolist()} for person in people]
        (folder / f"clip_{number:012}_keypoints.json").write_text(json.dumps({"people": persons}))
    return folder


def test_openpose_follows_the_person_it_began_with(tmp_path):
    small, tall = np.ones((25, 3)), np.ones((25, 3))
    small[:, :2] = np.linspace([500, 100], [500, 150], 25)
    tall[:, :2] = np.linspace([100, 100], [100, 400], 25)
    tall[3] = 0
    moved = tall + np.array([5, 0, 0])
    found = read_keypoints(openpose(tmp_path / "json", [[], [small, tall], [moved, small], [small]]), fps=30)
    assert found.names[:6] == ("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder")
    assert found.names[19:25] == (
        "left_toe",
        "left_small_toe",
        "left_heel",
        "right_toe",
        "right_small_toe",
        "right_heel",
    )
    assert np.isnan(found.positions[0]).all()
    np.testing.assert_array_equal(found.positions[1:3, 0, 0], [100, 105])
    assert np.isnan(found.positions[1, 3]).all()
    assert found.scores[1, 3] == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not a frame of OpenPose's"),
        ('{"people": [{"pose_keypoints_2d": ["a"]}]}', "is not a frame of OpenPose's"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "has 1 joints per person"),
        ('{"people": [{"pose_keypoints_2d": [1' + "0" * 400 + "]}]}", "is not a frame of OpenPose's"),
        ('{"people": []}', "nobody in any frame"),
    ],
)
def test_openpose_files_that_are_none_are_named(tmp_path, content, words):
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "0.json").write_text(content)
    with pytest.raises(InputError, match=words):
        read_keypoints(tmp_path / "json", fps=30)
    with pytest.raises(InputError, match="have no times"):
        read_keypoints(tmp_path / "json")


def test_a_folder_without_keypoints_is_told(tmp_path):
    with pytest.raises(InputError, match="without JSON files"):
        read_keypoints(tmp_path)


def test_frames_of_openpose_come_by_their_numbers_also_where_these_are_of_unequal_length(tmp_path):
    for number in (2, 10, 1):
        person = [number, 5, 1] * 25
        said = {"people": [{"pose_keypoints_2d": person}]}
        (tmp_path / f"frame_{number}_keypoints.json").write_text(json.dumps(said))
    assert read_keypoints(tmp_path, fps=30).positions[:, 0, 0].tolist() == [1, 2, 10]
