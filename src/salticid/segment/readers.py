"""A segmentation as other libraries write one."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array
from salticid.errors import MissingError

if TYPE_CHECKING:
    from salticid.segment.result import Segmentation


def to_list(result: Segmentation) -> list[dict[str, Any]]:
    """Return one entry per class that occurs, as Hugging Face's pipeline "image-segmentation" does.

    Keys are `label`, `score` and `mask`. As there, a map of classes has no score per class: it is None. The mask is
    (H, W) uint8, 255 where the class is; `PIL.Image.fromarray(mask)` is the pipeline's own type.
    """
    return [
        {
            "score": None,
            "label": result.names[number],
            "mask": np.where(result.labels == number, 255, 0).astype(np.uint8),
        }
        for number in np.unique(result.labels)
    ]


def to_supervision(result: Segmentation) -> Any:
    """Return `supervision.Detections` with one entry per class that occurs: box, mask, number and `class_name`.

    Boxes are x and y of the first and of the last pixel, as `supervision.mask_to_xyxy` finds them. There is no
    confidence, for there is none per class.

    Raises
    ------
    MissingError
        The package supervision is not installed.
    """
    if importlib.util.find_spec("supervision") is None:
        raise MissingError("the package 'supervision' is not installed: pip install supervision")
    supervision = importlib.import_module("supervision")
    numbers = np.unique(result.labels).astype(int)
    masks = np.stack([result.labels == number for number in numbers])
    return supervision.Detections(
        xyxy=np.stack([_box(mask) for mask in masks]),
        mask=masks,
        class_id=numbers,
        data={"class_name": np.array([result.names[number] for number in numbers])},
    )


def _box(mask: Array) -> NDArray[np.float32]:
    """Return x and y of the first and the last pixel of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], np.float32)
