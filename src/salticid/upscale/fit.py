"""From folders of images to two files that enlarge: what `salticid train upscale` does.

    fit(Plan("fast", scale=4), learned, judged, "run/")

First in floating point, in `run/float`, then with the rounding of 8 bits, in `run/int8`. The folder then holds
`model.onnx` and `model-int8.onnx`. Killed at any moment, the same call goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from salticid.core import atomic
from salticid.core.types import Array, Image
from salticid.engine import models
from salticid.engine.torch_device import check_device
from salticid.engine.weights import SUFFIX, read_weights
from salticid.errors import InputError
from salticid.upscale.crops import Crops
from salticid.upscale.data import Pair, degraded_pair, with_reduced
from salticid.upscale.degrade import degraded
from salticid.upscale.export import write_float, write_int8
from salticid.upscale.integer_net import IntegerNet, enlarge_reference
from salticid.upscale.network_file import read_float_weights
from salticid.upscale.networks import PlainNet
from salticid.upscale.quantized import RoundedNet, with_even_channels
from salticid.upscale.shape import Scale, Shape, Size, Weights
from salticid.upscale.train import Course, Judged, Trainer, averaged, enlarged, luma_psnr_db

File = str | os.PathLike[str]

FLOAT_FILE, INT8_FILE = "model.onnx", "model-int8.onnx"
LAST_LAYER = {"last.weight", "last.bias"}  # differs from scale to scale
TYPICAL = 24  # crops that tell how large features become


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, and how."""

    size: Size = "fast"
    scale: Scale = 4
    weights: Weights = "clean"
    count: int = 8  # crops in a step
    side: int = 48  # px of a small crop
    course: Course = field(default_factory=Course)
    rounded: Course = field(default_factory=lambda: Course(steps=4000, rate=2e-4, squared=1.0))
    reduced: tuple[float, ...] = ()  # shares of their sides that images are learned from at as well
    start: File | None = None  # a network of the package, or a file of an earlier training
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.count, self.side) < 1:
            raise InputError(f"count and side must be at least 1, not {self.count} and {self.side}")
        if not all(0 < share < 1 for share in self.reduced):
            raise InputError(f"images are reduced to shares between 0 and 1 of their sides, not {self.reduced}")

    @property
    def shape(self) -> Shape:
        """What the network looks like."""
        return Shape.of(self.size, self.scale)


@dataclass(frozen=True, slots=True)
class Fitted:
    """How good both networks are on the images to judge by."""

    float_db: float
    int8_db: float


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told how it goes; by default nobody."""

    say: Callable[[str], None] = lambda line: None
    judged: Callable[[Judged], None] = lambda judged: None


def fit(
    plan: Plan,
    learned: Sequence[Pair],
    judged: Sequence[Pair],
    folder: File,
    *,
    device: str = "cpu",
    listener: Listener | None = None,
) -> Fitted:
    """Train a network in floating point and in 8 bits, or go on with the training that the folder holds.

    Raises
    ------
    InputError
        The folder holds another training, no image is large enough, or the weights to start from are of another shape.
    IntegrityError
        What the folder holds is damaged, or an exported file differs from its network.
    MissingError
        There is no such device.
    ResourceError
        The disk is full.
    """
    check_device(device)
    run = _Run(plan, learned, judged, device, listener or Listener())
    place = atomic.make_folder(folder)
    plain = run.in_floating_point(place / "float")
    write_float(plain, place / FLOAT_FILE, overwrite=True)
    integer = run.in_8_bits(plain, place / "int8")
    write_int8(integer, place / INT8_FILE, overwrite=True)
    return Fitted(
        run.mean_db(lambda small: enlarged(plain, small)),
        run.mean_db(lambda small: enlarge_reference(integer, small)),
    )


def begin_from(net: PlainNet, start: File) -> None:
    """Give `net` the weights of another network: all, or all but the last layer's where scales differ.

    Parameters
    ----------
    net
        What takes them.
    start
        The name of a network of the package ("upscale-fast-x4"), a file that enlarges in floating point, or the
        weights.safetensors of an earlier training, or the last.safetensors of one that has not ended.

    Raises
    ------
    InputError
        There is no such file or name, or it holds no weights, or those of a network of another shape.
    IntegrityError
        The file is damaged.
    """
    weights = _read_weights(start)
    own: dict[str, Tensor] = PlainNet(net.shape).state_dict()
    other = {name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape}
    if own.keys() != weights.keys() or other - LAST_LAYER:
        raise InputError(f"{os.fspath(start)} holds no weights of a network with these layers and channels")
    with torch.no_grad():
        body_layers: Any = net.body
        for number, layer in enumerate(body_layers):
            layer.take(weights[f"body.{number}.weight"], weights[f"body.{number}.bias"])
        if not other:
            net.last.weight.copy_(weights["last.weight"])
            net.last.bias.copy_(weights["last.bias"])


class _Run:
    """The images and what is told, which both trainings share."""

    def __init__(
        self, plan: Plan, learned: Sequence[Pair], judged: Sequence[Pair], device: str, told: Listener
    ) -> None:
        real = plan.weights == "real"
        shown = with_reduced(learned, plan.scale, plan.side, plan.reduced)
        sizes = {"scale": plan.scale, "side": plan.side, "count": plan.count}
        self._crops = Crops(shown, **sizes, seed=plan.seed, degrade=degraded if real else None)
        self._facts = _facts(plan, learned, judged)
        self._judged = judged
        if real:
            self._judged = [degraded_pair(pair, plan.scale, number) for number, pair in enumerate(judged)]
        self._plan, self._device, self._told = plan, device, told

    def in_floating_point(self, folder: Path) -> PlainNet:
        """Train the network, with branches."""
        plan = self._plan
        torch.manual_seed(plan.seed)
        net = PlainNet(plan.shape, branched=True)
        if plan.start is not None:
            begin_from(net, plan.start)
        trainer = self._trainer(net, folder, plan.course)
        if plan.start is not None and not trainer.step:
            begun_db = self.mean_db(lambda small: enlarged(trainer.average, small))
            self._told.say(f"starts from {os.fspath(plan.start)}: {begun_db:.3f} dB")
        plain: PlainNet = self._trained(trainer, "in floating point")
        return plain

    def in_8_bits(self, plain: PlainNet, folder: Path) -> IntegerNet:
        """Train the same network with the rounding of 8 bits."""
        steps = range(-(-TYPICAL // self._plan.count))
        typical = [one[None] for step in steps for one in self._crops.batch(step)[0]]
        rounded = RoundedNet(with_even_channels(plain, typical))
        trainer = self._trainer(rounded, folder, self._plan.rounded)
        integer: IntegerNet = self._trained(trainer, "with the rounding of 8 bits").integer_net()
        return integer

    def mean_db(self, enlarge: Callable[[Image], Image]) -> float:
        """Return how close the images to judge by become; nan where there are none."""
        scale = self._plan.scale
        found = [luma_psnr_db(enlarge(pair.small), pair.large, scale) for pair in self._judged]
        return float(np.mean(found)) if found else float("nan")

    def _trainer(self, net: nn.Module, folder: Path, course: Course) -> Trainer:
        return Trainer(net, self._crops, self._judged, folder, course, facts=self._facts, device=self._device)

    def _trained(self, trainer: Trainer, how: str) -> Any:
        """Say what is trained, and where it goes on; return the network."""
        self._told.say(f"{how}, going on after step {trainer.step}" if trainer.step else how)
        return trainer.train(self._told.judged)


def _facts(plan: Plan, learned: Sequence[Pair], judged: Sequence[Pair]) -> dict[str, Any]:
    """Return what is written beside the weights, and has to be the same for a training to go on."""
    facts = {name: getattr(plan, name) for name in ("size", "scale", "weights", "count", "side", "reduced", "seed")}
    start = {} if plan.start is None else _read_weights(plan.start)  # its name may stand for another file by now
    return {
        **facts,
        "start": _digest(start[name].float().numpy() for name in sorted(start)) if start else None,
        "images": {
            "learned": len(learned),
            "judged": len(judged),
            "pixels": _digest(pair.small for pair in (*learned, *judged)),
        },
    }


def _digest(arrays: Iterable[Array]) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(str(array.shape).encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _read_weights(start: File) -> dict[str, Tensor]:
    path = models.find(start)
    if path.suffix.lower() == SUFFIX:
        return averaged(read_weights(path))
    return {name: torch.from_numpy(weights) for name, weights in read_float_weights(path).items()}
