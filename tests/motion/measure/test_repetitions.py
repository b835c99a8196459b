"""Repetitions of an exercise are counted and timed."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.measure.body import read_body
from salticid.motion.measure.features import measure
from salticid.motion.measure.repetitions import find_repetitions
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_exercise, simulate_gait

OPTIONS = MotionOptions(height_m=1.75)


@pytest.mark.parametrize("view", ["side", "front"])
@pytest.mark.parametrize("period_s", [1.5, 3.0, 5.0])
def test_every_repetition_is_found_at_its_lowest_point(view, period_s):
    motion = simulate_exercise(period_s=period_s, repetitions=6, fps=30)
    found = find_repetitions(read_body(observe(motion, view, noise_m=0.01), OPTIONS))
    assert len(found) == 6
    missed = np.array([one.turn_s for one in found]) - motion.repetitions_s[:, 1]
    assert np.abs(missed).mean() < 0.06 * period_s
    assert all(one.start_s < one.turn_s < one.end_s for one in found)


def test_a_walk_has_no_repetitions_and_no_error():
    walk = simulate_gait(GaitStyle(speed_kmh=5), seconds=5, fps=30)
    measured = measure(observe(walk, "side"), OPTIONS.replace(activity="exercise"))
    assert measured.measurements["knee_peak.left"].count == 0 or measured.measurements["depth"].value < 5


def test_depth_of_the_knees_is_within_three_degrees_and_curves_have_101_points():
    motion = simulate_exercise(depth_deg=90.0, fps=60)
    measured = measure(observe(motion, "side", noise_m=0.01, perspective=False), OPTIONS)
    assert measured.activity == "exercise"
    for side in ("left", "right"):
        assert measured.measurements[f"knee_peak.{side}"].value == pytest.approx(90, abs=3)
    assert measured.curves["knee_flexion.left"].strides.shape == (len(motion.repetitions_s), 101)


def test_what_the_front_does_not_show_has_a_reason():
    measured = measure(observe(simulate_exercise(), "front"), OPTIONS)
    knee = measured.measurements["knee_peak.left"]
    assert np.isnan(knee.value)
    assert "film from the side" in knee.reason
    assert np.isfinite(measured.measurements["knee_valgus_peak.left"].value)
