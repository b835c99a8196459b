"""A file with the names and shapes of MobileNetV2's ImageNet weights, and weights of chance."""

from __future__ import annotations

import torch

from salticid.engine.weights import write_weights
from salticid.segment.network import FastSegNet


def write_mobilenet(path, seed=0):
    """Write the trunk of a `documented` network under torchvision's names of its blocks, and return the network."""
    torch.manual_seed(seed)
    net = FastSegNet(2, "documented")
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # statistics become those of what it sees next: its outputs get a size
    with torch.no_grad():
        net(torch.rand(4, 3, 64, 64) * 2 - 1)
    blocks = [*net.early, *net.stage8, *net.stage16, *net.stage32]
    tensors = {}
    for number, block in enumerate(blocks):
        for index, (name, tensor) in enumerate(sorted(block.state_dict().items())):
            tensors[f"features.{number}.{index:02}.{name.rpartition('.')[2]}"] = tensor
    write_weights(path, tensors)
    return net
