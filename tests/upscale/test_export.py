from __future__ import annotations

import numpy as np
import pytest
import torch
from enlarging_net import integer_network, network

from salticid.engine.session import Session
from salticid.errors import InputError
from salticid.upscale.export import shape_of, write_float, write_int8
from salticid.upscale.integer_net import enlarge_reference
from salticid.upscale.network_file import IMAGE, LARGE, read_integer_net, read_shape
from salticid.upscale.shape import Shape

IMAGE_BYTES = np.random.default_rng(0).integers(0, 256, (1, 3, 19, 26), np.uint8)


@pytest.mark.parametrize("scale", [2, 4])
def test_onnxruntime_makes_of_the_8_bit_file_what_the_whole_numbers_say(tmp_path, scale):
    net = integer_network(network(scale))
    write_int8(net, tmp_path / "net.onnx")
    large = Session(tmp_path / "net.onnx", threads=1).run({IMAGE: IMAGE_BYTES})[LARGE][0]
    np.testing.assert_array_equal(large.transpose(1, 2, 0), enlarge_reference(net, IMAGE_BYTES[0].transpose(1, 2, 0)))


def test_the_file_gives_the_whole_numbers_back(tmp_path):
    net = integer_network(network(4))
    write_int8(net, tmp_path / "net.onnx")
    found = read_integer_net(tmp_path / "net.onnx")
    assert shape_of(found) == read_shape(tmp_path / "net.onnx") == Shape(2, 8, 4)
    for one, other in zip(found.layers, net.layers, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.bias, other.bias)
        np.testing.assert_array_equal(one.multiplier, other.multiplier)


def test_the_file_in_floating_point_is_the_network(tmp_path):
    net = network(2)
    write_float(net, tmp_path / "net.onnx")
    image = IMAGE_BYTES.astype(np.float32) / 255
    large = Session(tmp_path / "net.onnx", threads=1).run({IMAGE: image})[LARGE]
    with torch.no_grad():
        np.testing.assert_allclose(large, net(torch.from_numpy(image)).numpy(), atol=2e-3)
    assert read_integer_net(tmp_path / "net.onnx") is None


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "none.onnx").write_bytes(b"\x08\x07")
    with pytest.raises(InputError, match="does not say that it enlarges"):
        read_shape(tmp_path / "none.onnx")


def test_a_file_whose_numbers_do_not_fit_its_shape_is_refused(tmp_path):
    write_int8(integer_network(network(2)), tmp_path / "net.onnx")
    data = (tmp_path / "net.onnx").read_bytes()
    (tmp_path / "net.onnx").write_bytes(data.replace(b'"channels": 8', b'"channels": 9'))
    with pytest.raises(InputError, match="layer0/weights"):
        read_integer_net(tmp_path / "net.onnx")
