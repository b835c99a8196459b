"""The kernel of plain networks: the very bits of the reference, whatever the size, the CPU and the threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_nets import random_net

from salticid.core import native
from salticid.upscale.integer_net import IntegerLayer, IntegerNet, enlarge, enlarge_reference

pytestmark = pytest.mark.skipif(native.load() is None, reason=native.reason())
each_instruction_set = pytest.mark.parametrize("instruction_set", native.instruction_sets())

SHAPES = {"nano": (4, 16), "fast": (10, 32), "quality": (8, 48)}  # layers of the body, channels
STRIDED = [
    lambda image: image[::-1],
    lambda image: image[:, ::-1],
    lambda image: image[::2, ::3],
    lambda image: image[..., ::-1],
    lambda image: image.swapaxes(0, 1),
    lambda image: np.asfortranarray(image),
    lambda image: image[:, 4:5],
    lambda image: image[3:4],
]


def some_image(random, height, width):
    """Return noise with black and white parts, whose sums are the largest."""
    image = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
    image[random.random((height, width)) < 0.3] = 255
    image[random.random((height, width)) < 0.1] = 0
    return image


def assert_same(net, image, **options):
    np.testing.assert_array_equal(enlarge(net, image, **options), enlarge_reference(net, image), strict=True)


@each_instruction_set
@given(
    seed=st.integers(0, 10**6),
    size=st.tuples(st.integers(1, 20), st.integers(1, 40)),
    channels=st.integers(1, 70),
    layers=st.integers(0, 4),
    scale=st.integers(1, 8),
    repeats=st.integers(0, 5),
    threads=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_any_network_and_image_give_the_bits_of_the_reference(
    instruction_set, seed, size, channels, layers, scale, repeats, threads
):
    random = np.random.default_rng(seed)
    net = random_net(random, layers=layers, channels=channels, scale=scale, repeats=repeats)
    assert_same(net, some_image(random, *size), threads=threads, instruction_set=instruction_set)


@each_instruction_set
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("name", SHAPES)
def test_our_networks_give_the_bits_of_the_reference(instruction_set, name, scale):
    random = np.random.default_rng(scale)
    layers, channels = SHAPES[name]
    net = random_net(random, layers=layers, channels=channels, scale=scale)
    for size in ((1, 1), (1, 30), (30, 1), (3, 2), (33, 41)):
        image = some_image(random, *size)
        expected = enlarge_reference(net, image)
        for threads in (1, 2, 3, 64):
            large = enlarge(net, image, threads=threads, instruction_set=instruction_set)
            np.testing.assert_array_equal(large, expected, f"{size} in {threads} threads")


@each_instruction_set
@pytest.mark.parametrize("size", [(3, 3000), (200, 700)])
def test_an_image_so_wide_that_it_is_cut_gives_the_same_bits(instruction_set, size):
    random = np.random.default_rng(5)
    net = random_net(random, layers=6, channels=20)
    image = some_image(random, *size)
    expected = enlarge_reference(net, image)
    for threads in (1, 2, 7):
        np.testing.assert_array_equal(enlarge(net, image, threads=threads, instruction_set=instruction_set), expected)


@each_instruction_set
@pytest.mark.parametrize("value", [0, 255])
def test_images_of_one_color_give_the_same_bits(instruction_set, value):
    net = random_net(np.random.default_rng(6), layers=3, channels=16, scale=4)
    assert_same(net, np.full((9, 13, 3), value, np.uint8), instruction_set=instruction_set)


# Of each two steps of four weights, places 0, 1, 4 and 5 are added up in 16 bits: 128 times 255 just fits.
LARGEST = [
    dict.fromkeys(range(8), 32),
    dict.fromkeys(range(8), -32),
    {0: 127, 1: 1},
    {0: -128},
    {4: 127, 1: 1},
    {2: 64, 7: 64},
]


@each_instruction_set
@pytest.mark.parametrize("channels", [4, 16, 48, 72])
@pytest.mark.parametrize("weights", LARGEST)
def test_the_largest_sums_of_16_bits_are_not_cut_off(instruction_set, channels, weights):
    random = np.random.default_rng(11)
    first, _, last = random_net(random, layers=1, channels=channels).layers
    bright = replace(first, weights=np.zeros_like(first.weights), bias=np.full(channels, 255, np.int32))
    ordered = np.zeros((channels, 9 * channels), np.int8)
    for place, weight in weights.items():
        ordered[:, place::8] = weight
    bias = 100 - 255 * ordered.sum(axis=1, dtype=np.int32)
    ones = np.ones(channels, np.float32)
    extreme = IntegerLayer(ordered.reshape(channels, 3, 3, channels).transpose(0, 3, 1, 2), bias, ones)
    net = IntegerNet((replace(bright, multiplier=ones), extreme, last), 2, 4)
    assert_same(net, some_image(random, 7, 9), instruction_set=instruction_set)


@each_instruction_set
@pytest.mark.parametrize("strided", STRIDED)
def test_images_of_any_strides_are_read_as_they_are(instruction_set, strided):
    random = np.random.default_rng(7)
    net = random_net(random)
    assert_same(net, strided(some_image(random, 12, 17)), instruction_set=instruction_set)


def test_images_that_cannot_be_written_are_read():
    random = np.random.default_rng(8)
    image = some_image(random, 6, 6)
    image.setflags(write=False)
    assert_same(random_net(random), image)


def test_only_the_result_is_written():
    random = np.random.default_rng(9)
    net = random_net(random, scale=4)
    image = some_image(random, 5, 6)
    around = np.full((24, 30, 3), 77, np.uint8)
    enlarge(net, image, threads=2, out=around[2:22, 3:27])
    np.testing.assert_array_equal(around[2:22, 3:27], enlarge_reference(net, image))
    around[2:22, 3:27] = 77
    assert (around == 77).all()


def test_threads_share_a_network():
    random = np.random.default_rng(10)
    net = random_net(random, layers=4, channels=16)
    images = [some_image(random, 30, 40) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: enlarge(net, image, threads=2), images))
    for image, large in zip(images, found, strict=True):
        np.testing.assert_array_equal(large, enlarge_reference(net, image))


def packed(net, layers=None, scale=None, repeats=None):
    given = [(layer.weights, layer.bias, layer.multiplier) for layer in net.layers] if layers is None else layers
    given = [tuple(map(np.ascontiguousarray, layer)) for layer in given]
    scale, repeats = net.scale if scale is None else scale, net.repeats if repeats is None else repeats
    return native.load().PlainNet(given, scale, repeats, "scalar")


def image_of(*shape):
    return np.zeros(shape, np.uint8)


@pytest.mark.parametrize(
    ("image", "result", "message"),
    [
        (image_of(0, 4, 3), image_of(0, 8, 3), "no pixels"),
        (image_of(4, 4, 4), image_of(8, 8, 3), "three colors"),
        (image_of(4, 4, 3), image_of(8, 9, 3), "as many times as large"),
        (image_of(4, 4, 3), image_of(4, 4, 3), "as many times as large"),
        (image_of(4, 8, 3)[:, ::2], image_of(8, 8, 3), "contiguous"),
        (image_of(4, 4, 3), image_of(8, 8, 3)[..., ::-1], "contiguous"),
    ],
)
def test_the_module_refuses_arrays_that_do_not_fit(image, result, message):
    with pytest.raises(ValueError, match=message):
        packed(random_net(np.random.default_rng(0))).enlarge(image, result, 1)


def test_the_module_refuses_other_dtypes():
    kernel = packed(random_net(np.random.default_rng(0)))
    with pytest.raises(TypeError):
        kernel.enlarge(np.zeros((4, 4, 3)), image_of(8, 8, 3), 1)
    with pytest.raises(TypeError):
        kernel.enlarge(image_of(4, 4, 3), np.zeros((8, 8, 3)), 1)


def layers_of(net, number, **changes):
    layers = [[layer.weights, layer.bias, layer.multiplier] for layer in net.layers]
    for place, name in enumerate(("weights", "bias", "multiplier")):
        if name in changes:
            layers[number][place] = changes[name]
    return layers


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": np.zeros((8, 7, 3, 3), np.int8)}, "what the one before it makes"),
        ({"weights": np.zeros((8, 8, 3, 5), np.int8)}, "3x3"),
        ({"bias": np.zeros(7, np.int32)}, "a bias and a multiplier"),
        ({"bias": np.full(8, 2**24, np.int32)}, "could reach"),
        ({"multiplier": np.full(8, 65, np.float32)}, "0 to 64"),
        ({"multiplier": np.full(8, np.nan, np.float32)}, "0 to 64"),
        ({"weights": np.full((8, 8, 3, 3), 40, np.int8)}, "more than 128"),
        ({"weights": np.full((8, 8, 3, 3), -40, np.int8)}, "less than -128"),
    ],
)
def test_the_module_refuses_layers_that_it_would_compute_wrongly(changes, message):
    net = random_net(np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        packed(net, layers_of(net, 1, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 0}, "scale"),
        ({"scale": 9}, "scale"),
        ({"scale": 3}, "channels"),
        ({"repeats": 3}, "what the one before it makes"),
        ({"repeats": 2**62}, "copies"),
        ({"layers": []}, "2 to 64 layers"),
    ],
)
def test_the_module_refuses_networks_that_make_no_such_image(changes, message):
    with pytest.raises(ValueError, match=message):
        packed(random_net(np.random.default_rng(0)), **changes)
