"""The layers that the networks to compare with share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def conv(
    inputs: int,
    outputs: int,
    size: int,
    stride: int = 1,
    *,
    groups: int = 1,
    dilation: int = 1,
    active: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Return a convolution with its batch normalization and, unless None, what comes after."""
    around = size // 2 * dilation
    layer = nn.Conv2d(inputs, outputs, size, stride, around, dilation, groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), *([active()] if active else []))


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution of each channel alone, then one of 1x1."""
    return nn.Sequential(conv(inputs, inputs, 3, stride, groups=inputs), conv(inputs, outputs, 1))


def resized(features: Tensor, like: Tensor) -> Tensor:
    """Return the features at the size of others, bilinear."""
    return functional.interpolate(features, size=like.shape[2:], mode="bilinear", align_corners=False)
