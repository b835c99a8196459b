"""Whether an array fits a tensor, and how that is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from salticid.engine.tensors import TensorSpec, check_feeds, choose
from salticid.errors import InputError

IMAGE = TensorSpec("image", "float32", (1, 3, None, None))
GAIN = TensorSpec("gain", "float32", (1,))


def test_a_spec_reads_as_one_would_write_it():
    assert str(IMAGE) == "image: float32 (1, 3, ?, ?)"
    assert str(GAIN) == "gain: float32 (1,)"
    assert str(TensorSpec("x", None, None)) == "x: any type, any shape"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((1, 3, 8, 8)), ["must be float32 (1, 3, ?, ?)", "not float64 (1, 3, 8, 8)", "astype('float32')"]),
        (np.zeros((3, 8, 8), np.float32), ["(1, 3, ?, ?)", "not float32 (3, 8, 8)"]),
        (np.zeros((1, 4, 8, 8), np.float32), ["not float32 (1, 4, 8, 8)"]),
        (np.zeros((1, 3, 8, 8), ">f4" if np.little_endian else "<f4"), ["byte order"]),
        ([[1.0]], ["numpy array", "list"]),
        (None, ["numpy array", "NoneType"]),
    ],
)
def test_a_wrong_array_is_an_input_error_with_model_name_expected_and_given(value, words):
    with pytest.raises(InputError) as caught:
        check_feeds({"image": value}, [IMAGE], "net.onnx")
    assert all(word in str(caught.value) for word in [*words, "net.onnx", "'image'"])


def test_a_missing_input_is_named_with_what_the_network_takes():
    with pytest.raises(
        InputError, match=r"net.onnx: input 'gain' is missing; it takes image: .*, gain: float32 \(1,\)"
    ):
        check_feeds({"image": np.zeros((1, 3, 2, 2), np.float32)}, [IMAGE, GAIN], "net.onnx")


def test_an_unknown_input_is_named_with_the_nearest_one():
    with pytest.raises(InputError, match="no input 'imag': did you mean 'image'"):
        check_feeds({"imag": np.zeros((1, 3, 2, 2), np.float32)}, [IMAGE], "net.onnx")


def test_outputs_are_chosen_by_name_and_in_the_order_asked_for():
    assert choose([IMAGE, GAIN], ["gain", "image"], "net.onnx") == (GAIN, IMAGE)
    assert choose([IMAGE, GAIN], None, "net.onnx") == (IMAGE, GAIN)
    with pytest.raises(InputError, match="no output 'gian': did you mean 'gain'"):
        choose([IMAGE, GAIN], ["gian"], "net.onnx")


@given(nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3), st.data())
def test_an_array_fits_every_spec_that_frees_some_of_its_axes_and_no_other_length(shape, data):
    array = np.zeros(shape, np.float32)
    freed = tuple(None if data.draw(st.booleans()) else length for length in shape)
    assert TensorSpec("x", "float32", freed).problem(array) is None
    for axis, length in enumerate(freed):
        if length is not None:
            wrong = (*freed[:axis], length + 1, *freed[axis + 1 :])
            assert TensorSpec("x", "float32", wrong).problem(array)
    assert TensorSpec("x", "float32", (*freed, None)).problem(array)
