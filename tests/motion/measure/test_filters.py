"""What was seen becomes smooth and evenly spaced, and what was not seen stays unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.motion.measure.filters import evenly, low_pass, low_pass_each, without_leaps


def amplitude_after(hz, cutoff_hz, rate_hz):
    times_s = np.arange(0, 20, 1 / rate_hz)
    filtered = low_pass(np.sin(2 * np.pi * hz * times_s), rate_hz, cutoff_hz)
    return 2**0.5 * filtered[len(times_s) // 4 : -len(times_s) // 4].std()


@settings(deadline=None, max_examples=25)
@given(rate_hz=st.sampled_from([30.0, 50.0, 59.94, 120.0, 240.0]), cutoff_hz=st.floats(3, 12))
def test_both_passes_together_halve_the_power_at_the_cutoff_at_every_frame_rate(rate_hz, cutoff_hz):
    assert amplitude_after(cutoff_hz, cutoff_hz, rate_hz) == pytest.approx(2**-0.5, abs=0.02)


def test_slow_movement_passes_and_noise_does_not():
    assert amplitude_after(1, 6, 60) == pytest.approx(1, abs=0.002)
    assert amplitude_after(25, 6, 60) < 0.005


def test_a_filter_shifts_nothing_in_time():
    times_s = np.arange(0, 5, 1 / 60)
    course = np.exp(-(((times_s - 2.5) / 0.2) ** 2))
    assert np.argmax(low_pass(course, 60, 6)) == np.argmax(course)


def test_what_lies_beyond_a_gap_changes_nothing():
    rng = np.random.default_rng(0)
    course = rng.normal(size=(200, 3))
    course[90:110] = np.nan
    other = course.copy()
    other[110:] *= 1000
    filtered = low_pass(course, 60, 6)
    np.testing.assert_array_equal(filtered[:90], low_pass(other, 60, 6)[:90])
    assert np.isnan(filtered[90:110]).all()
    assert np.isfinite(filtered[:90]).all()


def test_a_cutoff_above_what_the_rate_carries_filters_nothing():
    course = np.random.default_rng(0).normal(size=50)
    np.testing.assert_array_equal(low_pass(course, 20, 12), course)


def test_many_joints_are_filtered_as_each_alone():
    rng = np.random.default_rng(1)
    joints = {"a": rng.normal(size=(80, 2)), "b": rng.normal(size=(80, 2))}
    joints["b"][20:30] = np.nan
    together = low_pass_each(joints, 30, 6)
    for name, course in joints.items():
        np.testing.assert_allclose(together[name], low_pass(course, 30, 6))


def test_gaps_up_to_a_tenth_of_a_second_are_filled_and_longer_ones_are_not():
    times_s = np.arange(60) / 60
    course = np.stack([np.sin(4 * times_s), times_s], axis=1)
    seen = course.copy()
    seen[10:15] = np.nan  # 0.1 s from the last known sample to the next
    seen[30:36] = np.nan  # a frame more
    found = evenly(times_s, seen, times_s)
    np.testing.assert_allclose(found[:30], course[:30], atol=6e-3)
    assert np.isnan(found[30:36]).all()
    assert np.isfinite(found[36:]).all()


def test_frames_at_uneven_times_become_evenly_spaced():
    rng = np.random.default_rng(2)
    times_s = np.sort(rng.uniform(0, 2, 150))
    wanted_s = np.arange(0.1, 1.9, 1 / 60)
    found = evenly(times_s, np.sin(2 * np.pi * times_s)[:, None], wanted_s, longest_gap_s=0.2)
    np.testing.assert_allclose(found[:, 0], np.sin(2 * np.pi * wanted_s), atol=0.02)


def test_a_leap_that_returns_is_taken_out_and_a_fast_movement_is_not():
    course = np.stack([np.linspace(0, 500, 60), np.zeros(60)], axis=1)
    leaping = course.copy()
    leaping[20] += 80
    leaping[40:42] -= 80
    cleaned = without_leaps(leaping, least=20)
    assert np.isnan(cleaned[[20, 40, 41]]).all()
    kept = np.delete(np.arange(60), [20, 40, 41])
    np.testing.assert_array_equal(cleaned[kept], course[kept])
    np.testing.assert_array_equal(without_leaps(course, least=20), course)
