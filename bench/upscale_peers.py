"""Networks to compare with, written from their papers, with random weights: their time does not depend on these.

    net = settled(PEERS["EDSR-baseline"].make())        # image (N, 3, H, W) of 0 to 1 -> (N, 3, 4H, 4W)

All take and make RGB, as an image has it; two of them are published for luma alone, with `colors=1`. Weights that are
fixed, such as the mean color that EDSR takes away, are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SCALE = 4


class ESPCN(nn.Sequential):
    """Shi et al. 2016: three layers at the size of the small image, then the pixel shuffle."""

    def __init__(self, colors: int = 3) -> None:
        super().__init__(
            *(conv(colors, 64, 5), nn.Tanh(), conv(64, 32, 3), nn.Tanh(), conv(32, colors * SCALE**2, 3)),
            nn.PixelShuffle(SCALE),
        )


class FSRCNN(nn.Sequential):
    """Dong et al. 2016, with d, s, m = 56, 12, 4: narrow inside, and a transposed convolution at the end."""

    def __init__(self, colors: int = 3, wide: int = 56, narrow: int = 12, mapped: int = 4) -> None:
        def active(inputs: int, outputs: int, size: int) -> tuple[nn.Module, nn.Module]:
            return conv(inputs, outputs, size), nn.PReLU(outputs)

        super().__init__(
            *active(colors, wide, 5),
            *active(wide, narrow, 1),
            *(layer for _ in range(mapped) for layer in active(narrow, narrow, 3)),
            *active(narrow, wide, 1),
            nn.ConvTranspose2d(wide, colors, 9, SCALE, padding=4, output_padding=SCALE - 1),
        )


class SRVGGNetCompact(nn.Module):
    """Wang et al. 2021 (Real-ESRGAN), the shape of realesr-general-x4v3: plain layers, added to the nearest pixel."""

    def __init__(self, channels: int = 64, layers: int = 32) -> None:
        super().__init__()
        widths = [3, *[channels] * (layers + 1)]
        body = [layer for before, after in pairwise(widths) for layer in (conv(before, after, 3), nn.PReLU(after))]
        self.layers = nn.Sequential(*body, conv(channels, 3 * SCALE**2, 3), nn.PixelShuffle(SCALE))

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image) + functional.interpolate(image, scale_factor=SCALE, mode="nearest")


class EDSR(nn.Module):
    """Lim et al. 2017, the baseline: 16 residual blocks, and half of the enlarging done in 64 channels, twice."""

    def __init__(self, channels: int = 64, blocks: int = 16) -> None:
        super().__init__()
        self.head = conv(3, channels, 3)
        self.body = nn.Sequential(*(Residual(channels) for _ in range(blocks)), conv(channels, channels, 3))
        twice = (conv(channels, 4 * channels, 3), nn.PixelShuffle(2))
        again = (conv(channels, 4 * channels, 3), nn.PixelShuffle(2))
        self.tail = nn.Sequential(*twice, *again, conv(channels, 3, 3))

    def forward(self, image: Tensor) -> Tensor:
        features = self.head(image)
        return self.tail(features + self.body(features))


class Residual(nn.Module):
    """Two layers and a way around them, without batch normalization."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(channels, channels, 3), nn.ReLU(), conv(channels, channels, 3))

    def forward(self, features: Tensor) -> Tensor:
        return features + self.layers(features)


@dataclass(frozen=True, slots=True)
class Peer:
    """A network, and what its authors and others say of it."""

    make: Callable[[], nn.Module]
    published: str


PEERS = {
    "ESPCN": Peer(ESPCN, "for luma, 64 and 32 channels"),
    "FSRCNN": Peer(FSRCNN, "for luma 12,464 weights"),
    "SRVGGNetCompact": Peer(SRVGGNetCompact, "64 channels, 32 layers"),
    "EDSR-baseline": Peer(EDSR, "1518 K, 114 GMAC to 1280x720"),
}


def conv(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    """Return a convolution that keeps the size of the image."""
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


def settled(net: nn.Module, seed: int = 0) -> nn.Module:
    """Return the network with weights that let no number vanish or explode, ready to be used."""
    torch.manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net.train(False)
