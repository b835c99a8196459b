"""What a network learns with is what the whole numbers compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from salticid.upscale.integer_net import enlarge_reference
from salticid.upscale.networks import PlainNet
from salticid.upscale.quantized import RoundedNet, held, weight_scales, with_even_channels
from salticid.upscale.shape import Shape
from salticid.upscale.train import enlarged

SHAPE = Shape(3, 12, 4)


def network(seed=0, shape=SHAPE):
    """Return a network whose features are large in some channels and small in others."""
    torch.manual_seed(seed)
    net = PlainNet(shape)
    for layer in net.body:
        layer.weight.data.mul_(torch.exp(torch.randn(len(layer.weight), 1, 1, 1)))
        layer.bias.data.normal_(0, 0.05)
    net.last.weight.data.add_(0.01 * torch.randn_like(net.last.weight))
    return net


def pictures(count=4, side=40):
    return [torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) for seed in range(count)]


def test_even_channels_compute_the_same_and_lie_between_0_and_1():
    net = network()
    even = with_even_channels(net, pictures())
    image = pictures(1)[0]
    with torch.no_grad():
        torch.testing.assert_close(even(image), net(image), rtol=1e-3, atol=1e-3)
        features = torch.relu(even.body[1](torch.relu(even.body[0](image))))
    highest = features.amax(dim=(0, 2, 3))
    assert (features > 1).float().mean() < 0.002
    assert highest.median() > 0.8


def test_the_whole_numbers_make_the_image_that_was_learned_with():
    rounded = RoundedNet(with_even_channels(network(), pictures()))
    image = (pictures(1, 31)[0][0].permute(1, 2, 0) * 255).round().byte().numpy()
    difference = np.abs(enlarge_reference(rounded.integer_net(), image).astype(int) - enlarged(rounded, image))
    assert difference.max() <= 2  # sums in another order tip a few numbers over to the next step
    assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("inputs", [3, 16, 28, 44])
def test_scales_hold_what_cpus_without_dot_products_need(inputs):
    generator = torch.Generator().manual_seed(inputs)
    weights = torch.randn(24, inputs, 3, 3, generator=generator) ** 3
    whole = torch.round(weights / weight_scales(weights)[:, None, None, None])
    assert whole.abs().max() <= 127
    ordered = torch.nn.functional.pad(whole.permute(0, 2, 3, 1), (0, -inputs % 4)).flatten(1).numpy()
    ordered = np.pad(ordered, ((0, 0), (0, -ordered.shape[1] % 8)))
    for start in range(0, ordered.shape[1], 8):
        for place in (0, 2):
            four = ordered[:, [start + place, start + place + 1, start + 4 + place, start + 5 + place]]
            assert np.maximum(four, 0).sum(axis=1).max() <= 128
            assert np.minimum(four, 0).sum(axis=1).min() >= -128
    assert whole.abs().amax(dim=(1, 2, 3)).median() > 24  # and waste no more steps than that


def test_numbers_are_held_in_steps_of_a_byte_and_pass_their_gradient():
    values = torch.tensor([-0.2, 0.1, 0.5001, 1.3], requires_grad=True)
    found = held(values)
    torch.testing.assert_close(found.detach() * 255, torch.tensor([0.0, 26.0, 128.0, 255.0]))
    found.sum().backward()
    torch.testing.assert_close(values.grad, torch.tensor([0.0, 1.0, 1.0, 0.0]))
