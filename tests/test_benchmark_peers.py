"""The networks that ours is compared with are those of their papers, and no figure is claimed that was not measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from salticid.errors import MissingError

torch = pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="module")
def peers(bench):
    return bench("segment_peers")


@pytest.mark.parametrize(
    ("name", "classes", "published", "tolerance"),
    [
        ("Fast-SCNN", 19, 1.11e6, 0.03),  # 1,114,115 without batch normalization
        ("LRASPP, MobileNetV3-L", 21, 3_221_538, 0),
        ("DDRNet-23-slim", 19, 5.7e6, 0.005),
    ],
)
def test_peers_have_the_published_number_of_parameters(peers, name, classes, published, tolerance):
    count = sum(parameter.numel() for parameter in peers.PEERS[name].make(classes).parameters())
    assert count == pytest.approx(published, rel=tolerance, abs=0)


@pytest.mark.parametrize(
    ("name", "classes", "size", "published_gmac", "tolerance"),
    [
        ("LRASPP, MobileNetV3-L", 21, (520, 520), 2.086, 0.001),
        ("DDRNet-23-slim", 19, (512, 1024), 36.3 / 4, 0.002),
    ],
)
def test_peers_take_the_published_number_of_products(peers, name, classes, size, published_gmac, tolerance):
    net = peers.PEERS[name].make(classes).train(False).to("meta")
    assert products(net, torch.empty(1, 3, *size, device="meta")) / 1e9 == pytest.approx(published_gmac, rel=tolerance)


@pytest.mark.parametrize("name", ["Fast-SCNN", "LRASPP, MobileNetV3-L", "DDRNet-23-slim"])
def test_random_weights_give_finite_logits_that_differ_from_place_to_place(peers, name):
    torch.manual_seed(0)
    with torch.no_grad():
        logits = peers.settled(peers.PEERS[name].make(5))(torch.rand(1, 3, 96, 160) * 2 - 1)
    assert logits.shape == (1, 5, 12, 20)
    assert torch.isfinite(logits).all()
    assert logits.std(dim=(2, 3)).min() > 1e-3


@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_means_over_parts_are_those_of_adaptive_pooling(peers, parts):
    features = torch.from_numpy(np.random.default_rng(0).random((1, 4, 13, 30), np.float32))
    expected = torch.nn.functional.adaptive_avg_pool2d(features, parts)
    torch.testing.assert_close(peers.means(features, parts), expected)


def test_without_bfloat16_in_hardware_no_time_is_given_for_it(bench, monkeypatch):
    candidates = bench("segment_candidates")
    monkeypatch.setattr(candidates.hardware, "instruction_sets", lambda: ("avx512bw", "avx2"))
    network = candidates.Network("net", Path("never read"), 2, "graph")
    with pytest.raises(MissingError, match="no bfloat16"):
        list(candidates.candidates(network, candidates.How("openvino", "bf16", 1), np.zeros((32, 32, 3), np.uint8)))


def products(net, image):
    """Return how many products the convolutions of a network add up."""
    found = []

    def count(layer, _, output):
        found.append(output.numel() * layer.weight[0].numel())

    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        net(image)
    return sum(found)
