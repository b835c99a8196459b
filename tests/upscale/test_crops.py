from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from salticid.errors import InputError
from salticid.upscale.crops import Crops
from salticid.upscale.data import shrunk


def smooth(height, width, seed=0):
    """Return an image whose small version is nearly itself."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def test_crops_of_both_sizes_show_the_same_turned_alike():
    pairs = [shrunk(smooth(160, 200, seed), 4) for seed in range(3)]
    small, large = Crops(pairs, scale=4, side=20, count=16).batch(3)
    assert small.shape == (16, 3, 20, 20)
    assert large.shape == (16, 3, 80, 80)
    assert (torch.nn.functional.avg_pool2d(large, 4) - small).abs().max() < 0.1


def test_a_step_gives_the_same_batch_whatever_came_before():
    pairs = [shrunk(smooth(160, 200, seed), 4) for seed in range(3)]
    first, second = (Crops(pairs, scale=4, side=20, count=4, seed=5) for _ in range(2))
    first.batch(0)
    torch.testing.assert_close(first.batch(7), second.batch(7))
    assert not torch.equal(first.batch(8)[0], second.batch(7)[0])


def test_crops_that_no_image_holds_are_refused():
    with pytest.raises(InputError, match="192 px a side: choose a smaller --side"):
        Crops([shrunk(smooth(100, 100), 4)], scale=4, side=48, count=1)
