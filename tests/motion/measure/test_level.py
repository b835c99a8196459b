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


def test_a_level_ground_is_left_as_it_is():
    body = read_body(walker(), MotionOptions())
    same = leveled(body.joints, body.rate_hz)
    assert all(same[name] is course for name, course in body.joints.items())


def test_a_runner_in_flight_does_not_lift_the_ground():
    body = read_body(walker(activity="run", speed_kmh=12.0), MotionOptions())
    same = leveled(body.joints, body.rate_hz)
    assert same["left_toe"] is body.joints["left_toe"]


def test_a_clip_that_is_too_short_to_tell_or_has_no_feet_is_left_as_it_is():
    nothing = {
        f"{side}_{part}": np.full((90, 3), np.nan) for side in ("left", "right") for part in ("heel", "toe", "ankle")
    }
    assert leveled(nothing, 30.0) == nothing
    short = {name: np.zeros((20, 3)) + np.arange(20)[:, None] for name in nothing}
    assert leveled(short, 30.0) == short
