"""Arrays come back exactly, and damage is told."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from salticid.errors import IntegrityError
from salticid.motion.files.array_file import from_npz, to_npz


@given(arrays(st.sampled_from([np.float64, np.float32, np.int64, bool]), array_shapes(min_side=0)))
@settings(deadline=None)
def test_arrays_come_back_bit_by_bit(array):
    again = from_npz(to_npz({"a": array}), "it")["a"]
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()


def test_text_comes_back():
    assert from_npz(to_npz({"names": np.array(["a", "bcd"])}), "it")["names"].tolist() == ["a", "bcd"]


@pytest.mark.parametrize("keep", [0, 10, -5])
def test_a_cut_file_is_damage(keep):
    with pytest.raises(IntegrityError, match="the file x is damaged"):
        from_npz(to_npz({"a": np.arange(100)})[:keep], "the file x")


def test_an_array_of_objects_is_never_read():
    data = to_npz({"a": np.array([{"no": "thing"}], object)})
    with pytest.raises(IntegrityError):
        from_npz(data, "it")


def test_a_single_array_is_no_archive_of_arrays():
    file = io.BytesIO()
    np.save(file, np.arange(5))
    with pytest.raises(IntegrityError, match="the file x is damaged"):
        from_npz(file.getvalue(), "the file x")
