"""Images with a class for every pixel: what their numbers mean, how they are read, and what is wrong with them.

Wrong labels cost a training more than anything else, and show late. So every pair is looked at before the first step,
and all that is wrong is told at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core.image import read_image
from salticid.core.image_labels import read_labels
from salticid.core.types import Array, Image
from salticid.errors import InputError
from salticid.segment.layouts import Layout, Pair, Pairs, find_pairs

VOID = 255  # in what is read here, whatever number the files have for it
UNKNOWN = 254
META_FILE = "meta.json"  # {"classes": [...], "void": n} beside the folders, where somebody put it
SHOWN = 10  # of what a message lists

CITYSCAPES = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)
CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
CITYSCAPES_LAST_ID = 33  # those that are no class of its evaluation are void


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """What was found in a folder."""

    classes: tuple[str, ...]
    pairs: Pairs
    class_of: Array  # (256,) uint8: what a number in a label file stands for; VOID for void, UNKNOWN for nothing
    layout: Layout

    def read(self, pair: Pair) -> tuple[Image, Image]:
        """Return an image (H, W, 3) RGB uint8 and its classes (H, W) uint8, `VOID` where there is none.

        Raises
        ------
        InputError
            A file is missing or damaged, sizes differ, or a number stands for no class.
        """
        image, numbers = read_image(pair.image), read_labels(pair.labels)
        if image.shape[:2] != numbers.shape:
            raise InputError(
                f"{pair.image} has {_size(image)} pixels and {pair.labels} {_size(numbers)}: sizes must be equal"
            )
        present = np.flatnonzero(np.bincount(numbers.reshape(-1), minlength=256))
        unknown = [str(number) for number in present if self.class_of[number] == UNKNOWN]
        if unknown:
            raise InputError(
                f"{pair.labels} holds {', '.join(unknown[:SHOWN])}, which is no class: "
                f"classes are 0 to {len(self.classes) - 1}; say which number is void"
            )
        return image, np.asarray(self.class_of[numbers], np.uint8)


def find_dataset(
    folder: str | os.PathLike[str], classes: Sequence[str] | None = None, void: int | None = None
) -> Dataset:
    """Find the pairs of a folder in one of the layouts of `layouts.py`.

    Parameters
    ----------
    folder
        Where they lie.
    classes
        Names in the order of their numbers; by default those of `meta.json`, or Cityscapes' own.
    void
        Number in the label files that stands for no class, by default that of `meta.json`; 255 always does.

    Raises
    ------
    InputError
        The folder has none of the layouts or no pairs, or the classes are not known.
    """
    root = Path(folder)
    layout, pairs = find_pairs(root)
    meta = _meta(root)
    names = classes or meta.get("classes") or (CITYSCAPES if layout == "cityscapes" else None)
    if not names:
        raise InputError(
            f"which classes {root} has is not known: name them, in their order, with --classes or in a {META_FILE}"
        )
    names = check_names(names)
    if layout == "cityscapes" and len(names) != len(CITYSCAPES):
        raise InputError(f"{root} has Cityscapes' {len(CITYSCAPES)} classes, not {len(names)}: leave --classes out")
    number = meta.get("void", VOID) if void is None else void
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= VOID:
        raise InputError(f"void must be 0 to {VOID}, not {number!r}")
    return Dataset(names, pairs, _class_of(layout, len(names), number), layout)


def check_names(names: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of classes; raise `InputError` where they are none, too many or not different."""
    if not isinstance(names, (list, tuple)):
        raise InputError(f"classes must be a list of names, not {names!r}")
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise InputError(f"classes must be different names, not {', '.join(map(str, names))}")
    if not 2 <= len(names) <= UNKNOWN:
        raise InputError(f"there must be 2 to {UNKNOWN} classes, not {len(names)}")
    return tuple(names)


def refuse(found: Sequence[str]) -> None:
    """Raise `InputError` with all that is wrong, if anything is, before something is learned from it."""
    if not found:
        return
    more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    listed = "\n  ".join(found[:SHOWN])
    raise InputError(f"{len(found)} pairs cannot be learned from:\n  {listed}{more}")


def _meta(root: Path) -> dict[str, Any]:
    path = root / META_FILE
    if not path.is_file():
        return {}
    try:
        meta = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be read: {problem}") from problem
    if not isinstance(meta, dict):
        raise InputError(f'{path} must hold {{"classes": [...], "void": n}}, not a {type(meta).__name__}')
    return meta


def _class_of(layout: Layout, classes: int, void: int) -> Array:
    table = np.full(256, UNKNOWN, np.uint8)
    if layout == "cityscapes":
        table[: CITYSCAPES_LAST_ID + 1] = VOID
        table[list(CITYSCAPES_IDS)] = np.arange(len(CITYSCAPES_IDS))
    else:
        table[:classes] = np.arange(classes)
    table[[void, VOID]] = VOID
    return table


def _size(image: Array) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
