"""The simulated person obeys the ground, gravity and its own bones, and its truths are true."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.errors import InputError
from salticid.motion.keypoints import JOINTS, SIDES
from salticid.motion.simulate.persons import (
    Asymmetry,
    GaitStyle,
    changed,
    simulate_baseline,
    simulate_gait,
)

FPS = 240
STYLES = {
    "walk": GaitStyle(),
    "slow walk": GaitStyle(speed_kmh=3),
    "fast walk": GaitStyle(speed_kmh=7),
    "treadmill walk": GaitStyle(treadmill=True),
    "run": GaitStyle(activity="run", speed_kmh=10),
    "fast run": GaitStyle(activity="run", speed_kmh=16),
    "forefoot run": GaitStyle(activity="run", speed_kmh=12, strike="forefoot"),
    "treadmill run": GaitStyle(activity="run", speed_kmh=10, treadmill=True),
    "limp": changed(GaitStyle(), "limping"),
    "child": GaitStyle(height_m=1.2, speed_kmh=4),
}
BONES = [
    (f"{side}_{start}", f"{side}_{end}")
    for side in SIDES
    for start, end in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "heel"),
        ("ankle", "toe"),
        ("heel", "toe"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
] + [("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")]


@pytest.fixture(scope="module", params=STYLES)
def style(request):
    return STYLES[request.param]


@pytest.fixture(scope="module")
def motion(style):
    return simulate_gait(style, seconds=6, fps=FPS, seed=3)


def standing(motion, side):
    """Return pairs of contact and its toe-off that are both in the recording."""
    return [
        (contact, motion.toe_offs_s[side][motion.toe_offs_s[side] > contact][0])
        for contact in motion.contacts_s[side]
        if (motion.toe_offs_s[side] > contact).any()
    ]


def on_ground(motion, side):
    """Return at which frames a foot stands, by the events."""
    times = motion.keypoints.times_s
    return np.any([(times >= a) & (times <= b) for a, b in standing(motion, side)], axis=0)


def pelvis(motion):
    hips = motion.keypoints.joint("left_hip").astype(float) + motion.keypoints.joint("right_hip")
    return hips / 2


def test_a_standing_foot_does_not_slide_on_ground_or_belt(motion):
    times = motion.keypoints.times_s
    belt = np.outer(times, [0, 0, motion.speed_kmh / 3.6 if motion.treadmill else 0])
    for side in SIDES:
        heel, toe = (motion.keypoints.joint(f"{side}_{joint}").astype(float) + belt for joint in ("heel", "toe"))
        for contact, toe_off in standing(motion, side):
            stance = (times >= contact) & (times <= toe_off)
            for point in (heel[stance], toe[stance]):
                resting = point[:, 1] < 1e-4
                if resting.any():
                    assert np.ptp(point[resting][:, [0, 2]], axis=0).max() < 1e-3


def test_no_foot_is_ever_below_the_ground(motion):
    for side in SIDES:
        for joint in ("heel", "toe"):
            assert motion.keypoints.joint(f"{side}_{joint}")[:, 1].min() > -1e-6


def test_a_foot_touches_the_ground_exactly_between_contact_and_toe_off(style):
    motion = simulate_gait(style, seconds=3, fps=2000, seed=5)
    times = motion.keypoints.times_s
    for side in SIDES:
        lowest = np.minimum(*(motion.keypoints.joint(f"{side}_{joint}")[:, 1] for joint in ("heel", "toe")))
        touching = lowest < 1e-5
        expected = on_ground(motion, side)
        first, last = motion.contacts_s[side][0], motion.toe_offs_s[side][-1]
        whole = (times > first - 0.05) & (times < last + 0.05)
        edges = np.concatenate([motion.contacts_s[side], motion.toe_offs_s[side]])
        clear = np.abs(times[:, None] - edges).min(axis=1) > 0.004
        np.testing.assert_array_equal(touching[whole & clear], expected[whole & clear])


def test_bones_keep_their_length(motion):
    for start, end in BONES:
        length = np.linalg.norm(motion.keypoints.joint(end) - motion.keypoints.joint(start), axis=1)
        assert np.ptp(length) < 1e-5


def test_a_runner_falls_freely_while_no_foot_stands():
    motion = simulate_gait(STYLES["run"], seconds=6, fps=FPS, seed=3)
    acceleration = np.diff(pelvis(motion)[:, 1], 2) * FPS**2
    times = motion.keypoints.times_s
    first = min(contacts[0] for contacts in motion.contacts_s.values())
    last = min(toe_offs[-1] for toe_offs in motion.toe_offs_s.values())
    flying = ~on_ground(motion, "left") & ~on_ground(motion, "right") & (times > first) & (times < last)
    inner = flying[:-2] & flying[1:-1] & flying[2:]
    assert inner.sum() > 100
    np.testing.assert_allclose(acceleration[inner], -9.81, atol=0.1)


def test_a_runner_is_lowest_and_a_walker_highest_while_a_foot_stands():
    for name, extreme in (("run", np.argmin), ("walk", np.argmax)):
        motion = simulate_gait(STYLES[name], seconds=6, fps=FPS, seed=3)
        times, height = motion.keypoints.times_s, pelvis(motion)[:, 1]
        contacts = np.sort(np.concatenate(list(motion.contacts_s.values())))
        for start, end in pairwise(contacts):
            step = (times >= start) & (times <= end)
            part = (times[step][extreme(height[step])] - start) / (end - start)
            assert 0.15 < part < 0.75, (name, part)


def test_a_walker_always_has_a_foot_on_the_ground_and_both_at_times():
    motion = simulate_gait(STYLES["walk"], seconds=6, fps=FPS, seed=3)
    times = motion.keypoints.times_s
    inside = (times > 1) & (times < 5)
    feet = on_ground(motion, "left").astype(int) + on_ground(motion, "right")
    assert set(feet[inside]) == {1, 2}
    assert motion.duty_factor > 0.5
    assert motion.flight_time_s == 0


def test_cadence_is_twice_the_strides_and_what_was_asked_for():
    motion = simulate_gait(GaitStyle(cadence_spm=110, variability=0), seconds=12, seed=1)
    strides = np.concatenate(list(motion.stride_time_s.values()))
    assert motion.cadence_spm == pytest.approx(2 * 60 / strides.mean())
    assert motion.cadence_spm == pytest.approx(110)
    together = np.sort(np.concatenate(list(motion.contacts_s.values())))
    assert 60 / np.diff(together).mean() == pytest.approx(110)


def test_contact_time_and_duty_factor_are_those_of_the_events(motion):
    for side in SIDES:
        np.testing.assert_allclose(motion.contact_time_s[side], [b - a for a, b in standing(motion, side)])
    contact = np.concatenate(list(motion.contact_time_s.values())).mean()
    stride = np.concatenate(list(motion.stride_time_s.values())).mean()
    assert motion.duty_factor == pytest.approx(contact / stride)


def test_step_lengths_add_up_to_the_speed(motion):
    steps = np.concatenate(list(motion.step_length_m.values()))
    assert steps.mean() * motion.cadence_spm * 60 / 1000 == pytest.approx(motion.speed_kmh, rel=0.02)


def test_knee_flexion_is_the_angle_between_the_bones(motion):
    for side in SIDES:
        hip, knee, ankle = (
            motion.keypoints.joint(f"{side}_{joint}").astype(float) for joint in ("hip", "knee", "ankle")
        )
        thigh, shank = knee - hip, ankle - knee
        cosine = (thigh * shank).sum(axis=1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(shank, axis=1)
        true = motion.truths[f"knee_flexion_deg.{side}"]
        assert np.abs(np.degrees(np.arccos(np.clip(cosine, -1, 1))) - true).max() < 0.6
        assert true.min() > 0.5


def test_hip_and_ankle_are_measured_from_trunk_and_shank(motion):
    truths = motion.truths
    for side in SIDES:
        shank = truths[f"thigh_deg.{side}"] - truths[f"knee_flexion_deg.{side}"]
        np.testing.assert_allclose(
            truths[f"ankle_dorsiflexion_deg.{side}"], truths[f"foot_pitch_deg.{side}"] - shank, atol=1e-3
        )
        np.testing.assert_allclose(
            truths[f"hip_flexion_deg.{side}"], truths[f"thigh_deg.{side}"] + truths["trunk_lean_deg"], atol=1e-3
        )


# Of a stride: extremes and the angle at contact in degrees, after Winter 1991 (walking) and Novacheck 1998 (running).
NORMS = {
    "walk": {"contact": (2, 10), "stance": (12, 22), "swing": (57, 68), "hip": (-22, -8, 22, 38), "push": (-28, -10)},
    "run": {"contact": (10, 22), "stance": (38, 52), "swing": (85, 110), "hip": (-20, -4, 40, 60), "push": (-30, -12)},
}


@pytest.mark.parametrize("name", NORMS)
def test_angles_are_those_of_people(name):
    motion, norm = simulate_gait(STYLES[name], seconds=10, fps=FPS, seed=0), NORMS[name]
    times, side = motion.keypoints.times_s, "left"
    knee, hip, ankle = (
        motion.truths[f"{angle}.{side}"] for angle in ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg")
    )
    start, toe_off = standing(motion, side)[2]
    end = motion.contacts_s[side][3]
    early = (times >= start) & (times <= start + 0.6 * (toe_off - start))
    swing = (times > toe_off) & (times < end)
    stride = (times >= start) & (times < end)
    for value, limits in (
        (np.interp(start, times, knee), norm["contact"]),
        (knee[early].max(), norm["stance"]),
        (knee[swing].max(), norm["swing"]),
        (hip[stride].min(), norm["hip"][:2]),
        (hip[stride].max(), norm["hip"][2:]),
        (ankle[(times > toe_off - 0.05) & (times < toe_off + 0.1)].min(), norm["push"]),
    ):
        assert limits[0] <= value <= limits[1]


def test_a_toe_clears_the_ground_in_mid_swing():
    motion = simulate_gait(STYLES["walk"], seconds=10, fps=FPS, seed=0)
    times, toe = motion.keypoints.times_s, motion.keypoints.joint("left_toe")[:, 1]
    for (_, toe_off), contact in zip(standing(motion, "left"), motion.contacts_s["left"][1:], strict=False):
        middle = (times > toe_off + 0.4 * (contact - toe_off)) & (times < toe_off + 0.7 * (contact - toe_off))
        assert 0.008 < toe[middle].min() < 0.04


def test_the_left_of_the_body_is_its_left():
    for heading, axis, sign in ((0, 0, 1), (90, 2, -1), (180, 0, -1)):
        motion = simulate_gait(GaitStyle(heading_deg=heading), seconds=2)
        across = motion.keypoints.joint("left_shoulder") - motion.keypoints.joint("right_shoulder")
        assert (sign * across[:, axis] > 0.2).all()


def test_a_heading_turns_the_way_and_leaves_the_angles():
    ahead, turned = (simulate_gait(GaitStyle(heading_deg=heading), seconds=3) for heading in (0, 90))
    np.testing.assert_allclose(turned.keypoints.joint("nose")[:, 0], ahead.keypoints.joint("nose")[:, 2], atol=1e-5)
    for name, truth in ahead.truths.items():
        np.testing.assert_allclose(turned.truths[name], truth, atol=1e-2)


def test_on_a_treadmill_the_person_stays_and_overground_walks_away():
    stays, goes = (
        pelvis(simulate_gait(GaitStyle(treadmill=treadmill), seconds=10))[:, 2] for treadmill in (True, False)
    )
    assert np.ptp(stays) < 0.1
    assert goes[-1] - goes[0] == pytest.approx(10 * 5 / 3.6, rel=0.01)


def test_a_limp_is_seen_on_the_side_that_limps():
    motion = simulate_gait(changed(GaitStyle(), "limping"), seconds=20, seed=2)
    left, right = (motion.contact_time_s[side].mean() for side in SIDES)
    assert right < 0.95 * left
    knees = {side: motion.truths[f"knee_flexion_deg.{side}"].max() for side in SIDES}
    assert knees["right"] < knees["left"] - 3


def test_asymmetry_of_contact_time_is_the_share_that_was_asked_for():
    style = GaitStyle(activity="run", speed_kmh=10, variability=0, asymmetry=Asymmetry(contact_time=0.1))
    motion = simulate_gait(style, seconds=10)
    left, right = (motion.contact_time_s[side].mean() for side in SIDES)
    assert (right - left) / ((right + left) / 2) == pytest.approx(0.1, abs=1e-6)


def test_strides_vary_as_much_as_was_asked_for():
    spreads = []
    for variability in (0, 1, 2):
        motion = simulate_gait(GaitStyle(variability=variability), seconds=60, seed=4)
        spreads.append(np.std(motion.stride_time_s["left"]) / motion.stride_time_s["left"].mean())
    assert spreads[0] < 1e-9
    assert 0.008 < spreads[1] < 0.025
    assert spreads[2] == pytest.approx(2 * spreads[1], rel=0.05)


def test_a_seed_gives_the_same_motion_and_another_gives_another():
    one, same, other = (simulate_gait(GaitStyle(), seconds=2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.keypoints.positions, same.keypoints.positions)
    assert not np.allclose(one.keypoints.positions, other.keypoints.positions)


def test_frames_do_not_change_the_motion():
    slow, fast = (simulate_gait(GaitStyle(), seconds=2, fps=fps, seed=1) for fps in (30, 120))
    np.testing.assert_array_equal(slow.keypoints.positions, fast.keypoints.positions[::4])


def test_a_motion_has_all_joints_and_as_many_frames_as_asked_for(motion):
    assert motion.keypoints.names == JOINTS
    assert motion.keypoints.positions.shape == (6 * FPS, len(JOINTS), 3)
    assert np.isfinite(motion.keypoints.positions).all()
    assert {len(truth) for truth in motion.truths.values()} == {6 * FPS}


@settings(deadline=None, max_examples=30)
@given(
    activity=st.sampled_from(["walk", "run"]),
    pace=st.floats(0, 1),
    height=st.floats(1.0, 2.1),
    strike=st.sampled_from(["heel", "forefoot"]),
    seed=st.integers(0, 1000),
)
def test_people_of_any_height_can_go_at_any_speed_of_their_activity(activity, pace, height, strike, seed):
    slow, fast = (2.1, 7.4) if activity == "walk" else (6.6, 19.9)
    speed = (slow + pace * (fast - slow)) * np.sqrt(height / 1.75)
    strike = strike if activity == "run" else "heel"
    style = GaitStyle(activity=activity, speed_kmh=speed, height_m=height, strike=strike)
    motion = simulate_gait(style, seconds=4, seed=seed)
    feet = [motion.keypoints.joint(f"{side}_{joint}")[:, 1] for side in SIDES for joint in ("heel", "toe")]
    assert np.min(feet) > -1e-6
    assert (motion.duty_factor > 0.5) == (activity == "walk")


@pytest.mark.parametrize("name", ["tired", "limping", "stiff knee", "pelvic drop", "overstriding", "higher cadence"])
@pytest.mark.parametrize("activity", ["walk", "run"])
def test_a_change_can_be_simulated_and_is_one(activity, name):
    style = GaitStyle(activity=activity, speed_kmh=5 if activity == "walk" else 10)
    assert changed(style, name) != style
    assert simulate_gait(changed(style, name), seconds=5).cadence_spm > 80


def test_clips_of_a_person_differ_a_little():
    clips = simulate_baseline(GaitStyle(), 5, seconds=10, seed=1)
    cadences = np.array([clip.cadence_spm for clip in clips])
    assert len(clips) == 5
    assert 0.001 < cadences.std() / cadences.mean() < 0.03


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"speed_kmh": 12}, "speed_kmh of a walk"),
        ({"activity": "swim"}, "choose 'walk' or 'run'"),
        ({"duty_factor": 0.4}, "above 0.5 is, by definition, a walk"),
        ({"activity": "run", "speed_kmh": 10, "duty_factor": 0.6}, "not a run"),
        ({"strike": "toe"}, "choose 'heel' or 'forefoot'"),
        ({"height_m": 3}, "height_m is 3"),
        ({"cadence_spm": float("nan")}, "cadence_spm is nan"),
    ],
)
def test_a_style_that_nobody_has_is_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        GaitStyle(**wrong)


def test_steps_longer_than_the_legs_are_refused():
    with pytest.raises(InputError, match="raise the cadence"):
        simulate_gait(GaitStyle(speed_kmh=7, cadence_spm=70))


def test_a_recording_without_a_stride_has_no_times_of_one():
    motion = simulate_gait(GaitStyle(activity="run", speed_kmh=10), seconds=0.3)
    assert np.isnan([motion.cadence_spm, motion.duty_factor, motion.flight_time_s]).all()


def test_nothing_to_simulate_and_unknown_changes_are_refused():
    with pytest.raises(InputError, match="seconds"):
        simulate_gait(GaitStyle(), seconds=0)
    with pytest.raises(InputError, match="fps"):
        simulate_gait(GaitStyle(), fps=0)
    with pytest.raises(InputError, match="clips"):
        simulate_baseline(GaitStyle(), 0)
    with pytest.raises(InputError, match="limping"):
        changed(GaitStyle(), "flying")
    with pytest.raises(InputError, match="contact_time"):
        Asymmetry(contact_time=2)
