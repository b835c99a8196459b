"""What a map of classes is punished for in training.

Every loss takes logits (N, C, H, W) and truth (N, H, W), int64, where `IGNORED` counts for nothing, and returns one
number. A batch in which nothing counts costs 0, with a gradient of 0.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from salticid.errors import InputError

LossName = Literal["ohem", "ce", "focal", "dice"]  # by which a training can choose one

IGNORED = 255  # in truth: void, unlabelled, outside of the image


class CrossEntropyLoss(nn.Module):
    """Mean cross-entropy of the pixels that count, weighted by class where weights are given."""

    weights: Tensor | None

    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        costs = functional.cross_entropy(logits, truth, self.weights, ignore_index=IGNORED, reduction="none")
        return _mean(costs, truth != IGNORED)


class OHEMLoss(nn.Module):
    """Cross-entropy of the hard pixels alone (online hard example mining; Shrivastava et al. 2016).

    Parameters
    ----------
    thresh
        A pixel is hard while its class has a probability below this one.
    min_kept
        So many pixels of a batch are kept at least: the hardest.
    weights
        (C,) a weight per class, or None.
    """

    weights: Tensor | None

    def __init__(self, thresh: float = 0.7, min_kept: int = 100_000, weights: Tensor | None = None) -> None:
        super().__init__()
        if not 0 < thresh <= 1 or min_kept < 1:
            raise InputError(f"thresh must be in 0..1 and min_kept at least 1, not {thresh} and {min_kept}")
        self.least = -math.log(thresh)
        self.min_kept = min_kept
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        counts = truth != IGNORED
        costs = functional.cross_entropy(logits, truth, ignore_index=IGNORED, reduction="none")
        # Not kept: what is void. Nothing here waits for the device, as an index by a mask would.
        hardest = costs.detach().masked_fill(~counts, -1.0).flatten()
        kth = hardest.topk(min(self.min_kept, hardest.numel()), sorted=False).values.min()
        kept = (costs.detach() >= kth.clamp(max=self.least)) & counts
        if self.weights is not None:
            costs = costs * self.weights[truth.clamp(max=len(self.weights) - 1)]
        return _mean(costs, kept)


class FocalLoss(nn.Module):
    """Cross-entropy that fades where the class is already likely (Lin et al. 2017, eq. 4)."""

    weights: Tensor | None

    def __init__(self, gamma: float = 2.0, weights: Tensor | None = None) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        costs = functional.cross_entropy(logits, truth, ignore_index=IGNORED, reduction="none")
        fading = (1 - torch.exp(-costs)) ** self.gamma
        if self.weights is not None:
            fading = fading * self.weights[truth.clamp(max=len(self.weights) - 1)]
        return _mean(fading * costs, truth != IGNORED)


class DiceLoss(nn.Module):
    """1 - the overlap of probability and truth, the mean over the classes that occur (Milletari et al. 2016, eq. 3)."""

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        chances, truths, _ = _by_class(logits, truth)
        shared = (chances * truths).sum(dim=1)
        total = chances.square().sum(dim=1) + truths.sum(dim=1)
        return _mean(1 - 2 * shared / total.clamp(min=1e-6), truths.sum(dim=1) > 0)


class LovaszLoss(nn.Module):
    """A smooth stand-in for 1 - IoU, the mean over the classes that occur (Berman et al. 2018, eq. 8 and 9).

    Sorting every pixel of every class is what it costs; so it looks at one pixel in `step` x `step`, which ones being
    drawn anew each time.
    """

    def __init__(self, step: int = 4) -> None:
        super().__init__()
        if step < 1:
            raise InputError(f"step must be at least 1, not {step}")
        self.step = step

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        top, left = (int(start) for start in torch.randint(self.step, (2,)))
        drawn = (..., slice(top, None, self.step), slice(left, None, self.step))
        chances, truths, counts = _by_class(logits[drawn], truth[drawn])
        errors = (truths - chances).abs() * counts
        errors, order = errors.sort(dim=1, descending=True)
        sorted_truths = truths.gather(1, order)
        positives = truths.sum(dim=1, keepdim=True)
        shared = positives - sorted_truths.cumsum(dim=1)
        union = positives + (1 - sorted_truths).cumsum(dim=1)
        jaccard = 1 - shared / union
        steps = torch.diff(jaccard, dim=1, prepend=torch.zeros_like(positives))
        return _mean((errors * steps).sum(dim=1), positives[:, 0] > 0)


class BoundaryLoss(nn.Module):
    """Cross-entropy of the pixels within `reach` of another class: edges, and things that are thin."""

    def __init__(self, reach: int = 3) -> None:
        super().__init__()
        if reach < 1:
            raise InputError(f"reach must be at least 1 px, not {reach}")
        self.reach = reach

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        costs = functional.cross_entropy(logits, truth, ignore_index=IGNORED, reduction="none")
        return _mean(costs, near_boundary(truth, self.reach) & (truth != IGNORED))


def near_boundary(truth: Tensor, reach: int) -> Tensor:
    """Return which pixels of (N, H, W) have another class within `reach` px in any direction; void is no class."""
    void = truth[:, None] == IGNORED
    classes = truth.float()[:, None]
    highest = _highest_around(classes.masked_fill(void, -torch.inf), reach)
    lowest = -_highest_around((-classes).masked_fill(void, -torch.inf), reach)
    return (highest > lowest).squeeze(1)


def _highest_around(values: Tensor, reach: int) -> Tensor:
    return functional.max_pool2d(values, 2 * reach + 1, stride=1, padding=reach)


def _by_class(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return probabilities and truth as (C, pixels), 0 for pixels that do not count, and which ones count."""
    classes = logits.shape[1]
    counts = (truth != IGNORED).flatten().float()
    chances = logits.float().softmax(dim=1).transpose(0, 1).flatten(1) * counts
    known = truth.clamp(max=classes - 1).flatten()
    truths = functional.one_hot(known, classes).T.float() * counts
    return chances, truths, counts


def _mean(costs: Tensor, counts: Tensor) -> Tensor:
    """Return the mean of what counts; 0 where nothing does."""
    return (costs * counts).sum() / counts.sum().clamp(min=1)
