"""Contacts and toe-offs of simulated people are found where they are."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.keypoints import SIDES
from salticid.motion.measure.body import read_body
from salticid.motion.measure.events import find_events
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import GaitStyle, observe, simulate_gait

FRAME_S = 1 / 60
RUNS = [("run", speed, strike) for speed in (10, 12, 14, 16) for strike in ("heel", "forefoot")]


def errors(found_s, true_s):
    """Return by how much each true moment is missed by the nearest found one; those at the ends may not be found."""
    found_s = found_s[np.isfinite(found_s)]
    missed = np.array([found_s[np.argmin(np.abs(found_s - moment))] - moment for moment in true_s])
    return missed[np.abs(missed) < 0.15]


def contact_time_errors(activity, speed_kmh, strike, fps, seeds=(0, 1)):
    missed = []
    for seed in seeds:
        style = GaitStyle(activity=activity, speed_kmh=speed_kmh, strike=strike, treadmill=seed == 0)
        motion = simulate_gait(style, seconds=10, fps=fps, seed=seed)
        events = find_events(read_body(observe(motion, "side", noise_m=0.01, seed=seed), MotionOptions(height_m=1.75)))
        for side in SIDES:
            true_s = dict(zip(motion.contacts_s[side], motion.contact_time_s[side], strict=False))
            for contact_s, toe_off_s in zip(events[side].contacts_s, events[side].toe_offs_s, strict=True):
                nearest = min(true_s, key=lambda moment, contact_s=contact_s: abs(moment - contact_s))
                if abs(nearest - contact_s) < 0.15 and np.isfinite(toe_off_s):
                    missed.append(toe_off_s - contact_s - true_s[nearest])
    assert len(missed) > 20
    return np.array(missed)


@pytest.mark.parametrize(("activity", "speed_kmh", "strike"), [("walk", v, "heel") for v in (4, 5, 6)] + RUNS)
def test_contact_time_is_within_a_frame_at_60_fps_and_a_centimeter_of_noise(activity, speed_kmh, strike):
    missed = contact_time_errors(activity, speed_kmh, strike, 60)
    assert np.abs(missed).mean() < FRAME_S


@pytest.mark.parametrize(("activity", "speed_kmh"), [("walk", 5), ("run", 12)])
def test_contact_time_is_within_half_a_frame_at_30_fps(activity, speed_kmh):
    assert np.abs(contact_time_errors(activity, speed_kmh, "heel", 30)).mean() < FRAME_S


def test_in_a_room_the_same_events_are_found():
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=8, fps=60)
    events = find_events(read_body(motion.keypoints, MotionOptions()))
    for side in SIDES:
        assert np.abs(errors(events[side].contacts_s, motion.contacts_s[side])).mean() < FRAME_S
        assert np.abs(errors(events[side].toe_offs_s, motion.toe_offs_s[side])).mean() < FRAME_S


@pytest.mark.parametrize("view", ["rear", "front"])
@pytest.mark.parametrize(("activity", "speed_kmh"), [("walk", 5), ("run", 10)])
def test_from_behind_contacts_are_coarse_and_toe_offs_unknown(view, activity, speed_kmh):
    motion = simulate_gait(GaitStyle(activity=activity, speed_kmh=speed_kmh), seconds=8, fps=60)
    events = find_events(read_body(observe(motion, view), MotionOptions()))
    for side in SIDES:
        assert np.isnan(events[side].toe_offs_s).all()
        missed = errors(events[side].contacts_s, motion.contacts_s[side])
        assert len(missed) > 5
        assert np.median(np.abs(missed)) < 0.06


def test_a_foot_that_stands_when_the_clip_begins_does_not_land():
    motion = simulate_gait(GaitStyle(activity="run", speed_kmh=11), seconds=8, fps=60, seed=1)
    keypoints = observe(motion, "side", noise_m=0.01, seed=1)
    for start in range(68, 76, 2):  # around its contact
        events = find_events(read_body(keypoints.cut(slice(start, start + 180)), MotionOptions()))
        for side in SIDES:
            missed = np.abs(events[side].contacts_s[:, None] - motion.contacts_s[side]).min(axis=1)
            assert missed.max() < 0.03, (start, side)


def test_somebody_who_stands_makes_no_events():
    motion = simulate_gait(GaitStyle(speed_kmh=5), seconds=4, fps=60)
    still = motion.keypoints.cut(slice(0, 240))
    still.positions[:] = still.positions[:1]
    events = find_events(read_body(still, MotionOptions(activity="walk")))
    assert all(len(events[side].contacts_s) == 0 for side in SIDES)
