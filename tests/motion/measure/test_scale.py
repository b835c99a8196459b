"""The size of a body in a picture is told by its limbs."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.keypoints import JOINTS
from salticid.motion.measure.scale import body_height
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

FOCAL_PX, DISTANCE_M = 800.0, 5.0


def heights_px(view, noise_m=0.01, **style):
    motion = simulate_gait(GaitStyle(treadmill=True, **style), seconds=5, fps=60)
    keypoints = observe(motion, view, noise_m=noise_m, focal_px=FOCAL_PX, distance_m=DISTANCE_M, perspective=False)
    joints = {name: np.asarray(keypoints.joint(name), float) for name in JOINTS}
    return body_height(joints, keypoints.fps, view), motion.height_m * FOCAL_PX / DISTANCE_M


@pytest.mark.parametrize("view", ["side", "rear", "front"])
@pytest.mark.parametrize("style", [{"speed_kmh": 5}, {"activity": "run", "speed_kmh": 12}])
def test_height_is_within_three_percent_in_every_view(view, style):
    found, true = heights_px(view, **style)
    assert np.ptp(found) == 0
    assert found[0] == pytest.approx(true, rel=0.03)


def test_somebody_who_walks_away_becomes_smaller():
    motion = simulate_gait(GaitStyle(speed_kmh=4), seconds=6, fps=30)
    keypoints = observe(motion, "rear", noise_m=0.0, follow=False)
    joints = {name: np.asarray(keypoints.joint(name), float) for name in JOINTS}
    found = body_height(joints, keypoints.fps, "rear")
    assert found[-1] < 0.6 * found[0]
    assert (np.diff(found) < 0).mean() > 0.9


def test_a_leg_that_is_never_seen_does_not_hide_that_the_size_changes():
    keypoints = observe(simulate_gait(GaitStyle(treadmill=True), seconds=6, fps=30), "side", noise_m=0)
    growth = np.linspace(1, 1.5, len(keypoints))[:, None]
    joints = {name: np.asarray(keypoints.joint(name), float) * growth for name in JOINTS}
    for part in ("knee", "ankle"):
        joints[f"left_{part}"][:] = np.nan
    found = body_height(joints, keypoints.fps, "side")
    assert found[-1] / found[0] == pytest.approx(1.5, abs=0.2)


def test_nothing_seen_has_no_height():
    joints = {name: np.full((20, 2), np.nan) for name in JOINTS}
    assert np.isnan(body_height(joints, 30, "side")).all()
