"""From a folder of images and labels to a trained network: what `salticid train segment` does.

    result = fit(find_dataset("camvid/"), "run/", Plan(epochs=300, imagenet="mobilenet_v2.safetensors"))

Everything is in the one folder that it is given: `last.safetensors` and `curve.csv` to go on from after a kill,
`best.safetensors` and `model.onnx` to use, `curve.svg` to look at.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor, nn

from salticid.core import atomic
from salticid.engine.distill import Network, ensemble, exported_teacher
from salticid.engine.torch_device import check_device
from salticid.engine.weights import SUFFIX
from salticid.errors import InputError
from salticid.runtime import hardware
from salticid.segment.batches import Pixels, Views, WholeImages, class_shares, load
from salticid.segment.data import Dataset
from salticid.segment.layouts import SPLITS
from salticid.segment.listener import Listener
from salticid.segment.losses import CrossEntropyLoss, DiceLoss, FocalLoss, LossName, OHEMLoss
from salticid.segment.network import MULTIPLE, FastSegNet, Variant
from salticid.segment.network_file import CLASSES_KEY, LOGITS, open_network
from salticid.segment.train import BEST_FILE, LAST_FILE, Precision, Recipe, SegmentationTrainer, TrainingResult
from salticid.segment.trained import File, export, load_trained
from salticid.segment.warm_start import warm_start

MODEL_FILE = "model.onnx"
LAST_LAYERS = ("decoder.head.1.", "auxiliary.1.")  # of `FastSegNet`: one row per class
WARM_SIZE = (96, 128)  # of views for the first layers, which see 15 px and shall copy what sees 27
BFLOAT16_SINCE = 8  # compute capability of Ampere; torch says that older ones have it too, and emulates it
KEPT_SHARE = 1 / 16  # of a batch's drawn pixels: so many hard ones are learned from at least


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, from what, and for how long."""

    variant: Variant = "edge"
    epochs: int = 300
    batch: int = 16
    size: tuple[int, int] = (384, 480)  # height and width of a view; multiples of 32
    learning_rate: float = 1e-3
    class_weights: float = 0.25  # a class counts by its share of all pixels to the power of minus this; 0: all alike
    loss: LossName = "ohem"
    warm_steps: int = 3000  # in which the first layers learn to stand in for MobileNetV2's
    recipe: Recipe = field(default_factory=Recipe)  # from chance the trunk learns at the whole rate, whatever it says
    long_side_px: int | None = None  # larger images are reduced to this; None: none are
    imagenet: File | None = None  # MobileNetV2's weights to start from, as `load_imagenet` takes them
    start: File | None = None  # a network of an earlier `fit` to start from instead
    teachers: Sequence[File] = ()  # networks to learn from beside the truth: files of `fit`, or exported ones (.onnx)

    def __post_init__(self) -> None:
        if min(self.size) < MULTIPLE or any(side % MULTIPLE for side in self.size):
            raise InputError(f"the size of a view must be multiples of {MULTIPLE}, not {self.size[1]}x{self.size[0]}")
        for name, least in (("epochs", 1), ("batch", 1), ("warm_steps", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not 0 <= self.class_weights <= 1:
            raise InputError(f"class_weights must be 0 to 1, not {self.class_weights}")
        if self.long_side_px is not None and self.long_side_px < MULTIPLE:
            raise InputError(f"images cannot be reduced to {self.long_side_px} px: {MULTIPLE} at least")
        if self.loss not in get_args(LossName):
            raise InputError(f"loss must be one of {', '.join(get_args(LossName))}, not {self.loss!r}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"the learning rate must be above 0, not {self.learning_rate}")
        if self.batch * math.prod(self.size) <= MULTIPLE**2:  # one position at 1/32: normalization has no variance
            raise InputError("one view of 32x32 is too little for a step: choose a larger --size or --batch")
        if self.imagenet is not None and self.start is not None:
            raise InputError("a network starts from ImageNet's weights or from those of an earlier training, not both")


def fit(
    dataset: Dataset,
    folder: File,
    plan: Plan,
    *,
    device: str = "cpu",
    listener: Listener | None = None,
) -> TrainingResult:
    """Train a network on a dataset, or go on with the training that the folder holds.

    Parameters
    ----------
    dataset
        As `find_dataset` gives it. All of its pairs are read first, and kept in memory.
    folder
        Made where it is absent.
    plan
        What to train. Where its `start` has other classes, or the same in another order, its last layers start anew.
    device
        "cpu", "cuda", "cuda:1".
    listener
        Who is told how it goes.

    Raises
    ------
    InputError
        Pairs cannot be learned from, the folder holds another training, a teacher has other classes, or a file is none.
    IntegrityError
        What the folder holds, or a file that was given, is damaged; or the exported file differs from the network.
    ResourceError
        The pairs do not fit the memory.
    MissingError
        There is no such device.
    """
    check_device(device)
    listener = listener or Listener()
    _check_start(plan)
    told = [_teacher(path, dataset.classes, device) for path in plan.teachers]
    pixels, judged = _loaded(dataset, plan, listener, device)
    place = atomic.make_folder(folder)
    classes = len(dataset.classes)
    views = Views(pixels, classes, plan.size, plan.batch, plan.recipe.seed)
    torch.manual_seed(plan.recipe.seed)
    net = FastSegNet(classes, plan.variant)
    if not (place / LAST_FILE).is_file():
        listener.say(_start(net, dataset.classes, views, plan, listener, device))
    trainer = SegmentationTrainer(
        net,
        views,
        WholeImages(judged),
        classes,
        plan.learning_rate,
        plan.epochs,
        recipe=plan.recipe if plan.imagenet or plan.start else replace(plan.recipe, trunk_rate=1.0),
        loss=_loss(plan, pixels, classes),
        teacher=ensemble(told) if told else None,
        device=device,
        folder=place,
        facts=_facts(dataset, plan),
    )
    if trainer.epochs:
        listener.say(f"goes on after epoch {len(trainer.epochs)}")
    result = trainer.train(listener.epoch)
    atomic.remove_parts(place / MODEL_FILE)
    export(place / BEST_FILE, place / MODEL_FILE, overwrite=True)
    return result


def best_precision(device: str) -> Precision:
    """Return the fastest arithmetic that trains as well as float32 on a device: bfloat16 where it is in hardware.

    Errors of the device are those of `fit`.
    """
    check_device(device)
    if torch.device(device).type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device)[0] >= BFLOAT16_SINCE else "fp16"
    return "bf16" if {"avx512_bf16", "amx_bf16"} & set(hardware.instruction_sets()) else "fp32"


def _check_start(plan: Plan) -> None:
    """Say that a file is missing now, and not after all pairs were read."""
    for file in (plan.imagenet, plan.start):
        if file is not None and not Path(file).is_file():
            raise InputError(f"there is no file {os.fspath(file)}: give weights to start from, or none")


def _loaded(dataset: Dataset, plan: Plan, listener: Listener, device: str) -> list[Pixels]:
    """Return the pixels of each split; `InputError` where pairs are wrong, or nothing in a split has a class."""
    every = [pair for split in SPLITS for pair in dataset.pairs[split]]
    whole = load(dataset, every, device, long_side_px=plan.long_side_px, progress=listener.progress)
    first = len(dataset.pairs[SPLITS[0]])
    parts = [Pixels(whole.images[part], whole.truths[part]) for part in (slice(first), slice(first, None))]
    for split, pixels in zip(SPLITS, parts, strict=True):
        if not len(pixels) or not class_shares(pixels, len(dataset.classes)).sum():
            raise InputError(f"nothing in the {len(pixels)} images of {split} has a class: put labelled images there")
    return parts


def _facts(dataset: Dataset, plan: Plan) -> dict[str, Any]:
    """Return what is written beside the weights, and has to be the same for a training to go on."""
    return {
        "classes": dataset.classes,
        "variant": plan.variant,
        "batch": plan.batch,
        "size": plan.size,
        "long_side_px": plan.long_side_px,
        "class_weights": plan.class_weights,
        "loss": plan.loss,
        "images": {split: len(pairs) for split, pairs in dataset.pairs.items()},
        "teachers": [Path(teacher).name for teacher in plan.teachers],
    }


def _start(net: FastSegNet, classes: Sequence[str], views: Views, plan: Plan, listener: Listener, device: str) -> str:
    """Give `net` its first weights, and say which."""
    if plan.start is not None:
        return _start_from(net, classes, plan.start)
    if plan.imagenet is not None:
        small = replace(views, size=(min(plan.size[0], WARM_SIZE[0]), min(plan.size[1], WARM_SIZE[1])))
        error = warm_start(net, plan.imagenet, small, plan.warm_steps, device, listener.progress)
        if math.isnan(error):
            return "starts from ImageNet's weights"
        return f"starts from ImageNet's weights; the first layers stand in for them with an error of {error:.3f}"
    return "starts from chance: weights to start from (--imagenet, --start) make a better network"


def _start_from(net: FastSegNet, classes: Sequence[str], path: File) -> str:
    """Give `net` the weights of an earlier training, but for its last layers where classes differ."""
    earlier, names = load_trained(path)
    if earlier.variant != net.variant:
        raise InputError(f"{os.fspath(path)} holds a network of variant {earlier.variant}, not {net.variant}")
    own = net.state_dict()
    fits = own.keys() if names == tuple(classes) else {name for name in own if not name.startswith(LAST_LAYERS)}
    kept = {name: tensor for name, tensor in earlier.state_dict().items() if name in fits}
    net.load_state_dict(kept, strict=False)
    return f"starts from {os.fspath(path)}, which knows {len(names)} classes; {len(own) - len(kept)} tensors anew"


def _loss(plan: Plan, pixels: Pixels, classes: int) -> nn.Module:
    if plan.loss == "dice":  # every class counts alike by itself
        return DiceLoss()
    weights = _class_weights(plan.class_weights, pixels, classes)
    if plan.loss == "ohem":
        drawn = plan.batch * math.prod(plan.size) / plan.recipe.pixel_step**2
        return OHEMLoss(min_kept=max(1, int(drawn * KEPT_SHARE)), weights=weights)
    return FocalLoss(weights=weights) if plan.loss == "focal" else CrossEntropyLoss(weights)


def _class_weights(power: float, pixels: Pixels, classes: int) -> Tensor | None:
    """Return how much each class counts, (C,); a pixel counts 1 in the mean."""
    if not power:
        return None
    shares = class_shares(pixels, classes).clamp(min=1e-6)
    weights = shares**-power
    return (weights / (weights * shares).sum()).float()


def _teacher(path: File, classes: Sequence[str], device: str) -> Network:
    """Return a network to learn from; `InputError` where its classes are others, or in another order."""
    if Path(path).suffix == SUFFIX:
        net, names = load_trained(path)
        _check_classes(path, names, classes)
        return net.to(device)
    file = open_network(path, None, engine="auto", device="auto", threads=hardware.threads(), precision="fp32")
    if file.output != LOGITS:
        raise InputError(f"{os.fspath(path)} gives no {LOGITS}: a teacher has to tell how likely each class is")
    if CLASSES_KEY in file.session.metadata:
        _check_classes(path, file.names, classes)
    return exported_teacher(file.session)


def _check_classes(path: File, names: Sequence[str], wanted: Sequence[str]) -> None:
    if tuple(names) != tuple(wanted):
        raise InputError(
            f"the teacher {os.fspath(path)} knows {', '.join(names)}, in this order, and the data {', '.join(wanted)}: "
            "they must be the same"
        )
