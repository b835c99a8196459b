"""The feet tell how fast the ground moves below a body."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.measure.body import read_body
from salticid.motion.measure.ground import ground_speed, half_sample_mode, pace_of
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait


@pytest.mark.parametrize("treadmill", [False, True])
@pytest.mark.parametrize(("activity", "speed_kmh"), [("walk", 4), ("run", 11)])
def test_a_road_rests_and_a_belt_moves_back(activity, speed_kmh, treadmill):
    style = GaitStyle(activity=activity, speed_kmh=speed_kmh, treadmill=treadmill)
    body = read_body(simulate_gait(style, seconds=6, fps=60, seed=2).keypoints, MotionOptions(height_m=1.75))
    speed_m_s = speed_kmh / 3.6
    assert ground_speed(body) == pytest.approx(-speed_m_s if treadmill else 0, abs=0.04 * speed_m_s)
    assert pace_of(body) == pytest.approx(speed_m_s / 1.75, rel=0.04)


def test_from_behind_neither_is_known():
    body = read_body(observe(simulate_gait(GaitStyle(), seconds=4, fps=30), "rear"), MotionOptions())
    assert np.isnan(ground_speed(body))
    assert np.isnan(pace_of(body))


def test_a_foot_that_is_never_seen_leaves_it_to_the_other(standing):
    back = np.outer(np.arange(10) / 30, [-1.0, 0, 0])
    body = standing(left_toe=back, left_ankle=back, right_toe=np.full(3, np.nan), right_ankle=np.full(3, np.nan))
    assert ground_speed(body) == pytest.approx(-1.0)


def test_a_few_samples_with_all_kinds_of_speeds_still_have_a_commonest(standing):
    way = np.outer([0, -1, -1.5, -1.7], [1.0, 0, 0])
    assert ground_speed(standing(frames=4, fps=1.0, left_toe=way, right_toe=way)) == pytest.approx(-0.275)


def test_the_mode_is_where_values_lie_closest_together():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.uniform(-3, 3, 200), rng.normal(1.2, 0.02, 60)])
    assert half_sample_mode(rng.permutation(values)) == pytest.approx(1.2, abs=0.03)
    assert half_sample_mode(np.array([4.0])) == 4.0
