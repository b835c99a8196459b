"""What a network consists of and where its time goes."""

from __future__ import annotations

import os

import pytest
import torch
from segmentation_net import batches, segmentation_net, write_net
from torch import nn

from salticid.engine.profile import profile
from salticid.engine.quantize import quantize_static
from salticid.errors import InputError

SHAPE = (1, 3, 64, 96)
# By hand, for 64 x 96: stem 32x48, fused 16x24, then 8x12 from the second depthwise convolution on.
MACS = (
    32 * 48 * 16 * 27
    + 16 * 24 * 16 * 144
    + 16 * 24 * 32 * 16
    + 8 * 12 * 32 * 9
    + 8 * 12 * 32 * 32
    + 8 * 12 * (64 * 32 + 64 * 9 + 32 * 64)
    + 32 * 32
    + 8 * 12 * 32 * 288
    + 8 * 12 * 5 * 32
)


def folded_parameters(net):
    """Return the weights and biases that are left when batch normalization lies in the convolutions."""
    convs = [module for module in net.modules() if hasattr(module, "out_channels")]
    return sum(conv.weight.numel() + conv.out_channels for conv in convs)


@pytest.fixture(scope="module")
def found():
    return profile(segmentation_net(), SHAPE)


def test_products_and_parameters_are_counted(found):
    assert found.macs == MACS
    assert found.flops == 2 * MACS
    assert found.parameters == folded_parameters(segmentation_net())


@pytest.mark.parametrize("weights_first", [True, False])
def test_products_of_matrices_are_counted_whichever_of_them_is_stored(weights_first):
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.Parameter(torch.ones((7, 3) if weights_first else (96, 7)))

        def forward(self, image):
            rows = image.mean(dim=2)
            return self.weights @ rows if weights_first else rows @ self.weights

    assert profile(Mixed().train(False), SHAPE).macs == (7 * 3 * 96 if weights_first else 3 * 96 * 7)


def test_every_layer_has_its_row_in_order(found):
    rows = {layer.name: layer for layer in found.layers}
    stem = rows["/stem/stem.0/Conv"]
    assert (stem.type, stem.output_shape, stem.macs) == ("Conv", (1, 16, 32, 48), 32 * 48 * 16 * 27)
    assert stem.parameters == 16 * 27 + 16
    assert next(iter(rows)) == "/stem/stem.0/Conv"
    assert list(rows)[-1] == "/head/Conv"
    assert rows["/same/Add"].macs == 0


def test_every_convolution_has_taken_time_and_all_together_no_more_than_the_whole(found):
    convs = [layer.milliseconds for layer in found.layers if layer.type == "Conv"]
    assert len(convs) == 11
    assert all(time > 0 for time in convs)
    assert 0 < sum(layer.milliseconds for layer in found.layers) <= 1.5 * found.milliseconds
    assert found.other_ms >= 0


def test_a_file_in_8_or_16_bits_counts_as_the_float_one(found, tmp_path):
    small = quantize_static(write_net(tmp_path), tmp_path / "small.onnx", batches(2)).path
    for path in (small, write_net(tmp_path, "half.onnx", fp16_weights=True)):
        other = profile(path, SHAPE)
        assert (other.macs, other.parameters) == (found.macs, found.parameters)
        assert all(layer.milliseconds > 0 for layer in other.layers if layer.type == "Conv")
        assert "QuantizeLinear" not in {layer.type for layer in other.layers}


def test_no_record_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    profile(write_net(tmp_path), SHAPE)
    assert os.listdir(tmp_path) == ["net.onnx"]  # noqa: PTH208


def test_a_shape_that_the_network_does_not_take_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"does not run|must be"):
        profile(write_net(tmp_path), (1, 4, 64, 96))
