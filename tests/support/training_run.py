"""A training of a second: small images whose color is their class. As a program: `training_run.py FOLDER EPOCHS`."""

from __future__ import annotations

import sys

import torch
from torch import nn

from salticid.segment.augment import Augmentation
from salticid.segment.batches import Pixels, Views, WholeImages
from salticid.segment.train import Recipe, SegmentationTrainer

CLASSES = 3
COLORS = torch.tensor([[200, 40, 40], [40, 200, 40], [40, 40, 200]], dtype=torch.uint8)


class TinyNet(nn.Module):
    """Two convolutions to an eighth of the size, with an auxiliary head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 8, stride=8), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Conv2d(8, CLASSES, 1)
        self.auxiliary = nn.Conv2d(8, CLASSES, 1)

    def forward(self, image):
        """Return the logits."""
        return self.head(self.body(image))

    def with_auxiliary(self, image):
        """Return the logits and the auxiliary ones."""
        features = self.body(image)
        return self.head(features), self.auxiliary(features)


def network(seed=0):
    """Return the network at a start that depends on the seed alone."""
    torch.manual_seed(seed)
    return TinyNet()


def pixels(count, seed):
    """Return images of blocks, 16 px wide."""
    chance = torch.Generator().manual_seed(seed)
    truths = [
        torch.randint(CLASSES, (4, 6), generator=chance).repeat_interleave(16, 0).repeat_interleave(16, 1).byte()
        for _ in range(count)
    ]
    return Pixels([COLORS[truth.long()].permute(2, 0, 1).contiguous() for truth in truths], truths)


def views():
    """Return what it is trained on."""
    return Views(pixels(8, 1), CLASSES, (64, 64), batch=4, options=Augmentation(scale=(1.0, 1.5), degrees=0))


def validation():
    """Return what it is judged on."""
    return WholeImages(pixels(3, 2))


def trainer(folder, epochs, *, learning_rate=3e-2, loss=None, teacher=None, **recipe):
    """Return a trainer that saves its state after every epoch."""
    fixed = {"average": 0.5, "validate_every": 2, "save_seconds": 0.0}
    return SegmentationTrainer(
        network(),
        views(),
        validation(),
        CLASSES,
        learning_rate,
        epochs,
        recipe=Recipe(**(fixed | recipe)),
        loss=loss,
        teacher=teacher,
        folder=folder,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    trainer(sys.argv[1], int(sys.argv[2])).train(lambda epoch: print("epoch", epoch.epoch, flush=True))
