"""What the network is given: exact values, sides rounded up, the last row and column repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.errors import InputError
from salticid.segment.prepare import Preparer, check_image

sides = st.integers(1, 100)


@given(sides, sides, st.booleans(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_every_size_becomes_what_torch_would_make_of_it(height, width, gray, seed):
    shape = (height, width) if gray else (height, width, 3)
    image = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    tensor = Preparer(32)(image)
    rows, columns = -height % 32, -width % 32
    color = np.repeat(image[..., None], 3, axis=-1) if gray else image
    padded = np.pad(color, ((0, rows), (0, columns), (0, 0)), mode="edge")
    expected = padded.astype(np.float32) / np.float32(127.5) - np.float32(1)
    assert tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor[0], expected.transpose(2, 0, 1))


@pytest.mark.parametrize("view", [np.s_[::2, ::3], np.s_[::-1], np.s_[:, :, ::-1], np.s_[5:20, 7:30]])
def test_views_of_larger_arrays_give_what_their_copies_give(view):
    image = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)[view]
    image.flags.writeable = False
    np.testing.assert_array_equal(Preparer(32)(image), Preparer(32)(image.copy()))


def test_memory_is_used_again_once_nobody_holds_the_last_input():
    prepare, image = Preparer(32), np.zeros((40, 40, 3), np.uint8)
    held = prepare(image)
    other = prepare(image + 255)
    assert not np.shares_memory(held, other)
    assert held.max() == -1
    place = other.__array_interface__["data"]
    del other
    assert prepare(image).__array_interface__["data"] == place


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("street.jpg", "read files with read_image"),
        (np.zeros((4, 4, 3), np.float32), "must be uint8, 0 to 255, not float32"),
        (np.zeros((4, 4, 3), np.uint16), "not uint16"),
        (np.zeros((4, 4, 4), np.uint8), r"with alpha: give image\[..., :3\]"),
        (np.zeros((4, 4, 1), np.uint8), r"\(H, W\) or \(H, W, 3\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"\(H, W\) or \(H, W, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), "not empty"),
    ],
)
def test_what_is_no_image_is_an_input_error_with_what_to_do(image, words):
    with pytest.raises(InputError, match=words):
        check_image(image)
