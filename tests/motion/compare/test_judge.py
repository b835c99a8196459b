"""Inside or outside: the parts, the score that they make, and the limit of the very same score."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from motion_clips import RUN, changed_clip, measured_clips

from salticid.errors import InputError
from salticid.motion.compare.description import GROUPS
from salticid.motion.compare.judge import NETWORK, PARTS, Judge, fit_judge


@pytest.fixture(scope="module")
def judge():
    return fit_judge(measured_clips(clips=5), "statistics")


def with_network(judge, method, own, errors=None):
    """Return the judge as if a network had been tuned, with the scores of the own clips."""
    parts = np.column_stack([judge.own_parts[:, :3], own])
    return Judge(method, judge.statistics, parts, errors)


def test_a_further_clip_of_the_person_is_inside(judge):
    verdict = judge(measured_clips(clips=1, seed=5)[0])
    assert verdict.inside
    assert verdict.margin < 0
    assert set(verdict.parts) == set(GROUPS)


def test_a_change_is_outside(judge):
    verdict = judge(changed_clip("stiff knee"))
    assert not verdict.inside
    assert verdict.margin > 0


def test_the_score_is_the_root_mean_square_of_the_groups(judge):
    verdict = judge(measured_clips(clips=1, seed=5)[0])
    assert verdict.score == pytest.approx(math.sqrt(np.mean(np.square(list(verdict.parts.values())))))


def test_own_scores_are_those_of_judges_that_never_saw_the_clip(judge):
    own = measured_clips(clips=5)
    for number, clip in enumerate(own):
        others = fit_judge([*own[:number], *own[number + 1 :]], "statistics")
        assert others(clip).score == pytest.approx(judge.own_scores()[number])


@pytest.mark.parametrize("clips", [3, 4, 5])
def test_own_clips_lie_about_as_far_off_as_further_ones_do(clips):
    few = fit_judge(measured_clips(clips=9)[:clips], "statistics")
    further = np.mean([few(clip).score for clip in measured_clips(clips=9)[5:]])
    assert 0.6 < np.mean(few.own_scores()) / further < 1.6


def test_a_clip_without_strides_is_held_against_a_limit_of_windows_alone(judge):
    still = replace(measured_clips(clips=1, seed=5)[0], strides=(), measurements={}, curves={})
    verdict = judge(still)
    assert set(verdict.parts) == {"windows"}
    np.testing.assert_allclose(verdict.own_scores, judge.own_parts[:, PARTS.index("windows")])


def test_another_movement_is_far_outside_even_by_its_windows(judge):
    run = replace(measured_clips(RUN, 1)[0], strides=(), measurements={}, curves={})
    verdict = judge(run)
    assert verdict.score > 2 * verdict.limit.value


def test_a_clip_that_tells_nothing_is_refused(judge):
    clip = measured_clips(clips=1, seed=5)[0]
    nothing = replace(clip.signals, values=np.full_like(clip.signals.values, np.nan))
    with pytest.raises(InputError, match="tells nothing that can be compared"):
        judge(replace(clip, strides=(), measurements={}, curves={}, signals=nothing))


def test_the_ensemble_lies_between_its_two_members(judge):
    own = np.array([0.5, 0.52, 0.48, 0.55, 0.5])
    parts = {"features": 1.0, "bands": 1.0, "windows": 1.0, NETWORK: 2.0}
    single = {method: with_network(judge, method, own).judge_parts(parts) for method in ("statistics", "autoencoder")}
    both = with_network(judge, "ensemble", own).judge_parts(parts)
    assert single["autoencoder"].score == 2.0
    ratios = sorted(verdict.score / verdict.limit.value for verdict in single.values())
    assert ratios[0] < both.score / both.limit.value < ratios[1] * 1.2


def test_own_clips_that_are_all_alike_give_no_verdict(judge):
    with pytest.raises(InputError, match="cannot be held against one another by autoencoder alone"):
        with_network(judge, "autoencoder", np.zeros(5)).judge_parts(dict.fromkeys(PARTS, 1.0))


def test_a_network_that_cannot_score_a_clip_gives_no_verdict_of_its_own(judge):
    tuned = with_network(judge, "autoencoder", np.full(5, 0.5))
    with pytest.raises(InputError):
        tuned.judge_parts({"features": 1.0, "bands": 1.0, "windows": 1.0, NETWORK: math.nan})
