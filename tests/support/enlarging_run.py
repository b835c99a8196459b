"""A training of seconds: a network with few channels on small images. As a program: `enlarging_run.py FOLDER STEPS`."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import torch

from salticid.upscale.crops import Crops
from salticid.upscale.data import shrunk
from salticid.upscale.networks import PlainNet
from salticid.upscale.shape import Shape
from salticid.upscale.train import Course, Trainer

SHAPE = Shape(1, 8, 2)


def pairs(count=3, side=96):
    """Return images of stripes and blobs, with their small ones."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, (side // 6, side // 6, 3), np.uint8)
        found.append(shrunk(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 2))
    return found


def trainer(folder, steps, judge_every=10):
    """Return the training, as it stands in the folder."""
    torch.manual_seed(0)
    course = Course(steps=steps, judge_every=judge_every, save_seconds=0, rate=2e-3)
    crops = Crops(pairs(), scale=2, side=16, count=4)
    return Trainer(PlainNet(SHAPE, branched=True), crops, pairs()[:1], folder, course, facts={"what": "a test"})


if __name__ == "__main__":
    torch.set_num_threads(1)
    trainer(sys.argv[1], int(sys.argv[2])).train()
