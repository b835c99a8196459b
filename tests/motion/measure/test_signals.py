"""Angles are zero for somebody who stands upright, and have the signs that their titles say."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.measure.body import read_body
from salticid.motion.measure.signals import SIDED, WHOLE, column_of, signals_of, value_at, values_during
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, simulate_gait


def angle(body, name, side=None):
    return column_of(signals_of(body), name, side)[0]


def test_somebody_who_stands_has_angles_of_zero(standing):
    body = standing()
    for name, unit, _ in (*SIDED, *WHOLE):
        if unit == "deg":
            assert angle(body, name, "left") == pytest.approx(0, abs=1e-4), name


@pytest.mark.parametrize(
    ("moved", "name", "side", "sign"),
    [
        ({"left_knee": (0.1, 0, 0)}, "knee_flexion", "left", 1),
        ({"left_knee": (0.1, 0, 0)}, "hip_flexion", "left", 1),
        ({"left_toe": (0, 0, 0.05)}, "ankle_dorsiflexion", "left", 1),
        ({"left_toe": (0, 0, 0.05)}, "foot_angle", "left", 1),
        ({"right_hip": (0, 0, -0.03)}, "pelvic_drop", "left", 1),
        ({"right_hip": (0, 0, -0.03)}, "pelvic_drop", "right", -1),
        ({"left_knee": (0, -0.05, 0)}, "knee_valgus", "left", 1),
        ({"right_knee": (0, 0.05, 0)}, "knee_valgus", "right", 1),
        ({"right_ankle": (0, 0.15, 0)}, "ankle_inward", "right", 1),
        ({"left_elbow": (0.1, 0, 0)}, "arm_swing", "left", 1),
        ({"left_shoulder": (0.1, 0, 0), "right_shoulder": (0.1, 0, 0)}, "trunk_lean", None, 1),
        ({"left_shoulder": (0, 0.1, 0), "right_shoulder": (0, 0.1, 0)}, "trunk_sway", None, 1),
        ({"left_shoulder": (0, 0, 0.1)}, "shoulder_tilt", None, 1),
    ],
)
def test_signs_are_as_the_titles_say(standing, moved, name, side, sign):
    assert sign * angle(standing(**moved), name, side) > 3


def test_angles_of_a_simulated_run_are_the_true_ones():
    motion = simulate_gait(GaitStyle(activity="run", speed_kmh=11), seconds=4, fps=120)
    signals = signals_of(read_body(motion.keypoints, MotionOptions()))
    for name in ("knee_flexion", "hip_flexion", "ankle_dorsiflexion"):
        missed = column_of(signals, name, "left") - motion.truths[f"{name}_deg.left"]
        assert np.sqrt(np.mean(missed[20:-20] ** 2)) < 2.0, name


def test_a_signal_is_read_between_samples_and_not_beyond_what_is_known(standing):
    signals = signals_of(standing())
    assert value_at(signals, "step_width", None, 0.05) == pytest.approx(100 * 0.18 / 1.75)
    assert np.isnan(value_at(signals, "step_width", None, 5.0))
    assert np.isnan(values_during(signals, "step_width", None, 0.2, 5.0)).all()
    assert (
        len(values_during(signals, "step_width", None, 0.05, 0.15)) == 2 + 3
    )  # both ends, and the samples at 2, 3 and 4 thirtieths


def test_a_limb_without_length_has_no_angle(standing):
    body = standing(left_wrist=np.array([0, 0, 0.3]))  # where the elbow is
    assert np.isnan(column_of(signals_of(body), "elbow_flexion", "left")).all()
    assert np.isfinite(column_of(signals_of(body), "elbow_flexion", "right")).all()
