"""What is told about a track is what happened in it: gaps, jumps, swapped legs, joints that are hidden or outside."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.keypoints import JOINTS, Keypoints
from salticid.motion.pose.quality import track_quality

BODY = {  # of an upright body of 400 px around its hips, seen from the side: x, y
    "nose": (10, -170),
    "ear": (0, -170),
    "shoulder": (0, -120),
    "elbow": (0, -60),
    "wrist": (10, 0),
    "hip": (0, 0),
    "knee": (0, 100),
    "ankle": (0, 200),
    "heel": (-10, 210),
    "toe": (30, 210),
}
LENGTH = 320  # trunk, thigh and shank


def walker(frames=90, fps=30.0, speed_px_s=200.0, *, swing_px=80.0, size=(4000, 600)) -> Keypoints:
    """Return somebody who walks to the right, the legs in antiphase."""
    times = np.arange(frames) / fps
    points = np.zeros((frames, len(JOINTS), 2), np.float32)
    for number, name in enumerate(JOINTS):
        side, _, joint = name.rpartition("_")
        x, y = BODY[joint]
        reach = {"knee": 0.5, "ankle": 1.0, "heel": 1.0, "toe": 1.0}.get(joint, 0.0)
        swing = reach * swing_px * np.sin(2 * np.pi * times) * (1 if side == "left" else -1)
        points[:, number] = np.column_stack([200 + speed_px_s * times + x + swing, np.full(frames, 300.0 + y)])
    return Keypoints(times, points, np.ones(points.shape[:2], np.float32), JOINTS, size)


def changed(keypoints: Keypoints, **arrays) -> Keypoints:
    values = {"positions": keypoints.positions, "scores": keypoints.scores} | arrays
    return Keypoints(keypoints.times_s, values["positions"], values["scores"], keypoints.names, keypoints.size_px)


def test_a_clean_walk_has_nothing_to_tell():
    quality = track_quality(walker(), people=1)
    assert (quality.found_share, quality.jumps, quality.swaps, quality.people) == (1, 0, 0, 1)
    assert (quality.occluded_share, quality.outside_share) == (0, 0)
    assert quality.longest_gap_s == pytest.approx(1 / 30)
    assert quality.warnings == ()


@pytest.mark.parametrize("fps", [25, 60, 240])
def test_a_sprint_is_no_jump(fps):
    assert track_quality(walker(fps, float(fps), speed_px_s=5 * LENGTH)).jumps == 0


@pytest.mark.parametrize("fps", [25, 60, 240])
def test_another_persons_place_is_a_jump_and_back_again_a_second(fps):
    still = walker(fps, float(fps))
    points = still.positions.copy()
    points[10:20] += (1.5 * LENGTH, 0)
    quality = track_quality(changed(still, positions=points))
    assert quality.jumps == 2
    assert "suddenly elsewhere 2 times" in " ".join(quality.warnings)


def test_a_body_that_comes_back_on_the_other_side_is_a_jump():
    still = walker(speed_px_s=0)
    points = still.positions.copy()
    points[30:60] = np.nan
    points[60:] += (3 * LENGTH, 0)
    quality = track_quality(changed(still, positions=points))
    assert quality.jumps == 1
    assert quality.found_share == pytest.approx(2 / 3)
    assert quality.longest_gap_s == pytest.approx(31 / 30)
    assert "in only 67% of the frames" in " ".join(quality.warnings)


def test_legs_that_change_places_are_counted_each_time():
    still = walker()
    left = [JOINTS.index(f"left_{joint}") for joint in ("knee", "ankle", "heel", "toe")]
    right = [JOINTS.index(f"right_{joint}") for joint in ("knee", "ankle", "heel", "toe")]
    points = still.positions.copy()
    widest = slice(36, 40)  # the legs are far apart there
    points[widest, left], points[widest, right] = still.positions[widest, right], still.positions[widest, left]
    quality = track_quality(changed(still, positions=points))
    assert quality.swaps == 2
    assert quality.jumps == 0


def test_hidden_joints_are_a_share_of_trunk_and_legs():
    still = walker()
    scores = still.scores.copy()
    for joint in ("hip", "knee", "ankle", "heel", "toe", "shoulder"):
        scores[:, JOINTS.index(f"left_{joint}")] = 0.2
    scores[:, JOINTS.index("left_wrist")] = 0.0  # no part of it
    assert track_quality(changed(still, scores=scores)).occluded_share == pytest.approx(0.5)


def test_feet_below_the_picture_are_outside():
    quality = track_quality(walker(size=(4000, 500)))
    assert quality.outside_share == 1
    assert "reaches out of the picture in 100% of the frames" in " ".join(quality.warnings)


def test_nobody_is_said_as_such_and_nothing_else():
    still = walker()
    nobody = changed(still, positions=np.full_like(still.positions, np.nan), scores=np.zeros_like(still.scores))
    quality = track_quality(nobody, people=0)
    assert quality.found_share == 0
    assert (quality.jumps, quality.swaps) == (0, 0)
    assert np.isnan([quality.occluded_share, quality.outside_share]).all()
    assert quality.warnings == ("no person was found in any frame",)


def test_keypoints_alone_do_not_tell_how_many_people_there_were():
    assert track_quality(walker()).people is None
    assert "2 people are in view" in track_quality(walker(), people=2).warnings[0]


def test_three_dimensions_and_few_joints_will_do():
    flat = walker()
    room = np.concatenate([flat.positions, np.zeros((*flat.positions.shape[:2], 1), np.float32)], axis=2) / 200
    quality = track_quality(Keypoints(flat.times_s, room, flat.scores, JOINTS))
    assert (quality.jumps, quality.swaps) == (0, 0)
    assert np.isnan(quality.outside_share)
    nose = Keypoints(flat.times_s, flat.positions[:, :1], flat.scores[:, :1], JOINTS[:1], (400, 400))
    assert track_quality(nose).found_share == 1


@pytest.mark.parametrize("frames", [0, 1])
def test_one_frame_or_none_is_no_error(frames):
    quality = track_quality(walker().cut(slice(frames)))
    assert (quality.found_share, quality.longest_gap_s, quality.jumps) == (float(frames), 0, 0)
