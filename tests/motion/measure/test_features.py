"""What is measured of a simulated person is true of that person, and what cannot be measured has a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from salticid.errors import InputError
from salticid.motion.keypoints import Keypoints
from salticid.motion.measure.feature_table import ROWS
from salticid.motion.measure.features import measure
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import Asymmetry, GaitStyle, observe, simulate_exercise, simulate_gait

OPTIONS = MotionOptions(height_m=1.75)


def measured(view="side", seconds=10.0, fps=60.0, noise_m=0.01, options=OPTIONS, given_kmh=None, **style):
    motion = simulate_gait(GaitStyle(**style), seconds=seconds, fps=fps, seed=4)
    return motion, measure(observe(motion, view, noise_m=noise_m), options, speed_kmh=given_kmh)


@pytest.mark.parametrize("fps", [30, 60, 120])
@pytest.mark.parametrize(
    "style",
    [
        *({"speed_kmh": speed} for speed in (3, 4.5, 6)),
        *({"activity": "run", "speed_kmh": speed, "treadmill": True} for speed in (8, 12, 16)),
    ],
)
def test_cadence_counts_the_steps_of_both_feet_to_one_a_minute(style, fps):
    motion, found = measured(fps=fps, **style)
    assert found.measurements["cadence"].value == pytest.approx(motion.cadence_spm, abs=1)


@pytest.mark.parametrize("treadmill", [False, True])
@pytest.mark.parametrize(("activity", "speed_kmh"), [("walk", 5), ("run", 12)])
def test_speed_and_length_are_measured_on_the_road_and_on_the_belt(activity, speed_kmh, treadmill):
    motion, found = measured(activity=activity, speed_kmh=speed_kmh, treadmill=treadmill)
    assert found.speed_source == "measured"
    assert found.speed_kmh == pytest.approx(speed_kmh, rel=0.05)
    step_m = found.measurements["step_length.left"].value / 100 * 1.75
    assert step_m == pytest.approx(np.nanmean(motion.step_length_m["left"]), rel=0.06)


def test_a_given_speed_is_taken_and_checked_against_the_feet():
    _, right = measured(speed_kmh=5, options=OPTIONS)
    assert not right.notes
    motion = simulate_gait(GaitStyle(speed_kmh=5, treadmill=True), seconds=8, fps=60)
    wrong = measure(observe(motion, "side"), OPTIONS, speed_kmh=8)
    assert (wrong.speed_kmh, wrong.speed_source) == (8, "given")
    assert any("8 km/h" in note for note in wrong.notes)


@pytest.mark.parametrize("speed_kmh", [0.0, -5.0, float("nan")])
def test_a_speed_that_nobody_goes_is_refused(speed_kmh):
    with pytest.raises(InputError, match="above 0"):
        measure(simulate_gait(GaitStyle(), seconds=1).keypoints, OPTIONS, speed_kmh=speed_kmh)


def test_without_a_height_speed_has_a_reason_and_lengths_are_in_body_heights():
    motion, found = measured(speed_kmh=5, options=MotionOptions())
    assert np.isnan(found.speed_kmh)
    assert "height" in found.measurements["speed"].reason
    stride = found.measurements["stride_length"].value / 100
    assert stride == pytest.approx(2 * np.nanmean(motion.step_length_m["left"]) / motion.height_m, rel=0.06)


def test_a_stiff_right_knee_and_a_short_right_stance_are_seen_on_the_right_alone():
    asymmetry = Asymmetry(knee_swing_deg=-15, contact_time=-0.1)
    motion, even = measured(speed_kmh=5)
    stiff, limping = measured(speed_kmh=5, asymmetry=asymmetry)
    right = "knee_flexion_deg.right"
    less_deg = stiff.truths[right].max() - motion.truths[right].max()
    change = {key: limping.measurements[key].value - even.measurements[key].value for key in even.measurements}
    assert less_deg < -5
    assert change["knee_swing_peak.right"] == pytest.approx(less_deg, abs=2)
    assert abs(change["knee_swing_peak.left"]) < 3
    assert change["contact_time.right"] < change["contact_time.left"] - 0.03
    assert change["knee_swing_peak_asymmetry"] > 5


def test_pelvic_drop_and_step_width_are_measured_from_behind():
    _, found = measured("rear", seconds=14, speed_kmh=5, pelvic_drop_deg=8, step_width_m=0.14)
    drops = [found.measurements[f"pelvic_drop.{side}"].value for side in ("left", "right")]
    assert np.mean(drops) == pytest.approx(8, abs=2)
    assert found.measurements["step_width"].value / 100 * 1.75 == pytest.approx(0.14, abs=0.025)


def test_what_a_view_cannot_show_is_nan_with_a_reason():
    _, side = measured(speed_kmh=5)
    _, rear = measured("rear", speed_kmh=5)
    for found, hidden in ((side, "pelvic_drop.left"), (rear, "knee_at_contact.left"), (rear, "contact_time.left")):
        assert found.measurements[hidden].count == 0
        assert np.isnan(found.measurements[hidden].value)
        assert "film from the" in found.measurements[hidden].reason


def test_every_measurement_has_values_or_a_reason_and_every_row_of_the_table_is_there():
    _, found = measured(speed_kmh=5)
    for one in found.measurements.values():
        assert bool(one.count) != bool(one.reason), one.key
    names = {one.feature.name for one in found.measurements.values()}
    assert {row.feature.name for row in ROWS if "walk" in row.feature.activities} <= names


def test_below_60_fps_contact_time_is_flagged_and_knee_angles_are_not():
    _, slow = measured(fps=30, speed_kmh=5)
    _, fast = measured(fps=60, speed_kmh=5)
    assert "33 ms" in slow.measurements["contact_time.left"].caution
    assert not slow.measurements["knee_swing_peak.left"].caution
    assert not fast.measurements["contact_time.left"].caution


def test_a_joint_that_is_not_seen_is_named():
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=6, fps=60)
    keypoints = observe(motion, "side")
    scores = keypoints.scores.copy()
    scores[:, keypoints.names.index("left_knee")] = 0.1
    found = measure(replace(keypoints, scores=scores), OPTIONS)
    assert "knee" in found.measurements["knee_at_contact.left"].reason
    assert found.measurements["knee_at_contact.right"].count > 3


@pytest.mark.parametrize("frames", [20, 60, 90])
def test_too_short_a_clip_is_no_error_and_says_nothing_wrong(frames):
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=5, fps=60)
    found = measure(observe(motion, "side").cut(slice(0, frames)), OPTIONS.replace(activity="walk"))
    for one in found.measurements.values():
        assert bool(one.count) != bool(one.reason)


def test_three_seconds_of_running_at_30_fps_in_a_room_are_measured():
    motion = simulate_gait(GaitStyle(activity="run", speed_kmh=10), seconds=3, fps=30)
    found = measure(motion.keypoints, MotionOptions())
    assert found.activity == "run"
    assert len(found.strides) >= 4
    assert found.measurements["cadence"].value == pytest.approx(motion.cadence_spm, abs=3)


def test_something_else_has_no_features_and_says_so():
    still = simulate_gait(GaitStyle(speed_kmh=5), seconds=3, fps=30).keypoints
    still = replace(still, positions=np.repeat(still.positions[:1], len(still), axis=0))
    found = measure(still, MotionOptions())
    assert found.activity == "other"
    assert not found.measurements
    assert any("activity" in note for note in found.notes)


def test_two_people_of_other_build_have_other_proportions():
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=4, fps=60)
    keypoints = observe(motion, "side")
    usual = measure(keypoints, OPTIONS).proportions
    stretched = keypoints.positions.copy()
    for side in ("left", "right"):
        elbow, wrist = (keypoints.names.index(f"{side}_{joint}") for joint in ("elbow", "wrist"))
        stretched[:, wrist] += 0.3 * (stretched[:, wrist] - stretched[:, elbow])
    other = measure(replace(keypoints, positions=stretched), OPTIONS).proportions
    assert other["forearm.left"] / usual["forearm.left"] == pytest.approx(1.3, abs=0.03)
    assert other["thigh.left"] == pytest.approx(usual["thigh.left"], abs=0.005)


def test_the_clip_is_not_changed():
    motion = simulate_exercise(fps=30)
    keypoints = observe(motion, "side")
    before = Keypoints(keypoints.times_s, keypoints.positions.copy(), keypoints.scores.copy(), keypoints.names)
    measure(keypoints, OPTIONS)
    np.testing.assert_array_equal(keypoints.positions, before.positions)
