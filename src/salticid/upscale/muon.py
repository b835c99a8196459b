"""Muon: steps of equal strength in every direction of a kernel, for networks whose training is short of steps.

The momentum of a kernel, a matrix of outputs by inputs, is replaced by the nearest matrix whose singular values are all
1. Directions that gradients seldom point to are then learned as fast as the others.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the iteration is of Newton and
Schulz, with the coefficients given there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

ROUNDS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """For kernels alone; biases and the like are for another optimizer."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float = 0.02, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step."""
        for group in self.param_groups:
            for kernel in group["params"]:
                if kernel.grad is None:
                    continue
                state = self.state[kernel]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(kernel)
                buffer = state["momentum_buffer"].lerp_(kernel.grad, 1 - group["momentum"])
                ahead = kernel.grad.lerp(buffer, group["momentum"])  # Nesterov's
                rows = ahead.flatten(1)
                strength = max(1.0, rows.shape[0] / rows.shape[1]) ** 0.5
                kernel.add_(orthogonal(rows).view_as(kernel), alpha=-group["lr"] * strength)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return about U V^T of a matrix U S V^T."""
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / (wide.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    found: Tensor = wide.T if matrix.shape[0] > matrix.shape[1] else wide
    return found
