"""Adam (Kingma and Ba 2015, algorithm 1) for a short training.

torch's own optimizers bring its compiler along when the first is made. That takes a second, longer than tuning a
network to five clips does.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

DECAY_MEAN, DECAY_SQUARE = 0.9, 0.999
LEAST = 1e-8


class Adam:
    """Moves parameters against their gradients."""

    def __init__(self, parameters: Iterable[Tensor], rate: float) -> None:
        self._parameters = list(parameters)
        self._means = [torch.zeros_like(one) for one in self._parameters]
        self._squares = [torch.zeros_like(one) for one in self._parameters]
        self._rate, self._steps = rate, 0

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for one in self._parameters:
            one.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        self._steps += 1
        fill_mean, fill_square = 1 - DECAY_MEAN**self._steps, 1 - DECAY_SQUARE**self._steps
        with torch.no_grad():
            for one, mean, square in zip(self._parameters, self._means, self._squares, strict=True):
                if one.grad is None:
                    continue
                mean.lerp_(one.grad, 1 - DECAY_MEAN)
                square.mul_(DECAY_SQUARE).addcmul_(one.grad, one.grad, value=1 - DECAY_SQUARE)
                one.addcdiv_(mean / fill_mean, (square / fill_square).sqrt().add_(LEAST), value=-self._rate)
