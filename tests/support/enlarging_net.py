"""Small networks that enlarge, with weights of chance, as files."""

from __future__ import annotations

import torch

from salticid.upscale.export import write_float, write_int8
from salticid.upscale.networks import PlainNet
from salticid.upscale.quantized import RoundedNet, with_even_channels
from salticid.upscale.shape import Shape


def network(scale=4, layers=2, channels=8, seed=0):
    """Return a network whose features are of use."""
    torch.manual_seed(seed)
    net = PlainNet(Shape(layers, channels, scale))
    for layer in net.body:
        layer.bias.data.normal_(0, 0.05)
    net.last.weight.data.add_(0.02 * torch.randn_like(net.last.weight))
    return net


def integer_network(net):
    """Return it in whole numbers."""
    images = [torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    return RoundedNet(with_even_channels(net, images)).integer_net()


def write_networks(folder, scale=4, **shape):
    """Write both forms and return their paths: in floating point, and in 8 bits."""
    net = network(scale, **shape)
    paths = folder / f"x{scale}.onnx", folder / f"x{scale}-int8.onnx"
    write_float(net, paths[0])
    write_int8(integer_network(net), paths[1])
    return paths
