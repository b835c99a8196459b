"""A feature has values, or a reason for none, and a caution where they are coarse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from salticid.motion.measure.feature_table import ROWS, STRIDE_TIME_VARIABILITY, SYMMETRIES
from salticid.motion.measure.measuring import measurement_of, symmetry_of, variability_of
from salticid.motion.measured import Measurement

FEATURES = {row.feature.name: row.feature for row in ROWS}


def times(values, reason=""):
    return Measurement(FEATURES["stride_time"], None, np.array(values), reason)


def arms(side, value, reason=""):
    return Measurement(FEATURES["arm_swing_range"], side, np.array([value]), reason)


def test_asymmetry_is_the_difference_over_the_mean():
    found = symmetry_of(SYMMETRIES["arm_swing_range"], arms("left", 33.0), arms("right", 27.0))
    assert found.value == pytest.approx(100 * 6 / 30)
    assert not found.reason


def test_asymmetry_has_the_reason_of_the_side_that_is_missing():
    found = symmetry_of(SYMMETRIES["arm_swing_range"], arms("left", 33.0), arms("right", np.nan, "hardly seen: elbow"))
    assert (found.count, found.reason) == (0, "hardly seen: elbow")


def test_arms_that_hang_still_have_no_asymmetry_and_a_reason():
    found = symmetry_of(SYMMETRIES["arm_swing_range"], arms("left", 0.0), arms("right", 0.0))
    assert found.count == 0
    assert "add up to 0" in found.reason


def test_a_spread_of_few_strides_is_not_given(standing):
    body = standing()
    few = variability_of(body, STRIDE_TIME_VARIABILITY, times([1.0, 1.1, 1.0, 0.9]))
    assert few.count == 0
    assert "4 are too few" in few.reason
    enough = variability_of(body, STRIDE_TIME_VARIABILITY, times([1.0, 1.1, 1.0, 0.9, 1.0]))
    assert enough.value == pytest.approx(100 * np.std([1.0, 1.1, 1.0, 0.9, 1.0], ddof=1))


@pytest.mark.parametrize(("fps", "coarse"), [(30.0, True), (59.94, False)])
def test_variation_of_single_times_is_coarse_below_60_fps(standing, fps, coarse):
    body = standing(fps=fps)
    found = variability_of(body, STRIDE_TIME_VARIABILITY, times([1.0, 1.1, 1.0, 0.9, 1.0]))
    assert bool(found.caution) == coarse


def test_a_hidden_joint_is_named_also_where_it_hides_every_stride(standing):
    body = standing(left_toe=np.full(3, np.nan))
    found = measurement_of(body, FEATURES["contact_time"], ("ankle", "toe"), "left", [])
    assert found.reason == "hardly seen: toe"
    assert "at least 2" in measurement_of(body, FEATURES["contact_time"], ("ankle", "toe"), "right", []).reason


def test_one_unknown_stride_among_others_is_nan_and_all_of_them_are_a_reason(standing):
    feature = FEATURES["knee_range"]
    some = measurement_of(standing(), feature, ("knee",), "left", [lambda: 1.0, lambda: float("nan")])
    assert (some.count, some.reason) == (1, "")
    none = measurement_of(standing(), feature, ("knee",), "left", 2 * [lambda: float("nan")])
    assert "shows it whole" in none.reason


def test_lengths_in_body_heights_give_no_speed(standing):
    body = replace(standing(), unit="height")
    assert "height is not given" in measurement_of(body, FEATURES["speed"], ("ankle",), None, 2 * [lambda: 1.0]).reason
