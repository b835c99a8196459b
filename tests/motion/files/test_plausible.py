"""Files that claim what no recording is are refused before anything is made of their numbers."""

from __future__ import annotations

import numpy as np
import pytest
from keypoint_cases import walking

from salticid.errors import InputError
from salticid.motion.files.plausible import MOST_SIDE_PX, check_times, picture_size
from salticid.motion.files.read import read_keypoints, write_csv, write_npz


@pytest.mark.parametrize(
    ("width", "height"),
    [(0, 5), (5, 0.5), (-1, -1), (float("nan"), 5), (float("inf"), 1), (1e200, 1e200), (3e4, 3e4), (1e5, 1)],
)
def test_a_picture_that_cannot_be_is_refused(width, height):
    with pytest.raises(InputError, match=r"a\.csv.*a width and a height"):
        picture_size(width, height, "a.csv")


def test_a_picture_of_any_camera_is_taken_as_it_is():
    assert picture_size(1920.0, 1080.0, "a.csv") == (1920, 1080)
    assert picture_size(1, MOST_SIDE_PX, "a.csv") == (1, MOST_SIDE_PX)


@pytest.mark.parametrize("step_s", [33.3, 1e-310, 1e-9, 1e12])
def test_times_in_another_unit_are_refused_and_the_message_says_which_is_read(step_s):
    with pytest.raises(InputError, match=r"a\.npz.*in seconds.*--fps"):
        check_times(np.arange(20) * step_s, "a.npz")


def test_a_hole_of_a_year_is_refused_and_one_of_a_minute_is_not():
    times_s = np.arange(20) / 60
    check_times(np.append(times_s, 60.0), "a.npz")
    with pytest.raises(InputError, match="spread over"):
        check_times(np.append(times_s, 3e7), "a.npz")
    for frames in (0, 1):
        check_times(times_s[:frames], "a.npz")


@pytest.mark.parametrize("write", [write_csv, write_npz])
def test_milliseconds_are_refused_in_every_format_unless_the_rate_is_said(tmp_path, write):
    keypoints = walking(20)
    keypoints.times_s[:] = np.arange(20) * 33.3
    write(tmp_path / "clip", keypoints)
    with pytest.raises(InputError, match="in seconds"):
        read_keypoints(tmp_path / "clip")
    assert read_keypoints(tmp_path / "clip", 30).fps == pytest.approx(30)
