"""The files of the networks that are compared: ours as it is trained and with random weights, and the peers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from segment_candidates import Network
from segment_peers import PEERS, settled
from stereo_candidates import Row

from salticid.core.types import Image
from salticid.engine import models
from salticid.engine.export_onnx import export_onnx
from salticid.engine.quantize import quantize_static
from salticid.errors import MissingError
from salticid.segment.infer import Segmenter
from salticid.segment.network import FastSegNet
from salticid.segment.network_file import LOGITS_STRIDE, STRIDE
from salticid.segment.prepare import Preparer, rounded_up

VARIANTS = {"FastSegNet edge": "kernel", "FastSegNet documented": "graph"}  # and what makes labels of their logits
CARD, CARD_SMALL = "fastseg-camvid", "fastseg-camvid-int8"
SMALL = f"{CARD}, int8"
TRACED = (1, 3, 2 * STRIDE, 3 * STRIDE)  # the shape that ours is exported with; the file takes any


@dataclass(frozen=True, slots=True)
class Trained:
    """Files that were named; None: those of the cards, or for 8 bits the first one quantized here."""

    whole: Path | None
    int8: Path | None


def networks(image: Image, classes: int, trained: Trained, folder: Path) -> tuple[list[Network], list[Row]]:
    """Write and find all files for an image; return them, and rows that say what is absent and why."""
    torch.set_num_threads(1)  # it only exports; two would wait for each other where the machine is busy
    make: dict[str, Callable[[], Network]] = {name: partial(variant, name, classes, folder) for name in VARIANTS}
    make |= {CARD: partial(whole, trained), SMALL: partial(small, trained, image, folder)}
    make |= {name: partial(peer, name, image, classes, folder) for name in PEERS}
    found: list[Network] = []
    absent: list[Row] = []
    for name, one in make.items():
        try:
            found.append(one())
        except MissingError as error:
            absent.append({"kind": "absent", "network": name, "engine": "onnxruntime", "reason": str(error)})
    return found, absent


def variant(name: str, classes: int, folder: Path) -> Network:
    """Return one of ours with random weights."""
    torch.manual_seed(0)
    path = folder / f"{name}.onnx"
    net = settled(FastSegNet(classes, name.rpartition(" ")[2]))
    export_onnx(net, path, input_shape=TRACED, labels_scale=LOGITS_STRIDE)
    return Network(name, path, classes, VARIANTS[name], everywhere=True)


def whole(trained: Trained) -> Network:
    """Return the trained one, which computes in float32."""
    path = trained.whole or models.find(CARD)
    return Network(CARD if trained.whole is None else path.stem, path, class_count(path), "segmenter", everywhere=True)


def small(trained: Trained, image: Image, folder: Path) -> Network:
    """Return the trained one in 8 bits. Quantized here, its ranges come from one image: enough to see its time."""
    path = trained.int8 or (models.find(CARD_SMALL) if trained.whole is None else None)
    if path is None:
        path = folder / "int8.onnx"
        quantize_static(whole(trained).path, path, [Preparer(STRIDE)(image)])
    name = SMALL if trained.int8 is None else path.stem
    return Network(name, path, class_count(path), "segmenter", "int8", everywhere=True)


def class_count(path: Path) -> int:
    """Return how many classes a trained network tells apart."""
    return len(Segmenter(path, threads=1).names)


def peer(name: str, image: Image, classes: int, folder: Path) -> Network:
    """Return a peer with random weights, exported for one size: some cannot be for any."""
    torch.manual_seed(0)
    path = folder / f"{name}.onnx"
    logits = f"logits{PEERS[name].stride}"
    export_onnx(
        settled(PEERS[name].make(classes)),
        path,
        input_shape=(1, 3, *(rounded_up(side, STRIDE) for side in image.shape[:2])),
        output_names=(logits,),
        dynamic=False,
        labels_scale=PEERS[name].stride,
    )
    return Network(name, path, classes, "graph", logits=logits, published=PEERS[name].published)
