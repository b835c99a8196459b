"""The files of the peers, and what all networks consist of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from stereo_candidates import Row
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from upscale_candidates import IMAGE, LARGE, NAMES, OURS, PEER, SCALE, Candidate
from upscale_peers import PEERS, settled

from salticid.engine.export_onnx import export_onnx
from salticid.upscale.networks import PlainNet
from salticid.upscale.shape import Shape

TRACED = (1, 3, 24, 32)  # the shape that is exported; the files take any
FLOPS_PER_PRODUCT = 2


def peers(folder: Path) -> list[Candidate]:
    """Write a file of every peer and return them."""
    torch.set_num_threads(1)  # it only exports; two would wait for each other where the machine is busy
    return [Candidate(name, PEER, "onnxruntime", "fp32", str(exported(name, folder))) for name in PEERS]


def exported(name: str, folder: Path) -> Path:
    """Write a peer as ONNX, compared with torch on two sizes."""
    path = folder / f"{name}.onnx"
    net = settled(PEERS[name].make())
    export_onnx(net, path, input_shape=TRACED, input_name=IMAGE, output_names=(LARGE,), classes=False)
    return path


def networks(sizes: tuple[tuple[int, int], ...]) -> Iterator[Row]:
    """Yield how many weights every network has, and how many products it adds up for images of some sizes."""
    makes = {name: (OURS, PlainNet(Shape.of(name, SCALE)), "") for name in NAMES}
    makes |= {name: (PEER, peer.make(), peer.published) for name, peer in PEERS.items()}
    for name, (by, net, published) in makes.items():
        parameters = sum(weights.numel() for weights in net.parameters())
        gmac = {f"{width}x{height}": products(net, width, height) / 1e9 for width, height in sizes}
        row = {"kind": "network", "candidate": name, "by": by, "parameters": parameters}
        yield row | {"gmac": gmac, "published": published or None}


def products(net: nn.Module, width: int, height: int) -> int:
    """Return how many products a network adds up for an image; nothing is computed."""
    image = torch.empty(1, 3, height, width, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.to("meta")(image)
    return int(counter.get_total_flops()) // FLOPS_PER_PRODUCT
