"""The network in 8 bits: what it computes, in exact arithmetic, and which networks it refuses."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_nets import random_layer, random_net

from salticid.core import native
from salticid.errors import InputError, MissingError
from salticid.upscale.integer_net import (
    IntegerLayer,
    IntegerNet,
    enlarge,
    enlarge_reference,
    largest_sums,
    neighbors,
    pairs_of_steps,
)

shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))


def some_net(seed=0, **options):
    return random_net(np.random.default_rng(seed), **options)


def some_image(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def exactly(layer, inputs):
    """Return a layer's output for nested lists of whole numbers, [y][x][channel], in Python's own arithmetic."""
    height, width = len(inputs), len(inputs[0])
    weights, bias = layer.weights.tolist(), layer.bias.tolist()

    def output(y, x, o):
        acc = bias[o]
        for i, window in enumerate(weights[o]):
            for dy, row in enumerate(window):
                for dx, weight in enumerate(row):
                    v, u = y + dy - 1, x + dx - 1
                    acc += weight * inputs[v][u][i] if 0 <= v < height and 0 <= u < width else 0
        exact = Fraction(float(np.float32(acc) * layer.multiplier[o]))
        return min(max(round(exact), 0), 255)  # of halves, to the even one

    return [[[output(y, x, o) for o in range(len(bias))] for x in range(width)] for y in range(height)]


def exactly_enlarged(net, image):
    features = image.tolist()
    for layer in net.layers[:-1]:
        features = exactly(layer, features)
    joined = [
        [[*channels, *pixel.tolist() * net.repeats] for channels, pixel in zip(row, pixels, strict=True)]
        for row, pixels in zip(features, image, strict=True)
    ]
    small = exactly(net.layers[-1], joined)
    large = np.empty((len(small) * net.scale, len(small[0]) * net.scale, 3), np.uint8)
    for y, x, c in np.ndindex(large.shape):
        share = c * net.scale**2 + y % net.scale * net.scale + x % net.scale
        large[y, x, c] = small[y // net.scale][x // net.scale][share]
    return large


@given(st.integers(0, 10**6), shapes, st.integers(1, 9), st.integers(0, 2), st.integers(1, 4), st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_the_reference_is_the_definition_in_exact_arithmetic(seed, shape, channels, layers, scale, repeats):
    net = some_net(seed, layers=layers, channels=channels, scale=scale, repeats=repeats)
    image = some_image(*shape, seed)
    np.testing.assert_array_equal(enlarge_reference(net, image), exactly_enlarged(net, image), strict=True)


def test_a_network_that_passes_the_image_on_repeats_every_pixel():
    weights = np.zeros((12, 4, 3, 3), np.int8)
    weights[np.arange(12), 1 + np.arange(12) // 4, 1, 1] = 64
    last = IntegerLayer(weights, np.zeros(12, np.int32), np.full(12, 1 / 64, np.float32))
    image = some_image(4, 5)
    expected = image.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(enlarge(IntegerNet((zeros(1, 3), last), 2, 1), image), expected)


def only_bias(acc, multiplier, instruction_set):
    """Return the result of a network whose last layer has the same sum everywhere."""
    last = replace(zeros(3, 1), bias=np.full(3, acc, np.int32), multiplier=np.full(3, multiplier, np.float32))
    return enlarge(IntegerNet((zeros(1, 3), last), 1, 0), some_image(2, 3), instruction_set=instruction_set)


@pytest.mark.parametrize(("halves", "rounded"), [(-1, 0), (1, 0), (3, 2), (5, 2), (507, 254), (509, 254), (511, 255)])
@pytest.mark.parametrize("instruction_set", [*native.instruction_sets(), None])
def test_halves_are_rounded_to_even_and_what_is_no_byte_is_cut_off(halves, rounded, instruction_set):
    assert (only_bias(halves, 0.5, instruction_set) == rounded).all()


@pytest.mark.parametrize("acc", [-(2**24) + 1, 2**24 - 1])
@pytest.mark.parametrize("instruction_set", [*native.instruction_sets(), None])
def test_the_largest_sums_and_multipliers_are_cut_off_on_the_right_side(acc, instruction_set):
    assert (only_bias(acc, 64, instruction_set) == (255 if acc > 0 else 0)).all()


def test_neighbors_are_taken_without_padding_and_steps_with_it():
    weights = np.arange(1, 28).reshape(1, 3, 3, 3).transpose(0, 3, 1, 2).astype(np.int8)  # in order: 1, 2, 3 of a pixel
    assert neighbors(weights)[0, [0, 1, 2, -1]].tolist() == [[1, 2], [3, 4], [5, 6], [27, 0]]
    expected = [[1, 2, 4, 5], [3, 0, 6, 0], [7, 8, 10, 11]]  # places 0, 1 and 2, 3 of steps 0 and 1; of 2 and 3
    assert pairs_of_steps(weights)[0].reshape(-1, 4)[:3].tolist() == expected
    assert pairs_of_steps(weights)[0].reshape(-1, 4)[-1].tolist() == [27, 0, 0, 0]


def test_weights_of_each_sign_are_added_up_for_themselves():
    assert largest_sums(np.array([[100, 20, -128], [127, 1, 1]], np.int8)) == (129, 128)


def changed(layer, index, value):
    weights = layer.weights.copy()
    weights[index] = value
    return replace(layer, weights=weights)


def with_layer(net, number, layer):
    layers = list(net.layers)
    layers[number] = layer
    return IntegerNet(tuple(layers), net.scale, net.repeats)


def zeros(outputs, inputs):
    return IntegerLayer(
        np.zeros((outputs, inputs, 3, 3), np.int8), np.zeros(outputs, np.int32), np.ones(outputs, np.float32)
    )


def test_neighbors_whose_products_do_not_fit_16_bits_are_refused():
    net = some_net(channels=5)
    layer = changed(zeros(5, 5), (3, 4, 0, 0), -100)  # the fifth of five, and the first of the next pixel
    with_layer(net, 1, changed(layer, (3, 0, 0, 1), -28))
    with_layer(net, 1, changed(layer, (3, 1, 0, 1), -29))
    with pytest.raises(InputError, match=r"layer 2 has weights of two neighbors of one sign that add up to 129"):
        with_layer(net, 1, changed(layer, (3, 0, 0, 1), -29))


def test_steps_whose_products_do_not_fit_16_bits_are_refused():
    net = some_net(channels=8)
    layer = changed(changed(zeros(8, 8), (3, 0, 0, 0), 100), (3, 4, 0, 0), 28)
    with_layer(net, 1, layer)
    with_layer(net, 1, changed(layer, (3, 6, 0, 0), 29))  # another place
    with pytest.raises(InputError, match=r"layer 2 has weights of two steps of one sign that add up to 129"):
        with_layer(net, 1, changed(layer, (3, 4, 0, 0), 29))


def test_sums_that_float32_does_not_hold_are_refused():
    net = some_net()
    bias = np.full(8, 2**24 - 1, np.int32)
    with_layer(net, 1, replace(zeros(8, 8), bias=bias))
    with pytest.raises(InputError, match=r"a sum of layer 2 can reach 16777470"):
        with_layer(net, 1, replace(changed(zeros(8, 8), (0, 0, 0, 0), -1), bias=bias))
    with pytest.raises(InputError, match="can reach 2147483648"):
        with_layer(net, 1, replace(zeros(8, 8), bias=np.full(8, -(2**31), np.int32)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 64.5])
def test_multipliers_out_of_range_are_refused(value):
    multiplier = np.ones(8, np.float32)
    multiplier[3] = value
    with pytest.raises(InputError, match="multipliers of layer 2"):
        with_layer(some_net(), 1, replace(zeros(8, 8), multiplier=multiplier))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (zeros(8, 7), r"weights \(8, 8, 3, 3\)"),
        (replace(zeros(8, 8), bias=np.zeros(7, np.int32)), r"a bias \(8,\)"),
        (replace(zeros(8, 8), weights=np.zeros((8, 8, 3, 3), np.int16)), "int8 weights"),
        (replace(zeros(8, 8), multiplier=np.ones(8)), "float32 multiplier"),
        (replace(zeros(8, 8), weights=np.zeros((), np.int8)), "must have weights"),
        (zeros(0, 8), "has 0 channels"),
    ],
)
def test_layers_of_other_shapes_or_dtypes_are_refused(layer, message):
    with pytest.raises(InputError, match=message):
        with_layer(some_net(), 1, layer)


def test_a_last_layer_that_does_not_make_the_large_image_is_refused():
    net = some_net(scale=2)
    with pytest.raises(InputError, match=r"layer 4 must have weights \(12, 20, 3, 3\)"):
        with_layer(net, 3, random_layer(np.random.default_rng(0), 48, 20))
    with pytest.raises(InputError, match="a scale of 1 to 8"):
        IntegerNet(net.layers, 9, 4)
    with pytest.raises(InputError, match="2 to 64 layers"):
        IntegerNet(net.layers[-1:], 2, 4)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        [[[0, 0, 0]]],
    ],
)
def test_what_is_no_image_is_refused(image):
    for run in (enlarge, enlarge_reference):
        with pytest.raises(InputError, match="image"):
            run(some_net(), image)


@pytest.mark.parametrize("threads", [0, -1, True, 1.5])
def test_what_is_no_number_of_threads_is_refused(threads):
    with pytest.raises(InputError, match="threads"):
        enlarge(some_net(), some_image(4, 4), threads=threads)


def test_an_instruction_set_that_is_not_here_is_refused():
    with pytest.raises(InputError, match="instruction_set"):
        enlarge(some_net(), some_image(4, 4), instruction_set="mmx")
    missing = next(name for name in native.INSTRUCTION_SETS if name not in native.instruction_sets())
    with pytest.raises(MissingError, match=missing):
        enlarge(some_net(), some_image(4, 4), instruction_set=missing)


def test_out_takes_the_result_and_is_returned():
    net, image = some_net(), some_image(5, 7)
    expected = enlarge_reference(net, image)
    for out in (
        np.empty_like(expected),
        np.empty((10, 40, 3), np.uint8)[:, 3:17],
        np.empty((20, 14, 3), np.uint8)[::-2],
    ):
        assert enlarge(net, image, out=out) is out
        np.testing.assert_array_equal(out, expected)
    reordered = np.empty((3, 14, 10), np.uint8).T
    assert enlarge(net, image, out=reordered) is reordered
    np.testing.assert_array_equal(reordered, expected)


def test_out_may_lie_where_the_image_lies():
    net = some_net(scale=1)
    image = some_image(5, 7)
    expected = enlarge_reference(net, image)
    assert enlarge(net, image, out=image) is image
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("out", [np.empty((10, 14), np.uint8), np.empty((10, 14, 3), np.int8), "here"])
def test_an_out_that_does_not_fit_is_refused(out):
    with pytest.raises(InputError, match=r"out must be a uint8 array \(10, 14, 3\)"):
        enlarge(some_net(), some_image(5, 7), out=out)
    frozen = np.empty((10, 14, 3), np.uint8)
    frozen.setflags(write=False)
    with pytest.raises(InputError, match="cannot be written"):
        enlarge(some_net(), some_image(5, 7), out=frozen)


def test_the_reference_answers_where_no_kernels_were_built(monkeypatch):
    net, image = some_net(), some_image(5, 7)
    expected = enlarge_reference(net, image)
    monkeypatch.setattr(native, "load", lambda: None)
    out = np.empty_like(expected)
    assert enlarge(net, image, out=out) is out
    np.testing.assert_array_equal(out, expected)
