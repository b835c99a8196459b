"""Networks in whole numbers: what the arithmetic is, and how close it comes to the network that was trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import float_layer, integer_layer, scalar_network

from salticid.engine.integer import (
    MOST_SHIFT,
    FloatLayer,
    IntegerNetwork,
    quantize,
    real_layer,
)
from salticid.errors import InputError


@st.composite
def networks(draw):
    """Draw networks with up to two convolutions and up to two dense layers."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    layers, shape = [], (draw(st.integers(1, 3)), draw(st.integers(3, 7)), draw(st.integers(3, 7)))
    convolutions, dense = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    if convolutions + dense == 0:
        dense = 1
    if not convolutions:
        shape = (draw(st.integers(1, 30)),)
    for number in range(convolutions + dense):
        relu = number < convolutions + dense - 1
        units = draw(st.integers(1, 5))
        if number < convolutions:
            kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
            stride, padding = draw(st.integers(1, 2)), draw(st.integers(1, 2))
            layer = integer_layer(random, (units, shape[0], *kernel), relu=relu, stride=stride, padding=padding)
            sizes = [(n + 2 * padding - k) // stride + 1 for n, k in zip(shape[1:], kernel, strict=True)]
            following = (units, *sizes)
        else:
            layer, following = integer_layer(random, (units, int(np.prod(shape))), relu=relu), (units,)
        layers.append((layer, shape))
        shape = following
    return IntegerNetwork(tuple(layer for layer, _ in layers), layers[0][1], 1.0, draw(st.integers(0, 127)))


@given(network=networks(), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_the_arithmetic_is_that_of_whole_numbers_one_product_at_a_time(network, seed):
    inputs = np.random.default_rng(seed).integers(0, 128, (2, *network.input_shape))
    found = network(inputs)
    assert found.dtype == np.int32
    assert found.shape == (2, *network.shapes()[-1])
    assert network.outputs == found[0].size
    for one, outputs in zip(inputs, found, strict=True):
        np.testing.assert_array_equal(outputs, scalar_network(network, one))


@given(network=networks())
@settings(max_examples=40, deadline=None)
def test_no_partial_sum_exceeds_the_bound_whatever_the_order(network):
    random = np.random.default_rng(0)
    for layer in network.layers:
        rows = layer.weights.reshape(len(layer.weights), -1).astype(np.int64)
        for worst in (np.where(rows > 0, 127, 0), np.where(rows < 0, 127, 0)):
            products = random.permuted(rows * worst, axis=1)
            sums = np.abs(layer.bias[:, None] + np.cumsum(products, axis=1))
            assert sums.max() <= layer.largest_sum()
        # The bound is reached: by a bias and products of one sign.
        assert layer.largest_sum() == (np.abs(layer.bias.astype(np.int64)) + 127 * np.abs(rows).sum(axis=1)).max()


def test_a_layer_whose_sums_could_overflow_is_refused_with_the_sum():
    random = np.random.default_rng(0)
    layer = integer_layer(random, (2, 3), relu=False)
    layer = replace(layer, bias=np.array([(1 << 31) - 1, 0], np.int32), weights=np.ones((2, 3), np.int8))
    with pytest.raises(InputError, match=f"layer 0: a sum could reach {(1 << 31) - 1 + 3 * 127}, which 32 bits do not"):
        IntegerNetwork((layer,), (3,), 1.0, 0)
    largest = replace(layer, bias=np.array([(1 << 31) - 1 - 3 * 127, 0], np.int32))
    network = IntegerNetwork((largest,), (3,), 1.0, 0)
    assert scalar_network(network, np.full(3, 127)).tolist() == network(np.full((1, 3), 127))[0].tolist()


@pytest.mark.parametrize("geometry", ["dense", "convolution"])
def test_a_quantized_network_comes_within_four_percent_of_the_trained_one(geometry):
    random = np.random.default_rng(3)
    if geometry == "dense":
        shapes, shape, more = [(32, 49), (16, 32), (4, 16)], (49,), [{}, {}, {}]
    else:
        shapes, shape = [(8, 2, 3, 3), (6, 8, 3, 3), (5, 6 * 4 * 4)], (2, 8, 8)
        more = [{"padding": 1}, {"padding": 1, "stride": 2}, {}]
    layers = [
        float_layer(random, one, relu=number < 2, **geometry)
        for number, (one, geometry) in enumerate(zip(shapes, more, strict=True))
    ]
    typical, others = random.integers(0, 128, (2, 400, *shape))
    network = quantize(layers, typical, input_scale=0.02, input_zero=50)
    expected = (others - 50) * 0.02
    for layer in layers:
        expected = real_layer(layer, expected)
        expected = np.maximum(expected, 0) if layer.relu else expected
    error = network.real_outputs(others) - expected
    assert np.sqrt(np.mean(error**2)) < 0.04 * expected.std()


def test_outputs_have_the_steps_that_were_asked_for():
    random = np.random.default_rng(0)
    layers = [float_layer(random, (6, 9), relu=True), float_layer(random, (3, 6), relu=False)]
    inputs = random.integers(0, 128, (50, 9))
    network = quantize(layers, inputs, input_scale=0.02, input_zero=0, output_scale=[1 / 64, None, 1 / 8])
    assert network.layers[-1].scale[[0, 2]].tolist() == pytest.approx([1 / 64, 1 / 8])
    with pytest.raises(InputError, match="output 0 cannot have steps of 1e-09: its weights allow"):
        quantize(layers, inputs, input_scale=0.02, input_zero=0, output_scale=[1e-9, None, None])


def test_a_unit_that_is_always_off_harms_no_other():
    layers = [
        FloatLayer(np.array([[1.0, 0.0], [-1.0, -1.0]]), np.array([0.0, -1.0]), relu=True),
        FloatLayer(np.array([[1.0, 1.0]]), np.zeros(1), relu=False),
    ]
    inputs = np.random.default_rng(0).integers(0, 128, (100, 2))
    network = quantize(layers, inputs, input_scale=0.01, input_zero=0)
    assert np.abs(network.real_outputs(inputs)[:, 0] - 0.01 * inputs[:, 0]).max() < 0.02


DENSE = integer_layer(np.random.default_rng(0), (2, 3), relu=False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": ()}, "at least one layer"),
        ({"input_zero": 128}, "input_zero must be 0..127, not 128"),
        ({"layers": (replace(DENSE, relu=True),)}, "the last has none"),
        ({"layers": (DENSE, DENSE)}, "every layer but the last has a ReLU"),
        ({"input_shape": (4,)}, r"layer 0 takes 3 inputs, not \(4,\)"),
        ({"layers": (replace(DENSE, weights=DENSE.weights.astype(np.int16)),)}, "weights must be int8"),
        ({"layers": (replace(DENSE, weights=np.full((2, 3), -128, np.int8)),)}, "weights must be -127..127"),
        ({"layers": (replace(DENSE, bias=DENSE.bias.astype(np.int64)),)}, r"a bias \(int32\) and a shift"),
        ({"layers": (replace(DENSE, shift=DENSE.shift[:1]),)}, "a shift for each of its 2 outputs"),
        ({"layers": (replace(DENSE, shift=np.array([0, MOST_SHIFT + 1])),)}, f"shifts must be 0..{MOST_SHIFT}"),
    ],
)
def test_layers_that_make_no_network_are_refused_with_the_reason(changes, words):
    given = {"layers": (DENSE,), "input_shape": (3,), "input_scale": 1.0, "input_zero": 0}
    with pytest.raises(InputError, match=words):
        IntegerNetwork(**given | changes)


def test_a_hidden_layer_has_one_shift():
    hidden = replace(integer_layer(np.random.default_rng(0), (3, 3), relu=True), shift=np.array([1, 2, 1], np.int32))
    with pytest.raises(InputError, match="layer 0: a hidden layer has one shift"):
        IntegerNetwork((hidden, DENSE), (3,), 1.0, 0)


@pytest.mark.parametrize(
    ("shape", "words"),
    [((2, 9, 9), "is a convolution of 3 channels"), ((3, 2, 9), r"window of 3x3, larger than its input \(3, 2, 9\)")],
)
def test_an_image_that_a_convolution_cannot_take_is_refused(shape, words):
    layer = integer_layer(np.random.default_rng(0), (2, 3, 3, 3), relu=False)
    with pytest.raises(InputError, match=words):
        IntegerNetwork((layer,), shape, 1.0, 0)


@pytest.mark.parametrize(
    "inputs",
    [np.zeros((1, 4), int), np.zeros(3, int), np.zeros((1, 3)), np.full((1, 3), 128), np.full((1, 3), -1)],
    ids=["shape", "no batch", "float", "large", "negative"],
)
def test_inputs_of_another_shape_or_range_are_refused(inputs):
    with pytest.raises(InputError, match="inputs must be"):
        IntegerNetwork((DENSE,), (3,), 1.0, 0)(inputs)


def test_no_input_gives_no_output():
    assert IntegerNetwork((DENSE,), (3,), 1.0, 0)(np.zeros((0, 3), np.uint8)).shape == (0, 2)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (FloatLayer(np.array([[np.nan, 1]]), np.zeros(1), relu=False), "weights and bias must be finite"),
        (FloatLayer(np.ones(2), np.zeros(1), relu=False), "2 or 4 dimensions"),
        (FloatLayer(np.ones((1, 3)), np.zeros(1), relu=False), "takes 3 inputs, not a multiple of 2"),
        (FloatLayer(np.ones((1, 4)), np.zeros(1), relu=False), r"takes 4 inputs, not \(2,\)"),
        (FloatLayer(np.full((1, 2), 1e-9), np.full(1, 100.0), relu=False), "does not fit 32 bits"),
    ],
)
def test_a_trained_layer_that_whole_numbers_cannot_hold_is_refused(layer, words):
    with pytest.raises(InputError, match=words):
        quantize([layer], np.ones((4, 2), int), input_scale=1.0, input_zero=0)


@pytest.mark.parametrize("wrong", [0, 1])
def test_layers_that_do_not_fit_each_other_are_refused_by_their_number(wrong):
    layers = [FloatLayer(np.ones((3, 2)), np.zeros(3), relu=True), FloatLayer(np.ones((1, 3)), np.zeros(1), relu=False)]
    layers[wrong] = replace(layers[wrong], weights=np.ones((len(layers[wrong].weights), 6)))
    with pytest.raises(InputError, match=f"layer {wrong} takes 6 inputs"):
        quantize(layers, np.ones((4, 2), int), input_scale=1.0, input_zero=0)


def test_without_an_input_no_range_is_known():
    layer = FloatLayer(np.ones((1, 2)), np.zeros(1), relu=False)
    with pytest.raises(InputError, match="with N at least 1"):
        quantize([layer], np.ones((0, 2), int), input_scale=1.0, input_zero=0)
