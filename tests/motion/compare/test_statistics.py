"""What is usual for a person: moderated spreads, and how far another clip lies from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from salticid.motion.compare.description import Description
from salticid.motion.compare.statistics import LARGEST, PRIOR_CLIPS, deviations, distances, fit


def clip(values, least_sd=1.0, *, group="features", variance=0.0, strides=8.0):
    count = len(values)
    names = tuple(f"{group}/{number}" for number in range(count))
    return Description(
        names,
        np.asarray(values, float),
        np.full(count, float(least_sd)),
        np.full(count, float(variance)),
        np.full(count, float(strides)),
    )


def test_a_spread_that_is_small_by_luck_is_not_believed():
    statistics = fit([clip([2.0])] * 5)
    assert statistics.sd[0] == pytest.approx(math.sqrt(PRIOR_CLIPS / (PRIOR_CLIPS + 4)))


def test_the_spread_is_the_moderated_variance_of_smyth():
    values = [1.0, 4.0, 2.0, 8.0, 5.0]
    statistics = fit([clip([value], 0.5) for value in values])
    expected = (PRIOR_CLIPS * 0.25 + 4 * np.var(values, ddof=1)) / (PRIOR_CLIPS + 4)
    assert statistics.sd[0] ** 2 == pytest.approx(expected)
    assert (statistics.low[0], statistics.high[0], statistics.mean[0]) == (1, 8, 4)


def test_one_more_clip_of_the_person_deviates_as_students_t_does():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(3000):
        sd = math.sqrt(PRIOR_CLIPS / rng.chisquare(PRIOR_CLIPS))  # the prior that moderation assumes
        own = rng.normal(7, sd, 6)
        statistics = fit([clip([value]) for value in own[:5]])
        found.append(deviations(statistics, clip([own[5]]))[0])
    assert stats.kstest(found, stats.t(PRIOR_CLIPS + 4).cdf).pvalue > 0.01


def test_fewer_strides_than_in_the_baseline_make_a_deviation_less_sure():
    own = [clip([value], variance=9.0) for value in (1.0, 2.0, 3.0, 2.0, 2.0)]
    statistics = fit(own)
    usual, few = (deviations(statistics, clip([8.0], strides=strides))[0] for strides in (8, 1))
    assert few < 0.6 * usual
    assert deviations(statistics, clip([8.0], strides=50))[0] == pytest.approx(usual)


def test_a_number_that_few_clips_tell_is_none_of_the_person():
    values = [[1.0, np.nan, 1.0], [1.0, np.nan, 1.0], [1.0, 3.0, np.nan], [1.0, 3.0, 1.0], [1.0, np.nan, 1.0]]
    statistics = fit([clip(row) for row in values])
    assert statistics.names == ("features/0", "features/2")
    assert statistics.degrees_of_freedom.tolist() == [PRIOR_CLIPS + 4, PRIOR_CLIPS + 3]


def test_the_order_of_the_numbers_does_not_matter_and_an_unknown_one_is_nan():
    statistics = fit([clip([value, 2 * value]) for value in (1.0, 2.0, 3.0)])
    other = Description(("new", "features/1", "features/0"), *(np.array([9.0, 4.0, 2.0]) for _ in range(4)))
    t = deviations(statistics, other)
    assert t[0] == pytest.approx(0) == t[1]
    assert math.isnan(deviations(statistics, clip([2.0]))[1])


def test_the_distance_of_a_group_that_the_clip_does_not_tell_is_nan():
    statistics = fit([clip([value]) for value in (1.0, 2.0, 3.0)])
    found = distances(statistics, clip([2.0]))
    assert math.isfinite(found["features"])
    assert math.isnan(found["bands"])
    assert math.isnan(found["windows"])


def test_one_missed_event_does_not_make_a_clip():
    statistics = fit([clip(np.full(50, value)) for value in (1.0, 1.5, 0.5, 1.2, 0.8)])
    wild = np.full(50, 1.0)
    wild[7] = 1e6
    limited = np.full(50, 1.0)
    limited[7] = 1.0 + LARGEST * 1.2 * statistics.sd[7]
    assert distances(statistics, clip(wild))["features"] == pytest.approx(
        distances(statistics, clip(limited))["features"], rel=1e-6
    )
