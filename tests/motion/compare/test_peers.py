"""The peers are what their names say, and each of them sees a movement that is another."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.compare.peers import PEERS, fit_peer, isolation_forest, mahalanobis, nearest_neighbors, pca
from salticid.motion.measured import Signals


def clip(seed, hz=1.0, level=0.0):
    rng = np.random.default_rng(seed)
    times_s = np.arange(180) / 30
    phase = 2 * np.pi * hz * times_s + rng.uniform(0, 6)
    values = level + np.stack([20 * np.sin(phase), 10 * np.cos(phase)], axis=1) + rng.normal(0, 0.5, (180, 2))
    return Signals(times_s, values.astype(np.float32), ("a", "b"), ("deg", "deg"))


@pytest.mark.parametrize("name", PEERS)
def test_another_movement_scores_higher_than_every_clip_of_the_same(name):
    judge = fit_peer(name, [clip(seed) for seed in range(5)], seed=0)
    same = max(judge(clip(seed)) for seed in range(10, 16))
    assert judge(clip(20, level=40.0)) > same


@pytest.mark.parametrize("name", PEERS)
def test_the_same_seed_gives_the_same_score_and_a_short_clip_none(name):
    clips = [clip(seed) for seed in range(5)]
    assert fit_peer(name, clips, seed=3)(clip(9)) == fit_peer(name, clips, seed=3)(clip(9))
    short = Signals(clips[0].times_s[:10], clips[0].values[:10], clips[0].names, clips[0].units)
    assert np.isnan(fit_peer(name, clips, seed=3)(short))


def test_neighbors_are_the_nearest_three():
    windows = np.array([[0.0], [1.0], [3.0], [10.0]])
    score = nearest_neighbors(windows, np.random.default_rng(0))
    assert score(np.array([[0.0]]))[0] == pytest.approx((0 + 1 + 3) / 3, abs=1e-6)


def test_what_lies_in_the_components_is_rebuilt_without_error():
    rng = np.random.default_rng(1)
    plane = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 6))
    score = pca(plane, rng)
    assert score(plane[:5]) == pytest.approx(np.zeros(5), abs=0.2 * plane.var())
    across = np.linalg.svd(plane)[2][-1]
    assert score(plane[:1] + 10 * across)[0] == pytest.approx(100 / 6, rel=0.2)


def test_mahalanobis_of_many_windows_is_the_plain_one():
    rng = np.random.default_rng(2)
    windows = rng.standard_normal((20_000, 3)) * [1.0, 2.0, 5.0]
    score = mahalanobis(windows, rng)
    assert score(np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 0, 5.0]])) == pytest.approx([1, 1, 1], rel=0.1)


def test_a_lonely_point_is_isolated_first():
    rng = np.random.default_rng(3)
    windows = rng.standard_normal((300, 4))
    score = isolation_forest(windows, rng)
    middle, lonely = score(np.array([np.zeros(4), np.full(4, 6.0)]))
    assert 0 < middle < 0.55 < lonely < 1
