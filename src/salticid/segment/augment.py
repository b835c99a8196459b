"""The same street on another day: crops of images at random scales, angles, colors and sharpness.

Works on tensors, on the device where they are. All chance comes from one generator on the CPU, so a seed gives the
same views on every device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from salticid.segment.losses import IGNORED

BLUR_RADIUS = 3  # px
MIDDLE = 127.5  # networks take value / MIDDLE - 1


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a view may be from the image that it shows."""

    scale: tuple[float, float] = (0.5, 2.0)  # halving is as likely as doubling
    degrees: float = 5.0
    flip: float = 0.5  # how often left and right change places
    brightness: float = 0.3  # each a share by which it may change
    contrast: float = 0.3
    saturation: float = 0.3
    gamma: float = 0.2
    blur: float = 0.2  # how often
    blur_px: float = 1.5  # largest standard deviation


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which image a view is centered, and how large it shows it."""

    image: int
    scale: float  # px of the view per px of the image
    row: float
    column: float


def views(
    images: Sequence[Tensor],
    truths: Sequence[Tensor],
    places: Sequence[Place],
    size: tuple[int, int],
    options: Augmentation,
    chance: Generator,
) -> tuple[Tensor, Tensor]:
    """Return a batch of views.

    Parameters
    ----------
    images, truths
        (3, H, W) uint8 RGB and (H, W) uint8, of any sizes.
    places
        One per view.
    size
        Height and width of a view.

    Returns
    -------
    (N, 3, H, W) float32, value / 127.5 - 1, and (N, H, W) int64. What lies outside of the image repeats its border
    and is `IGNORED`.
    """
    shown = [_view(images[place.image], truths[place.image], place, size, options, chance) for place in places]
    pixels = _recolored(torch.stack([image for image, _ in shown]), options, chance)
    return _blurred(pixels, options, chance) * 2 - 1, torch.stack([truth for _, truth in shown])


def draw_scale(options: Augmentation, chance: Generator) -> float:
    """Return a scale, uniform in its logarithm."""
    low, high = (math.log(limit) for limit in options.scale)
    return math.exp(low + float(torch.rand(1, generator=chance)) * (high - low))


def _view(
    image: Tensor, truth: Tensor, place: Place, size: tuple[int, int], options: Augmentation, chance: Generator
) -> tuple[Tensor, Tensor]:
    """Return one view, 0..1, and its truth."""
    turn = _turn(place, size, tuple(truth.shape), options, chance).to(image.device)
    grid = functional.affine_grid(turn[None], [1, 1, *size], align_corners=False)
    pixels = functional.grid_sample(
        image[None].float() / 255, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    # Nearest, one class up: what lies outside is 0 and so becomes IGNORED.
    raised = functional.grid_sample(
        truth[None, None].float() + 1, grid, mode="nearest", padding_mode="zeros", align_corners=False
    )
    classes = raised[0, 0].long() - 1
    return pixels[0], classes.masked_fill(classes < 0, IGNORED)


def _turn(
    place: Place, size: tuple[int, int], source: tuple[int, ...], options: Augmentation, chance: Generator
) -> Tensor:
    """Return, for `affine_grid`, where in the source a view comes from; both run from -1 to 1, x before y."""
    drawn = torch.rand(2, generator=chance).tolist()
    angle = math.radians(options.degrees * (2 * drawn[0] - 1))
    mirror = -1.0 if drawn[1] < options.flip else 1.0
    across, down = math.cos(angle) / place.scale, math.sin(angle) / place.scale
    height, width = size[0] / source[0], size[1] / source[1]
    return torch.tensor(
        [
            [mirror * across * width, -mirror * down * size[0] / source[1], 2 * (place.column + 0.5) / source[1] - 1],
            [down * size[1] / source[0], across * height, 2 * (place.row + 0.5) / source[0] - 1],
        ]
    )


def _recolored(pixels: Tensor, options: Augmentation, chance: Generator) -> Tensor:
    """Change gamma, brightness, contrast and saturation of (N, 3, H, W), 0..1, of each view by itself."""
    drawn = (2 * torch.rand(4, len(pixels), 1, 1, 1, generator=chance) - 1).to(pixels.device)
    gamma = 1 + options.gamma * drawn[0]
    brightness = 1 + options.brightness * drawn[1]
    contrast = 1 + options.contrast * drawn[2]
    saturation = 1 + options.saturation * drawn[3]
    pixels = pixels.clamp(min=1e-4) ** gamma * brightness
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    pixels = (pixels - mean) * contrast + mean
    gray = (pixels * pixels.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    return ((pixels - gray) * saturation + gray).clamp(0, 1)


def _blurred(pixels: Tensor, options: Augmentation, chance: Generator) -> Tensor:
    """Blur some of (N, 3, H, W) by a Gaussian."""
    drawn = torch.rand(2, len(pixels), generator=chance)
    chosen = (drawn[1] < options.blur).nonzero().flatten()
    if not len(chosen):
        return pixels
    deviation = (options.blur_px * drawn[0, chosen, None]).clamp(min=1e-2)
    offsets = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1)
    kernel = torch.exp(-0.5 * (offsets / deviation) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).to(pixels.device).repeat_interleave(3, dim=0)
    chosen = chosen.to(pixels.device)
    flat = pixels[chosen].flatten(0, 1)[None]
    padded = functional.pad(flat, [BLUR_RADIUS] * 4, mode="replicate")
    across = functional.conv2d(padded, kernel[:, None, None, :], groups=len(kernel))
    down = functional.conv2d(across, kernel[:, None, :, None], groups=len(kernel))
    return pixels.index_copy(0, chosen, down.view(len(chosen), *pixels.shape[1:]))
