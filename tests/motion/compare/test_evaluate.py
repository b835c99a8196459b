"""The table counts what it says: rankings, limits from five clips alone, and what could not be scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_clips import RUN, WALK, measured_clips

from salticid.errors import InputError
from salticid.motion.compare.evaluate import ALL, MODELS, evaluate, evaluate_clips

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


def test_every_model_has_a_name():
    assert MODELS == ("statistics", "autoencoder", "ensemble", "pca", "knn", "isolation forest", "mahalanobis")
