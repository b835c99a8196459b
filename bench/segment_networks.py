"""The files of the networks that are compared: ours as it is trained and with random weights, and the peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from segment_candidates import Network
from segment_peers import PEERS, settled
from stereo_candidates import Row

from salticid.engine import models
from salticid.engine.cards import cards
from salticid.engine.export_onnx import export_onnx
from salticid.errors import MissingError
from salticid.segment.infer import Segmenter
from salticid.segment.network import FastSegNet
from salticid.segment.network_file import LOGITS_STRIDE, STRIDE

VARIANTS = {"FastSegNet edge": "kernel", "FastSegNet documented": "graph"}  # and what makes labels of their logits
CARDS = {"fp32": "fastseg-camvid", "int8": "fastseg-camvid-int8"}
TRACED = (1, 3, 2 * STRIDE, 3 * STRIDE)  # the shape that ours is exported with; the file takes any

Trained = dict[str, Path | None]  # files that were named, by precision


def networks(shape: tuple[int, int], classes: int, trained: Trained, folder: Path) -> tuple[list[Network], list[Row]]:
    """Write and find all files for inputs of a shape (H, W); return them, and what is absent and why."""
    make: dict[str, Callable[[], Network]] = {name: partial(variant, name, classes, folder) for name in VARIANTS}
    make |= {name: partial(given, name, precision, trained[precision]) for precision, name in CARDS.items()}
    make |= {name: partial(peer, name, shape, classes, folder) for name in PEERS}
    found, absent = [], []
    for name, one in make.items():
        try:
            found.append(one())
        except MissingError as error:
            absent.append({"kind": "absent", "network": name, "engine": "onnxruntime", "reason": str(error)})
    return found, absent


def variant(name: str, classes: int, folder: Path) -> Network:
    """Return one of ours with random weights."""
    torch.manual_seed(0)
    path = folder / f"{name} {classes}.onnx"
    net = settled(FastSegNet(classes, name.rpartition(" ")[2]))
    export_onnx(net, path, input_shape=TRACED, labels_scale=LOGITS_STRIDE)
    return Network(name, path, classes, VARIANTS[name], everywhere=True)


def given(name: str, precision: str, path: Path | None) -> Network:
    """Return a trained one: the file that was named, or else that of the card."""
    if path is None and name not in cards():
        raise MissingError(f"there is no card {name}, and no file was given")
    file = path or models.find(name)
    classes = len(Segmenter(file, threads=1).names)
    return Network(path.stem if path else name, file, classes, "segmenter", precision, everywhere=True)


def peer(name: str, shape: tuple[int, int], classes: int, folder: Path) -> Network:
    """Return a peer with random weights, exported for one shape: some cannot be for any."""
    torch.manual_seed(0)
    path = folder / f"{name} {shape[1]}x{shape[0]}.onnx"
    logits = f"logits{PEERS[name].stride}"
    export_onnx(
        settled(PEERS[name].make(classes)),
        path,
        input_shape=(1, 3, *shape),
        output_names=(logits,),
        dynamic=False,
        labels_scale=PEERS[name].stride,
    )
    return Network(name, path, classes, "graph", logits=logits, published=PEERS[name].published)
