"""From where the camera looks, and which way the body faces, is told by the body itself."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.keypoints import JOINTS
from salticid.motion.measure.view import find_view
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait


@pytest.fixture(scope="module")
def walk():
    return simulate_gait(GaitStyle(speed_kmh=5, treadmill=True), seconds=4, fps=30)


def joints_of(keypoints):
    return {name: np.asarray(keypoints.joint(name), float) for name in JOINTS}


@pytest.mark.parametrize("view", ["side", "rear", "front"])
@pytest.mark.parametrize("noise_m", [0.0, 0.02])
def test_the_view_is_found_and_sure(walk, view, noise_m):
    seen = find_view(joints_of(observe(walk, view, noise_m=noise_m)), 2)
    assert seen.view == view
    assert seen.confidence > 0.5


@pytest.mark.parametrize("direction", ["left", "right"])
def test_a_side_view_tells_which_way_the_feet_point(walk, direction):
    assert find_view(joints_of(observe(walk, "side", direction=direction)), 2).direction == direction


def test_without_feet_the_face_tells_the_direction(walk):
    joints = joints_of(observe(walk, "side", direction="left"))
    for name in joints:
        if name.endswith(("toe", "heel")):
            joints[name][:] = np.nan
    assert find_view(joints, 2).direction == "left"


def test_three_dimensions_are_a_room(walk):
    assert find_view(joints_of(walk.keypoints), 3).view == "room"


def test_what_the_user_says_is_taken(walk):
    assert find_view(joints_of(observe(walk, "side")), 2, "rear").view == "rear"


def test_a_body_without_trunk_and_legs_must_have_its_view_given():
    nothing = {name: np.full((10, 2), np.nan) for name in JOINTS}
    with pytest.raises(InputError, match="give the view"):
        find_view(nothing, 2)
