from __future__ import annotations

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salticid.errors import InputError, IntegrityError
from salticid.runtime.cache_format import decode, encode

DTYPES = st.sampled_from(["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"])
ARRAYS = st.dictionaries(
    st.sampled_from(["a", "disparity_px", "", "größe", 'quote"s', "a/b"]),
    DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))),
    max_size=4,
)


def bytes_of(arrays):
    return b"".join(encode(arrays))


def decoded(data):
    return decode(np.frombuffer(data, np.uint8).copy())


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


@settings(max_examples=60)
@given(ARRAYS)
def test_decoding_gives_back_what_was_encoded_aligned_and_writable(arrays):
    found = decoded(bytes_of(arrays))
    assert_same(found, arrays)
    assert all(array.flags.aligned and array.flags.writeable for array in found.values())


@settings(max_examples=60)
@given(ARRAYS)
def test_the_safetensors_package_reads_what_we_write_and_we_read_what_it_writes(arrays):
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    assert_same(numpy.load(bytes_of(arrays)), arrays)
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    assert_same(decoded(numpy.save(contiguous)), arrays)


def test_the_data_of_an_array_in_c_order_is_not_copied_on_the_way_out_nor_in():
    array = np.zeros(1000)
    pieces = encode({"a": array})
    array[7] = 3
    assert b"".join(pieces).count(struct.pack("<d", 3.0)) == 1
    data = np.frombuffer(b"".join(pieces), np.uint8).copy()
    decode(data)["a"][:] = -1
    assert (data[-8000:].view(np.float64) == -1).all()


def test_other_layouts_and_byte_orders_are_stored_as_the_same_values():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    layouts = {"f": np.asfortranarray(array), "s": np.repeat(array, 2, axis=1)[:, ::2], "b": array.astype(">f4")}
    for found in decoded(bytes_of(layouts)).values():
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, array)


def forged(header, data=b"\0" * 16):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        struct.pack("<Q", 1 << 62) + b"{}",
        struct.pack("<Q", 2) + b"\xff\xfe",
        forged([]),
        forged({"a": 3}),
        forged({"a": {}}),
        forged({"a": {"dtype": "F32", "shape": [4]}}),
        forged({"a": {"dtype": "O", "shape": [4], "data_offsets": [0, 16]}}),
        forged({"a": {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]}}),
        forged({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 15]}}),
        forged({"a": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}}),
        forged({"a": {"dtype": "F32", "shape": "x", "data_offsets": [0, 16]}}),
        forged({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16, 16]}}),
        forged({"a": {"dtype": ["F32"], "shape": [4], "data_offsets": [0, 16]}}),
        forged({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], "more": 1}}),
    ],
)
def test_bytes_that_are_no_such_file_are_an_integrity_error(data):
    with pytest.raises(IntegrityError, match="no safetensors file"):
        decoded(data)


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_any_bytes_at_all_give_arrays_or_an_integrity_error(data):
    with contextlib.suppress(IntegrityError):
        assert isinstance(decoded(struct.pack("<Q", max(len(data) - 8, 0)) + data), dict)


@pytest.mark.parametrize(
    "value", [np.array([None]), np.zeros(2, complex), np.zeros(2, np.longdouble), np.zeros(2, "M8[s]")]
)
def test_what_has_no_place_in_the_format_is_an_input_error(value):
    with pytest.raises(InputError, match="cost"):
        encode({"cost": value})
