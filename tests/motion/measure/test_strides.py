"""Strides that are alike are kept, the others are left out and counted, and curves show what truly happens."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from motion_data import MOCAP

from salticid.motion.files.mocap import find_mocap, read_mocap
from salticid.motion.keypoints import SIDES
from salticid.motion.measure.body import read_body
from salticid.motion.measure.signals import signals_of
from salticid.motion.measure.strides import curves_of, find_strides
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait


@pytest.fixture(scope="module")
def walk():
    return simulate_gait(GaitStyle(speed_kmh=5), seconds=10, fps=60, seed=2)


def test_every_whole_stride_of_an_even_walk_is_kept(walk):
    found = find_strides(read_body(observe(walk, "side"), MotionOptions()))
    assert found.rejected == 0
    for side in SIDES:
        assert len(found.of(side)) >= len(walk.stride_time_s[side]) - 1


def test_strides_in_which_nobody_is_seen_for_a_while_are_left_out(walk):
    keypoints = observe(walk, "side")
    scores = keypoints.scores.copy()
    scores[250:310] = 0
    found = find_strides(read_body(replace(keypoints, scores=scores), MotionOptions()))
    assert found.strides
    hidden = keypoints.times_s[[250, 309]]
    assert all(stride.end_s <= hidden[0] + 0.1 or stride.start_s >= hidden[1] - 0.1 for stride in found.strides)


def test_a_gap_that_hides_several_strides_spoils_none_of_the_others(walk):
    keypoints = observe(walk, "side").cut(slice(0, 300))
    scores = keypoints.scores.copy()
    scores[70:180] = 0
    found = find_strides(read_body(replace(keypoints, scores=scores), MotionOptions()))
    assert found.strides
    assert max(stride.end_s - stride.start_s for stride in found.strides) < 1.2


def test_strides_whose_ankles_are_hidden_for_a_part_are_all_rejected(walk):
    keypoints = observe(walk, "side")
    scores = keypoints.scores.copy()
    ankles = [keypoints.names.index(f"{side}_ankle") for side in SIDES]
    scores[np.ix_(np.arange(len(keypoints)) % 31 < 10, ankles)] = 0
    found = find_strides(read_body(replace(keypoints, scores=scores), MotionOptions()))
    assert not found.strides
    assert found.rejected > 10


def true_curve(motion, name, side):
    contacts_s = motion.contacts_s[side]
    times_s = motion.keypoints.times_s
    return np.mean(
        [
            np.interp(np.linspace(start, end, 101), times_s, motion.truths[f"{name}.{side}"])
            for start, end in pairwise(contacts_s)
        ],
        axis=0,
    )


@pytest.mark.parametrize(("activity", "speed_kmh"), [("walk", 5), ("walk", 6), ("run", 12), ("run", 16)])
def test_knee_and_hip_curves_are_within_two_degrees_of_the_truth(activity, speed_kmh):
    motion = simulate_gait(GaitStyle(activity=activity, speed_kmh=speed_kmh), seconds=12, fps=60, seed=3)
    body = read_body(observe(motion, "side", noise_m=0.01, perspective=False, seed=5), MotionOptions())
    curves = curves_of(signals_of(body), find_strides(body).strides)
    for name in ("knee_flexion", "hip_flexion"):
        missed = [
            curves[f"{name}.{side}"].strides.mean(axis=0) - true_curve(motion, f"{name}_deg", side) for side in SIDES
        ]
        assert np.sqrt(np.mean(np.square(missed))) < 2.0


@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion capture is not here: set SALTICID_DATA")
def test_every_walk_of_the_motion_capture_gives_at_least_four_strides_a_side():
    for file in find_mocap(MOCAP)[::6]:
        found = find_strides(read_body(read_mocap(file.path), MotionOptions()))
        assert min(len(found.of(side)) for side in SIDES) >= 4, file.path.name
