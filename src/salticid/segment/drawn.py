"""Logits at some of an image's pixels: every second one, say, of every second row.

A map of logits at 1/8 says nearly the same of neighboring pixels, and to learn from all of them costs as much as the
network. So a step of the training looks at one pixel in `step` x `step`, which ones being drawn anew each time.
Interpolation is linear, once down and once across: two small matrices, and what lies between is never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from salticid.errors import InputError


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pixels (top + step i, left + step j)."""

    step: int
    top: int
    left: int

    @staticmethod
    def anew(step: int) -> Drawn:
        """Draw where to begin, from torch's own chance."""
        if step < 1:
            raise InputError(f"one pixel in {step} x {step} cannot be drawn: the step must be at least 1")
        top, left = torch.randint(step, (2,)).tolist()
        return Drawn(step, top, left)

    def of(self, values: Tensor) -> Tensor:
        """Return these pixels of (..., H, W)."""
        return values[..., self.top :: self.step, self.left :: self.step]

    def enlarged(self, logits: Tensor, size: Sequence[int]) -> Tensor:
        """Return these pixels of logits (N, C, h, w) at a size, bilinear, in float32 in mixed precision too."""
        with torch.autocast(logits.device.type, enabled=False):
            down = self._weights(logits.shape[2], size[0], self.top, logits.device)
            across = self._weights(logits.shape[3], size[1], self.left, logits.device)
            return down @ logits.float().contiguous() @ across.T

    def _weights(self, known: int, wanted: int, first: int, device: torch.device) -> Tensor:
        """Return how much each of `known` samples counts for each drawn one of `wanted`, both over the same length."""
        places = (torch.arange(wanted, device=device)[first :: self.step] + 0.5) * (known / wanted) - 0.5
        places = places.clamp(0, known - 1)[:, None]
        return (1 - (places - torch.arange(known, device=device)).abs()).clamp(min=0)
