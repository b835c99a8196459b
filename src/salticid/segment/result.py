"""The result of segmentation: the class of every pixel, and what people and programs ask of it.

result = segmenter(image)
result.share["Road"], result.mask("Car")
result.merged({"vehicle": ["Car", "Truck"]}).overlay(image)
result.save("street.png")
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salticid.core import draw, image_labels
from salticid.core.atomic import replacing
from salticid.core.palette import class_palette
from salticid.core.types import Image, Mask
from salticid.errors import InputError

MOST_CLASSES = 255  # 255 itself is no class: truth has it for void
LABEL_VALUES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """The class of every pixel of an image."""

    labels: Image  # (H, W) uint8: which of the names
    names: tuple[str, ...]  # of the classes
    engine: str = ""  # who computed
    device: str = ""
    precision: str = ""
    latency_ms: Mapping[str, float] = field(default_factory=dict)  # per stage

    @property
    def area_px(self) -> dict[str, int]:
        """Number of pixels of each class."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.names))
        return {name: int(count) for name, count in zip(self.names, counts, strict=True)}

    @property
    def share(self) -> dict[str, float]:
        """Share of the pixels that each class has, 0..1."""
        return {name: area / self.labels.size for name, area in self.area_px.items()}

    @property
    def colors(self) -> NDArray[np.uint8]:
        """Color of each class in pictures, (N, 3) uint8 RGB."""
        return class_palette(len(self.names))

    def mask(self, name: str) -> Mask:
        """Return where the class `name` is, (H, W) bool; `InputError` when there is no such class."""
        return np.asarray(self.labels == class_number(name, self.names))

    def merged(self, groups: Mapping[str, Sequence[str]]) -> Segmentation:
        """Return the same with some classes made one; the others stay as they are, in their order.

        >>> labels = np.array([[0, 1, 2]], np.uint8)
        >>> two = Segmentation(labels, ("Road", "Car", "Truck")).merged({"vehicle": ["Car", "Truck"]})
        >>> two.names, two.labels.tolist()
        (('Road', 'vehicle'), [[0, 1, 1]])

        Raises
        ------
        InputError
            A class is unknown or in two groups, a group is empty, or its name is that of a class outside of it.
        """
        if not groups:
            return self
        names, table = merge_classes(self.names, groups)
        return replace(self, names=names, labels=table[self.labels])

    def overlay(self, image: Image, opacity: float = 0.5) -> Image:
        """Return `image`, (H, W) or (H, W, 3) uint8, tinted in the colors of the classes, (H, W, 3) uint8."""
        return draw.mask_overlay(image, self.labels, self.colors, opacity)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write the labels as .png (indexed: the numbers are exact, viewers show colors) or .npy.

        Raises
        ------
        InputError
            Another suffix, or the file cannot be written there.
        """
        suffix = Path(path).suffix.lower()
        if suffix == ".png":
            image_labels.write_labels(path, self.labels, self.colors, overwrite=overwrite)
        elif suffix == ".npy":
            with replacing(path, overwrite=overwrite) as part, part.open("wb") as file:
                np.save(file, self.labels)
        else:
            raise InputError(f"cannot save labels as {os.fspath(path)}: use .png or .npy")

    def to_list(self) -> list[dict[str, Any]]:
        """Return what Hugging Face's image segmentation returns; see `salticid.segment.readers`."""
        from salticid.segment.readers import to_list

        return to_list(self)

    def to_supervision(self) -> Any:
        """Return `supervision.Detections`; see `salticid.segment.readers`."""
        from salticid.segment.readers import to_supervision

        return to_supervision(self)


def class_number(name: str, names: Sequence[str]) -> int:
    """Return the number of the class `name`; `InputError` that names the nearest when there is none."""
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"classes are {', '.join(names)}"
        raise InputError(f"there is no class {name!r}: {hint}")
    return names.index(name)


def merge_classes(
    names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Return the names after merging, and the new number of every old one, (256,) uint8.

    A group stands where its first class stood. Errors are those of `Segmentation.merged`.
    """
    group_of: dict[str, str] = {}
    for group, members in groups.items():
        if isinstance(members, str) or not members:
            raise InputError(f"group {group!r} must be a list of classes and not empty, not {members!r}")
        for name in members:
            class_number(name, names)
            if group_of.setdefault(name, group) != group:
                raise InputError(f"class {name!r} is in two groups, {group_of[name]!r} and {group!r}: leave one out")
        if group in names and group not in members:
            raise InputError(f"{group!r} is a class that its group leaves out: choose another name, or add the class")
    after = [group_of.get(name, name) for name in names]
    kept = tuple(dict.fromkeys(after))
    table = np.zeros(LABEL_VALUES, np.uint8)
    table[: len(names)] = [kept.index(name) for name in after]
    return kept, table
