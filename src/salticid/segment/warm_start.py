"""Teach the first layers of `edge` to stand in for those of MobileNetV2 that they replace.

Its later layers come with ImageNet's weights, and expect what MobileNetV2's first five blocks make of an image. So
these weights are worth little behind layers that start at random, and much behind layers that give nearly the same: a
few thousand steps on small pieces of any images, without a label, are enough (hints: Romero et al. 2015).
"""

from __future__ import annotations

import os
from itertools import chain, islice, repeat

import torch
from torch import nn

from salticid.segment.batches import Views
from salticid.segment.listener import Progress, silent
from salticid.segment.network import FastSegNet, load_imagenet
from salticid.segment.train import place, schedule

RATE = 1e-2
WARMUP = 0.05


def warm_start(
    net: FastSegNet,
    imagenet: str | os.PathLike[str],
    images: Views,
    steps: int,
    device: str,
    progress: Progress = silent,
) -> float:
    """Load ImageNet's weights into `net`, then train its first layers to give what MobileNetV2's give.

    Parameters
    ----------
    net
        Changed in place; it ends on `device`.
    imagenet
        As `load_imagenet` takes it.
    images
        What to look at; their truth is not used.
    steps
        How many batches.
    progress
        Put around the batches that it looks at.

    Returns
    -------
    float
        Mean squared error of the last tenth of the steps, in units of the variance of each channel: 1 for layers
        that know nothing, 0 for a perfect copy. nan where there is nothing to learn: no steps, or `documented`, whose
        first layers are MobileNetV2's own.

    Raises
    ------
    InputError
        The file of weights is none.
    """
    load_imagenet(net, imagenet)
    place(net, device)
    if net.variant != "edge" or not steps:
        return float("nan")
    whole = FastSegNet(2, "documented")
    load_imagenet(whole, imagenet)
    model = whole.early.train(False)
    place(model, device)
    optimizer = torch.optim.AdamW(net.early.parameters(), RATE, weight_decay=0.0)
    net.early.train()
    errors: list[torch.Tensor] = []
    batches = islice(chain.from_iterable(repeat(images)), steps)
    for image, _ in progress(batches, steps, "steps of the first layers"):
        image = image.to(device, memory_format=torch.channels_last)
        errors.append(_step(net.early, model, image, optimizer, schedule(len(errors) / steps, WARMUP)))
    last = errors[-max(1, steps // 10) :]
    return float(torch.stack(last).mean())


def _step(
    pupil: nn.Module, model: nn.Module, image: torch.Tensor, optimizer: torch.optim.Optimizer, share: float
) -> torch.Tensor:
    for group in optimizer.param_groups:
        group["lr"] = RATE * share
    with torch.no_grad():
        wanted = model(image)
        spread = wanted.var(dim=(0, 2, 3), keepdim=True).clamp(min=1e-6)
    error: torch.Tensor = ((pupil(image) - wanted).square() / spread).mean()
    optimizer.zero_grad(set_to_none=True)
    error.backward()  # type: ignore[no-untyped-call]  # torch's own
    optimizer.step()
    return error.detach()
