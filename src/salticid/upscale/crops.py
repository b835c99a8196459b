"""Crops to learn enlarging from, drawn from pairs of images.

crops = Crops(pairs, scale=4, side=48, count=8)
small, large = crops.batch(step)          # (N, 3, 48, 48) and (N, 3, 192, 192) float32 of 0 to 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from salticid.core.types import Array, Image
from salticid.errors import InputError
from salticid.upscale.data import Pair


class Crops:
    """Batches of crops, turned and mirrored; which ones depends on seed and step alone.

    Parameters
    ----------
    pairs
        To draw from; a large image is drawn more often than a small one.
    side
        Of the small crop, px.
    count
        Crops in a batch.
    degrade
        Makes a small crop of a large one, anew each time; by default it is cut out of the small image.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        *,
        scale: int,
        side: int,
        count: int,
        seed: int = 0,
        degrade: Callable[[Image, int, np.random.Generator], Image] | None = None,
    ) -> None:
        fitting = [pair for pair in pairs if min(pair.small.shape[:2]) >= side]
        if not fitting:
            raise InputError(f"no image is as large as a crop, {side * scale} px a side: choose a smaller --side")
        self.pairs, self.scale, self.side, self.count, self.seed = fitting, scale, side, count, seed
        areas = np.array([pair.small.shape[0] * pair.small.shape[1] for pair in fitting], float)
        self._shares = areas / areas.sum()
        self._degrade = degrade

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the small and the large crops of a step, (N, 3, h, w) float32 of 0 to 1."""
        rng, fate = np.random.default_rng((self.seed, step)), np.random.default_rng((self.seed, step, 1))
        crops = [self._crop(rng, fate, number) for number in rng.choice(len(self.pairs), self.count, p=self._shares)]
        small, large = zip(*crops, strict=True)
        return to_tensor(np.stack(small)), to_tensor(np.stack(large))

    def _crop(self, rng: np.random.Generator, fate: np.random.Generator, number: int) -> tuple[Array, Array]:
        pair, side, scale = self.pairs[number], self.side, self.scale
        top, left = (int(rng.integers(length - side + 1)) for length in pair.small.shape[:2])
        large = pair.large[scale * top : scale * (top + side), scale * left : scale * (left + side)]
        turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        cut = pair.small[top : top + side, left : left + side]
        small = self._degrade(large, scale, fate) if self._degrade else cut
        return _turned(small, turns, mirrored), _turned(large, turns, mirrored)


def to_tensor(images: Array) -> Tensor:
    """Return (N, H, W, 3) uint8 as (N, 3, H, W) float32 of 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255)


def _turned(image: Array, turns: int, mirrored: bool) -> Array:
    turned = np.rot90(image, turns)
    return turned[:, ::-1] if mirrored else turned
