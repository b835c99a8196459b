"""Legs that a network has exchanged are put back; legs that it has not are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.motion.keypoints import Keypoints
from salticid.motion.pose.legs import PARTS, exchanges, with_legs_in_order
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

STYLES = {
    "walk": GaitStyle(treadmill=True),
    "run": GaitStyle(activity="run", speed_kmh=10, treadmill=True),
    "road": GaitStyle(speed_kmh=4.5),
}


def seen(style, fps, seed=0, noise_m=0.01):
    motion = simulate_gait(STYLES[style], seconds=5, fps=fps, seed=seed)
    return observe(motion, "side", noise_m=noise_m, noise_memory_s=0.03, seed=seed)


def exchanged(keypoints, frames):
    """What a network does that takes one leg for the other in these frames."""
    order = [
        keypoints.names.index(f"{other}_{part}") if part in PARTS else index
        for index, name in enumerate(keypoints.names)
        for side, _, part in [name.partition("_")]
        for other in ["right" if side == "left" else "left"]
    ]
    positions, scores = keypoints.positions.copy(), keypoints.scores.copy()
    positions[frames], scores[frames] = positions[frames][:, order], scores[frames][:, order]
    return replace(keypoints, positions=positions, scores=scores)


def apart(keypoints):
    """How far the feet are from each other, in pixels."""
    return np.abs(keypoints.joint("left_ankle") - keypoints.joint("right_ankle"))[:, 0]


@pytest.mark.parametrize("fps", [25, 30, 60, 120, 240])
@pytest.mark.parametrize("style", STYLES)
def test_legs_in_order_are_left_alone(style, fps):
    keypoints = seen(style, fps)
    same, frames = with_legs_in_order(keypoints)
    assert not frames.any()
    assert same is keypoints


@pytest.mark.parametrize("fps", [30, 60, 120])
@pytest.mark.parametrize("style", STYLES)
def test_legs_exchanged_for_some_frames_are_put_back(style, fps):
    keypoints = seen(style, fps, seed=1)
    wrong = np.zeros(len(keypoints), bool)
    for start in (20, 61, 97, 130):
        wrong[start : start + 1 + start % 4] = True
    wrong &= apart(keypoints) > 0.1 * np.nanmax(apart(keypoints))
    assert wrong.sum() > 3
    _, found = with_legs_in_order(exchanged(keypoints, wrong))
    assert (found == wrong).mean() > 0.98
    assert not (found ^ wrong)[apart(keypoints) > 0.3 * apart(keypoints).max()].any()


@pytest.mark.parametrize("style", STYLES)
def test_legs_exchanged_from_one_crossing_to_the_next_are_put_back(style):
    keypoints = seen(style, 30, seed=2)
    distance = keypoints.joint("left_ankle")[:, 0] - keypoints.joint("right_ankle")[:, 0]
    crossings = np.flatnonzero(np.diff(np.sign(distance)) != 0) + 1
    wrong = np.zeros(len(keypoints), bool)
    wrong[crossings[2] : crossings[3]] = True
    _, found = with_legs_in_order(exchanged(keypoints, wrong))
    far = np.abs(distance) > 0.3 * np.abs(distance).max()
    assert wrong[far].any()
    assert (found == wrong)[far].all()


def test_a_frame_in_which_both_legs_are_lost_does_not_hide_what_comes_after():
    keypoints = seen("walk", 30, seed=3)
    distance = np.abs(keypoints.joint("left_ankle") - keypoints.joint("right_ankle"))[:, 0]
    middle = 40 + int(distance[40:70].argmax())
    wrong = np.zeros(len(keypoints), bool)
    wrong[middle + 1 : middle + 4] = True
    broken = exchanged(keypoints, wrong)
    legs = [broken.names.index(f"{side}_{part}") for side in ("left", "right") for part in PARTS]
    broken.positions[middle, legs] = broken.positions[middle, legs].mean(axis=0)
    _, found = with_legs_in_order(broken)
    others = np.arange(len(found)) != middle
    assert (found == wrong)[others].all()


def test_scores_and_world_points_go_with_the_legs():
    keypoints = seen("walk", 30, seed=4)
    keypoints.scores[:, keypoints.names.index("left_ankle")] = 0.7
    world = np.random.default_rng(0).normal(size=(len(keypoints), len(keypoints.names), 3)).astype(np.float32)
    keypoints = replace(keypoints, world_m=world)
    frame = int(apart(keypoints).argmax())
    wrong = exchanged(keypoints, [frame])
    wrong = replace(wrong, world_m=exchanged(replace(keypoints, positions=world), [frame]).positions)
    mended, found = with_legs_in_order(wrong)
    assert found.tolist() == [index == frame for index in range(len(found))]
    np.testing.assert_array_equal(mended.positions, keypoints.positions)
    np.testing.assert_array_equal(mended.scores, keypoints.scores)
    np.testing.assert_array_equal(mended.world_m, keypoints.world_m)


def test_what_has_no_legs_or_too_few_frames_comes_back_as_it_is():
    two = Keypoints(np.arange(2.0), np.zeros((2, 1, 2), np.float32), np.ones((2, 1), np.float32), ("nose",))
    assert with_legs_in_order(two)[0] is two
    short = seen("walk", 30).cut(slice(0, 2))
    assert with_legs_in_order(short)[0] is short
    nobody = replace(short, positions=np.full_like(short.positions, np.nan))
    assert with_legs_in_order(nobody)[0] is nobody


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31), st.floats(0, 0.3))
def test_what_was_put_back_stays_there(seed, lost):
    rng = np.random.default_rng(seed)
    legs = rng.normal(size=(40, 2, 3, 2)).cumsum(axis=0) * 0.1
    legs[rng.random(legs.shape[:3]) < lost] = np.nan
    found = exchanges(legs, 30.0)
    assert found.shape == (40,)
    again = exchanges(np.where(found[:, None, None, None], legs[:, ::-1], legs), 30.0)
    assert not again.any()
