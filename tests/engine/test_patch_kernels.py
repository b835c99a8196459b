"""Networks of patches by kernels: the very bits in whole numbers, and nearly the values in floating point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import float_layer, integer_layer, plain_patch_network, refinement_network

from salticid.core import native
from salticid.engine.float_patches import FloatPatchNetwork
from salticid.engine.integer import FloatLayer, IntegerNetwork
from salticid.engine.patch_kernels import FloatPatchKernel, PatchKernel
from salticid.engine.patches import MOST_REACH, PatchNetwork, Tap
from salticid.errors import InputError

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())
each_instruction_set = pytest.mark.parametrize("instruction_set", native.instruction_sets())

TOLERANCE = 1e-4  # of how far the outputs reach


@st.composite
def cases(draw):
    """Draw taps, layer sizes, maps with extreme values among ordinary ones, and a mask in runs."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    count = draw(st.integers(1, 3))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 150)))
    planes = [random.integers(-300, 300, shape).astype(np.int16) for _ in range(count)]
    for plane in planes:
        plane[random.random(shape) < 0.1] = random.choice([-32768, 32767, 0])
    offset = st.integers(-5, 5) | st.sampled_from([-MOST_REACH, MOST_REACH])
    tap = st.builds(
        Tap, st.integers(0, count - 1), offset, offset, st.none() | st.integers(0, count - 1), st.integers(0, 8)
    )
    taps = tuple(draw(st.lists(tap, min_size=1, max_size=12)))
    sizes = [len(taps), *draw(st.lists(st.integers(1, 20), max_size=3)), draw(st.integers(1, 8))]
    mask = np.repeat(
        random.random(shape[0] * shape[1]) < draw(st.sampled_from([0, 0.1, 0.5, 1])), draw(st.integers(1, 40))
    )
    return (
        random,
        tuple(f"map{k}" for k in range(count)),
        taps,
        sizes,
        planes,
        mask[: shape[0] * shape[1]].reshape(shape),
    )


def integer_case(case):
    random, names, taps, sizes, planes, mask = case
    pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
    layers = tuple(integer_layer(random, pair, relu=n < len(pairs) - 1) for n, pair in enumerate(pairs))
    return PatchNetwork(names, taps, IntegerNetwork(layers, (len(taps),), 1.0, 0)), planes, mask


def float_case(case):
    random, names, taps, sizes, planes, mask = case
    pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
    layers = tuple(float_layer(random, pair, relu=n < len(pairs) - 1) for n, pair in enumerate(pairs))
    return FloatPatchNetwork(names, taps, layers, 1 / 32, int(random.integers(0, 128))), planes, mask


def assert_close(found, expected):
    assert found.dtype == expected.dtype == np.float32
    assert np.abs(found - expected).max() <= TOLERANCE * max(np.abs(expected).max(), 1e-3)


@each_instruction_set
@given(cases(), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_whole_numbers_are_the_same_bits_by_kernels_of_any_instruction_set_and_threads(instruction_set, case, threads):
    network, planes, mask = integer_case(case)
    kernel = PatchKernel(network, threads=threads, instruction_set=instruction_set)
    np.testing.assert_array_equal(kernel(planes), network(planes), strict=True)
    np.testing.assert_array_equal(kernel(planes, mask), network(planes, mask), strict=True)


@each_instruction_set
@given(cases(), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_floating_point_is_near_the_readable_definition_whatever_the_size(instruction_set, case, threads):
    network, planes, mask = float_case(case)
    kernel = FloatPatchKernel(network, threads=threads, instruction_set=instruction_set)
    assert_close(kernel(planes), network(planes))
    assert_close(kernel(planes, mask), network(planes, mask))
    assert not kernel(planes, mask)[~mask].any()


@needs_kernels
@given(cases())
@settings(max_examples=40, deadline=None)
def test_floating_point_depends_neither_on_threads_nor_on_what_else_is_in_the_mask(case):
    network, planes, mask = float_case(case)
    everywhere = FloatPatchKernel(network)(planes)
    np.testing.assert_array_equal(FloatPatchKernel(network, threads=3)(planes), everywhere)
    np.testing.assert_array_equal(FloatPatchKernel(network)(planes, mask), everywhere * mask[:, :, None])


@each_instruction_set
@pytest.mark.parametrize("make", [plain_patch_network, refinement_network])
def test_maps_of_extreme_values_give_the_same_bits(instruction_set, make):
    network = make()
    random = np.random.default_rng(3)
    planes = [random.choice(np.array([-32768, -1, 0, 1, 32767], np.int16), (7, 130)) for _ in network.planes]
    np.testing.assert_array_equal(PatchKernel(network, instruction_set=instruction_set)(planes), network(planes))


@each_instruction_set
def test_the_largest_network_that_kernels_take_gives_the_same_bits_and_near_values(instruction_set):
    random = np.random.default_rng(4)
    taps = tuple(Tap(0, dy, dx, 0, 1) for dy in range(-4, 4) for dx in range(-8, 8))
    sizes = [len(taps), 128, 128, 8]
    planes, mask = [random.integers(-200, 200, (3, 70)).astype(np.int16)], random.random((3, 70)) < 0.5
    case = random, ("map",), taps, sizes, planes, mask
    network = integer_case(case)[0]
    np.testing.assert_array_equal(PatchKernel(network, instruction_set=instruction_set)(planes), network(planes))
    floats = float_case(case)[0]
    assert_close(FloatPatchKernel(floats, instruction_set=instruction_set)(planes), floats(planes))


@pytest.mark.parametrize("kernel", [PatchKernel, FloatPatchKernel])
def test_without_kernels_numpy_gives_the_outputs(kernel, monkeypatch):
    network = plain_patch_network() if kernel is PatchKernel else plain_float_network()
    planes = [np.arange(60, dtype=np.int16).reshape(6, 10)]
    expected = kernel(network)(planes)
    monkeypatch.setattr(native, "load", lambda: None)
    found = kernel(network, threads=2)(planes)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_maps_and_a_mask_that_lie_apart_in_memory_are_read_right():
    network = plain_patch_network()
    plane = np.random.default_rng(5).integers(-50, 50, (20, 30)).astype(np.int16)
    apart, mask = plane[::2, ::-3], np.ones((20, 30), bool)[::2, ::3]
    np.testing.assert_array_equal(PatchKernel(network)([apart], mask), network([apart.copy()]))


def plain_float_network(**changes):
    random = np.random.default_rng(6)
    taps = tuple(Tap(0, dy, dx, 0, 0) for dy in range(-3, 4) for dx in range(-3, 4))
    layers = (float_layer(random, (32, 49), relu=True), float_layer(random, (1, 32), relu=False))
    given = {"planes": ("disparity",), "taps": taps, "layers": layers, "input_scale": 1 / 32} | changes
    return FloatPatchNetwork(**given)


PLANE = np.zeros((4, 5), np.int16)


@pytest.mark.parametrize(
    ("planes", "mask", "words"),
    [
        ([PLANE, PLANE], None, r"looks at 1 maps \(disparity\), not 2"),
        ([PLANE.astype(np.float32)], None, r"disparity must be an int16 array .*, not float32 \(4, 5\)"),
        ([PLANE[0]], None, r"disparity must be an int16 array .*, not int16 \(5,\)"),
        ([PLANE[:0]], None, "with at least one pixel"),
        ([PLANE], np.ones((4, 5), np.uint8), r"mask must be \(4, 5\) bool, not \(4, 5\) uint8"),
        ([PLANE], np.ones((5, 4), bool), r"mask must be \(4, 5\) bool, not \(5, 4\) bool"),
    ],
)
def test_maps_and_masks_of_another_kind_are_refused(planes, mask, words):
    for kernel in (PatchKernel(plain_patch_network()), FloatPatchKernel(plain_float_network())):
        with pytest.raises(InputError, match=words):
            kernel(planes, mask)


def test_no_threads_and_unknown_instruction_sets_are_refused():
    with pytest.raises(InputError, match="threads must be at least 1, not 0"):
        PatchKernel(plain_patch_network(), threads=0)
    with pytest.raises(InputError, match="avx512, avx2, neon, scalar"):
        FloatPatchKernel(plain_float_network(), instruction_set="mmx")


def test_a_network_too_large_for_the_kernels_is_refused_with_its_sizes():
    random = np.random.default_rng(0)
    layers = (float_layer(random, (129, 49), relu=True), float_layer(random, (1, 129), relu=False))
    with pytest.raises(InputError, match="up to 128 taps and units of a layer, and 8 outputs, not 49-129-1"):
        FloatPatchKernel(plain_float_network(layers=layers))
    with pytest.raises(InputError, match="not 49-9"):
        FloatPatchKernel(plain_float_network(layers=(float_layer(random, (9, 49), relu=False),)))


NOTHING = float("nan")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": ()}, "at least one layer"),
        ({"input_zero": 128}, "input_zero is 0..127"),
        ({"input_scale": NOTHING}, "input_scale must be finite, not nan"),
        ({"taps": (Tap(1, 0, 0, None, 0),)}, "tap 0 = .* is not valid"),
        ({"taps": (Tap(0, 0, 0, None, 0),)}, r"layer 0 takes 49 inputs, not \(1,\)"),
        ({"layers": (FloatLayer(np.zeros((1, 49)), np.zeros(2), False),)}, "a bias for each output"),
        ({"layers": (FloatLayer(np.zeros((1, 1, 7, 7)), np.zeros(1), False),)}, "layer 0 must be dense"),
        ({"layers": (FloatLayer(np.zeros((1, 49)), np.zeros(1), True),)}, "and the last has none"),
        ({"layers": (FloatLayer(np.full((1, 49), NOTHING), np.zeros(1), False),)}, "must be finite"),
    ],
)
def test_a_network_in_floating_point_that_makes_no_sense_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        plain_float_network(**changes)


@needs_kernels
@each_instruction_set
def test_the_kernels_themselves_refuse_what_could_hurt(instruction_set):
    kernels = native.load()
    taps = np.array([[0, 0, 0, -1, 0]], np.int32)
    layers = [(np.ones((1, 1), np.float32), np.zeros(1, np.float32))]
    for bad in ((taps[:, :4].copy(), layers, 1, 1.0, 64), (taps, [], 1, 1.0, 64), (taps, layers, 0, 1.0, 64)):
        with pytest.raises(ValueError):
            kernels.FloatPatchNetwork(*bad, instruction_set)
    with pytest.raises(ValueError, match="zero of the inputs"):
        kernels.FloatPatchNetwork(taps, layers, 1, 1.0, 128, instruction_set)
    with pytest.raises(ValueError, match="a bias for each output"):
        kernels.FloatPatchNetwork(taps, [(layers[0][0], np.zeros(2, np.float32))], 1, 1.0, 64, instruction_set)
    network = kernels.FloatPatchNetwork(taps, layers, 1, 1.0, 64, instruction_set)
    with pytest.raises(ValueError, match="one size"):
        network.run([PLANE], None, np.zeros((4, 6, 1), np.float32), 1)
    with pytest.raises(TypeError):
        network.run([PLANE], None, np.zeros((4, 5, 1)), 1)


@each_instruction_set
@pytest.mark.parametrize("name", ["PatchNetwork", "FloatPatchNetwork"])
def test_the_probes_of_the_peak_run_for_any_count(instruction_set, name):
    for count in (0, 1, 10_000):
        getattr(native.load(), name).multiply_only(count, instruction_set)
