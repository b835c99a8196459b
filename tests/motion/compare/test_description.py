"""What of a clip is compared: features, curves and windows, with what is known about their noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_clips import measured_clips

from salticid.motion.compare.description import (
    BETWEEN_CLIPS,
    LEAST_SD_OF_UNIT,
    band_names,
    describe,
    feature_name,
    group_of,
)
from salticid.motion.measured import Signals


@pytest.fixture(scope="module")
def clip():
    return measured_clips()[0]


def value_of(description, name):
    return description.values[description.names.index(name)]


def test_every_feature_curve_and_signal_is_told(clip):
    description = describe(clip)
    told = {group_of(name) for name in description.names}
    assert told == {"features", "bands", "windows"}
    count = len(clip.measurements) + 101 * len(clip.curves) + 2 * len(clip.signals.names)
    assert len(description.names) == len(description.values) == len(set(description.names)) == count


def test_a_feature_is_its_median_and_a_band_the_mean_of_the_strides(clip):
    description = describe(clip)
    knee = clip.measurements["knee_at_contact.left"]
    assert value_of(description, feature_name(knee)) == knee.value
    place = description.names.index(feature_name(knee))
    assert description.least_sd[place] == BETWEEN_CLIPS * knee.feature.least_sd
    assert description.strides[place] == knee.count
    curve = clip.curves["knee_flexion.left"]
    columns = [description.names.index(name) for name in band_names("knee_flexion.left")]
    np.testing.assert_allclose(description.values[columns], curve.strides.mean(axis=0), rtol=1e-5)


def test_what_the_view_does_not_tell_is_nan(clip):
    assert np.isnan(value_of(describe(clip), "windows/step_width/mean"))


def test_a_clip_without_strides_is_still_told_by_its_windows(clip):
    still = replace(clip, strides=(), measurements={}, curves={})
    description = describe(still)
    assert {group_of(name) for name in description.names} == {"windows"}
    assert np.isfinite(description.values).any()


def test_a_window_statistic_is_that_of_the_signal():
    times_s = np.arange(600) / 60
    swing = 5 + 2 * np.sin(2 * np.pi * times_s)  # one period in each window of a second
    signals = Signals(times_s, swing[:, None].astype(np.float32), ("knee_flexion.left",), ("deg",))
    description = describe(replace(measured_clips()[0], measurements={}, curves={}, signals=signals))
    assert value_of(description, "windows/knee_flexion.left/mean") == pytest.approx(5, abs=0.02)
    assert value_of(description, "windows/knee_flexion.left/sd") == pytest.approx(np.sqrt(2), abs=0.02)


def test_every_unit_of_the_signals_has_a_least_spread(clip):
    assert set(clip.signals.units) | {curve.unit for curve in clip.curves.values()} <= set(LEAST_SD_OF_UNIT)
