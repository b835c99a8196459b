"""The limit comes from clips that were left out, and has the coverage that it claims."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.motion.compare.thresholds import (
    LEVEL,
    PRIOR_LOG_SD,
    PRIOR_SCORES,
    leave_one_out,
    student_quantile,
    upper_limit,
)


def test_a_clip_is_scored_by_a_model_that_has_never_seen_it():
    clips = [3.0, 5.0, 11.0, 2.0]
    seen = leave_one_out(clips, list, lambda others, left: float(left in others))
    assert seen.tolist() == [0, 0, 0, 0]
    means = leave_one_out(clips, np.mean, lambda mean, left: float(mean))
    np.testing.assert_allclose(means, [(21 - clip) / 3 for clip in clips])


def test_scores_of_several_kinds_come_as_columns():
    found = leave_one_out([1.0, 2.0, 4.0], sum, lambda total, left: [total, left])
    np.testing.assert_allclose(found, [[6, 1], [5, 2], [3, 4]])


def test_students_quantiles_are_those_of_the_tables():
    assert student_quantile(0.975, 4) == pytest.approx(2.7764, abs=1e-4)
    assert student_quantile(0.95, 8) == pytest.approx(1.8595, abs=1e-4)


@pytest.mark.parametrize("clips", [3, 5])
def test_one_more_score_of_the_same_kind_is_inside_as_often_as_the_level_says(clips):
    rng = np.random.default_rng(5)
    spreads = PRIOR_LOG_SD * np.sqrt(PRIOR_SCORES / rng.chisquare(PRIOR_SCORES, (4000, 1)))  # as moderation assumes
    scores = np.exp(0.3 + spreads * rng.standard_normal((4000, clips + 1)))
    inside = [row[-1] <= upper_limit(row[:-1]).value for row in scores]
    assert np.mean(inside) == pytest.approx(LEVEL, abs=0.012)


def test_fewer_clips_have_a_wider_limit():
    five = np.array([1.0, 1.1, 0.9, 1.05, 0.95])
    assert upper_limit(five[:3]).value > upper_limit(five).value


def test_scores_that_are_all_alike_do_not_make_the_limit_their_maximum():
    assert upper_limit(np.ones(5)).value > 1 + PRIOR_LOG_SD


@given(st.lists(st.floats(0.05, 50), min_size=2, max_size=8), st.floats(0.1, 10))
@settings(deadline=None)
def test_the_limit_scales_with_the_scores_and_lies_above_their_middle(scores, factor):
    limit = upper_limit(np.array(scores))
    assert limit.value > math.exp(np.mean(np.log(scores)))
    assert upper_limit(factor * np.array(scores)).value == pytest.approx(factor * limit.value)


def test_what_is_unknown_tells_nothing_and_one_score_gives_no_limit():
    assert upper_limit(np.array([1.0, np.nan, 1.2])) == upper_limit(np.array([1.0, 1.2]))
    assert math.isnan(upper_limit(np.array([1.0, np.nan])).value)
