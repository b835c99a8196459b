"""The moment at which a point comes to rest is found between the frames, under noise, without a bias of the filter."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.measure import event_timing
from salticid.motion.measure.event_timing import Course, Window, refine_events

WINDOW = Window(0.06, 0.1)


def landing(moments_s, rate_hz, noise, rng):
    """Return a point (T, 2) that comes in at 1.5 heights / s, slowing down, and stays for 0.3 s."""
    times_s = np.arange(0, moments_s[-1] + 0.5, 1 / rate_hz)
    places = np.zeros((len(times_s), 2))
    for moment in moments_s:
        age = times_s - moment
        near = (age > -0.2) & (age < 0.3)
        before = np.minimum(age[near], 0)
        places[near] = np.stack([0.3 * before - 10 * before**2, -0.25 * before], axis=1)
    return times_s, places + rng.normal(0, noise, places.shape)


@pytest.mark.parametrize(("rate_hz", "most_s"), [(30, 0.016), (60, 0.012), (240, 0.012)])
def test_twelve_landings_are_timed_between_the_frames(rate_hz, most_s):
    rng = np.random.default_rng(0)
    moments_s = 0.5 + 1.037 * np.arange(12)
    times_s, places = landing(moments_s, rate_hz, 0.0057, rng)
    rough_s = moments_s - 0.03 + rng.normal(0, 0.004, 12)
    [exact_s] = refine_events(times_s, [Course(places, rough_s)], WINDOW, 0.8, arrives=True)
    assert np.abs(exact_s - moments_s).mean() < most_s


def test_leaving_is_landing_backwards(monkeypatch):
    monkeypatch.setattr(event_timing, "DEPARTING", event_timing.ARRIVING)
    rng = np.random.default_rng(1)
    moments_s = 0.5 + 1.037 * np.arange(12)
    times_s, places = landing(moments_s, 60, 0.0, rng)
    [arrival_s] = refine_events(times_s, [Course(places, moments_s)], WINDOW, 0.8, arrives=True)
    [departure_s] = refine_events(times_s, [Course(places[::-1], times_s[-1] - moments_s)], WINDOW, 0.8, arrives=False)
    np.testing.assert_allclose(departure_s, times_s[-1] - arrival_s, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_whether_a_foot_sets_off_from_rest_or_with_a_jerk_is_told_by_the_data(seed):
    rng = np.random.default_rng(seed)
    moments_s = 0.5 + 1.037 * np.arange(12)
    for speed, bend in ((0.0, 8.0), (1.5, 0.0)):
        times_s = np.arange(0, moments_s[-1] + 0.5, 1 / 60)
        after = np.clip(times_s - moments_s[:, None], 0, 0.2).sum(axis=0) % 0.2
        forward = speed * after + bend * after**2 / 2
        places = np.stack([forward, forward / 2], axis=1) + rng.normal(0, 0.0057, (len(times_s), 2))
        rough_s = moments_s + rng.normal(0, 0.004, 12)
        [exact_s] = refine_events(times_s, [Course(places, rough_s)], WINDOW, 1.2, arrives=False)
        assert abs((exact_s - moments_s).mean()) < 0.010


def test_both_feet_keep_their_own_moments():
    rng = np.random.default_rng(2)
    left_s, right_s = 0.5 + 1.037 * np.arange(8), 0.98 + 1.037 * np.arange(9)
    times_s, left = landing(left_s, 60, 0.003, rng)
    courses = [
        Course(left, left_s + 0.015),
        Course(landing(right_s, 60, 0.003, rng)[1][: len(times_s)], right_s + 0.015),
    ]
    exact = refine_events(times_s, courses, WINDOW, 0.8, arrives=True)
    assert [len(moments) for moments in exact] == [8, 9]
    assert np.abs(exact[0] - left_s).mean() < 0.012


def test_where_nothing_is_seen_the_rough_moments_stay():
    times_s = np.arange(0, 3, 1 / 60)
    rough_s = np.array([1.0, np.nan])
    [exact_s] = refine_events(times_s, [Course(np.full((180, 2), np.nan), rough_s)], WINDOW, 0.8, arrives=True)
    np.testing.assert_array_equal(exact_s, rough_s)
