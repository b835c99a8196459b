"""Simulated exercises: repetitions at the true times, feet that stay, joints that go as deep as was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.keypoints import SIDES
from salticid.motion.simulate.persons import simulate_exercise

WORKING = {
    "squat": "knee_flexion_deg.left",
    "split squat": "knee_flexion_deg.left",
    "heel raise": "foot_pitch_deg.left",
}
DEPTH_DEG = {"squat": 80, "split squat": 85, "heel raise": 30}


def knee_bend_deg(keypoints):
    """Return the angle between the left thigh and shank in space."""
    hip, knee, ankle = (keypoints.joint(f"left_{joint}").astype(float) for joint in ("hip", "knee", "ankle"))
    cosine = ((knee - hip) * (ankle - knee)).sum(axis=1)
    return np.degrees(np.arccos(cosine / np.linalg.norm(knee - hip, axis=1) / np.linalg.norm(ankle - knee, axis=1)))


def sole_rise_deg(keypoints):
    """Return the angle of the left sole to the ground."""
    sole = (keypoints.joint("left_heel") - keypoints.joint("left_toe")).astype(float)
    return np.degrees(np.arcsin(sole[:, 1] / np.linalg.norm(sole, axis=1)))


@pytest.fixture(scope="module", params=WORKING)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def motion(kind):
    return simulate_exercise(kind, repetitions=6, depth_deg=DEPTH_DEG[kind], seed=2)


def test_the_turning_points_are_at_the_true_times(kind, motion):
    times, angle = motion.keypoints.times_s, np.abs(motion.truths[WORKING[kind]])
    assert motion.repetitions_s.shape == (6, 3)
    for start, turning, end in motion.repetitions_s:
        rest, deep = (float(np.interp(moment, times, angle)) for moment in (start, turning))
        within = (times >= start) & (times <= end)
        assert deep == pytest.approx(angle[within].max(), abs=0.1)
        assert float(np.interp(end, times, angle)) == pytest.approx(rest, abs=0.1)
        assert angle[within].min() == pytest.approx(rest, abs=0.1)


def test_the_depth_at_the_joint_itself_is_the_one_that_was_asked_for(kind):
    motion = simulate_exercise(kind, repetitions=2, depth_deg=DEPTH_DEG[kind], variability=0)
    bend = sole_rise_deg if kind == "heel raise" else knee_bend_deg
    assert bend(motion.keypoints).max() == pytest.approx(DEPTH_DEG[kind], abs=0.02)


def test_the_feet_stay_where_they_are_and_above_the_ground(motion):
    for side in SIDES:
        toe, heel = (motion.keypoints.joint(f"{side}_{joint}") for joint in ("toe", "heel"))
        assert np.ptp(toe, axis=0).max() < 1e-4
        assert min(toe[:, 1].min(), heel[:, 1].min()) > -1e-6


def test_bones_keep_their_length_and_knees_bend_forward(motion):
    for side in SIDES:
        hip, knee, ankle = (motion.keypoints.joint(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        for bone in (knee - hip, ankle - knee):
            assert np.ptp(np.linalg.norm(bone, axis=1)) < 1e-5
        assert motion.truths[f"knee_flexion_deg.{side}"].min() > 0


def test_a_squat_is_balanced_above_the_feet():
    motion = simulate_exercise("squat", repetitions=1, depth_deg=95)
    hips, shoulders = (motion.keypoints.joint(f"left_{joint}")[:, 2] for joint in ("hip", "shoulder"))
    middle = 0.4 * hips + 0.6 * shoulders
    assert (middle > motion.keypoints.joint("left_heel")[:, 2] - 0.02).all()
    assert (middle < motion.keypoints.joint("left_toe")[:, 2]).all()


def test_a_longer_recording_ends_at_rest():
    motion = simulate_exercise(repetitions=2, period_s=2, seconds=12, fps=50)
    assert len(motion.keypoints) == 600
    assert np.ptp(motion.truths["knee_flexion_deg.left"][-200:]) < 1e-3


def test_a_heading_leaves_the_angles():
    ahead, turned = (simulate_exercise(repetitions=1, heading_deg=heading) for heading in (0, 90))
    for name, truth in ahead.truths.items():
        np.testing.assert_allclose(turned.truths[name], truth, atol=1e-2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "plank"}, "choose one of squat"),
        ({"depth_deg": 160}, "depth_deg of a squat"),
        ({"repetitions": 0}, "repetitions is 0"),
        ({"repetitions": 8, "seconds": 5}, "or fewer"),
        ({"period_s": 0.1}, "period_s"),
        ({"fps": 0}, "fps is 0"),
        ({"height_m": 0}, "height_m is 0"),
        ({"variability": float("nan")}, "variability is nan"),
    ],
)
def test_an_impossible_exercise_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        simulate_exercise(**options)
