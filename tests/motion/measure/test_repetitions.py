"""Repetitions of an exercise are counted and timed."""

from __future__ import annotations

from dataclasses import replace

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


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_repetition_that_the_clip_ends_or_begins_in_is_left_out(share):
    motion = simulate_exercise(repetitions=5, fps=30, variability=0)
    seen = observe(motion, "side", noise_m=0.005)
    (start_s, first_s, _), (_, last_s, end_s) = motion.repetitions_s[[0, -1]]
    early, late = start_s + share * (first_s - start_s), last_s + (1 - share) * (end_s - last_s)
    for cut in (slice(round(early * 30), None), slice(0, round(late * 30))):
        assert len(find_repetitions(read_body(seen.cut(cut), OPTIONS))) == 4


def test_who_only_stands_has_no_repetitions_and_a_reason():
    squats = observe(simulate_exercise(fps=30), "side")
    still = replace(squats, positions=np.repeat(squats.positions[:1], len(squats), axis=0))
    measured = measure(still, OPTIONS.replace(activity="exercise"))
    assert not measured.curves
    assert "only 0 were found" in measured.measurements["depth"].reason


def test_a_walk_that_is_taken_for_an_exercise_goes_no_deeper_than_a_walk():
    walk = simulate_gait(GaitStyle(speed_kmh=5), seconds=5, fps=30)
    measured = measure(observe(walk, "side"), OPTIONS.replace(activity="exercise"))
    depth_m = measured.measurements["depth"].value / 100 * 1.75
    assert depth_m == pytest.approx(walk.vertical_oscillation_m, abs=0.01)


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
