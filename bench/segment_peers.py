"""Networks to compare with, written from their papers, with random weights: their time does not depend on these.

    net = PEERS["Fast-SCNN"].make(19)        # image (N, 3, H, W) -> logits (N, 19, H/8, W/8)

What they learn with alone, auxiliary heads and dropout, is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from segment_ddrnet import DDRNet23Slim
from segment_layers import conv, resized, separable
from torch import Tensor, nn

from salticid.errors import MissingError


class FastSCNN(nn.Module):
    """Poudel et al. 2019: a few layers that learn to downsample, a deep branch, and a skip around it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.start = nn.Sequential(conv(3, 32, 3, 2), separable(32, 48, 2), separable(48, 64, 2))
        rows = ((64, 64, 2), (64, 64, 1), (64, 64, 1), (64, 96, 2), (96, 96, 1), (96, 96, 1), (96, 128, 1))
        blocks = [Inverted(*row[:2], 6 * row[0], 3, row[2]) for row in (*rows, (128, 128, 1), (128, 128, 1))]
        self.deep = nn.Sequential(*blocks, PyramidPooling(128))
        self.things = nn.Sequential(conv(128, 128, 3, groups=128), conv(128, 128, 1, active=None))
        self.edges = conv(64, 128, 1, active=None)
        self.head = nn.Sequential(separable(128, 128), separable(128, 128), nn.Conv2d(128, classes, 1))

    def forward(self, image: Tensor) -> Tensor:
        at8 = self.start(image)
        edges = self.edges(at8)
        return self.head(torch.relu(edges + self.things(resized(self.deep(at8), edges))))


class PyramidPooling(nn.Module):
    """Zhao et al. 2017: means over 1x1, 2x2, 3x3 and 6x6 parts of the image, beside the features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({str(parts): conv(channels, channels // 4, 1) for parts in (1, 2, 3, 6)})
        self.join = conv(2 * channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        pooled = [resized(layer(means(features, int(parts))), features) for parts, layer in self.parts.items()]
        return self.join(torch.cat((features, *pooled), dim=1))


def means(features: Tensor, parts: int) -> Tensor:
    """Return what `adaptive_avg_pool2d` returns, as two matrix products, which ONNX has for any size."""
    rows, columns = (shares(length, parts).to(features) for length in map(int, features.shape[2:]))
    return rows @ features @ columns.T


def shares(length: int, parts: int) -> Tensor:
    """Return how much each of `length` positions counts in the mean of each part, (parts, length)."""
    weights = torch.zeros(parts, length)
    for part in range(parts):
        first, last = part * length // parts, -(-(part + 1) * length // parts)
        weights[part, first:last] = 1 / (last - first)
    return weights


class LRASPP(nn.Module):
    """Howard et al. 2019: MobileNetV3-Large, dilated at the end, gated by the whole image; as torchvision has it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        relu, hard = nn.ReLU, nn.Hardswish
        self.start = nn.Sequential(
            conv(3, 16, 3, 2, active=hard),
            Inverted(16, 16, 16, 3, 1),
            *(Inverted(16, 24, 64, 3, 2), Inverted(24, 24, 72, 3, 1)),
            Inverted(24, 40, 72, 5, 2, squeezed=True, active=relu),
        )
        rest = [Inverted(40, 40, 120, 5, 1, squeezed=True) for _ in range(2)]
        rest += [Inverted(40, 80, 240, 3, 2, active=hard)]
        rest += [Inverted(80, 80, hidden, 3, 1, active=hard) for hidden in (200, 184, 184)]
        rest += [Inverted(i, 112, hidden, 3, 1, squeezed=True, active=hard) for i, hidden in ((80, 480), (112, 672))]
        rest += [
            Inverted(i, 160, hidden, 5, 1, squeezed=True, active=hard, dilation=dilation)
            for i, hidden, dilation in ((112, 672, 2), (160, 960, 2), (160, 960, 2))
        ]
        self.rest = nn.Sequential(*rest, conv(160, 960, 1, active=hard))
        self.features = conv(960, 128, 1)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(960, 128, 1, bias=False), nn.Sigmoid())
        self.low = nn.Conv2d(40, classes, 1)
        self.high = nn.Conv2d(128, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        at8 = self.start(image)
        at16 = self.rest(at8)
        return self.low(at8) + self.high(resized(self.features(at16) * self.gate(at16), at8))


class Inverted(nn.Module):
    """Sandler et al. 2018, and Howard et al. 2019: widen, look around in each channel alone, narrow; perhaps a gate."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: int,
        size: int,
        stride: int,
        *,
        squeezed: bool = False,
        active: type[nn.Module] = nn.ReLU,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.adds = stride == 1 and inputs == outputs
        widen = [conv(inputs, hidden, 1, active=active)] if hidden > inputs else []
        around = conv(hidden, hidden, size, stride, groups=hidden, dilation=dilation, active=active)
        gate = [Squeeze(hidden)] if squeezed else []
        self.layers = nn.Sequential(*widen, around, *gate, conv(hidden, outputs, 1, active=None))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.layers(inputs) if self.adds else self.layers(inputs)


class Squeeze(nn.Module):
    """Hu et al. 2018: weigh channels by the whole image; widths as in MobileNetV3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(8, (channels // 4 + 4) // 8 * 8)
        narrow += 8 if narrow < 0.9 * (channels // 4) else 0
        layers = (nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, channels, 1))
        self.layers = nn.Sequential(*layers, nn.Hardsigmoid())

    def forward(self, features: Tensor) -> Tensor:
        return features * self.layers(features)


class SegFormer(nn.Module):
    """Xie et al. 2021, the smallest one, as the package transformers makes it; its logits are at 1/4."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        try:
            from transformers import SegformerConfig, SegformerForSemanticSegmentation
        except ImportError as error:
            raise MissingError("transformers is not installed") from error
        self.net = SegformerForSemanticSegmentation(SegformerConfig(num_labels=classes))  # by default B0

    def forward(self, image: Tensor) -> Tensor:
        return self.net(image).logits


@dataclass(frozen=True, slots=True)
class Peer:
    """A network, and what its authors say of it."""

    make: Callable[[int], nn.Module]  # classes -> network
    published: str
    stride: int = 8  # of its logits


PEERS = {
    "Fast-SCNN": Peer(FastSCNN, "1.11 M"),
    "LRASPP, MobileNetV3-L": Peer(LRASPP, "3.22 M, 2.09 GMAC at 520x520"),
    "DDRNet-23-slim": Peer(DDRNet23Slim, "5.7 M, 36.3 GMAC at 2048x1024"),
    "SegFormer-B0": Peer(SegFormer, "3.8 M", stride=4),
}


def settled(net: nn.Module, seed: int = 0) -> nn.Module:
    """Return the network ready to be used, batch normalization set to what it sees: no number vanishes or explodes."""
    norms = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean of all that was seen
    blobs = np.random.default_rng(seed).uniform(-1, 1, (4, 3, 16, 16)).astype(np.float32)
    with torch.no_grad():
        net.train()(torch.from_numpy(blobs.repeat(16, 2).repeat(16, 3)))
    return net.train(False)
