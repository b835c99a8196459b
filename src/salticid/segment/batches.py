"""What a training sees: images and truth in memory, and batches of views drawn from them.

Half of the views are centered near a pixel of a class that is rare, so that a pole or a cyclist is met as often as a
wall. What an epoch draws depends on the seed and the number of the epoch alone: a run that was killed goes on as if
nothing had been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor
from torch.nn import functional

from salticid.core.image import resize
from salticid.core.image_labels import resize_labels
from salticid.core.types import Image
from salticid.errors import InputError, ResourceError
from salticid.runtime import hardware
from salticid.segment.augment import MIDDLE, Augmentation, Place, draw_scale, views
from salticid.segment.data import Dataset, refuse
from salticid.segment.layouts import Pair
from salticid.segment.listener import Progress, silent
from salticid.segment.losses import IGNORED
from salticid.segment.network import MULTIPLE
from salticid.segment.prepare import reduced_size

MARKS = 64  # pixels of a class that are remembered per image
EPOCH_STEP = 1_000_003  # between the seeds of two epochs
PROBED = 16  # pairs by whose size it is judged whether all fit
MOST_MEMORY = 0.7  # of what is free, that pairs may take: the network needs some


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Images and their truth, as tensors on one device."""

    images: list[Tensor]  # (3, H, W) uint8 RGB
    truths: list[Tensor]  # (H, W) uint8

    def __len__(self) -> int:
        return len(self.images)


def load(
    dataset: Dataset,
    pairs: Sequence[Pair],
    device: str = "cpu",
    *,
    long_side_px: int | None = None,
    progress: Progress = silent,
) -> Pixels:
    """Read pairs into memory: a byte for each color of each pixel, and one for its class.

    Parameters
    ----------
    dataset, pairs
        What to read.
    device
        Where to keep it.
    long_side_px
        Larger images are reduced to this, their classes to those of the nearest pixels.
    progress
        Put around the pairs.

    Raises
    ------
    InputError
        Files are missing or damaged, sizes differ, or numbers stand for no class: all such pairs are listed.
    ResourceError
        By the size of the first ones, the pairs do not fit the memory of the device.
    """
    images, truths = [], []
    found: list[str] = []
    limit = _memory(device)
    for pair in progress(pairs, len(pairs), "pairs read"):
        try:
            image, classes = _reduced(*dataset.read(pair), long_side_px)
        except InputError as problem:
            found.append(str(problem))
            continue
        images.append(torch.from_numpy(image).permute(2, 0, 1).contiguous().to(device))
        truths.append(torch.from_numpy(classes).to(device))
        if len(truths) == min(PROBED, len(pairs)):
            _check_memory(sum(4 * truth.numel() for truth in truths) / len(truths) * len(pairs), limit, device)
    refuse(found)
    return Pixels(images, truths)


def _reduced(image: Image, classes: Image, long_side_px: int | None) -> tuple[Image, Image]:
    """Return an image and its classes at the size that they are learned at."""
    height, width = reduced_size(classes.shape, long_side_px)
    if classes.shape == (height, width):
        return image, classes
    return resize(image, width, height), resize_labels(classes, width, height)


def _memory(device: str) -> int:
    """Return the free bytes of a device."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return hardware.available_memory()


def _check_memory(needed: float, limit: int, device: str) -> None:
    if needed > MOST_MEMORY * limit:
        raise ResourceError(
            f"the images and their classes take about {needed / 1e9:.1f} GB, and may take {MOST_MEMORY:.0%} of the "
            f"{limit / 1e9:.1f} GB that are free on {device}: reduce them, with --long-side-px 1024 say"
        )


def class_shares(pixels: Pixels, classes: int) -> Tensor:
    """Return which share of all pixels that count each class has, (C,) float64 on the CPU."""
    counted = sum(
        torch.bincount(truth.flatten().long(), minlength=256)[:classes].cpu().double() for truth in pixels.truths
    )
    return torch.as_tensor(counted) / torch.as_tensor(counted).sum().clamp(min=1)


@dataclass(slots=True)
class Views:
    """Batches of views for training: what `SegmentationTrainer` takes as `train_loader`.

    Iterating gives one epoch: (image (N, 3, H, W) float32, truth (N, H, W) int64) batches.
    """

    pixels: Pixels
    classes: int
    size: tuple[int, int]  # height and width of a view; multiples of 32
    batch: int
    seed: int = 0
    rare: float = 0.5  # share of views near a rare class
    options: Augmentation = field(default_factory=Augmentation)
    epoch: int = 0  # of the next iteration
    _marks: list[list[Tensor]] = field(init=False)
    _rarity: Tensor = field(init=False)

    def __post_init__(self) -> None:
        chance = torch.Generator().manual_seed(self.seed)
        self._marks = [_marks(truth.cpu(), self.classes, chance) for truth in self.pixels.truths]
        shares = class_shares(self.pixels, self.classes)
        occurs = torch.tensor([any(len(marks[k]) for marks in self._marks) for k in range(self.classes)])
        self._rarity = torch.where(occurs, shares.clamp(min=1e-6) ** -0.5, 0.0)

    def __len__(self) -> int:
        return max(1, len(self.pixels) // self.batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        chance = torch.Generator().manual_seed(self.seed + EPOCH_STEP * (self.epoch + 1))
        self.epoch += 1
        order = torch.randperm(len(self.pixels), generator=chance).tolist()
        for first in range(0, len(self) * self.batch, self.batch):
            drawn = [order[(first + number) % len(order)] for number in range(self.batch)]
            places = [self._place(image, chance) for image in drawn]
            yield views(self.pixels.images, self.pixels.truths, places, self.size, self.options, chance)

    def _place(self, image: int, chance: Generator) -> Place:
        scale = draw_scale(self.options, chance)
        drawn = torch.rand(4, generator=chance).tolist()
        rare = drawn[0] < self.rare
        image, *pixel = self._rare_pixel(drawn[1], chance) if rare else (image,)
        center = []
        for axis, side in enumerate(self.pixels.truths[image].shape):
            extent = self.size[axis] / scale
            low, high = _reach(side, extent)
            # Near a rare pixel, but not with it in the very middle, where a network would learn to expect it.
            wanted = (
                pixel[axis] + (drawn[2 + axis] - 0.5) * extent / 2 if rare else low + drawn[2 + axis] * (high - low)
            )
            center.append(min(max(wanted, low), high))
        return Place(image, scale, *center)

    def _rare_pixel(self, drawn: float, chance: Generator) -> tuple[int, float, float]:
        """Return an image that shows a class drawn by its rarity, and where."""
        wanted = int(torch.multinomial(self._rarity, 1, generator=chance))
        showing = [number for number, marks in enumerate(self._marks) if len(marks[wanted])]
        image = showing[int(drawn * len(showing))]
        marks = self._marks[image][wanted]
        row, column = marks[int(torch.randint(len(marks), (1,), generator=chance))].tolist()
        return image, row, column


def _reach(side: int, extent: float) -> tuple[float, float]:
    """Return the first and last center with which a view lies inside the image, or the image inside the view."""
    ends = (extent / 2, side - extent / 2)
    return min(ends) - 0.5, max(ends) - 0.5


def _marks(truth: Tensor, classes: int, chance: Generator) -> list[Tensor]:
    """Return up to `MARKS` pixels (row, column) of each class, (K, 2)."""
    marks = []
    for number in range(classes):
        places = (truth == number).nonzero()
        kept = torch.randperm(len(places), generator=chance)[:MARKS]
        marks.append(places[kept])
    return marks


def whole(image: Tensor) -> Tensor:
    """Return an image (3, H, W) uint8 as a network takes it, (1, 3, H32, W32), its right and lower border repeated."""
    height, width = image.shape[1:]
    pixels = image[None].float() / MIDDLE - 1
    return functional.pad(pixels, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")


@dataclass(frozen=True, slots=True)
class WholeImages:
    """Every image as it is, one by one: what `SegmentationTrainer` takes as `val_loader`."""

    pixels: Pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for image, truth in zip(self.pixels.images, self.pixels.truths, strict=True):
            padded = whole(image)
            height, width = padded.shape[2] - truth.shape[0], padded.shape[3] - truth.shape[1]
            yield padded, functional.pad(truth[None].long(), (0, width, 0, height), value=IGNORED)
