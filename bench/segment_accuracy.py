"""How good each file of the segmentation network is, as it is, on CamVid's validation images.

    python bench/segment_accuracy.py [--data CAMVID] [--trained run/best.safetensors] [--output ...]

Of the files of the package, that with weights in 16 bits and that in 8. Beside mIoU: how many pixels the kernel labels
otherwise than torch does from the same logits, by interpolating all and taking the greatest; and, with the weights that
the files were exported from, how many torch's network labels alike.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from stereo_candidates import Row
from torch import nn
from torch.nn import functional

from salticid.core import metrics
from salticid.core.types import Array
from salticid.engine import bench, models
from salticid.engine.session import Session
from salticid.segment.data import VOID, Dataset, find_dataset
from salticid.segment.network import MULTIPLE
from salticid.segment.prepare import Preparer
from salticid.segment.trained import load_trained
from salticid.segment.upsample import upsample_argmax

DATA = Path(os.environ.get("SALTICID_DATA", "../shared/data"))
MODELS = {"fastseg-camvid": "weights in 16 bits", "fastseg-camvid-int8": "int8"}  # and what is written in a table
THREADS = 2
ULP = float(np.finfo(np.float32).eps)


def main() -> None:
    """Measure, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "segmentation" / "camvid")
    parser.add_argument("--trained", type=Path, help="the best.safetensors that the files were exported from")
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    arguments = parser.parse_args()
    dataset = find_dataset(arguments.data)
    network = load_trained(arguments.trained)[0] if arguments.trained else None
    bench.write_report("segment_accuracy", list(rows(dataset, network)), arguments.output)


def rows(dataset: Dataset, network: nn.Module | None) -> Iterator[Row]:
    """Yield one row per file: what it weighs, and what it is worth."""
    for name, kind in MODELS.items():
        path = models.find(name)
        about = {"model": f"fastseg-camvid, {kind}", "megabytes": round(path.stat().st_size / 1e6, 2)}
        yield about | judged(path, dataset, network)


def judged(path: Path, dataset: Dataset, network: nn.Module | None) -> Row:
    """Return what one file is worth."""
    session, prepare = Session(path, threads=THREADS, outputs=["logits8"]), Preparer(MULTIPLE)
    confusion = np.zeros((len(dataset.classes),) * 2, np.int64)
    pixels = other_than_torch = as_trained = 0
    ties: list[Row] = []
    for pair in dataset.pairs["val"]:
        image, truth = dataset.read(pair)
        tensor = prepare(image)
        logits = session.run({session.inputs[0].name: tensor})["logits8"][0]
        labels = upsample_argmax(logits, size=truth.shape)
        confusion += metrics.confusion_matrix(labels, truth, len(dataset.classes), VOID)
        scores = upsampled(torch.from_numpy(logits), truth.shape)
        differ = labels != scores.argmax(axis=0)
        pixels += labels.size
        other_than_torch += int(differ.sum())
        ties += [tie(pair.image.name, scores, labels, *place) for place in np.argwhere(differ & tied(scores, labels))]
        if network is not None:
            with torch.no_grad():
                as_trained += int(
                    (labels == upsampled(network(torch.from_numpy(tensor))[0], truth.shape).argmax(0)).sum()
                )
    per_class = zip(dataset.classes, metrics.iou(confusion).tolist(), strict=True)
    share = None if network is None else round(100 * as_trained / pixels, 3)
    return {
        "miou": round(100 * metrics.miou(confusion), 2),
        "pixel_accuracy": round(100 * metrics.pixel_accuracy(confusion), 2),
        "iou": {name: round(100 * value, 1) for name, value in per_class},
        "pixels": pixels,
        "labelled_otherwise": other_than_torch,
        "ties": ties,
        "labelled_as_trained_percent": share,
    }


def upsampled(logits: torch.Tensor, size: tuple[int, ...]) -> Array:
    """Return logits of every pixel, (C, H, W), as torch interpolates them."""
    full = functional.interpolate(logits[None], scale_factor=8.0, mode="bilinear", align_corners=False)[0]
    scores: Array = full[:, : size[0], : size[1]].numpy()
    return scores


def tie(image: str, scores: Array, labels: Array, row: int, column: int) -> Row:
    """Return where two classes have the same score but for the last bit, which two, and their scores."""
    of = scores[:, row, column]
    given, best = int(labels[row, column]), int(of.argmax())
    place = {"image": image, "row": int(row), "column": int(column)}
    return place | {"classes": [given, best], "scores": [float(of[given]), float(of[best])]}


def tied(scores: Array, labels: Array) -> Array:
    """Return where the score of the label given is the greatest, but for the last bit."""
    given = np.take_along_axis(scores, labels[None].astype(np.int64), axis=0)[0]
    best = scores.max(axis=0)
    return best - given <= ULP * np.abs(best)


if __name__ == "__main__":
    main()
