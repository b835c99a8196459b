"""MOT: OpenSim's heading, names and signs, and nothing but numbers in its rows."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.files.mot import coordinates, write_mot
from salticid.motion.measured import Signals


def signals(**courses):
    values = np.stack([np.broadcast_to(course, 5) for course in courses.values()], axis=1).astype(np.float32)
    names = tuple(name.replace("__", ".") for name in courses)
    return Signals(np.arange(5) / 10, values, names, ("deg",) * len(names))


def test_heading_and_rows_are_those_of_opensim(tmp_path):
    write_mot(tmp_path / "a.mot", signals(knee_flexion__right=np.arange(5), trunk_lean=4.0))
    lines = (tmp_path / "a.mot").read_text().splitlines()
    assert lines[:5] == ["Coordinates", "version=1", "nRows=5", "nColumns=4", "inDegrees=yes"]
    start = lines.index("endheader") + 1
    assert lines[start] == "time\tpelvis_tilt\tlumbar_extension\tknee_angle_r"
    assert lines[start + 2].split("\t") == ["0.10000000", "-4.00000000", "0.00000000", "1.00000000"]
    assert len(lines) == start + 1 + 5


def test_signs_are_those_of_each_model():
    told = signals(
        trunk_lean=5.0,
        trunk_sway=2.0,
        pelvic_drop__left=3.0,
        knee_flexion__left=60.0,
        hip_flexion__left=20.0,
        ankle_dorsiflexion__left=10.0,
        elbow_flexion__left=90.0,
    )
    new, old = coordinates(told, "rajagopal2016"), coordinates(told, "gait2392")
    assert new["knee_angle_l"][0] == 60
    assert old["knee_angle_l"][0] == -60
    assert new["elbow_flex_l"][0] == 90
    assert "elbow_flex_l" not in old
    for found in (new, old):
        assert found["pelvis_tilt"][0] == -5  # backwards is positive
        assert found["lumbar_extension"][0] == 0
        assert found["pelvis_list"][0] == 3  # the right side is down
        assert found["lumbar_bending"][0] == -5  # to the right is positive, against the pelvis
        assert found["hip_flexion_l"][0] == 20
        assert found["ankle_angle_l"][0] == 10


def test_what_is_not_known_throughout_is_left_out_and_no_row_holds_anything_but_numbers(tmp_path):
    knee, ankle = np.arange(5.0), np.arange(5.0)
    knee[2] = np.nan
    ankle[:3] = np.nan
    write_mot(tmp_path / "a.mot", signals(knee_flexion__left=knee, ankle_dorsiflexion__left=ankle))
    text = (tmp_path / "a.mot").read_text()
    assert "ankle_angle_l" not in text
    assert "nan" not in text.split("endheader")[1]
    assert "nRows=4" in text
    assert "0.20000000" not in text


def test_a_clip_without_angles_and_an_unknown_model_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="nothing to write for OpenSim"):
        write_mot(tmp_path / "a.mot", signals(foot_height__left=1.0))
    with pytest.raises(InputError, match="choose rajagopal2016, gait2392"):
        write_mot(tmp_path / "a.mot", signals(trunk_lean=1.0), model="mine")
    assert not list(tmp_path.iterdir())
