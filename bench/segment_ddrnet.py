"""DDRNet-23-slim, Hong et al. 2021: one branch stays at 1/8, one goes down to 1/64, and they tell each other."""

from __future__ import annotations

import torch
from segment_layers import conv, resized
from torch import Tensor, nn

WIDTH, POOLED, HEAD = 32, 128, 64


class DDRNet23Slim(nn.Module):
    """Logits at 1/8; sums are activated where they are taken, as the authors do."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        one, two, four, eight = WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH
        self.start = nn.Sequential(conv(3, one, 3, 2), conv(one, one, 3, 2), *pair(one, one, 1))
        self.at8 = pair(one, two, 2)
        self.at16, self.at32 = pair(two, four, 2), pair(four, eight, 2)
        self.at64 = bottleneck(eight, eight, 2)
        self.fine16, self.fine32, self.fine64 = pair(two, two, 1), pair(two, two, 1), bottleneck(two, two, 1)
        self.down16 = conv(two, four, 3, 2, active=None)
        self.down32 = nn.Sequential(conv(two, four, 3, 2), conv(four, eight, 3, 2, active=None))
        self.up16, self.up32 = conv(four, two, 1, active=None), conv(eight, two, 1, active=None)
        self.pool = PyramidPooling(16 * WIDTH, POOLED, four)
        classify = (nn.BatchNorm2d(HEAD), nn.ReLU(), nn.Conv2d(HEAD, classes, 1))
        self.head = nn.Sequential(before(four, HEAD, 3), *classify)

    def forward(self, image: Tensor) -> Tensor:
        at8 = self.at8(torch.relu(self.start(image))).relu()
        fine, at16 = self.fine16(at8), self.at16(at8)
        deep = at16 + self.down16(fine.relu())
        fine = fine + resized(self.up16(at16.relu()), at8)
        at32 = self.at32(deep.relu())
        fine = self.fine32(fine.relu())
        deep = at32 + self.down32(fine.relu())
        fine = fine + resized(self.up32(at32.relu()), at8)
        deep = self.pool(self.at64(deep.relu()))
        return self.head(self.fine64(fine.relu()) + resized(deep, at8))


class PyramidPooling(nn.Module):
    """Means over ever larger surroundings, each added to the one before (DAPPM)."""

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        pools = [nn.AvgPool2d(2 * stride + 1, stride, stride) for stride in (2, 4, 8)]
        self.pools = nn.ModuleList(
            nn.Sequential(pool, before(inputs, width, 1)) for pool in (*pools, nn.AdaptiveAvgPool2d(1))
        )
        self.alone = before(inputs, width, 1)
        self.blends = nn.ModuleList(before(width, width, 3) for _ in self.pools)
        self.join = before((len(self.pools) + 1) * width, outputs, 1)
        self.shortcut = before(inputs, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        found = [self.alone(features)]
        for pool, blend in zip(self.pools, self.blends, strict=True):
            found.append(blend(resized(pool(features), features) + found[-1]))
        return self.join(torch.cat(found, dim=1)) + self.shortcut(features)


class Residual(nn.Module):
    """Layers, and a way around them that fits their shape."""

    def __init__(self, layers: nn.Sequential, inputs: int, outputs: int, stride: int, *, active: bool) -> None:
        super().__init__()
        fits = stride == 1 and inputs == outputs
        self.layers, self.active = layers, active
        self.around = nn.Identity() if fits else conv(inputs, outputs, 1, stride, active=None)

    def forward(self, features: Tensor) -> Tensor:
        total = self.layers(features) + self.around(features)
        return total.relu() if self.active else total


def pair(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Return two basic residuals; the sum of the second is not activated."""
    return nn.Sequential(basic(inputs, outputs, stride, active=True), basic(outputs, outputs, 1, active=False))


def basic(inputs: int, outputs: int, stride: int, *, active: bool) -> Residual:
    """Return a residual of two 3x3 convolutions."""
    layers = nn.Sequential(conv(inputs, outputs, 3, stride), conv(outputs, outputs, 3, active=None))
    return Residual(layers, inputs, outputs, stride, active=active)


def bottleneck(inputs: int, width: int, stride: int) -> Residual:
    """Return a residual of 1x1, 3x3 and 1x1 convolutions, to twice the width."""
    layers = (conv(inputs, width, 1), conv(width, width, 3, stride), conv(width, 2 * width, 1, active=None))
    return Residual(nn.Sequential(*layers), inputs, 2 * width, stride, active=False)


def before(inputs: int, outputs: int, size: int) -> nn.Sequential:
    """Return a convolution after its batch normalization and ReLU."""
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), layer)
