"""FastSegNet: a map of classes at an eighth of the image's size, in 1.6 million parameters.

    net = FastSegNet(num_classes=19)
    logits = net(image)                       # (N, 3, H, W) -> (N, 19, H/8, W/8); H and W multiples of 32

The way down is a trunk in four stages, each at half the size of the one before. The way up is short: what the deepest
stages know (which things are there) is gated, added and brought back to 1/8, where it meets what the second stage
knows (where their edges are).

    image --stem 1/2--> --1/4--> --1/8--+--> --1/16--+--> --1/32--+--> whole image
                                        |            |            |        |
                                        |          gate (ARM)   gate (ARM) |
                                        |            +<----x2-----+<-------+
                                      fuse (FFM)<-----x2----+
                                        +--> head --> classes at 1/8

`edge` is made for CPUs. A 3x3 convolution that mixes channels makes far better use of a CPU than a depthwise one, and
far worse use of parameters; early layers have few channels and many positions, so there the former is taken, and the
inverted residuals of MobileNetV2 only from 1/8 on. From there on the layers are MobileNetV2's own in number and shape,
but for the last: its ImageNet weights fit, and `warm_start.py` teaches the first layers to stand in for those that they
replace.

`documented` is the plain MobileNetV2 with a decoder of the same kind, wider: the network to compare with.

Sources: inverted residuals and ReLU6, Sandler et al. 2018 (MobileNetV2); attention refinement and feature fusion, Yu et
al. 2018 (BiSeNet); fused early layers, Tan and Le 2021 (EfficientNetV2).
"""

from __future__ import annotations

import os
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from salticid.engine.weights import read_weights
from salticid.errors import InputError

Variant = Literal["edge", "documented"]

STRIDE = 8  # of the logits
MULTIPLE = 32  # of which the sides of an image have to be

# MobileNetV2's table 2, where all layers expand by 6: channels, number of layers, stride of the first.
EXPANSION = 6
STAGE_8 = ((32, 2, 1),)
STAGE_16 = ((64, 4, 2), (96, 3, 1))
STAGE_32 = ((160, 3, 2),)
EARLY_LAYERS = 5  # of MobileNetV2, before those of STAGE_8


class FastSegNet(nn.Module):
    """Classes at an eighth of the image's size.

    Parameters
    ----------
    num_classes
        Number of classes, at least 2.
    variant
        "edge", made for CPUs, or "documented", the plain MobileNetV2 layout.

    Raises
    ------
    InputError
        The number of classes or the variant is none.
    """

    def __init__(self, num_classes: int, variant: Variant = "edge") -> None:
        super().__init__()
        if not (isinstance(num_classes, int) and 2 <= num_classes <= 255):
            raise InputError(f"num_classes must be 2 to 255, not {num_classes!r}")
        if variant not in get_args(Variant):
            raise InputError(f"variant must be one of {', '.join(get_args(Variant))}, not {variant!r}")
        self.num_classes, self.variant = num_classes, variant
        edge = variant == "edge"
        self.early = _fused_early() if edge else _mobilenet_early()
        self.stage8 = nn.Sequential(*_stage(32, STAGE_8))
        self.stage16 = nn.Sequential(*_stage(32, STAGE_16))
        self.stage32 = nn.Sequential(*_stage(96, STAGE_32))
        self.last = InvertedResidual(160, 160, 1, 3, size=5) if edge else InvertedResidual(160, 320, 1, EXPANSION)
        self.decoder = EdgeDecoder(num_classes) if edge else DocumentedDecoder(num_classes)
        self.auxiliary = nn.Sequential(separable(96, 64), nn.Conv2d(64, num_classes, 1))  # in training alone

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, C, H/8, W/8) of an image (N, 3, H, W), RGB as value / 127.5 - 1."""
        at8, at16 = self._halves(image)
        return self._decoded(at8, at16)

    def with_auxiliary(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits, and those of the auxiliary head at 1/16 that the trunk is taught through."""
        at8, at16 = self._halves(image)
        return self._decoded(at8, at16), self.auxiliary(at16)

    def trunk(self) -> list[nn.Parameter]:
        """Return the parameters that ImageNet's weights give a start: they learn more slowly."""
        stages = (self.early, self.stage8, self.stage16, self.stage32)
        return [parameter for stage in stages for parameter in stage.parameters()]

    def _halves(self, image: Tensor) -> tuple[Tensor, Tensor]:
        at8 = self.stage8(self.early(image))
        return at8, self.stage16(at8)

    def _decoded(self, at8: Tensor, at16: Tensor) -> Tensor:
        logits: Tensor = self.decoder(at8, at16, self.last(self.stage32(at16)))
        return logits


class EdgeDecoder(nn.Module):
    """Wide where positions are few, narrow at 1/8, and with one 3x3 convolution across channels before the classes."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.gate16 = AttentionRefinement(conv(96, 128, 1), 128)
        self.gate32 = AttentionRefinement(conv(160, 128, 1), 128)
        self.context = whole_image(160, 128)
        self.refine16 = separable(128, 64)
        self.fusion = FeatureFusion(64 + 32, 48)
        self.head = nn.Sequential(conv(48, 48, 3), nn.Conv2d(48, num_classes, 1))

    def forward(self, at8: Tensor, at16: Tensor, at32: Tensor) -> Tensor:
        """Return logits at 1/8 from the features of three stages."""
        deep = self.gate32(at32) + self.context(at32)
        deep = self.refine16(self.gate16(at16) + twice(deep))
        logits: Tensor = self.head(self.fusion(twice(deep), at8))
        return logits


class DocumentedDecoder(nn.Module):
    """The same idea with one width throughout and separable convolutions, the last of them at 1/8."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.gate16 = AttentionRefinement(separable(96, 160), 160)
        self.gate32 = AttentionRefinement(separable(320, 160), 160)
        self.context = whole_image(320, 160)
        self.refine32 = separable(160, 160)
        self.refine16 = separable(160, 160)
        self.space = conv(32, 96, 1)
        self.fusion = FeatureFusion(160 + 96, 160)
        self.head = nn.Sequential(separable(160, 96), nn.Conv2d(96, num_classes, 1))

    def forward(self, at8: Tensor, at16: Tensor, at32: Tensor) -> Tensor:
        """Return logits at 1/8 from the features of three stages."""
        deep = self.refine32(twice(self.gate32(at32) + self.context(at32)))
        deep = self.refine16(twice(self.gate16(at16) + deep))
        logits: Tensor = self.head(self.fusion(deep, self.space(at8)))
        return logits


class InvertedResidual(nn.Module):
    """Widen by 1x1, look around in each channel alone, narrow by 1x1 without a nonlinearity; add where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, size: int = 3) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        widen = [conv(inputs, hidden, 1)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen, conv(hidden, hidden, size, stride, groups=hidden), conv(hidden, outputs, 1, active=False)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the features, of half the size for stride 2."""
        features: Tensor = self.layers(inputs)
        return inputs + features if self.adds else features


class AttentionRefinement(nn.Module):
    """Weigh channels by what the whole image looks like (BiSeNet's ARM)."""

    def __init__(self, project: nn.Module, channels: int) -> None:
        super().__init__()
        self.project = project  # to the decoder's number of channels
        self.gate = nn.Sequential(GlobalMean(), nn.Conv2d(channels, channels, 1), nn.Hardsigmoid())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the projected features, weighed."""
        features: Tensor = self.project(inputs)
        weighed: Tensor = features * self.gate(features)
        return weighed


class FeatureFusion(nn.Module):
    """Join what is known of things and of edges, and strengthen the channels that matter here (BiSeNet's FFM)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.join = conv(inputs, outputs, 1)
        self.gate = nn.Sequential(
            GlobalMean(),
            nn.Conv2d(outputs, outputs // 4, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs // 4, outputs, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, things: Tensor, edges: Tensor) -> Tensor:
        """Return the joint features of two maps of one size."""
        features: Tensor = self.join(torch.cat((things, edges), dim=1))
        strengthened: Tensor = features + features * self.gate(features)
        return strengthened


class GlobalMean(nn.Module):
    """The mean over all positions: any size of image, and one operation in an exported file."""

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, C, 1, 1)."""
        return features.mean(dim=(2, 3), keepdim=True)


def conv(
    inputs: int, outputs: int, size: int, stride: int = 1, *, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """Return a convolution with its batch normalization, and ReLU6 where it is active."""
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if active else nn.Sequential(*layers)


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 3x3 convolution of each channel alone, then one of 1x1."""
    return nn.Sequential(conv(inputs, inputs, 3, groups=inputs), conv(inputs, outputs, 1))


def whole_image(inputs: int, outputs: int) -> nn.Sequential:
    """Return what tells all positions what the image as a whole looks like."""
    return nn.Sequential(GlobalMean(), nn.Conv2d(inputs, outputs, 1), nn.ReLU(inplace=True))


def twice(features: Tensor) -> Tensor:
    """Return the features at twice the size, bilinear."""
    return functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)


def _stage(inputs: int, rows: tuple[tuple[int, int, int], ...]) -> list[InvertedResidual]:
    layers = []
    for outputs, count, stride in rows:
        for number in range(count):
            layers.append(InvertedResidual(inputs, outputs, 1 if number else stride, EXPANSION))
            inputs = outputs
    return layers


def _fused_early() -> nn.Sequential:
    """Return the layers of `edge` from the image to 1/8: the inputs of MobileNetV2's fifth inverted residual."""
    return nn.Sequential(
        conv(3, 16, 3, 2),
        *(conv(16, 48, 3, 2), conv(48, 24, 1, active=False)),
        *(conv(24, 64, 3, 2), conv(64, 32, 1, active=False)),
    )


def _mobilenet_early() -> nn.Sequential:
    """Return MobileNetV2's own layers from the image to 1/8."""
    return nn.Sequential(
        conv(3, 32, 3, 2), InvertedResidual(32, 16, 1, 1), *_stage(16, ((24, 2, 2),)), *_stage(24, ((32, 1, 2),))
    )


def load_imagenet(net: FastSegNet, path: str | os.PathLike[str]) -> list[str]:
    """Give `net` the ImageNet weights of MobileNetV2 where shapes allow.

    Parameters
    ----------
    net
        Changed in place.
    path
        A .safetensors file of MobileNetV2 1.0, its blocks named `features.0` to `features.16` as torchvision does.
        Within a block names may differ from port to port; their order does not.

    Returns
    -------
    list of str
        The names in `net` that kept their random start: early layers of its own, and the decoder.

    Raises
    ------
    InputError
        The file is none, or holds no MobileNetV2 of this width.
    """
    weights = read_weights(path)
    start: dict[str, Tensor] = {}
    for number, (name, block) in enumerate(_shared_blocks(net), 0 if net.variant == "documented" else EARLY_LAYERS):
        ours = block.state_dict(prefix=f"{name}.")
        theirs = {key: weights[key] for key in sorted(weights) if key.startswith(f"features.{number}.")}
        if [tensor.shape for tensor in theirs.values()] != [ours[key].shape for key in sorted(ours)]:
            raise InputError(f"{os.fspath(path)} holds no MobileNetV2 1.0: its features.{number} has other shapes")
        start |= zip(sorted(ours), theirs.values(), strict=True)
    net.load_state_dict({name: tensor.float() for name, tensor in start.items()}, strict=False)
    return [name for name in net.state_dict() if name not in start]


def _shared_blocks(net: FastSegNet) -> list[tuple[str, nn.Module]]:
    """Return the blocks that are MobileNetV2's, by name and in its order."""
    early = list(net.early) if net.variant == "documented" else []
    blocks = [(f"early.{number}", block) for number, block in enumerate(early)]
    for stage, rows in (("stage8", STAGE_8), ("stage16", STAGE_16), ("stage32", STAGE_32)):
        count = sum(layers for _, layers, _ in rows)
        blocks += [(f"{stage}.{number}", getattr(net, stage)[number]) for number in range(count)]
    return blocks
