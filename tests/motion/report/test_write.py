"""A report is a folder that opens anywhere: page, JSON, tables, and what OpenSim reads; or the reason why not."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from keypoint_cases import walking
from motion_report import baseline_of_five, scored

from salticid.errors import InputError
from salticid.motion.files.read import read_keypoints
from salticid.motion.options import MotionOptions
from salticid.motion.pose.clip import Clip
from salticid.motion.pose.quality import track_quality
from salticid.motion.report.write import FOOTER, report_json, write_report
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

BASELINE = baseline_of_five()


def clip(keypoints):
    return Clip("today.mp4", keypoints, track_quality(keypoints), "a file", None, {}, ())


def test_every_file_is_written_and_says_the_same(tmp_path):
    room = walking(20, 3)
    score = scored(clip(room))
    written = write_report(score, BASELINE, tmp_path / "report", title="Anna")
    assert sorted(path.name for path in written.folder.iterdir()) == sorted(written.files)
    assert written.left_out == {}
    html = (written.folder / "report.html").read_text()
    assert html.count(FOOTER) == 1
    assert all(name in html for name in written.files[1:])
    said = json.loads((written.folder / "score.json").read_text())
    assert said["verdict"] in html
    assert (said["title"], said["inside"], said["score"]) == ("Anna", False, score.score)
    rows = list(csv.DictReader((written.folder / "features.csv").read_text().splitlines()))
    values = [float(row["value"]) for row in rows if (row["feature"], row["side"]) == ("knee_swing_peak", "right")]
    assert np.median(values) == said["changes"][0]["value"]
    np.testing.assert_allclose(read_keypoints(written.folder / "keypoints.trc").positions, room.positions, atol=1e-5)
    assert "knee_angle_r" in (written.folder / "angles.mot").read_text()


def test_json_is_standard_and_says_changes_in_words_too():
    said = json.loads(report_json(scored()), parse_constant=pytest.fail)
    assert said["changes"][0]["says"].startswith("the right knee bends")
    assert len(said["curves"]["knee_flexion.left"]["own_low"]) == 101
    assert said["not_compared"]["pelvic_drop.left"] == "not to be seen from the side"


def test_what_a_clip_does_not_have_is_left_out_with_its_reason_and_an_old_file_does_not_pass_for_it(tmp_path):
    (tmp_path / "keypoints.trc").write_text("of another clip")
    written = write_report(scored(), BASELINE, tmp_path)
    assert written.left_out == {"keypoints.trc": "only what was measured in the clip is known, not its joints"}
    assert not (tmp_path / "keypoints.trc").exists()
    assert "not written: only what was measured" in (tmp_path / "report.html").read_text()


def test_an_old_table_in_parquet_does_not_pass_for_this_clips(tmp_path):
    for name in ("features.parquet", "mine.parquet"):
        (tmp_path / name).write_text("of another clip")
    write_report(scored(), BASELINE, tmp_path)
    assert not (tmp_path / "features.parquet").exists()
    assert (tmp_path / "mine.parquet").exists()


def test_a_picture_without_the_persons_height_gives_no_meters(tmp_path):
    written = write_report(scored(clip(walking(20, 2)), height_m=float("nan")), BASELINE, tmp_path)
    assert "height_m" in written.left_out["keypoints.trc"]


def test_a_picture_with_the_height_gives_a_plane_in_meters(tmp_path):
    running = observe(simulate_gait(GaitStyle(activity="run", speed_kmh=10), seconds=2, fps=60, seed=1), "side")
    written = write_report(scored(clip(running)), baseline_of_five(MotionOptions(height_m=1.75)), tmp_path)
    assert written.left_out == {}
    found = read_keypoints(tmp_path / "keypoints.trc")
    assert found.dimensions == 2
    rise = found.joint("left_hip")[:, 1] - found.joint("left_shoulder")[:, 1]
    assert 350 < np.median(rise) < 650  # millimeters of a person of 1.75 m


def test_a_clip_whose_name_is_no_text_still_has_a_page(tmp_path):
    write_report(replace(scored(), name="a\udcff.mp4"), BASELINE, tmp_path)
    assert "<h1>a?.mp4</h1>" in (tmp_path / "report.html").read_text()


def test_nothing_is_overwritten_unasked_and_nothing_else_is_written_then(tmp_path):
    (tmp_path / "curves.csv").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write_report(scored(), BASELINE, tmp_path, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["curves.csv"]


def test_parquet_is_written_beside_csv_on_request(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    written = write_report(scored(), BASELINE, tmp_path, parquet=True)
    assert {"features.parquet", "curves.parquet"} <= set(written.files)
    assert parquet.read_table(tmp_path / "features.parquet").num_rows > 0
