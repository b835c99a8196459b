"""RoundedNet: a PlainNet that computes with the rounding of 8 bits and learns to live with it.

    rounded = RoundedNet(with_even_channels(net, images))
    ...                                       # some thousand steps, as before
    integer = rounded.integer_net()           # whole numbers, to the last bit what `rounded` computes

Every activation is held in 256 steps between 0 and 1, those of the image among them: a ReLU lets channels be rescaled
at will, so each is first made to use just that range. Weights are whole multiples of a scale per output channel. It is
as fine as the rules allow by which CPUs without dot products multiply (`integer_net.py`).

Rounding has no gradient: the one of the number that was rounded is taken (straight through; Bengio et al. 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from salticid.upscale.integer_net import IntegerLayer, IntegerNet
from salticid.upscale.networks import PlainNet, Single
from salticid.upscale.shape import REPEATS

LEVELS = 255
LARGEST_WEIGHT = 127
# Rounding moves each of four weights by half a step at most, so their sum stays within 128; of two likewise.
LARGEST_FOUR, LARGEST_TWO = 126.0, 127.0
STEP = 4  # weights that are multiplied at a time
COVERED = 0.9995  # share of a channel's values that shall lie below 1
LEAST_RANGE = 1 / 64  # that a channel is stretched from: what is smaller says next to nothing
LEAST_SCALE = 1e-8


class RoundedNet(nn.Module):
    """The layers of a PlainNet whose channels are even, computed as in 8 bits."""

    def __init__(self, net: PlainNet) -> None:
        super().__init__()
        self.shape = net.shape
        self.layers = nn.ModuleList(_copy(layer) for layer in [*net.body, net.last])

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, 3, scale H, scale W) for (N, 3, H, W), both in steps of 1/255."""
        *body, last = self.layers
        features = image
        for layer in body:
            features = held(_rounded_convolution(layer, features))
        small = held(_rounded_convolution(last, torch.cat((features, *[image] * REPEATS), dim=1)))
        return functional.pixel_shuffle(small, self.shape.scale)

    def plain(self) -> RoundedNet:
        """Return itself: there are no branches to be summed."""
        return self

    def folded(self) -> list[Tensor]:
        """Return all parameters."""
        return list(self.parameters())

    def integer_net(self) -> IntegerNet:
        """Return the network in whole numbers."""
        return IntegerNet(tuple(map(_integer_layer, self.layers)), self.shape.scale, REPEATS)


def with_even_channels(net: PlainNet, images: Sequence[Tensor]) -> PlainNet:
    """Return a network that computes the same, and whose features lie between 0 and 1 nearly always.

    Parameters
    ----------
    net
        Not changed.
    images
        (1, 3, H, W) of 0 to 1; some dozen typical ones.
    """
    even = PlainNet(net.shape)
    even.load_state_dict(net.state_dict())
    body: list[Any] = list(even.body)
    last: Any = even.last
    with torch.no_grad():
        seen = list(images)
        for layer, following in zip(body, [*body[1:], last], strict=True):
            seen = [functional.relu(layer(one)) for one in seen]
            values = torch.cat([one.transpose(0, 1).flatten(1) for one in seen], dim=1)
            most = _quantile(values, COVERED).clamp(min=LEAST_RANGE)
            layer.weight.div_(most[:, None, None, None])
            layer.bias.div_(most)
            following.weight[:, : len(most)].mul_(most[None, :, None, None])
            seen = [one / most[:, None, None] for one in seen]
    return even


def held(values: Tensor) -> Tensor:
    """Return values cut off at 0 and 1 and rounded to steps of 1/255."""
    limited = values.clamp(0, 1)
    return limited + (torch.round(limited * LEVELS) / LEVELS - limited).detach()


def weight_scales(weights: Tensor) -> Tensor:
    """Return the scale of each output channel (O,) for weights (O, I, 3, 3), as fine as the rules allow."""
    ordered = weights.permute(0, 2, 3, 1)  # kernel rows, columns, channels
    padded = functional.pad(ordered, (0, -weights.shape[1] % STEP)).flatten(1)
    steps = functional.pad(padded, (0, -padded.shape[1] % (2 * STEP))).view(len(weights), -1, 2, STEP // 2, 2)
    fours = steps.transpose(2, 3).flatten(3)
    neighbors = functional.pad(ordered.flatten(1), (0, weights[0].numel() % 2)).view(len(weights), -1, 2)
    needed = [
        weights.abs().flatten(1).amax(dim=1) / LARGEST_WEIGHT,
        *(_largest_sum(fours.flatten(1, 2), sign) / LARGEST_FOUR for sign in (1, -1)),
        *(_largest_sum(neighbors, sign) / LARGEST_TWO for sign in (1, -1)),
    ]
    return torch.stack(needed).amax(dim=0).clamp(min=LEAST_SCALE)


def _rounded_convolution(layer: nn.Module, features: Tensor) -> Tensor:
    assert isinstance(layer, Single)
    scales = weight_scales(layer.weight.detach())
    weights = _rounded(layer.weight, scales[:, None, None, None])
    return functional.conv2d(features, weights, _rounded(layer.bias, scales / LEVELS), padding=1)


def _integer_layer(layer: nn.Module) -> IntegerLayer:
    assert isinstance(layer, Single)
    weights, bias = layer.weight.detach().cpu(), layer.bias.detach().cpu()
    scales = weight_scales(weights)
    return IntegerLayer(
        weights=torch.round(weights / scales[:, None, None, None]).to(torch.int8).numpy(),
        bias=torch.round(bias / (scales / LEVELS)).to(torch.int32).numpy(),
        multiplier=scales.numpy().astype(np.float32),
    )


def _rounded(numbers: Tensor, scales: Tensor) -> Tensor:
    """Return whole multiples of the scales, with the gradient of the numbers."""
    return numbers + (torch.round(numbers.detach() / scales) * scales - numbers.detach())


def _largest_sum(groups: Tensor, sign: int) -> Tensor:
    """Return the largest sum of the numbers of one sign in a group, (O,) for (O, groups, members)."""
    return (sign * groups).clamp(min=0).sum(dim=2).amax(dim=1)


def _quantile(rows: Tensor, share: float) -> Tensor:
    """Return what that share of each row is below; `torch.quantile` takes no rows that long."""
    return rows.kthvalue(max(1, round(share * rows.shape[1])), dim=1).values


def _copy(layer: nn.Module) -> Single:
    assert isinstance(layer, Single)
    outputs, inputs = layer.weight.shape[:2]
    other = Single(inputs, outputs)
    other.load_state_dict({"weight": layer.weight, "bias": layer.bias})
    return other
