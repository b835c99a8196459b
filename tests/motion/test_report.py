"""A report is a folder that opens anywhere: page, JSON, tables, and what OpenSim reads; or the reason why not."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from motion_clips import walking
from motion_report import measured, report_data

from salticid.errors import InputError
from salticid.motion.keypoint_files import read_keypoints
from salticid.motion.keypoints import JOINTS, Keypoints
from salticid.motion.report import FOOTER, write_report_of


def clip(keypoints):
    return SimpleNamespace(name="today.mp4", keypoints=keypoints)


def test_every_file_is_written_and_says_the_same(tmp_path):
    room = walking(20, 3)
    written = write_report_of(report_data(), tmp_path / "report", title="Anna", clip=clip(room))
    assert sorted(path.name for path in written.folder.iterdir()) == sorted(written.files)
    assert written.left_out == {}
    html = (written.folder / "report.html").read_text()
    assert html.count(FOOTER) == 1
    assert all(name in html for name in written.files[1:])
    said = json.loads((written.folder / "score.json").read_text())
    assert said["verdict"] in html
    rows = list(csv.DictReader((written.folder / "features.csv").read_text().splitlines()))
    values = [float(row["value"]) for row in rows if (row["feature"], row["side"]) == ("knee_swing_peak", "right")]
    assert np.median(values) == said["features"]["knee_swing_peak.right"]["value"]
    np.testing.assert_allclose(read_keypoints(written.folder / "keypoints.trc").positions, room.positions, atol=1e-5)
    assert "knee_angle_r" in (written.folder / "angles.mot").read_text()


def test_what_a_clip_does_not_have_is_left_out_with_its_reason_and_an_old_file_does_not_pass_for_it(tmp_path):
    (tmp_path / "keypoints.trc").write_text("of another clip")
    written = write_report_of(report_data(), tmp_path, title="Anna")
    assert written.left_out == {"keypoints.trc": "the joints of the clip were not given"}
    assert not (tmp_path / "keypoints.trc").exists()
    assert "not written: the joints of the clip were not given" in (tmp_path / "report.html").read_text()


def test_a_picture_without_the_persons_height_gives_no_meters(tmp_path):
    data = report_data(measured=measured(height_m=float("nan")))
    written = write_report_of(data, tmp_path, title="Anna", clip=clip(walking(20, 2)))
    assert "height_m" in written.left_out["keypoints.trc"]


def runner(frames=120):
    """Return a body from the side: legs that swing below a trunk that goes to the right, 500 px tall."""
    times = np.arange(frames) / 60
    places = {"hip": (0, 250), "knee": (0, 125), "ankle": (0, 10), "shoulder": (10, 410), "ear": (15, 470)}
    places |= {"heel": (-8, 0), "toe": (22, 0), "elbow": (0, 330), "wrist": (30, 300)}
    joints = []
    for name in JOINTS:
        side, _, part = name.partition("_")
        x, y = places.get(part, (25, 465))
        swing = np.sin(2 * np.pi * 1.4 * times + (np.pi if side == "left" else 0)) * (250 - y) * 0.4
        joints.append(np.stack([400 + 300 * times + x + swing * (y < 250), 600 - y + 0 * times], axis=1))
    positions = np.stack(joints, axis=1).astype(np.float32)
    return Keypoints(times, positions, np.ones(positions.shape[:2], np.float32), JOINTS, (1920, 720))


def test_a_picture_with_the_height_gives_a_plane_in_meters(tmp_path):
    written = write_report_of(report_data(), tmp_path, title="Anna", clip=clip(runner()))
    assert written.left_out == {}
    found = read_keypoints(tmp_path / "keypoints.trc")
    assert found.dimensions == 2
    rise = found.joint("left_hip")[:, 1] - found.joint("left_shoulder")[:, 1]
    assert 300 < np.median(rise) < 900  # millimeters of a person of 1.75 m


def test_nothing_is_overwritten_unasked_and_nothing_else_is_written_then(tmp_path):
    (tmp_path / "curves.csv").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write_report_of(report_data(), tmp_path, title="Anna", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["curves.csv"]


def test_parquet_is_written_beside_csv_on_request(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    written = write_report_of(report_data(), tmp_path, title="Anna", parquet=True)
    assert {"features.parquet", "curves.parquet"} <= set(written.files)
    assert parquet.read_table(tmp_path / "features.parquet").num_rows > 0
