"""Smaller networks: real ones, in multiples of 8, and only where they are faster."""

from __future__ import annotations

import numpy as np
import pytest
from segmentation_net import INPUT_SHAPE, blobs, logits_of, nn, segmentation_net, torch

from salticid.engine import prune as prune_module
from salticid.engine.bench import Timing
from salticid.engine.prune import prune, prune_if_faster
from salticid.errors import InputError


@pytest.fixture
def net():
    return segmentation_net(width=32)


def test_a_pruned_network_is_smaller_runs_and_has_channels_in_multiples_of_8(net):
    done = prune(net, share=0.4)
    before, after = done.parameters
    assert after == sum(weight.numel() for weight in done.module.parameters()) < 0.6 * before
    assert all(left % 8 == 0 and 8 <= left < had for had, left in done.channels.values())
    for module in done.module.modules():
        if isinstance(module, nn.Conv2d):
            assert module.weight.shape[:2] == (module.out_channels, module.in_channels // module.groups)
    assert logits_of(done.module, blobs(2)).shape == (2, 5, 8, 12)


def test_the_network_given_is_not_changed(net):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    prune(net, share=0.5)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("importance", ["scale", "weights"])
def test_channels_that_do_nothing_are_removed_without_a_trace(net, importance):
    layer = net.refine
    with torch.no_grad():
        silent = torch.arange(64) % 2 == 1
        layer[1].weight[silent] = 0
        layer[1].bias[silent] = 0
        layer[0].weight[silent] = 0
        net.head.weight[:, silent] = 0
    others = [name for name, module in net.named_modules() if isinstance(module, nn.Conv2d) and name != "refine.0"]
    done = prune(net, share=0.5, importance=importance, keep=others)
    assert done.channels == {"refine.0": (64, 32)}
    images = blobs(2)
    np.testing.assert_allclose(logits_of(done.module, images), logits_of(net, images), atol=1e-5)


def test_a_concatenation_loses_the_right_columns():
    class Joined(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(3, 16, 1), nn.Conv2d(3, 16, 1), nn.Conv2d(32, 2, 1)

        def forward(self, image):
            return self.c(torch.cat((self.a(image), self.b(image)), dim=1))

    torch.manual_seed(0)
    net = Joined().train(False)
    with torch.no_grad():
        for layer, silent in ((net.a, slice(0, 8)), (net.b, slice(8, 16))):
            layer.weight[silent] = 0
            layer.bias[silent] = 0
    done = prune(net, share=0.5, importance="weights")
    assert done.channels == {"a": (16, 8), "b": (16, 8)}
    images = blobs(1)
    np.testing.assert_allclose(logits_of(done.module, images), logits_of(net, images), atol=1e-6)


def test_where_all_channels_are_alike_every_group_loses_the_same_share():
    net = segmentation_net(width=32)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    shares = {left / had for had, left in prune(net, share=0.5).channels.values()}
    assert shares == {0.5}


def test_nothing_to_remove_gives_an_equal_network(net):
    done = prune(net, share=0.0)
    assert done.channels == {}
    np.testing.assert_array_equal(logits_of(done.module, blobs(1)), logits_of(net, blobs(1)))


def test_the_pruned_network_can_be_trained(net):
    done = prune(net, share=0.4)
    done.module.train()(torch.from_numpy(blobs(2))).square().sum().backward()
    assert all(weight.grad is not None for weight in done.module.parameters())


def timed(before, after):
    return lambda *given: [Timing("before", before, 0.1, 5), Timing("after", after, 0.1, 5)]


def test_a_faster_network_is_fine_tuned_and_accepted(net, monkeypatch):
    monkeypatch.setattr(prune_module, "_timed", timed(10.0, 8.0))
    decision = prune_if_faster(net, input_shape=INPUT_SHAPE, share=0.4, fine_tune=lambda smaller: smaller.train())
    assert decision.accepted
    assert decision.module is decision.pruned.module
    assert decision.module.training


def test_one_that_is_not_faster_is_dropped_before_it_is_trained(net, monkeypatch):
    monkeypatch.setattr(prune_module, "_timed", timed(10.0, 9.9))
    decision = prune_if_faster(
        net, input_shape=INPUT_SHAPE, share=0.4, fine_tune=lambda smaller: pytest.fail("trained")
    )
    assert not decision.accepted
    assert decision.module is net


def test_both_files_are_really_timed(net):
    decision = prune_if_faster(net, input_shape=(1, 3, 256, 256), share=0.7, repeats=5)
    assert decision.accepted
    assert decision.before.median_ms > decision.after.median_ms > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"share": 0.95}, "share must be between 0 and 0.9, not 0.95"),
        ({"share": 0.1, "importance": "magic"}, "importance must be one of scale, weights, not 'magic'"),
        ({"share": 0.1, "keep": ["gone"]}, "no layers called gone"),
    ],
)
def test_wrong_wishes_are_input_errors(net, options, words):
    with pytest.raises(InputError, match=words):
        prune(net, **options)


def test_normalization_without_scales_is_judged_by_the_weights():
    net = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32, affine=False), nn.ReLU(), nn.Conv2d(32, 4, 1))
    assert prune(net, share=0.5).channels == {"0": (32, 16)}


def test_no_share_removes_nothing_and_nothing_removed_is_not_accepted():
    net = nn.Sequential(nn.Conv2d(3, 20, 3), nn.ReLU(), nn.Conv2d(20, 4, 1))
    assert prune(net, share=0).channels == {}
    done = prune_if_faster(net, input_shape=(1, 3, 16, 16), share=0, repeats=3)
    assert not done.accepted
    assert done.module is net


@pytest.mark.parametrize(
    ("net", "method", "words"),
    [("net", "forward", "a torch module is pruned, not str"), (nn.ReLU(), "gone", "ReLU has no method 'gone'")],
)
def test_what_is_no_network_is_an_input_error(net, method, words):
    with pytest.raises(InputError, match=words):
        prune(net, share=0.5, method=method)
