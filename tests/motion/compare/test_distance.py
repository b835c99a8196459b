"""The distance is Mahalanobis' with a shrunk correlation, whatever way it is worked out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.motion.compare.distance import MOST_KEPT, kept_correlation, shrunk_distance


def direct(u, residuals, kept):
    """Return the same by inverting the whole matrix."""
    correlation = residuals.T @ residuals / (len(residuals) - 1)
    shrunk = kept * correlation + (1 - kept) * np.eye(len(u))
    return float(u @ np.linalg.inv(shrunk) @ u) / len(u)


@given(st.integers(2, 7), st.integers(1, 12), st.floats(0, MOST_KEPT), st.integers(0, 999))
@settings(deadline=None)
def test_the_small_inverse_is_the_large_one(clips, numbers, kept, seed):
    rng = np.random.default_rng(seed)
    residuals, u = rng.standard_normal((clips, numbers)), rng.standard_normal(numbers)
    assert shrunk_distance(u, residuals, kept) == pytest.approx(direct(u, residuals, kept), rel=1e-8)


def test_a_deviation_along_which_the_clips_vary_together_counts_less_than_one_across():
    together = np.outer([1.0, -1.0, 0.5, -0.5, 0.0], np.ones(30))
    along, across = np.ones(30), np.tile([1.0, -1.0], 15)
    assert shrunk_distance(along, together, 0.5) < 0.2 * shrunk_distance(across, together, 0.5)


def test_what_is_unknown_is_left_out_of_both_sides():
    rng = np.random.default_rng(1)
    residuals, u = rng.standard_normal((5, 6)), rng.standard_normal(6)
    gap = u.copy()
    gap[2] = np.nan
    rest = [0, 1, 3, 4, 5]
    assert shrunk_distance(gap, residuals, 0.4) == pytest.approx(direct(u[rest], residuals[:, rest], 0.4))
    assert math.isnan(shrunk_distance(np.full(6, np.nan), residuals, 0.4))


def test_common_variation_is_kept_and_chance_is_not():
    rng = np.random.default_rng(2)
    chance = rng.standard_normal((40, 60))
    common = np.outer(rng.standard_normal(40), np.ones(60)) + 0.1 * chance
    assert kept_correlation(chance) < 0.4
    assert kept_correlation(common) > 0.9
    assert kept_correlation(np.zeros((5, 10))) == 0
    assert kept_correlation(np.ones((1, 10))) == 0
