"""Training of the refinement network: a minute on a CPU, and the same weights for the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array
from salticid.engine import packages
from salticid.engine.integer import FloatLayer, activation_ranges
from salticid.engine.patches import MIDDLE
from salticid.stereo.refine_network import INPUT_SCALE, WITHIN_PX, UltraLightweightRefinementNet
from salticid.stereo.refine_samples import Samples

if TYPE_CHECKING:
    from types import ModuleType

HIDDEN = (32, 16)
EPOCHS = 16
BATCH = 2048
LEARNING_RATE = 6e-3
WEIGHT_DECAY = 1e-4
RESIDUAL_WEIGHT = CONFIDENCE_WEIGHT = 0.1  # beside 1 for the choice
FAR_OFF_PX = 4.0  # an error that is larger is no worse
RESIDUAL_REACH_PX = 1.5  # of an error that is larger the residual need not know

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long to train, and where chance begins."""

    epochs: int = EPOCHS
    seed: int = 0


def train(
    samples: Samples, schedule: Schedule, progress: Progress = lambda line: None
) -> UltraLightweightRefinementNet:
    """Return the network trained on `samples`, rounded to the float16 that it is saved with.

    Raises
    ------
    MissingError
        torch is not installed.
    """
    layers = train_layers(samples, schedule, progress)
    inputs = (samples.inputs.astype(np.float64) - MIDDLE) * INPUT_SCALE
    ranges = activation_ranges(layers, inputs)
    return UltraLightweightRefinementNet(
        tuple(_as_saved(layer.weights) for layer in layers),
        tuple(_as_saved(layer.bias) for layer in layers),
        tuple(_as_saved(reach) for reach in ranges),
    )


def train_layers(samples: Samples, schedule: Schedule, progress: Progress = lambda line: None) -> list[FloatLayer]:
    """Return the layers of a network with a score for each candidate but the first, a residual and a confidence.

    The loss is the mean over candidates, by the probability that the network gives each, of what taking it costs: half
    a point for an error above 1 px, one more above 2 px, and half a point for 4 px, in proportion below. Beside it a
    tenth of what remains after the residual, and a tenth of the confidence's cross-entropy.
    """
    torch = packages.torch()
    torch.manual_seed(schedule.seed)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(1)  # for layers this small others would wait for each other most of the time
    try:
        network = _fitted(torch, samples, schedule, progress)
    finally:
        torch.set_num_threads(threads_before)
    linear = [module for module in network if isinstance(module, torch.nn.Linear)]
    return [
        FloatLayer(
            module.weight.detach().numpy().copy(), module.bias.detach().numpy().copy(), relu=module is not linear[-1]
        )
        for module in linear
    ]


def _fitted(torch: ModuleType, samples: Samples, schedule: Schedule, progress: Progress) -> Any:
    inputs = (torch.from_numpy(samples.inputs).float() - MIDDLE) * INPUT_SCALE
    errors, weights = torch.from_numpy(samples.errors_px), torch.from_numpy(samples.weights)
    network = _network(torch, inputs.shape[1], errors.shape[1] + 1)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = -(-len(inputs) // BATCH)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=schedule.epochs * batches)
    for epoch in range(schedule.epochs):
        total = 0.0
        for drawn in torch.randperm(len(inputs)).split(BATCH):
            loss = _loss(torch, network(inputs[drawn]), errors[drawn], weights[drawn])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
            total += float(loss.detach())
        progress(f"epoch {epoch + 1} of {schedule.epochs}: loss {total / batches:.4f}")
    return network


def _network(torch: ModuleType, inputs: int, outputs: int) -> Any:
    widths = (inputs, *HIDDEN, outputs)
    modules = []
    for before, after in itertools.pairwise(widths):
        modules += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def _loss(torch: ModuleType, outputs: Any, errors: Any, weights: Any) -> Any:
    candidates = errors.shape[1]
    scores = torch.nn.functional.pad(outputs[:, : candidates - 1], (1, 0))  # the first candidate's is 0
    residual, logit = outputs[:, candidates - 1], outputs[:, candidates]
    chance = torch.softmax(scores, dim=1)
    off = errors.abs()
    cost = 0.5 * off.clamp(max=FAR_OFF_PX) / FAR_OFF_PX + (off > 2).float() + 0.5 * (off > 1).float()
    taken = chance.detach()  # residual and confidence do not sway the choice
    remains = (taken * (errors + residual[:, None]).abs().clamp(max=RESIDUAL_REACH_PX)).sum(dim=1)
    within = (taken * (off <= WITHIN_PX).float()).sum(dim=1)
    doubt = torch.nn.functional.binary_cross_entropy_with_logits(logit, within, reduction="none")
    choice = (chance * cost).sum(dim=1).mean()
    return choice + RESIDUAL_WEIGHT * (weights * remains).mean() + CONFIDENCE_WEIGHT * (weights * doubt).mean()


def _as_saved(array: Array) -> NDArray[np.float32]:
    return array.astype(np.float16).astype(np.float32)
