"""Weights in 16 bits, arithmetic in 32."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.engine import onnx_graph
from salticid.engine.onnx_half import with_half_weights
from salticid.engine.session import Session
from salticid.errors import InputError

onnx = pytest.importorskip("onnx")


@pytest.fixture
def dense(make_onnx):
    """Return a function from weights (8, 8) to a model that multiplies by them and adds 1e-5."""

    def make(weights):
        tensors = [onnx_graph.tensor(weights.astype(np.float32), "w"), onnx_graph.tensor(np.full(8, 1e-5, "f4"), "b")]
        nodes = [("Gemm", ["x", "w", "b"], ["y"], {})]
        return onnx.load_from_string(make_onnx(nodes, {"x": (1, ["N", 8])}, {"y": (1, ["N", 8])}, tensors))

    return make


def test_it_computes_in_float32_with_the_rounded_weights(dense):
    random = np.random.default_rng(0)
    weights = random.normal(size=(8, 8))
    x = random.normal(size=(3, 8)).astype(np.float32)
    small = with_half_weights(dense(weights))
    found = Session(small.SerializeToString(), threads=1).run({"x": x})["y"]
    np.testing.assert_allclose(found, x @ weights.astype(np.float16).astype(np.float32) + 1e-5, rtol=1e-5)


def test_few_numbers_stay_in_32_bits(dense):
    kinds = {tensor.name: tensor.data_type for tensor in with_half_weights(dense(np.ones((8, 8)))).graph.initializer}
    assert kinds == {"w_half": onnx.TensorProto.FLOAT16, "b": onnx.TensorProto.FLOAT}


def test_tidying_widens_the_weights_again(dense):
    weights = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float16)
    tidy = onnx_graph.tidied(with_half_weights(dense(weights)))
    [wide] = [onnx_graph.array(tensor) for tensor in tidy.graph.initializer if tensor.dims == [8, 8]]
    np.testing.assert_array_equal(wide, weights.astype(np.float32))


@pytest.mark.parametrize("value", [1e5, np.inf, np.nan])
def test_a_weight_that_16_bits_cannot_hold_is_an_input_error(dense, value):
    weights = np.ones((8, 8))
    weights[3, 4] = value
    with pytest.raises(InputError, match="the weights 'w' are not finite or above 65504"):
        with_half_weights(dense(weights))


def test_what_lies_along_one_axis_stays_as_the_scales_of_8_bits_must(make_onnx):
    scales = onnx_graph.tensor(np.full(96, 1e-9, np.float32), "scales")
    data = make_onnx([("Mul", ["x", "scales"], ["y"], {})], {"x": (1, ["N", 96])}, {"y": (1, ["N", 96])}, [scales])
    [kept] = with_half_weights(onnx.load_from_string(data)).graph.initializer
    assert kept.data_type == onnx.TensorProto.FLOAT
