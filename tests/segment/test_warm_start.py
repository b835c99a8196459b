"""The first layers of `edge` learn to give what MobileNetV2's give."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from mobilenet_file import write_mobilenet

from salticid.errors import InputError
from salticid.segment.augment import Augmentation
from salticid.segment.batches import Pixels, Views
from salticid.segment.network import FastSegNet
from salticid.segment.warm_start import warm_start


def views():
    chance = torch.Generator().manual_seed(0)
    small = torch.randint(256, (4, 3, 8, 8), generator=chance).float()
    images = torch.nn.functional.interpolate(small, size=(64, 64), mode="bicubic").clamp(0, 255).byte()
    truths = [torch.zeros(64, 64, dtype=torch.uint8)] * 4
    return Views(Pixels(list(images), truths), 2, (64, 64), batch=4, options=Augmentation(scale=(1.0, 1.0)))


def test_the_error_falls_and_the_later_layers_are_mobilenets(tmp_path):
    theirs = write_mobilenet(tmp_path / "m.safetensors")
    torch.manual_seed(1)
    net = FastSegNet(3)
    file = tmp_path / "m.safetensors"
    seen = []

    def progress(batches, total, what):
        for batch in batches:
            seen.append((total, what))
            yield batch

    first = warm_start(copy.deepcopy(net), file, views(), 10, "cpu")
    assert warm_start(net, file, views(), 60, "cpu", progress) < 0.8 * first
    assert seen == [(60, "steps of the first layers")] * 60
    assert torch.equal(net.stage16[0].layers[0][0].weight, theirs.stage16[0].layers[0][0].weight)


def test_documented_has_mobilenets_first_layers_and_nothing_to_learn(tmp_path):
    theirs = write_mobilenet(tmp_path / "m.safetensors")
    net = FastSegNet(3, "documented")
    assert math.isnan(warm_start(net, tmp_path / "m.safetensors", views(), 5, "cpu"))
    assert torch.equal(net.early[0][0].weight, theirs.early[0][0].weight)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file"):
        warm_start(FastSegNet(3), tmp_path / "m.safetensors", views(), 5, "cpu")
