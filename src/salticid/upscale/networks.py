"""PlainNet: an image to one several times as large, by nothing but 3x3 convolutions.

    net = PlainNet(Shape.of("fast", scale=4))
    large = net(image)                        # (N, 3, H, W) -> (N, 3, 4H, 4W), values of 0 to 1

    image --3x3--> --3x3--> ... --3x3--> features --+
      |                                             |--3x3--> scale² small images --shuffle--> large image
      +---------------- 4 times --------------------+

All work is done at the size of the small image. Each layer sees a pixel further and nothing sees the whole image: cut
into tiles with a margin of as many pixels as there are layers, the result is the same. Layers of this kind are what
CPUs compute best, in 8 bits above all. The last one adds what it found to the image by taking it as further inputs, so
that no addition is left over; four times, so that no weight has to be large, which would leave coarse steps to others.

In training every layer is a sum of several (`Branched`), which all amount to one 3x3 convolution: `plain` returns that.
Its kernel learns from its inputs less their mean, which otherwise is nearly all that gradients point to: the first
layers then fall silent one channel after the other.

Sources: pixel shuffle, Shi et al. 2016 (ESPCN); branches, Zhang, Zeng and Zhang 2021 (ECBSR); centering, Schraudolph
1998 ("Centering neural network gradient factors").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from salticid.upscale.shape import COLORS, REPEATS, Shape

BEGINNING = 0.1  # of the usual spread of weights, beside the features as they are
GRAY = 0.5  # what the first layer begins to tell from
WIDER = 2  # times the channels between the two layers of a branch
CENTERING = 0.02  # what a step counts in the mean of the inputs

# What a branch looks at beside its own weights: edges and corners (Zhang et al. 2021, fig. 2).
SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
LAPLACE = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


class PlainNet(nn.Module):
    """One topology for all sizes.

    Parameters
    ----------
    shape
        Number of layers and channels, and the scale.
    branched
        With the branches of training; without, every layer is one convolution.
    """

    def __init__(self, shape: Shape, *, branched: bool = False) -> None:
        super().__init__()
        self.shape = shape
        layer = Branched if branched else Single
        *body, last = shape.widths()
        self.body = nn.ModuleList(layer(inputs, outputs) for inputs, outputs in body)
        self.last = Single(*last)
        self._start_from_the_image()

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, 3, scale H, scale W) for (N, 3, H, W), values of 0 to 1 and neither cut off nor rounded."""
        features = image
        for layer in self.body:
            features = functional.relu(layer(features))
        small = self.last(torch.cat((features, *[image] * REPEATS), dim=1))
        return functional.pixel_shuffle(small, self.shape.scale)

    def plain(self) -> PlainNet:
        """Return the same network with one convolution per layer."""
        other = PlainNet(self.shape)
        with torch.no_grad():
            for parameter, amount in zip(other.parameters(), self.folded(), strict=True):
                parameter.copy_(amount)
        return other

    def folded(self) -> list[Tensor]:
        """Return what the parameters of `plain` are."""
        return [part for layer in [*self.body, self.last] for part in layer.folded()]

    def _start_from_the_image(self) -> None:
        """Let the last layer repeat every pixel, and add little to that."""
        with torch.no_grad():
            self.last.weight.normal_(0, 1e-3)
            self.last.bias.zero_()
            shares = self.last.weight.view(COLORS, self.shape.scale**2, -1, 3, 3)
            for color in range(COLORS):
                shares[color, :, self.shape.channels + color :: COLORS, 1, 1] = 1 / REPEATS


class Single(nn.Module):
    """A 3x3 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.weight)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return the kernel (outputs, inputs, 3, 3) and the bias (outputs,) that are computed with."""
        return self.weight, self.bias

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, outputs, H, W)."""
        return functional.conv2d(features, *self.folded(), padding=1)


class Branched(Single):
    """A 3x3 convolution that is learned as the sum of several: they amount to one, which is what is computed.

    Beside its own weights: a wider pair of 1x1 and 3x3, edges in both directions and corners of mixed channels, and
    the features as they are. The gradient then has more ways to the same kernel, and the short ones are quick.
    """

    mean: Tensor  # of the inputs, (inputs,)
    looks: Tensor  # (3, 3, 3)

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        wide = WIDER * outputs
        self.widen = nn.Parameter(torch.randn(wide, inputs) * inputs**-0.5)
        self.narrow = nn.Parameter(torch.randn(outputs, wide, 3, 3) * (9 * wide) ** -0.5)
        self.mixed = nn.Parameter(torch.randn(3, outputs, inputs) * inputs**-0.5)
        self.strengths = nn.Parameter(torch.full((3, outputs), 1e-3))
        self.register_buffer("looks", torch.stack([SOBEL, SOBEL.T, LAPLACE]), persistent=False)
        self.register_buffer("mean", torch.zeros(inputs))
        self._repeats = inputs == outputs
        with torch.no_grad():
            # Features first pass through as they are: a deep network whose layers begin by chance falls silent.
            self.weight.mul_(BEGINNING if self._repeats else 0.5)
            self.narrow.mul_(BEGINNING if self._repeats else 0.5)
            if not self._repeats:
                self.mean.fill_(GRAY)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return what all branches amount to."""
        kernel = self._kernel()
        return kernel, self.bias - kernel.sum(dim=(2, 3)) @ self.mean

    def take(self, kernel: Tensor, bias: Tensor) -> None:
        """Amount to another kernel and bias from now on."""
        with torch.no_grad():
            self.weight.add_(kernel - self._kernel())
            self.bias.add_(bias - self.folded()[1])

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, outputs, H, W); in training, the mean of the inputs is followed, which changes no result."""
        kernel = self._kernel()
        sums = kernel.sum(dim=(2, 3))
        if self.training:
            with torch.no_grad():
                before = self.mean
                self.mean = before.lerp(features.mean(dim=(0, 2, 3)), CENTERING)
                self.bias.add_(sums @ (self.mean - before))
        return functional.conv2d(features, kernel, self.bias - sums @ self.mean, padding=1)

    def _kernel(self) -> Tensor:
        pair = torch.einsum("owyx,wi->oiyx", self.narrow, self.widen)
        looks = torch.einsum("bo,boi,byx->oiyx", self.strengths, self.mixed, self.looks)
        total = self.weight + pair + looks
        if self._repeats:
            center = functional.pad(torch.eye(len(total), device=total.device)[:, :, None, None], (1, 1, 1, 1))
            total = total + center
        return total
