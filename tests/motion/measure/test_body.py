"""A body is the same whatever it was seen by: a picture near or far, from the left or the right, or a room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.keypoints import Keypoints
from salticid.motion.measure.body import read_body
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

OPTIONS = MotionOptions(height_m=1.75)


@pytest.fixture(scope="module")
def walk():
    return simulate_gait(GaitStyle(speed_kmh=5), seconds=5, fps=60, seed=3)


def knee_against_hip(body):
    return (body.joint("left_knee") - body.joint("left_hip"))[:, [0, 2]]


def test_left_and_right_near_and_far_give_the_same_body(walk):
    seen = [
        read_body(observe(walk, "side", noise_m=0, perspective=False, **how), OPTIONS)
        for how in ({}, {"direction": "left"}, {"distance_m": 9.0, "focal_px": 900.0})
    ]
    for other in seen[1:]:
        np.testing.assert_allclose(knee_against_hip(other), knee_against_hip(seen[0]), atol=0.003)


def test_a_picture_and_a_room_give_the_same_body(walk):
    side = read_body(observe(walk, "side", noise_m=0, perspective=False), OPTIONS)
    room = read_body(walk.keypoints, OPTIONS)
    assert room.unit == side.unit == "m"
    np.testing.assert_allclose(knee_against_hip(side), knee_against_hip(room), atol=0.012)


@pytest.mark.parametrize("heading_deg", [0, 77, 200])
def test_the_heading_in_a_room_does_not_matter(heading_deg):
    motion = simulate_gait(GaitStyle(speed_kmh=5, heading_deg=heading_deg), seconds=6, fps=30, seed=3)
    body = read_body(motion.keypoints, MotionOptions())
    travel = body.pelvis[-1] - body.pelvis[0]
    assert travel[0] == pytest.approx(motion.speed_kmh / 3.6 * (6 - 1 / 30), rel=0.02)
    assert abs(travel[1]) < 0.2


def test_what_a_view_does_not_show_is_unknown(walk):
    side = read_body(observe(walk, "side"), OPTIONS)
    rear = read_body(observe(walk, "rear"), OPTIONS)
    assert np.isnan(side.pelvis[:, 1]).all()
    assert np.isnan(rear.pelvis[:, 0]).all()
    assert np.isfinite(side.pelvis[:, [0, 2]]).all()


def test_without_a_height_lengths_are_in_body_heights(walk):
    body = read_body(observe(walk, "side", noise_m=0), MotionOptions())
    assert (body.unit, body.height) == ("height", 1.0)
    thigh = np.linalg.norm(knee_against_hip(body), axis=1)
    assert np.median(thigh) == pytest.approx(0.245, abs=0.01)


def test_joints_seen_unsurely_are_not_used(walk):
    keypoints = observe(walk, "side")
    scores = keypoints.scores.copy()
    scores[100:130, keypoints.names.index("left_knee")] = 0.4
    body = read_body(replace(keypoints, scores=scores), OPTIONS)
    assert np.isnan(body.joint("left_knee")[101:129]).all()
    assert np.isfinite(body.joint("right_knee")[:, 0]).all()


def test_dropped_frames_leave_the_body_evenly_spaced_and_the_same(walk):
    keypoints = observe(walk, "side", noise_m=0)
    kept = np.flatnonzero(np.random.default_rng(0).random(len(keypoints)) > 0.2)
    dropped = replace(
        keypoints,
        times_s=keypoints.times_s[kept],
        positions=keypoints.positions[kept],
        scores=keypoints.scores[kept],
    )
    whole, partial = read_body(keypoints, OPTIONS), read_body(dropped, OPTIONS)
    assert np.ptp(np.diff(partial.times_s)) < 1e-9
    there = np.interp(partial.times_s, whole.times_s, whole.joint("left_knee")[:, 2])
    np.testing.assert_allclose(partial.joint("left_knee")[:, 2], there, atol=0.01)


def test_a_source_without_heels_gets_them_where_they_are():
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=5, fps=60)
    keypoints = motion.keypoints
    kept = [index for index, name in enumerate(keypoints.names) if not name.endswith("heel")]
    names = tuple(keypoints.names[index] for index in kept)
    without = Keypoints(keypoints.times_s, keypoints.positions[:, kept], keypoints.scores[:, kept], names)
    found, true = read_body(without, MotionOptions()), read_body(keypoints, MotionOptions())
    missed = (found.joint("left_heel") - found.joint("left_ankle")) - (
        true.joint("left_heel") - true.joint("left_ankle")
    )
    assert np.abs(missed[:, [0, 2]]).mean() < 0.012
    assert any("no heels" in note for note in found.notes)


@pytest.mark.parametrize("view", ["side", "rear", "room"])
def test_hips_that_are_never_seen_are_an_error_that_says_so(walk, view):
    keypoints = observe(walk, view)
    positions = keypoints.positions.copy()
    positions[:, [keypoints.names.index(f"{side}_hip") for side in ("left", "right")]] = np.nan
    with pytest.raises(InputError, match="hips are never seen"):
        read_body(replace(keypoints, positions=positions), MotionOptions())


def test_nobody_is_an_error_that_says_so(walk):
    keypoints = observe(walk, "side")
    with pytest.raises(InputError, match="found in 0 of 300 frames"):
        read_body(replace(keypoints, positions=np.full_like(keypoints.positions, np.nan)), OPTIONS)
    with pytest.raises(InputError, match="found in 5 of 5 frames"):
        read_body(keypoints.cut(slice(0, 5)), OPTIONS)
