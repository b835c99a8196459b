"""A small segmentation network with one of each part that real ones have, and images that it can tell apart."""

from __future__ import annotations

import copy
import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest

from salticid.engine.export_onnx import export_onnx

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="the package onnx is not installed")
nn = torch.nn

METADATA = {
    "salticid.task": "segment",
    "salticid.classes": '["a", "b", "c", "d", "e"]',
    "salticid.input": "image / 127.5 - 1, RGB",
    "salticid.stride": "32",
}
INPUT_SHAPE = (1, 3, 64, 96)


class ConvBnRelu(nn.Sequential):
    def __init__(self, inputs, outputs, kernel=3, *, stride=1, groups=1, relu=True):
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs), *([nn.ReLU()] if relu else []))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, *, stride, expansion=2):
        super().__init__()
        hidden = inputs * expansion
        self.expand = ConvBnRelu(inputs, hidden, 1)
        self.depthwise = ConvBnRelu(hidden, hidden, stride=stride, groups=hidden)
        self.project = ConvBnRelu(hidden, outputs, 1, relu=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class SmallSegmentationNet(nn.Module):
    """(N, 3, H, W) -> logits (N, classes, H / 8, W / 8)."""

    def __init__(self, classes=5, width=16):
        super().__init__()
        self.stem = ConvBnRelu(3, width, stride=2)
        self.fused = ConvBnRelu(width, width, stride=2)
        self.down = InvertedResidual(width, 2 * width, stride=2)
        self.same = InvertedResidual(2 * width, 2 * width, stride=1)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(2 * width, 2 * width, 1), nn.Hardsigmoid())
        self.refine = ConvBnRelu(2 * width, 2 * width)
        self.head = nn.Conv2d(2 * width, classes, 1)

    def forward(self, image):
        x = self.same(self.down(self.fused(self.stem(image))))
        x = x * self.gate(x)
        return self.head(self.refine(x))


def segmentation_net(classes=5, width=16, seed=0):
    """Return a network in evaluation mode, whose batch normalization has seen images; the caller's own."""
    return copy.deepcopy(_segmentation_net(classes, width, seed))


@functools.cache
def _segmentation_net(classes, width, seed):
    torch.manual_seed(seed)
    net = SmallSegmentationNet(classes, width)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.3, 0.3)
        for number in range(8):
            net(torch.from_numpy(blobs(4, seed=number)))
    return net.train(False)


@functools.cache
def segmentation_bytes(**options):
    """Return the ONNX file of `segmentation_net()`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        export_onnx(segmentation_net(), path, input_shape=INPUT_SHAPE, metadata=METADATA, **options)
        return path.read_bytes()


def write_net(folder, name="net.onnx", **options):
    """Write the ONNX file of `segmentation_net()` and return its path."""
    path = folder / name
    path.write_bytes(segmentation_bytes(**options))
    return path


def batches(count=6):
    """Return images one by one, as calibration takes them."""
    return [blobs(1, seed=100 + number) for number in range(count)]


def logits_of(net, images):
    """Return what torch makes of images."""
    with torch.inference_mode():
        return net(torch.from_numpy(images)).numpy()


def blobs(count, size=(64, 96), seed=0):
    """Return images (count, 3, H, W) float32 in -1..1: colored blocks with noise."""
    random = np.random.default_rng(seed)
    blocks = random.uniform(-1, 1, (count, 3, -(-size[0] // 16), -(-size[1] // 16)))
    images = blocks.repeat(16, 2).repeat(16, 3)[:, :, : size[0], : size[1]]
    return np.clip(images + random.normal(0, 0.1, images.shape), -1, 1).astype(np.float32)
