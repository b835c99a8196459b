"""Training with the rounding of 8 bits: what torch computes is what the file computes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from segmentation_net import METADATA, batches, blobs, logits_of, nn, segmentation_net, torch, write_net

from salticid.engine import onnx_graph
from salticid.engine.qat import export_qat, prepare_qat
from salticid.engine.quantize import quantize_static
from salticid.engine.session import Session
from salticid.errors import InputError


@pytest.fixture(scope="module")
def prepared():
    return prepare_qat(segmentation_net(), batches())


@pytest.fixture
def network(prepared):
    return copy.deepcopy(prepared).train(False)


def noise(net, reference, images):
    expected = logits_of(reference, images)
    return np.square(logits_of(net, images) - expected).mean() / expected.var()


def train(network, steps, rate=2e-4):
    """Teach the network what its float self says; ranges learn faster than weights."""
    reference = segmentation_net()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # layers this small wait for each other most of the time
    groups = [{"params": network.layers.parameters()}, {"params": network.held.parameters(), "lr": 20 * rate}]
    optimizer = torch.optim.Adam(groups, rate)
    network.train()
    for step in range(steps):
        images = torch.from_numpy(blobs(2, seed=1000 + step))
        with torch.no_grad():
            wanted = reference(images)
        loss = (network(images) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    return network.train(False)


def test_before_training_it_computes_what_the_static_file_does(network, tmp_path):
    done = quantize_static(write_net(tmp_path), tmp_path / "small.onnx", batches())
    images = blobs(2, (96, 64))
    found = Session(done.path, threads=1).run({"image": images})["logits8"]
    differences = np.abs(logits_of(network, images) - found)
    assert (differences < 1e-6).mean() > 0.95  # the others tipped over to the next step somewhere
    assert differences.max() < 0.01 * np.abs(found).max()


@pytest.mark.slow
def test_training_mends_ranges_that_are_too_small_and_the_file_follows(network, tmp_path):
    images = blobs(8, seed=5)
    with torch.no_grad():
        for held in network.held.values():
            held.high.mul_(0.6)
    before = noise(network, segmentation_net(), images)
    train(network, steps=25)
    assert noise(network, segmentation_net(), images) < 0.3 * before
    parity = export_qat(network, tmp_path / "net.onnx", labels_scale=8, metadata=METADATA)
    assert parity.relative < 1e-4
    found = Session(tmp_path / "net.onnx", threads=1).run({"image": images})
    np.testing.assert_allclose(found["logits8"], logits_of(network, images), atol=0.02 * parity.range)
    assert found["labels"].shape == (8, 64, 96)
    assert onnx_graph.metadata(onnx_graph.load(tmp_path / "net.onnx")) == METADATA


def test_one_wild_step_changes_weights_scales_and_ranges_and_the_file_still_agrees(network, tmp_path):
    train(network, steps=2, rate=0.02)
    assert export_qat(network, tmp_path / "net.onnx").relative < 0.05


def test_gradients_reach_weights_biases_and_both_ends_of_ranges(network):
    network.train()
    network(3 * torch.from_numpy(blobs(2))).square().sum().backward()
    without = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    # Behind a ReLU nothing is below 0, and where it cuts nothing off an end has no gradient.
    assert all(name.startswith("held.") for name in without)
    assert any("high" not in name for name in without)
    assert sum(name.startswith("held.") for name, _ in network.named_parameters()) > len(without)


def test_the_module_given_is_not_changed():
    net = segmentation_net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    train(prepare_qat(net, batches(2)), steps=1)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_its_state_can_be_stored_and_restored(network):
    other = prepare_qat(segmentation_net(), [blobs(1, seed=77)])
    other.load_state_dict(network.state_dict())
    images = blobs(1)
    np.testing.assert_array_equal(logits_of(other.train(False), images), logits_of(network, images))


def test_layers_can_stay_in_float():
    network = prepare_qat(segmentation_net(), batches(2), keep_float=["/stem*"], keep_last=2)
    kinds = [node.op_type for node in network.quantized_model().graph.node]
    assert kinds.count("QuantizeLinear") > 0
    names = {tensor.name for tensor in network.quantized_model().graph.initializer}
    small = {name.removeprefix("8bit/") for name in names if "weights" in name}
    assert small
    assert not [name for name in small if name.startswith(("/stem", "/refine", "/head"))]


def test_a_network_that_cannot_be_trained_so_is_an_input_error_that_names_the_node():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)

        def forward(self, image):
            return self.two(torch.tanh(self.one(image)))

    with pytest.raises(InputError, match="node '/Tanh' is a Tanh: only Conv, Relu"):
        prepare_qat(Odd().train(False), batches(1))


def test_ranges_need_inputs_to_start_from():
    with pytest.raises(InputError, match="no inputs to start the ranges from"):
        prepare_qat(segmentation_net(), [])


def test_layers_that_start_from_the_same_numbers_may_part_in_training(tmp_path):
    net = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)])
    for layer in net:
        nn.init.zeros_(layer.bias)  # the exporter stores these once
    network = prepare_qat(net, iter(batches(2)), keep_last=2)
    with torch.no_grad():
        for step, layer in enumerate(network.layers.values()):
            layer.bias += step
    assert export_qat(network, tmp_path / "net.onnx").relative < 0.01
