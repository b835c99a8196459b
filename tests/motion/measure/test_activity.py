"""Walking, running, exercises and everything else are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.measure.activity import rhythm
from salticid.motion.measure.body import read_body
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_exercise, simulate_gait


@pytest.mark.parametrize("view", ["side", "rear", "front"])
@pytest.mark.parametrize(
    ("activity", "speed_kmh"), [("walk", 3), ("walk", 5), ("walk", 7), ("run", 8), ("run", 11), ("run", 16)]
)
def test_walking_and_running_are_told_apart_at_every_speed(activity, speed_kmh, view):
    motion = simulate_gait(GaitStyle(activity=activity, speed_kmh=speed_kmh), seconds=5, fps=30, seed=1)
    assert read_body(observe(motion, view), MotionOptions()).activity == activity


@pytest.mark.parametrize("view", ["side", "front"])
def test_squats_are_an_exercise(view):
    assert read_body(observe(simulate_exercise(fps=30), view), MotionOptions()).activity == "exercise"


def test_three_seconds_of_running_at_30_fps_are_enough():
    motion = simulate_gait(GaitStyle(activity="run", speed_kmh=10), seconds=3, fps=30)
    assert read_body(motion.keypoints, MotionOptions()).activity == "run"


def test_what_the_user_says_is_taken():
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=4, fps=30)
    assert read_body(observe(motion, "side"), MotionOptions(activity="run")).activity == "run"


@pytest.mark.parametrize("hz", [0.7, 1.0, 1.37])
def test_the_rhythm_of_a_course_is_found_between_the_samples(hz):
    times_s = np.arange(0, 6, 1 / 30)
    found = rhythm(np.sin(2 * np.pi * hz * times_s) + 0.3 * np.sin(4 * np.pi * hz * times_s), 30, (0.45, 2.2))
    assert found.hz == pytest.approx(hz, rel=0.01)
    assert found.strength > 0.95


def test_noise_has_no_rhythm():
    assert np.isnan(rhythm(np.random.default_rng(0).normal(size=300), 30, (0.45, 2.2)).hz)
