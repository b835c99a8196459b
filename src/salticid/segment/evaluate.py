"""How good a network is on images with ground truth: intersection over union per class, their mean, pixel accuracy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salticid.core.image import read_image
from salticid.core.image_labels import read_labels
from salticid.core.metrics import confusion_matrix, iou, miou, pixel_accuracy
from salticid.core.types import Array, Image
from salticid.errors import InputError, ResourceError
from salticid.runtime.ahead import ahead
from salticid.runtime.clock import StageClock
from salticid.segment.data import VOID
from salticid.segment.infer import Segmenter
from salticid.segment.result import LABEL_VALUES, MOST_CLASSES

Truth = tuple[Image, Image]  # image (H, W, 3), classes (H, W), both uint8


@dataclass(frozen=True, slots=True, eq=False)
class SegmentScore:
    """Accuracy over all images together, and what could not be judged."""

    names: tuple[str, ...]
    confusion: Array  # (C, C) int64; row: truth, column: label
    images: int  # that count
    failed: tuple[tuple[str, str], ...]  # the others: name, reason
    latency_ms: dict[str, float]  # mean of each stage
    engine: str
    device: str
    precision: str

    @property
    def miou(self) -> float:
        """Mean intersection over union of the classes that occur, 0..1; nan when none does."""
        return miou(self.confusion)

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union of each class, 0..1; nan for one that is neither in the truth nor found."""
        return dict(zip(self.names, iou(self.confusion).tolist(), strict=True))

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels with a truth that are labelled right, 0..1."""
        return pixel_accuracy(self.confusion)


def evaluate(
    segmenter: Segmenter,
    pairs: Iterable[Any],
    names: Sequence[str],
    void: int | None = VOID,
    *,
    read: Callable[[Any], Truth] | None = None,
) -> SegmentScore:
    """Label images and compare with their truth.

    Parameters
    ----------
    pairs
        (image path, label path) each, or whatever `read` takes.
    names
        Of the classes of the truth, in the order of their numbers. The network may have them in another order, but must
        have the same; where its file names none, as many.
    void
        Number in the truth that does not count; None: all count.
    read
        Returns the image, (H, W, 3) RGB uint8, and its classes, (H, W) uint8, of one of the `pairs`.

    Returns
    -------
    SegmentScore
        A pair whose files are missing, damaged, of different sizes or with unknown classes is in `failed`.

    Raises
    ------
    InputError
        The classes of network and truth are not the same.
    """
    number_of = class_numbers(segmenter.names, names)
    judge = _Judge(segmenter, number_of, len(names), void)
    for _ in ahead(pairs, lambda pair: (pair, _read(pair, read or read_pair)), judge):
        pass
    latency_ms = {stage: total / max(1, judge.images) for stage, total in judge.clock.latency_ms.items()}
    ran = (segmenter.engine, segmenter.device, segmenter.options.precision)
    return SegmentScore(tuple(names), judge.confusion, judge.images, tuple(judge.failed), latency_ms, *ran)


def read_pair(pair: tuple[str | os.PathLike[str], str | os.PathLike[str]]) -> Truth:
    """Return the image and the classes of a pair of files; `InputError` when one is damaged or their sizes differ."""
    image, truth = read_image(pair[0]), read_labels(pair[1])
    if image.shape[:2] != truth.shape:
        raise InputError(f"{pair[0]} is {image.shape[:2]} and {pair[1]} {truth.shape}: both must have one size")
    return image, truth


class _Judge:
    """Adds up what the network confuses; a step in a thread of its own."""

    def __init__(self, segmenter: Segmenter, number_of: NDArray[np.uint8], classes: int, void: int | None) -> None:
        self._segmenter, self._number_of, self._void = segmenter, number_of, void
        self.confusion = np.zeros((classes, classes), np.int64)
        self.failed: list[tuple[str, str]] = []
        self.images = 0
        self.clock = StageClock()

    def __call__(self, item: tuple[Any, Truth | InputError]) -> None:
        pair, given = item
        if isinstance(given, InputError):
            self.failed.append((_name(pair), str(given)))
            return
        image, truth = given
        try:
            found = self._segmenter(image)
            counts = confusion_matrix(self._number_of[found.labels], truth, len(self.confusion), self._void)
        except (InputError, ResourceError) as problem:
            self.failed.append((_name(pair), str(problem)))
            return
        self.confusion += counts
        self.images += 1
        self.clock.add(dict(found.latency_ms))


def _read(pair: Any, read: Callable[[Any], Truth]) -> Truth | InputError:
    try:
        return read(pair)
    except InputError as problem:
        return problem


def _name(pair: Any) -> str:
    image = pair[0] if isinstance(pair, (tuple, list)) else getattr(pair, "image", pair)
    return os.fspath(image) if isinstance(image, (str, os.PathLike)) else str(image)


def class_numbers(own: Sequence[str], wanted: Sequence[str]) -> NDArray[np.uint8]:
    """Return the number in `wanted` of each class of the network, (256,) uint8; `InputError` where they differ."""
    if len(own) == MOST_CLASSES > len(wanted):  # a file that tells neither names nor how many classes
        own = own[: len(wanted)]
    if all(name == f"class {number}" for number, name in enumerate(own)) and len(own) == len(wanted):
        own = wanted
    if sorted(own) != sorted(wanted):
        only = [f"{name} (network alone)" for name in own if name not in wanted]
        only += [f"{name} (data alone)" for name in wanted if name not in own]
        raise InputError(f"the classes of the network and of the data differ: {', '.join(only)}")
    table = np.arange(LABEL_VALUES).astype(np.uint8)
    table[: len(own)] = [wanted.index(name) for name in own]
    return table
