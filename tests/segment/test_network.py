"""FastSegNet: its size, its shapes, and what it takes over from MobileNetV2."""

from __future__ import annotations

import pytest
import torch
from mobilenet_file import write_mobilenet

from salticid.engine.weights import write_weights
from salticid.errors import InputError, IntegrityError
from salticid.segment.network import EARLY_LAYERS, FastSegNet, load_imagenet


def parameters(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_edge_has_at_most_2_3_million_parameters_with_19_classes():
    assert parameters(FastSegNet(19)) <= 2_300_000


@pytest.mark.parametrize("variant", ["edge", "documented"])
@pytest.mark.parametrize("size", [(32, 32), (32, 96), (64, 160)])
def test_logits_are_an_eighth_of_the_image_for_any_multiple_of_32(variant, size):
    net = FastSegNet(5, variant).eval()
    with torch.no_grad():
        assert net(torch.zeros(2, 3, *size)).shape == (2, 5, size[0] // 8, size[1] // 8)


def test_the_auxiliary_logits_are_a_sixteenth_and_the_others_those_of_forward():
    net = FastSegNet(5).eval()
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        logits, auxiliary = net.with_auxiliary(image)
        assert auxiliary.shape == (1, 5, 4, 6)
        assert torch.equal(logits, net(image))


def test_every_parameter_but_the_auxiliary_heads_matters_to_the_logits():
    net = FastSegNet(3)
    net(torch.randn(2, 3, 64, 64)).square().sum().backward()
    silent = [name for name, parameter in net.named_parameters() if parameter.grad is None]
    assert silent
    assert all(name.startswith("auxiliary.") for name in silent)


@pytest.mark.parametrize("number", [1, 0, 256, 2.0, None])
def test_a_number_of_classes_that_is_none_is_refused(number):
    with pytest.raises(InputError, match="num_classes"):
        FastSegNet(number)


def test_an_unknown_variant_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="edge, documented"):
        FastSegNet(3, "huge")


def test_documented_takes_over_all_of_mobilenets_trunk(tmp_path):
    theirs = write_mobilenet(tmp_path / "m.safetensors")
    net = FastSegNet(7, "documented")
    left = load_imagenet(net, tmp_path / "m.safetensors")
    assert torch.equal(net.stage32[2].layers[2][0].weight, theirs.stage32[2].layers[2][0].weight)
    assert torch.equal(net.early[0][0].weight, theirs.early[0][0].weight)
    assert not any(name.startswith(("early", "stage")) for name in left)


def test_edge_takes_over_the_trunk_behind_its_own_early_layers(tmp_path):
    theirs = write_mobilenet(tmp_path / "m.safetensors")
    net = FastSegNet(7)
    before = net.early[0][0].weight.clone()
    left = load_imagenet(net, tmp_path / "m.safetensors")
    assert torch.equal(net.stage8[0].layers[0][0].weight, theirs.stage8[0].layers[0][0].weight)
    assert torch.equal(net.early[0][0].weight, before)
    assert sum(name.startswith("early") for name in left) == EARLY_LAYERS * 6


def test_a_file_of_another_network_is_refused(tmp_path):
    write_weights(tmp_path / "x.safetensors", {"features.5.conv.weight": torch.zeros(3, 3)})
    with pytest.raises(InputError, match=r"features\.5"):
        load_imagenet(FastSegNet(3), tmp_path / "x.safetensors")


def test_a_damaged_file_is_told_from_a_missing_one(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(IntegrityError, match="damaged"):
        load_imagenet(FastSegNet(3), tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="no file"):
        load_imagenet(FastSegNet(3), tmp_path / "y.safetensors")
