"""Networks of patches: where taps look, and what they see beyond the border."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import dense_network, integer_layer, refinement_network, scalar_network

from salticid.engine.integer import IntegerNetwork
from salticid.engine.patches import MOST_REACH, PatchNetwork, Tap, gather
from salticid.errors import InputError


def scalar_input(tap, planes, y, x):
    """Read one tap in Python's whole numbers."""
    height, width = planes[0].shape
    row, column = max(0, min(height - 1, y + tap.dy)), max(0, min(width - 1, x + tap.dx))
    value = int(planes[tap.plane][row, column])
    middle = 0
    if tap.center is not None:
        value, middle = value - int(planes[tap.center][y, x]), 64
    return max(0, min(127, (value >> tap.shift) + middle))


@st.composite
def cases(draw):
    """Draw taps, and maps of all sizes, with extreme values among ordinary ones."""
    count = draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    planes = [random.integers(-300, 300, shape).astype(np.int16) for _ in range(count)]
    for plane in planes:
        plane[random.random(shape) < 0.2] = random.choice([-32768, 32767])
    tap = st.builds(
        Tap,
        st.integers(0, count - 1),
        st.integers(-5, 5),
        st.integers(-5, 5),
        st.none() | st.integers(0, count - 1),
        st.integers(0, 8),
    )
    return draw(st.lists(tap, min_size=1, max_size=8)), planes, random.random(shape) < 0.7


@given(cases())
@settings(max_examples=100, deadline=None)
def test_every_tap_sees_the_nearest_pixel_relative_to_its_center(case):
    taps, planes, mask = case
    found = gather(taps, planes, mask)
    assert found.dtype == np.uint8
    assert found.tolist() == [
        [scalar_input(tap, planes, y, x) for tap in taps] for y, x in zip(*np.nonzero(mask), strict=True)
    ]


@given(cases())
@settings(max_examples=40, deadline=None)
def test_a_network_of_patches_is_its_network_on_the_taps_of_each_pixel(case):
    taps, planes, mask = case
    random = np.random.default_rng(0)
    layers = (integer_layer(random, (3, len(taps)), relu=True), integer_layer(random, (2, 3), relu=False))
    inner = IntegerNetwork(layers, (len(taps),), 1.0, 0)
    network = PatchNetwork(tuple(f"map{k}" for k in range(len(planes))), tuple(taps), inner)
    everywhere, masked = network(planes), network(planes, mask)
    assert everywhere.dtype == np.int16
    for y, x in np.ndindex(mask.shape):
        inputs = np.array([scalar_input(tap, planes, y, x) for tap in taps])
        assert everywhere[y, x].tolist() == scalar_network(inner, inputs).tolist()
    np.testing.assert_array_equal(masked, everywhere * mask[:, :, None])


def test_a_constant_added_to_a_map_that_is_seen_relative_to_itself_changes_nothing():
    random = np.random.default_rng(0)
    taps = tuple(Tap(0, dy, dx, 0, 1) for dy, dx in [(0, 1), (2, 0), (-3, -1)])
    network = PatchNetwork(("map",), taps, dense_network([3, 4, 1]))
    plane = random.integers(-500, 500, (12, 15)).astype(np.int16)
    np.testing.assert_array_equal(network([plane]), network([plane + np.int16(1000)]))


@pytest.mark.parametrize(
    ("tap", "reason"),
    [
        (Tap(6, 0, 0, None, 0), "no such map"),
        (Tap(-1, 0, 0, None, 0), "no such map"),
        (Tap(0, 0, 0, 6, 0), "no such center"),
        (Tap(0, MOST_REACH + 1, 0, 0, 0), "too far down"),
        (Tap(0, 0, -MOST_REACH - 1, 0, 0), "too far to the left"),
        (Tap(0, 0, 0, 0, 9), "too large a shift"),
        (Tap(0, 0, 0, 0, -1), "a negative shift"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tap_that_looks_nowhere_is_refused_by_its_number(tap, reason):
    good = refinement_network()
    with pytest.raises(InputError, match="tap 7 = "):
        PatchNetwork(good.planes, (*good.taps[:7], tap, *good.taps[8:]), good.network)


def test_as_many_taps_as_the_network_has_inputs():
    good = refinement_network()
    with pytest.raises(InputError, match="must be dense, with 48 inputs"):
        PatchNetwork(good.planes, good.taps[1:], good.network)


PLANE = np.zeros((4, 5), np.int16)


@pytest.mark.parametrize(
    ("planes", "mask", "words"),
    [
        ([PLANE] * 5, None, r"looks at 6 maps \(rows, .*gray\), not 5"),
        ([PLANE] * 5 + [PLANE.astype(np.int32)], None, r"gray must be an int16 array .*, not int32 \(4, 5\)"),
        ([PLANE] * 5 + [PLANE.tolist()], None, "gray must be an int16 array .*, not list"),
        ([PLANE] * 5 + [PLANE[:, :0]], None, "gray must be an int16 array"),
        ([PLANE] * 5 + [PLANE[1:]], None, r"gray is \(3, 5\) and rows \(4, 5\)"),
        ([PLANE] * 6, np.ones((4, 5), np.uint8), r"mask must be \(4, 5\) bool, not \(4, 5\) uint8"),
        ([PLANE] * 6, np.ones((5, 4), bool), r"mask must be \(4, 5\) bool, not \(5, 4\) bool"),
    ],
)
def test_maps_and_masks_of_another_kind_are_refused_by_their_name(planes, mask, words):
    with pytest.raises(InputError, match=words):
        refinement_network()(planes, mask)
