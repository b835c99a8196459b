"""The table counts what it says: rankings, limits from five clips alone, and what could not be scored."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from motion_clips import RUN, WALK, measured_clips

from salticid.errors import InputError
from salticid.motion.evaluate import ALL, MODELS, evaluate, evaluate_clips, facing_ahead, measure_folder
from salticid.motion.mocap import find_mocap, read_mocap
from salticid.motion.simulate import GaitStyle, simulate_gait

DATA = Path(os.environ.get("SALTICID_DATA", Path(__file__).parents[3] / "shared" / "data")) / "motion" / "mocap_walk"
QUICK = ("statistics", "mahalanobis", "knn")


@pytest.fixture(scope="module")
def clips():
    leaning = replace(WALK, trunk_lean_deg=15.0)
    return {
        ("walk", "normal"): measured_clips(clips=9),
        ("walk", "leaning"): measured_clips(leaning, 3, seed=1),
        ("walk", "same"): measured_clips(clips=4, seed=9),
        ("run", "normal"): measured_clips(RUN, 3, seed=2),
    }


@pytest.fixture(scope="module")
def rows(clips):
    return evaluate_clips(clips, models=QUICK, splits=3)


def row(rows, model, against):
    [found] = [one for one in rows if (one.model, one.against) == (model, against)]
    return found


def test_there_is_a_row_per_model_and_what_it_is_held_against(rows):
    against = ["leaning", "same", "movement:run", ALL]
    assert [(one.model, one.against) for one in rows] == [(model, name) for model in QUICK for name in against]
    assert {one.movement for one in rows} == {"walk"}  # three clips of running make no baseline


@pytest.mark.parametrize("model", QUICK)
def test_another_movement_and_a_clear_change_are_ranked_above_every_normal_clip(rows, model):
    assert row(rows, model, "movement:run").auc == 1
    assert row(rows, model, "leaning").auc > 0.95


def test_more_clips_of_the_same_person_cannot_be_told_apart(rows):
    assert 0.2 < row(rows, "statistics", "same").auc < 0.8
    assert row(rows, "statistics", "same").found < 0.4


def test_the_mean_row_is_the_mean_of_the_others(rows):
    single = [one for one in rows if one.model == "statistics" and one.against != ALL]
    both = row(rows, "statistics", ALL)
    assert both.auc == pytest.approx(np.mean([one.auc for one in single]))
    assert both.clips == sum(one.clips for one in single) == 10
    assert all(one.flagged_normal == both.flagged_normal for one in single)


def test_clips_that_tell_nothing_are_counted_and_not_ranked(clips):
    mute = clips["run", "normal"][0]
    nothing = replace(mute.signals, values=np.full_like(mute.signals.values, np.nan))
    silent = replace(mute, signals=nothing, measurements={}, curves={}, strides=())
    found = evaluate_clips(
        {**clips, ("walk", "mute"): [silent, clips["walk", "leaning"][0]]}, models=("statistics",), splits=1
    )
    mute_row = row(found, "statistics", "mute")
    assert (mute_row.unscored, mute_row.clips, mute_row.auc) == (1, 2, 1)


def test_the_same_seed_gives_the_same_table(clips, rows):
    assert evaluate_clips(clips, models=QUICK, splits=3) == rows


def test_too_few_normal_clips_and_an_unknown_model_are_refused(clips, tmp_path):
    with pytest.raises(InputError, match="no movement has 7 clips"):
        evaluate_clips({("walk", "normal"): clips["walk", "normal"][:6]})
    with pytest.raises(InputError, match="no model 'oracle'"):
        evaluate(tmp_path, models=("oracle",))
    with pytest.raises(InputError, match="splits"):
        evaluate(tmp_path, splits=0)


@pytest.mark.parametrize("heading_deg", [0, 90, 180, 250])
def test_a_body_is_turned_to_face_ahead(heading_deg):
    keypoints = simulate_gait(GaitStyle(heading_deg=heading_deg), seconds=3, fps=30).keypoints
    turned = facing_ahead(keypoints)
    way = turned.joint("left_hip")[-1] - turned.joint("left_hip")[0]
    assert way[2] > 0.98 * np.linalg.norm(way[[0, 2]])


@pytest.mark.skipif(not DATA.is_dir(), reason="the motion capture is not here: set SALTICID_DATA")
def test_motion_capture_is_turned_and_measured(tmp_path):
    [file, *_] = [file for file in find_mocap(DATA) if file.style == "normal"]
    (tmp_path / file.path.name).symlink_to(file.path)
    (tmp_path / "a_walk_broken_001.bvh.npz").write_text("nothing")
    clips, failed = measure_folder(tmp_path, view="side", noise_m=0.01, seed=0)
    assert list(clips) == [("walk", "normal")]
    assert clips["walk", "normal"][0].activity == "walk"
    assert [name for name, _ in failed] == ["a_walk_broken_001.bvh.npz"]
    assert abs(facing_ahead(read_mocap(file.path)).joint("pelvis")[-1, 2]) > 2


def test_every_model_has_a_name():
    assert MODELS == ("statistics", "autoencoder", "ensemble", "pca", "knn", "isolation forest", "mahalanobis")
