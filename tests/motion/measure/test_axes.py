"""Forward, left and up are the body's own, in a picture and in a room."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.keypoints import JOINTS
from salticid.motion.measure.axes import in_picture, in_room, middle
from salticid.motion.measure.view import Seen
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

FPS = 30.0


def joints_of(keypoints):
    return {name: np.asarray(keypoints.joint(name), float) for name in JOINTS}


@pytest.fixture(scope="module")
def walk():
    return simulate_gait(GaitStyle(speed_kmh=5), seconds=6, fps=FPS, seed=1)


def test_the_middle_is_kept_where_one_of_both_is_hidden():
    left, right = np.tile([10.0, 0.0], (6, 1)), np.tile([14.0, 2.0], (6, 1))
    left[2:4], right[4:] = np.nan, np.nan
    np.testing.assert_allclose(middle({"left_hip": left, "right_hip": right}, "hip"), np.tile([12.0, 1.0], (6, 1)))


def test_the_middle_is_the_other_one_where_one_is_never_seen():
    joints = {"left_hip": np.full((3, 2), np.nan), "right_hip": np.ones((3, 2))}
    np.testing.assert_array_equal(middle(joints, "hip"), np.ones((3, 2)))


@pytest.mark.parametrize("view", ["rear", "front"])
def test_seen_from_behind_or_in_front_left_is_left_and_forward_unknown(walk, view):
    own = in_picture(
        joints_of(observe(walk, view, noise_m=0)), Seen(view, None, 1.0), np.full(len(walk.keypoints), 400.0), FPS
    )
    assert (own["left_hip"] > own["right_hip"])[:, 1].all()
    assert (own["left_shoulder"] > own["left_hip"])[:, 2].all()
    assert np.isnan(own["left_hip"][:, 0]).all()


@pytest.mark.parametrize("direction", ["left", "right"])
def test_seen_from_the_side_toes_are_ahead_and_left_unknown(walk, direction):
    joints = joints_of(observe(walk, "side", direction=direction, noise_m=0))
    own = in_picture(joints, Seen("side", direction, 1.0), np.full(len(walk.keypoints), 400.0), FPS)
    assert np.mean(own["left_toe"] - own["left_heel"], axis=0)[0] > 0.05
    assert np.isnan(own["left_hip"][:, 1]).all()


def circling(walk, period_s=20.0):
    """Return a walk (on a belt, its travel taken away) along a circle."""
    times_s, speed = walk.keypoints.times_s, 5 / 3.6
    angle = 2 * np.pi * times_s / period_s
    sine, cosine = np.sin(angle)[:, None], np.cos(angle)[:, None]
    x, y, z = np.moveaxis(walk.keypoints.positions.astype(float), 2, 0)
    z = z - speed * times_s[:, None]
    radius = speed * period_s / (2 * np.pi)
    x, z = x * cosine + z * sine + radius * (1 - cosine), z * cosine - x * sine + radius * sine
    return {name: np.stack([x, y, z], axis=2)[:, number] for number, name in enumerate(JOINTS)}


def test_a_walk_in_a_circle_is_a_straight_one(walk):
    own = in_room(circling(walk), FPS)
    way = middle(own, "hip")[-1] - middle(own, "hip")[0]
    assert way[0] == pytest.approx(5 / 3.6 * (6 - 1 / FPS), rel=0.03)
    assert abs(way[1]) < 0.3


def test_left_and_right_exchanged_still_face_the_way_that_the_feet_point(walk):
    joints = joints_of(walk.keypoints)
    other = {"left": "right", "right": "left"}
    exchanged = {
        name: joints[name if name == "nose" else f"{other[name.split('_')[0]]}_{name.split('_')[1]}"] for name in joints
    }
    own = in_room(exchanged, FPS)
    assert own["left_hip"][-1, 0] - own["left_hip"][0, 0] > 7


def test_who_is_not_seen_for_a_while_is_taken_to_go_on_the_same_way(walk):
    joints = circling(walk)
    whole = in_room(joints, FPS)
    for name in joints:
        joints[name][60:120] = np.nan
    broken = in_room(joints, FPS)
    assert np.isnan(broken["left_hip"][60:120]).all()
    np.testing.assert_allclose(broken["left_knee"][120:], whole["left_knee"][120:], atol=0.2)


def test_a_room_in_which_one_side_is_never_seen_has_no_heading(walk):
    joints = joints_of(walk.keypoints)
    for name in ("left_hip", "left_shoulder"):
        joints[name][:] = np.nan
    with pytest.raises(InputError, match="faces"):
        in_room(joints, FPS)
