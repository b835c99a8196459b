from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from salticid.errors import InputError
from salticid.upscale.networks import Branched, PlainNet
from salticid.upscale.shape import BODIES, Shape

IMAGE = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("size", BODIES)
def test_an_image_becomes_as_many_times_as_large_as_the_scale_says(size, scale):
    with torch.no_grad():
        assert PlainNet(Shape.of(size, scale))(IMAGE).shape == (1, 3, 20 * scale, 24 * scale)


def test_an_untrained_network_repeats_every_pixel_nearly():
    torch.manual_seed(0)
    with torch.no_grad():
        large = PlainNet(Shape.of("fast", 4))(IMAGE)
    assert (large - functional.interpolate(IMAGE, scale_factor=4)).abs().mean() < 0.05


def test_branches_amount_to_one_convolution():
    torch.manual_seed(1)
    net = PlainNet(Shape(3, 8, 2), branched=True)
    for parameter in net.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    with torch.no_grad():
        torch.testing.assert_close(net.plain()(IMAGE), net(IMAGE), rtol=1e-4, atol=1e-5)


def test_following_the_mean_of_the_inputs_changes_no_result():
    torch.manual_seed(4)
    layer = Branched(4, 4)
    features = torch.rand(2, 4, 6, 6) + 3
    with torch.no_grad():
        before = layer.eval()(features)
        for _ in range(50):
            followed = layer.train()(features)
    torch.testing.assert_close(followed, before, rtol=1e-4, atol=1e-4)
    assert layer.mean.min() > 1


def test_a_kernel_learns_as_if_its_inputs_had_no_mean():
    torch.manual_seed(5)
    layer = Branched(4, 4)
    features, wanted = torch.rand(2, 4, 8, 8), torch.randn(2, 4, 6, 6)

    def gradient(shift):
        layer.zero_grad()
        layer.mean.fill_(0.5 + shift)
        layer.eval()(features + shift)[:, :, 1:-1, 1:-1].mul(wanted).sum().backward()
        return layer.weight.grad.clone()

    torch.testing.assert_close(gradient(100.0), gradient(0.0), rtol=1e-2, atol=1e-2)


def test_a_layer_takes_over_a_kernel_and_a_bias():
    torch.manual_seed(6)
    layer, kernel, bias = Branched(4, 4), torch.randn(4, 4, 3, 3), torch.randn(4)
    layer.mean.fill_(0.3)
    layer.take(kernel, bias)
    for found, wanted in zip(layer.folded(), (kernel, bias), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_every_branch_learns():
    torch.manual_seed(2)
    layer = Branched(4, 4)
    layer(torch.rand(1, 4, 6, 6)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())


def test_a_pixel_depends_on_as_many_around_it_as_the_halo_says_and_on_no_others():
    torch.manual_seed(3)
    shape = Shape(2, 4, 2)
    net = PlainNet(shape)
    for parameter in net.parameters():
        parameter.data = parameter.data.abs() + 0.01  # so that no ReLU hides a way
    image = torch.rand(1, 3, 21, 21, requires_grad=True)
    net(image)[0, 0, 20, 20].backward()
    seen = image.grad[0].abs().sum(dim=0).nonzero()
    assert (seen.min(dim=0).values == 10 - shape.halo).all()
    assert (seen.max(dim=0).values == 10 + shape.halo).all()


@pytest.mark.parametrize("shape", [(-1, 8, 4), (2, 0, 4), (2, 8, 3)])
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(InputError, match="at least"):
        Shape(*shape)


def test_an_unknown_size_is_refused_by_name():
    with pytest.raises(InputError, match="choose nano, fast, quality"):
        Shape.of("huge", 4)
