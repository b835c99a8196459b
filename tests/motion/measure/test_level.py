"""A ground that rises in the picture changes no event and no height over it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from salticid.motion.measure.body import read_body
from salticid.motion.measure.features import measure
from salticid.motion.measure.level import leveled
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait


def walker(fps=60.0, **style):
    return observe(simulate_gait(GaitStyle(treadmill=True, **style), seconds=8, fps=fps, seed=4), "side", seed=4)


def raised(keypoints, rise_px):
    up = np.linspace(0, rise_px, len(keypoints)).astype(np.float32)
    positions = keypoints.positions.copy()
    positions[:, :, 1] -= up[:, None]
    return replace(keypoints, positions=positions)


@pytest.mark.parametrize("rise_px", [-120, 60, 200])
def test_who_climbs_through_the_picture_is_measured_like_who_does_not(rise_px):
    level, climbing = (measure(one, MotionOptions()) for one in (walker(), raised(walker(), rise_px)))
    assert len(climbing.strides) == len(level.strides)
    for key, most in {"contact_time.left": 0.01, "contact_time.right": 0.01, "vertical_oscillation": 0.3}.items():
        assert climbing.measurements[key].value == pytest.approx(level.measurements[key].value, abs=most), key


def in_heights(activity, speed_kmh):
    """Return the joints of a room, where no ground was leveled, in body heights."""
    style = GaitStyle(activity=activity, speed_kmh=speed_kmh, treadmill=True)
    body = read_body(simulate_gait(style, seconds=8, fps=60, seed=4).keypoints, MotionOptions())
    return {name: course / body.height for name, course in body.joints.items()}


@pytest.mark.parametrize(("activity", "speed_kmh"), [("walk", 5), ("run", 12), ("run", 18)])
def test_a_level_ground_is_left_as_it_is_also_below_a_runner_in_flight(activity, speed_kmh):
    joints = in_heights(activity, speed_kmh)
    same = leveled(joints, 60.0)
    assert all(same[name] is course for name, course in joints.items())


def test_a_slope_is_taken_out_of_every_joint_alike():
    joints = in_heights("walk", 5)
    slope = np.zeros((480, 3))
    slope[:, 2] = np.linspace(0, 0.3, 480)
    found = leveled({name: course + slope for name, course in joints.items()}, 60.0)
    for name in ("left_toe", "right_hip", "nose"):
        np.testing.assert_allclose(np.ptp(found[name] - joints[name], axis=0)[2], 0, atol=0.03)
        np.testing.assert_array_equal(found[name][:, :2], joints[name][:, :2])


def test_a_clip_that_is_too_short_to_tell_or_has_no_feet_is_left_as_it_is():
    nothing = {
        f"{side}_{part}": np.full((90, 3), np.nan) for side in ("left", "right") for part in ("heel", "toe", "ankle")
    }
    assert leveled(nothing, 30.0) == nothing
    short = {name: np.zeros((20, 3)) + np.arange(20)[:, None] for name in nothing}
    assert leveled(short, 30.0) == short
