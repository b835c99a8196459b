"""Who walks to and fro is measured both ways, and not while turning round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from salticid.motion.keypoints import JOINTS, Keypoints
from salticid.motion.measure.facing import facing
from salticid.motion.measure.features import measure
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

FPS = 30.0


def joints_of(keypoints):
    return {name: np.array(keypoints.joint(name), float) for name in JOINTS}


def to_and_fro(style, seconds=8.0):
    """One clip of somebody who walks to the right, turns within half a second, and walks back."""
    there, back = (
        observe(simulate_gait(style, seconds=seconds, fps=FPS, seed=seed), "side", direction=way, seed=seed)
        for seed, way in ((0, "right"), (1, "left"))
    )
    turn = np.linspace(0, 1, round(0.5 * FPS))[:, None, None]
    between = (1 - turn) * there.positions[-1] + turn * back.positions[0]
    positions = np.concatenate([there.positions, between, back.positions]).astype(np.float32)
    return Keypoints(
        np.arange(len(positions)) / FPS, positions, np.ones(positions.shape[:2], np.float32), there.names, there.size_px
    )


@pytest.mark.parametrize("way", ["left", "right"])
@pytest.mark.parametrize("activity", ["walk", "run"])
def test_somebody_who_faces_one_way_does_so_in_every_frame(way, activity):
    style = GaitStyle(activity=activity, speed_kmh=7, treadmill=True)
    keypoints = observe(simulate_gait(style, seconds=6, fps=FPS, seed=2), "side", direction=way, noise_m=0.02)
    assert set(facing(joints_of(keypoints), FPS).tolist()) == {1.0 if way == "right" else -1.0}


def test_who_turns_round_faces_both_ways_and_neither_between():
    keypoints = to_and_fro(GaitStyle(treadmill=True))
    signs = facing(joints_of(keypoints), FPS)
    middle = len(signs) // 2
    assert (signs[: middle - round(FPS)] == 1).all()
    assert (signs[middle + round(FPS) :] == -1).all()
    assert np.isnan(signs[middle])


def test_a_walk_to_and_fro_is_measured_like_a_walk_one_way():
    style = GaitStyle(treadmill=True, variability=0)
    one_way = measure(observe(simulate_gait(style, seconds=8, fps=FPS, seed=0), "side", seed=0), MotionOptions())
    both = measure(to_and_fro(style), MotionOptions())
    assert len(both.strides) > 1.6 * len(one_way.strides)
    assert any("turns round" in note for note in both.notes)
    assert not any("turns round" in note for note in one_way.notes)
    for key in ("cadence", "knee_swing_peak.left", "hip_range.right", "trunk_lean"):
        assert both.measurements[key].value == pytest.approx(one_way.measurements[key].value, abs=2.0), key


def test_speed_is_against_the_ground_whether_the_body_or_the_ground_passes_the_camera():
    keypoints = to_and_fro(GaitStyle(treadmill=True))
    way = np.where(np.arange(len(keypoints)) < len(keypoints) // 2, 1.0, -1.0).cumsum() * 4
    moved = keypoints.positions + np.stack([way, np.zeros_like(way)], axis=1)[:, None].astype(np.float32)
    walks, stays = (
        measure(one, MotionOptions(height_m=1.75)) for one in (replace(keypoints, positions=moved), keypoints)
    )
    assert stays.speed_kmh == pytest.approx(5.0, abs=0.2)
    assert walks.speed_kmh == pytest.approx(stays.speed_kmh, abs=0.05)


@pytest.mark.parametrize("place", [np.nan, 7.0])
def test_without_feet_or_with_feet_that_point_nowhere_nothing_is_said(place):
    joints = {name: np.full((50, 2), place) for name in JOINTS}
    assert np.isnan(facing(joints, FPS)).all()
