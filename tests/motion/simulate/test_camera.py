"""A simulated camera sees left and right, near and far, and noise as a real one does."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.keypoints import SIDES
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

FOCAL_PX, DISTANCE_M = 1200.0, 4.0
NOISE_M = 0.01


@pytest.fixture(scope="module")
def motion():
    return simulate_gait(GaitStyle(heading_deg=30), seconds=10, seed=1)


def exact(motion, view, **options):
    return observe(motion, view, noise_m=0, focal_px=FOCAL_PX, distance_m=DISTANCE_M, **options)


def test_from_the_rear_left_is_left_and_from_the_front_it_is_right(motion):
    for view, sign in (("rear", 1), ("front", -1)):
        seen = exact(motion, view)
        for joint in ("shoulder", "hip", "ear"):
            assert (sign * (seen.joint(f"right_{joint}") - seen.joint(f"left_{joint}"))[:, 0] > 0).all()


@pytest.mark.parametrize("direction", SIDES)
def test_in_a_side_view_the_person_faces_the_direction_and_shows_that_side(motion, direction):
    seen = exact(motion, "side", direction=direction)
    sign = 1 if direction == "right" else -1
    assert (sign * (seen.joint("nose") - seen.joint("left_ear"))[:, 0] > 0).all()
    near, far = (np.ptp(seen.joint(f"{side}_shoulder")[:, 1]) for side in (direction, "left" if sign > 0 else "right"))
    assert near > far * 1.02  # what is nearer is seen larger


def test_up_is_up(motion):
    for view in ("side", "rear", "front"):
        seen = exact(motion, view)
        assert (seen.joint("nose")[:, 1] < seen.joint("left_hip")[:, 1]).all()
        assert (seen.joint("left_hip")[:, 1] < seen.joint("left_toe")[:, 1]).all()


def test_without_perspective_pixels_are_meters_times_a_scale(motion):
    seen = exact(motion, "side", perspective=False)
    for name in ("nose", "left_ankle", "right_wrist"):
        height = motion.keypoints.joint(name)[:, 1]
        np.testing.assert_allclose(seen.joint(name)[:, 1], 360 - FOCAL_PX / DISTANCE_M * (height - 1), atol=1e-3)


def test_the_person_stays_in_the_picture_of_a_camera_that_follows_and_leaves_that_of_one_that_stands(motion):
    assert exact(motion, "side").scores.min() == 1
    standing = exact(motion, "side", follow=False)
    hips = standing.joint("left_hip")[:, 0]
    assert np.isnan(hips[[0, -1]]).all()
    assert np.isfinite(hips).sum() > 60
    assert (np.diff(hips[np.isfinite(hips)]) > 0).all()
    np.testing.assert_array_equal(standing.scores > 0, np.isfinite(standing.positions).all(axis=2))


def test_from_behind_a_person_who_walks_away_gets_smaller(motion):
    seen = exact(motion, "rear", follow=False)
    size = seen.joint("left_ankle")[:, 1] - seen.joint("nose")[:, 1]
    assert size[-1] < 0.4 * size[0]


@pytest.mark.parametrize("view", ["side", "rear"])
def test_noise_has_the_size_that_was_asked_for_at_the_body(motion, view):
    noisy = observe(motion, view, noise_m=NOISE_M, focal_px=FOCAL_PX, distance_m=DISTANCE_M, seed=3)
    off = noisy.joint("left_hip") - exact(motion, view).joint("left_hip")
    np.testing.assert_allclose(off.std(axis=0), NOISE_M * FOCAL_PX / DISTANCE_M, rtol=0.12)
    assert abs(np.corrcoef(off[:-1, 0], off[1:, 0])[0, 1]) < 0.12


def test_noise_in_the_room_is_the_same_in_every_direction(motion):
    off = observe(motion, "room", noise_m=NOISE_M, seed=3).positions - motion.keypoints.positions
    np.testing.assert_allclose(off.std(axis=(0, 1)), NOISE_M, rtol=0.03)


def test_noise_with_a_memory_forgets_itself_after_that_time(motion):
    off = observe(motion, "room", noise_m=NOISE_M, noise_memory_s=0.2, seed=3).positions - motion.keypoints.positions
    lag = round(0.2 * 60)
    kept = (off[:-lag] * off[lag:]).mean() / (off**2).mean()
    assert kept == pytest.approx(np.exp(-1), abs=0.06)
    assert off.std() == pytest.approx(NOISE_M, rel=0.06)


def test_joints_are_missing_for_the_share_and_in_runs_of_the_length_that_were_asked_for(motion):
    seen = observe(motion, "side", missing=0.1, missing_s=0.1, seed=5)
    lost = ~np.isfinite(seen.positions).all(axis=2)
    assert lost.mean() == pytest.approx(0.1, abs=0.02)
    runs = (np.diff(lost.astype(int), axis=0) == 1).sum() + lost[0].sum()
    assert lost.sum() / runs == pytest.approx(6, rel=0.15)
    np.testing.assert_array_equal(seen.scores == 0, lost)


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_joints_that_are_mostly_missing_are_so_for_the_share_that_was_asked_for(motion, share):
    lost = ~np.isfinite(observe(motion, "side", missing=share, missing_s=0.01, seed=5).positions).all(axis=2)
    assert lost.mean() == pytest.approx(share, abs=0.03)


def test_uneven_frames_show_where_the_body_is_at_their_own_times():
    style = GaitStyle(activity="run", speed_kmh=10)
    seen = observe(simulate_gait(style, seconds=3, seed=1), "room", noise_m=0, time_jitter=0.4, seed=2)
    fine = simulate_gait(style, seconds=3, fps=1920, seed=1).keypoints
    gaps = np.diff(seen.times_s)
    assert gaps.std() > 0.002
    for name in ("left_hip", "left_knee", "right_wrist"):
        true = np.stack([np.interp(seen.times_s, fine.times_s, axis) for axis in fine.joint(name).T], axis=1)
        assert np.abs(seen.joint(name) - true)[2:-2].max() < 0.004


def test_dropped_frames_do_not_come():
    motion = simulate_gait(GaitStyle(), seconds=10)
    seen = observe(motion, "side", dropped=0.1, seed=2)
    assert len(seen) == pytest.approx(540, abs=25)
    assert set(seen.times_s) <= set(motion.keypoints.times_s)


def test_keypoints_alone_can_be_observed_too(motion):
    ahead = simulate_gait(GaitStyle(), seconds=2)
    np.testing.assert_array_equal(observe(ahead.keypoints, "rear").positions, observe(ahead, "rear").positions)


def test_a_seed_gives_the_same_observation():
    motion = simulate_gait(GaitStyle(), seconds=1)
    one, same, other = (observe(motion, missing=0.1, seed=seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize(
    ("view", "options", "words"),
    [
        ("top", {}, "choose 'side', 'rear', 'front' or 'room'"),
        ("side", {"direction": "up"}, "'left' or 'right'"),
        ("side", {"noise_m": -1}, "noise_m is -1"),
        ("rear", {"missing": 1.0}, "missing is 1.0"),
        ("rear", {"time_jitter": 0.5}, "time_jitter is 0.5"),
        ("rear", {"distance_m": 0}, "distance_m is 0"),
    ],
)
def test_an_impossible_observation_is_refused(motion, view, options, words):
    with pytest.raises(InputError, match=words):
        observe(motion, view, **options)


def test_pixels_cannot_be_observed_again(motion):
    with pytest.raises(InputError, match="three dimensions"):
        observe(observe(motion, "side"), "rear")
