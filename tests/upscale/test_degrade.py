from __future__ import annotations

import numpy as np
import pytest
from enlarging_run import pairs

from salticid.core.metrics import psnr_db
from salticid.core.resample import bicubic_uint8
from salticid.upscale.crops import Crops
from salticid.upscale.data import degraded_pair
from salticid.upscale.degrade import degraded

LARGE = np.kron(pairs(1)[0].large, np.ones((2, 2, 1), np.uint8))  # 192 x 192


def of(seed, scale=4):
    return degraded(LARGE, scale, np.random.default_rng(seed))


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_is_the_same_picture_in_its_place_and_worse(seed, scale):
    small = of(seed, scale)
    height, width = LARGE.shape[0] // scale, LARGE.shape[1] // scale
    clean = bicubic_uint8(LARGE, height, width)
    assert (small.shape, small.dtype) == (clean.shape, np.uint8)
    inner, moved = np.s_[4:-4, 4:-4], np.s_[4:-4, 5:-3]
    assert psnr_db(small[inner], clean[inner]) > max(18.0, psnr_db(small[inner], clean[moved]))


def test_chance_alone_says_what_happens_and_no_two_are_alike():
    assert np.array_equal(of(3), of(3))
    assert len({of(seed).tobytes() for seed in range(20)}) == 20


def test_an_image_of_one_block_is_degraded_too():
    for seed in range(40):
        assert degraded(LARGE[:4, :8], 4, np.random.default_rng(seed)).shape == (1, 2, 3)


def test_crops_that_are_degraded_belong_to_the_same_large_ones():
    clean, real = (Crops(pairs(), scale=2, side=16, count=4, degrade=degrade).batch(7) for degrade in (None, degraded))
    assert (real[1] == clean[1]).all()
    assert 0.001 < (real[0] - clean[0]).abs().mean() < 0.1


def test_a_degraded_pair_keeps_its_large_image():
    pair = pairs(1)[0]
    assert degraded_pair(pair, 2, 0).large is pair.large
    assert not np.array_equal(degraded_pair(pair, 2, 0).small, degraded_pair(pair, 2, 1).small)
