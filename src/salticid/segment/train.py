"""Training a segmentation network, so that it can be killed at any moment and goes on where it was.

    trainer = SegmentationTrainer(net, train_loader, val_loader, num_classes=11, num_epochs=300, folder="run/")
    result = trainer.train()

A loader gives (image (N, 3, H, W) float32, truth (N, H, W) int64) batches; `batches.Views` and `WholeImages` are two.
The network may be any that gives logits at any stride. Two things of ours are used where it has them: `trunk()`, the
parameters that learn at a share of the rate, and `with_auxiliary`, which gives a second map of logits to learn from.

What is kept is a moving average of the weights, and of its states the one that does best on the validation images.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from salticid.core import atomic, metrics
from salticid.core.plain import to_json
from salticid.engine.distill import Distillation, Network
from salticid.engine.weights import read_state, write_weights
from salticid.errors import InputError, IntegrityError
from salticid.segment.curves import Epoch, read_csv, write_csv, write_svg
from salticid.segment.drawn import Drawn
from salticid.segment.losses import IGNORED, BoundaryLoss, LovaszLoss, OHEMLoss

Precision = Literal["fp32", "bf16", "fp16"]
Batch = tuple[Tensor, Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]

LAST_FILE, BEST_FILE = "last.safetensors", "best.safetensors"
CURVE_FILE, PICTURE_FILE = "curve.csv", "curve.svg"
LOVASZ_STEP = 4  # px between those that the Lovász loss looks at
BOUNDARY_PX = 4  # how far from another class a pixel is near it
LEAST_RATE = 0.01  # of the highest learning rate, at the end

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained."""

    weight_decay: float = 0.05
    trunk_rate: float = 0.2  # learning rate of the trunk, which knows something already, beside that of the rest
    warmup: float = 0.03  # share of the steps in which the learning rate rises
    average: float = 0.999  # of the moving average of the weights; less at the beginning
    precision: Precision = "fp32"
    auxiliary: float = 0.4  # weight of the auxiliary logits' loss
    lovasz: float = 0.5  # weight of the Lovász loss
    lovasz_from: float = 0.7  # share of the epochs after which it counts
    boundary: float = 0.0  # weight of the loss near other classes
    pixel_step: int = 2  # learned from is one pixel in so many by so many, drawn anew in every step
    clip: float = 5.0  # largest norm of a gradient
    validate_every: int = 5  # epochs; the last ones always
    save_seconds: float = 60.0  # between two states on disk
    seed: int = 0
    distillation: Distillation = field(default_factory=Distillation)

    def __post_init__(self) -> None:
        if self.pixel_step < 1:
            raise InputError(f"pixel_step must be at least 1 px, not {self.pixel_step}")
        weights = {name: getattr(self, name) for name in ("trunk_rate", "auxiliary", "lovasz", "boundary")}
        for name, weight in weights.items():
            if not 0 <= weight < math.inf:
                raise InputError(f"{name} must be 0 or more, not {weight}")


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training came to."""

    best_miou: float  # 0..1, on the validation images
    best_epoch: int
    epochs: tuple[Epoch, ...]


class SegmentationTrainer:
    """One training.

    Parameters
    ----------
    model
        Trained in place; (N, 3, H, W) -> (N, C, h, w) logits.
    train_loader, val_loader
        Batches of images and truth, anew each time they are iterated. Truth is 255 where there is none. Of
        `train_loader` the number of batches must be known (`len`).
    num_classes
        Classes of the logits and of the truth.
    learning_rate
        The highest of the schedule.
    num_epochs
        Times through `train_loader`.
    recipe
        The rest of it.
    loss
        Of logits and truth at the pixels that are drawn; by default hard pixels' cross-entropy, a sixteenth of them at
        least.
    teacher
        A network to learn from beside the truth, at `recipe.distillation`'s weight.
    device
        Where to train: "cpu", "cuda", "cuda:1".
    folder
        Where states and curves are written; a state found there goes on. None: nothing is written.
    facts
        What JSON can say, to be written beside the best weights. A training goes on only where they are the same.

    Raises
    ------
    InputError
        A number is out of its range, or the folder holds another training.
    IntegrityError
        What the folder holds is damaged.
    """

    def __init__(
        self,
        model: nn.Module,
        train_loader: Iterable[Batch],
        val_loader: Iterable[Batch],
        num_classes: int,
        learning_rate: float = 1e-3,
        num_epochs: int = 300,
        *,
        recipe: Recipe | None = None,
        loss: Loss | None = None,
        teacher: Network | None = None,
        device: str = "cpu",
        folder: str | Path | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        if num_epochs < 1 or not learning_rate > 0 or num_classes < 2:
            raise InputError(
                "a training needs at least 1 epoch, 2 classes and a learning rate above 0, "
                f"not {num_epochs}, {num_classes} and {learning_rate}"
            )
        self.recipe = recipe or Recipe()
        self.model = model
        place(model, device)
        self.average = copy.deepcopy(model).train(False)
        self._averaged, self._trained = _floats(self.average), _floats(self.model)
        self.epochs: list[Epoch] = []
        self.best_miou, self.best_epoch = -math.inf, 0
        self._train_loader, self._val_loader = train_loader, val_loader
        self._num_classes, self._rate, self._num_epochs = num_classes, learning_rate, num_epochs
        self._loss = loss.to(device) if isinstance(loss, nn.Module) else loss
        self._lovasz = LovaszLoss(max(1, LOVASZ_STEP // self.recipe.pixel_step))
        self._boundary = BoundaryLoss(max(1, BOUNDARY_PX // self.recipe.pixel_step))
        self._teacher = teacher
        self._device = torch.device(device)
        self._folder = Path(folder) if folder is not None else None
        self._facts = dict(facts or {})
        self._optimizer = _optimizer(self.model, learning_rate, self.recipe)
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self.recipe.precision == "fp16")
        self._steps, self._all_steps = 0, _length(train_loader) * num_epochs
        self._best: dict[str, Tensor] = {}  # where there is no folder to keep it
        self._saved = time.monotonic()
        if self._folder is not None:
            atomic.make_folder(self._folder)
            self._resume(self._folder)

    def train(self, progress: Callable[[Epoch], None] = lambda epoch: None) -> TrainingResult:
        """Train what is left of the epochs; `model` then holds the best of the averaged weights, ready to be used.

        Raises
        ------
        InputError
            The loss is no number any more, the loader gives nothing, or no pixel of the validation images counts.
        ResourceError
            The disk is full; the last state that was written is still there.
        """
        while len(self.epochs) < self._num_epochs:
            epoch = self._one_epoch(len(self.epochs) + 1)
            self.epochs.append(epoch)
            self._note(epoch)
            progress(epoch)
        best = self._best if self._folder is None else read_state(self._folder / BEST_FILE)[0]
        self.average.load_state_dict(best)
        self.model.load_state_dict(self.average.state_dict())
        self.model.train(False)
        return TrainingResult(self.best_miou, self.best_epoch, tuple(self.epochs))

    def validate(self) -> float:
        """Return the mIoU of the averaged weights on the validation images, 0..1."""
        return metrics.miou(confusion(self.average, self._val_loader, self._num_classes, str(self._device)))

    def _one_epoch(self, number: int) -> Epoch:
        begin = time.monotonic()
        torch.manual_seed(self.recipe.seed + number)  # what a resumed run draws is what an unbroken one draws
        if hasattr(self._train_loader, "epoch"):
            self._train_loader.epoch = number - 1
        self.model.train()
        total, batches = torch.zeros((), device=self._device), 0
        for image, truth in self._train_loader:
            rate = self._rate * schedule(self._steps / self._all_steps, self.recipe.warmup)
            total += self._step(image, truth, rate, number)
            batches += 1
        mean = float(total) / max(1, batches)
        if not math.isfinite(mean) or not batches:
            reason = f"the loss is {mean}: lower the learning rate" if batches else "the loader gave no batches"
            raise InputError(f"the training cannot go on in epoch {number}: {reason}")
        due = number % self.recipe.validate_every == 0 or number == self._num_epochs
        miou = self.validate() if due else math.nan
        if due and math.isnan(miou):
            raise InputError("no pixel of the validation images has a class: nothing tells which weights are best")
        return Epoch(number, mean, rate, miou, time.monotonic() - begin)

    def _step(self, image: Tensor, truth: Tensor, rate: float, epoch: int) -> Tensor:
        """Take one step and return its loss, still on the device: asking for its value would wait for it."""
        image = image.to(self._device, memory_format=torch.channels_last)
        truth = truth.to(self._device)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["share"]
        with _rounded(self._device, self.recipe.precision):
            loss = self._cost(image, truth, epoch)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's own
        self._scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._steps += 1
        self._follow()
        return loss.detach()

    def _cost(self, image: Tensor, truth: Tensor, epoch: int) -> Tensor:
        recipe = self.recipe
        both = recipe.auxiliary > 0 and hasattr(self.model, "with_auxiliary")
        network: Any = self.model
        logits, auxiliary = network.with_auxiliary(image) if both else (network(image), None)
        drawn, size = Drawn.anew(recipe.pixel_step), truth.shape[1:]
        seen, truth = drawn.enlarged(logits, size), drawn.of(truth)
        hard = self._loss or OHEMLoss(min_kept=max(1, truth.numel() // 16))
        loss = hard(seen, truth)
        if auxiliary is not None:
            loss = loss + recipe.auxiliary * hard(drawn.enlarged(auxiliary, size), truth)
        if recipe.boundary:
            loss = loss + recipe.boundary * self._boundary(seen, truth)
        if recipe.lovasz and epoch > recipe.lovasz_from * self._num_epochs:
            loss = loss + recipe.lovasz * self._lovasz(seen, truth)
        if self._teacher is not None:
            with torch.no_grad():
                told = self._teacher(image)
            loss = loss + recipe.distillation.loss(logits, told)
        return loss

    def _follow(self) -> None:
        """Move the averaged weights a little towards those just trained, normalization's statistics included."""
        keep = min(self.recipe.average, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._averaged, self._trained, 1 - keep)

    def _note(self, epoch: Epoch) -> None:
        """Keep what must not be lost of an epoch."""
        better = epoch.miou > self.best_miou
        if better:
            self.best_miou, self.best_epoch = epoch.miou, epoch.epoch
        if self._folder is None:
            self._best = copy.deepcopy(self.average.state_dict()) if better else self._best
            return
        if better:
            told = self._facts | {"miou": epoch.miou, "epoch": epoch.epoch}
            write_weights(self._folder / BEST_FILE, self.average.state_dict(), told)
        write_csv(self._folder / CURVE_FILE, self.epochs)
        write_svg(self._folder / PICTURE_FILE, self.epochs)
        if time.monotonic() - self._saved > self.recipe.save_seconds or epoch.epoch == self._num_epochs:
            self._save(self._folder)

    def _save(self, folder: Path) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for number, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
        facts = {
            "plan": self._plan(),
            "steps": self._steps,
            "epochs": len(self.epochs),
            "best_epoch": self.best_epoch,
            "scaler": self._scaler.state_dict(),
        }
        write_weights(folder / LAST_FILE, tensors, facts)
        self._saved = time.monotonic()

    def _plan(self) -> dict[str, Any]:
        """Return what has to be the same for a training to go on."""
        plan = {"learning_rate": self._rate, "num_epochs": self._num_epochs, "facts": self._facts}
        told: dict[str, Any] = json.loads(to_json(asdict(self.recipe) | plan))  # as it comes back from a file
        return told

    def _resume(self, folder: Path) -> None:
        """Take over the state in the folder, if there is one, and remove what a killed run had half written."""
        if not (folder / LAST_FILE).is_file():
            return
        tensors, facts = read_state(folder / LAST_FILE)
        if not isinstance(facts, dict) or facts.get("plan") != self._plan():
            raise InputError(
                f"{folder} holds a training of another recipe or on other data: choose another folder, or give its own"
            )
        for name in (LAST_FILE, BEST_FILE, CURVE_FILE, PICTURE_FILE):
            atomic.remove_parts(folder / name)
        self.epochs = read_csv(folder / CURVE_FILE)[: facts["epochs"]]
        if [epoch.epoch for epoch in self.epochs] != list(range(1, facts["epochs"] + 1)):
            raise IntegrityError(f"{folder / CURVE_FILE} lacks some of {facts['epochs']} epochs: start in a new folder")
        try:
            self._take_over(tensors)
        except (RuntimeError, ValueError) as problem:
            raise InputError(f"{folder / LAST_FILE} is of another network: choose another folder") from problem
        self._scaler.load_state_dict(facts["scaler"])
        self._steps = facts["steps"]
        if facts["best_epoch"]:  # what lies there can be of an epoch that is yet to come again: it counts already
            _, told = read_state(folder / BEST_FILE)
            self.best_miou, self.best_epoch = told["miou"], told["epoch"]
        _log.info("the training in %s goes on after epoch %d", folder, len(self.epochs))

    def _take_over(self, tensors: dict[str, Tensor]) -> None:
        """Take over weights, their averages and what the optimizer remembers."""
        self.model.load_state_dict(_below(tensors, "model."))
        self.average.load_state_dict(_below(tensors, "average."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below(tensors, "optimizer.").items():
            number, key = name.split(".")
            state.setdefault(int(number), {})[key] = tensor
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})


def confusion(model: nn.Module, loader: Iterable[Batch], classes: int, device: str) -> Any:
    """Return how often each class was taken for each, (C, C) int64; row: truth, column: label."""
    counted = torch.zeros(classes * classes, dtype=torch.int64, device=device)
    with torch.inference_mode():
        for image, truth in loader:
            image, truth = image.to(device, memory_format=torch.channels_last), truth.to(device)
            labels = _at(model(image), truth.shape[1:]).argmax(dim=1)
            counts = truth != IGNORED
            counted += torch.bincount(truth[counts] * classes + labels[counts], minlength=classes * classes)
    return counted.cpu().numpy().reshape(classes, classes)


def schedule(done: float, warmup: float) -> float:
    """Return the share of the highest learning rate after a share `done` of all steps: up a line, down a cosine."""
    if done < warmup:
        return max(done / warmup, LEAST_RATE)
    fall = (done - warmup) / max(1 - warmup, 1e-9)
    return LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(fall, 1.0)))


def place(model: nn.Module, device: str) -> None:
    """Move a network to a device, its weights in the order of memory that convolutions are fastest with."""
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it


def _length(loader: Iterable[Batch]) -> int:
    try:
        return len(cast(Any, loader))
    except TypeError as problem:
        raise InputError(
            "train_loader must tell its number of batches (len): the learning rate falls by it"
        ) from problem


def _optimizer(model: nn.Module, rate: float, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW with the trunk at a share of the rate, and without decay of biases and normalization."""
    network: Any = model
    trunk = {id(parameter) for parameter in network.trunk()} if hasattr(model, "trunk") else set()
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        share = recipe.trunk_rate if id(parameter) in trunk else 1.0
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((share, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "share": share, "weight_decay": decay}
            for (share, decay), parameters in groups.items()
        ],
        lr=rate,
    )


def _floats(model: nn.Module) -> list[Tensor]:
    """Return parameters and statistics, which keep their place in memory while a network is trained."""
    return [tensor for tensor in model.state_dict().values() if tensor.is_floating_point()]


def _rounded(device: torch.device, precision: Precision) -> torch.autocast:
    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    return torch.autocast(device.type, kinds[precision], enabled=precision != "fp32")


def _at(logits: Tensor, size: Iterable[int]) -> Tensor:
    """Return logits at a size, in float32."""
    return functional.interpolate(logits.float(), size=tuple(size), mode="bilinear", align_corners=False)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
