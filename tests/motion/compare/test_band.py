"""A curve in the person's own band, and where it leaves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_clips import measured_clips

from salticid.motion.compare.band import LEAST_PERCENT, own_band, scored_curves
from salticid.motion.compare.judge import fit_judge
from salticid.motion.measured import PHASE_POINTS

KEY = "knee_flexion.left"


@pytest.fixture(scope="module")
def statistics():
    return fit_judge(measured_clips(), "statistics").statistics


def with_curve(change):
    """Return a clip whose left knee is at the middle of the band, plus a change."""
    clip = measured_clips(clips=1, seed=5)[0]
    curve = clip.curves[KEY]
    return lambda band: replace(
        clip, curves={KEY: replace(curve, strides=np.tile(band.mean + change, (4, 1)).astype(np.float32))}
    )


def excursions(statistics, change):
    band = own_band(statistics, KEY)
    clip = with_curve(change)(band)
    return band, scored_curves(statistics, clip)[KEY].excursions


def test_a_band_holds_its_mean_and_is_wide_enough_for_noise(statistics):
    band = own_band(statistics, KEY)
    assert band.mean.shape == (PHASE_POINTS,)
    assert (band.high - band.mean > 2).all()
    np.testing.assert_allclose(band.high - band.mean, band.mean - band.low)


def test_the_own_clips_are_within_the_band(statistics):
    for clip in measured_clips():
        curve = scored_curves(statistics, clip)[KEY]
        assert ((curve.mean >= curve.band.low) & (curve.mean <= curve.band.high)).mean() > 0.97


def test_a_curve_in_the_middle_is_outside_nowhere(statistics):
    assert excursions(statistics, np.zeros(PHASE_POINTS))[1] == ()


def test_a_part_above_and_a_part_below_are_told_with_phase_and_size(statistics):
    change = np.zeros(PHASE_POINTS)
    change[20:31], change[70:81] = 40.0, -60.0
    band, (above, below) = excursions(statistics, change)
    assert (above.start_percent, above.end_percent) == (20, 30)
    assert (below.start_percent, below.end_percent) == (70, 80)
    reach = band.high - band.mean
    assert above.most == pytest.approx((40 - reach[20:31]).max(), abs=1e-3)
    assert below.most == pytest.approx(-(60 - reach[70:81]).max(), abs=1e-3)


def test_a_blip_is_not_told(statistics):
    change = np.zeros(PHASE_POINTS)
    change[50 : 50 + LEAST_PERCENT - 1] = 90
    assert excursions(statistics, change)[1] == ()


def test_a_curve_that_the_baseline_does_not_know_has_no_band(statistics):
    assert own_band(statistics, "tail_wagging") is None
    clip = measured_clips(clips=1, seed=5)[0]
    other = replace(clip, curves={"tail_wagging": replace(clip.curves[KEY], name="tail_wagging", side=None)})
    assert scored_curves(statistics, other) == {}
