from __future__ import annotations

import dataclasses
import enum
import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.errors import InputError
from salticid.runtime.cache_key import cache_key, file_digest

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.binary(max_size=6)
    | st.complex_numbers(allow_nan=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=6,
)


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


class Level(enum.IntEnum):
    ONE = 1


@dataclasses.dataclass(frozen=True)
class Options:
    radius_px: int = 2
    mode: Mode = Mode.FAST


@dataclasses.dataclass(frozen=True)
class OtherOptions:
    radius_px: int = 2
    mode: Mode = Mode.FAST


def key(value, *, content=b"", version="1"):
    return cache_key(content=content, parameters={"value": value}, version=version)


def typed(value):
    """Return a form in which equality means same type and same value, all the way down."""
    if isinstance(value, dict):
        return "dict", frozenset((typed(name), typed(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return type(value).__name__, tuple(typed(item) for item in value)
    return type(value).__name__, repr(value)


@settings(max_examples=150)
@given(VALUES, VALUES)
def test_two_values_have_one_key_exactly_when_they_are_the_same(a, b):
    assert (key(a) == key(b)) == (typed(a) == typed(b))


def test_values_that_python_calls_equal_or_that_look_alike_have_different_keys():
    alike = [
        1, 1.0, True, "1", b"1", 1 + 0j, [1], (1,), {1}, {1: 1}, {"1": 1}, [[1]], [], (), {}, set(), "", b"", None, 0,
        0.0, -0.0, False, np.float32(1), np.int64(1), np.uint8(1), np.ones(1), np.ones(()), Level.ONE, Mode.FAST,
        float("nan"), "nan", ["a", "b"], ["ab"], ["a", ["b"]], Options(), OtherOptions(), 10**5_000,
    ]  # fmt: skip
    assert len({key(value) for value in alike}) == len(alike)


def test_arrays_that_differ_in_shape_dtype_or_byte_order_alone_have_different_keys():
    zeros = [
        np.zeros(shape, dtype)
        for shape in [(0,), (0, 1), (), (6,), (1, 6), (2, 3), (3, 2), (12,)]
        for dtype in ["u1", "i1", "?", "<f4", ">f4", "<f2", "<i4", "<c8", "<f8"]
    ]
    assert len({key(array) for array in zeros}) == len(zeros)
    assert len({key(b"", content=array) for array in zeros}) == len(zeros)


def test_the_layout_in_memory_of_an_array_does_not_matter():
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    padded = np.zeros((8, 12), np.float32)
    padded[::2, ::2] = array
    assert key(array) == key(np.asfortranarray(array)) == key(padded[::2, ::2]) == key(array[::-1][::-1])


def test_the_order_of_a_mapping_and_of_a_set_does_not_matter_and_that_of_a_list_does():
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})
    assert key({3, 1, 2}) == key(frozenset([2, 3, 1]))
    assert key([1, 2]) != key([2, 1])


def test_content_parameters_and_version_all_count_and_do_not_run_into_each_other():
    options = itertools.product([b"a", b"b"], [{}, {"a": 1}, {"b": 1}], ["", "a"])
    keys = {
        cache_key(content=content, parameters=parameters, version=version) for content, parameters, version in options
    }
    assert len(keys) == 12


def test_a_key_is_the_same_on_every_machine_and_in_every_version_of_python():
    parameters = {"disparities": 128, "modes": ["fast", None, 0.5], "gray": np.arange(3, dtype="<u2")}
    assert (
        cache_key(content=[b"left", b"right"], parameters=parameters, version="sgm 3")
        == "084f90ef97ed50a9d90ef7f4e541770d22d368c19049cfcfbf28dfeee0ca6bd0"
    )


def test_a_file_counts_by_its_bytes_and_not_by_its_name(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").write_bytes(b"x" * 3_000_000)
    (tmp_path / "c").write_bytes(b"x" * 2_999_999 + b"y")
    keys = [key(1, content=tmp_path / name) for name in "abc"]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0] != key(1, content=b"x" * 3_000_000)
    assert key(1, content=[tmp_path / "a"]) not in keys
    assert key(1, content=[tmp_path / "a", b"x"]) != key(1, content=(b"x", tmp_path / "a"))


def test_how_files_are_digested_can_be_replaced(tmp_path):
    assert key(1, content=[tmp_path / "absent"][:0]) == key(1, content=[])
    seen = []
    cache_key(
        content=[Path("a"), Path("b")],
        parameters={},
        version="",
        digest_file=lambda path: seen.append(path) or bytes(32),
    )
    assert seen == [Path("a"), Path("b")]


@pytest.mark.parametrize("name", ["absent", "folder", "pipe", "nul\0"])
def test_what_is_no_readable_file_is_an_input_error_that_names_it_and_never_a_wait(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=name.strip("\0")):
        file_digest(tmp_path / name)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Path("file.png"),
        np.array([1, None]),
        np.array(["text"]),
        np.zeros(2, "V4"),
        np.ma.masked_array([1, 2], [True, False]),
        np.zeros(2, "M8[s]"),
        lambda: 1,
        Options,
    ],
)
def test_a_value_without_a_canonical_form_is_an_input_error_that_says_where_it_is(value):
    with pytest.raises(InputError, match=r"parameters\['outer'\]\[1\]"):
        cache_key(content=b"", parameters={"outer": [0, value]}, version="1")


@pytest.mark.parametrize("content", ["file.png", None, 3, {"a": b""}, [b"", "file.png"]])
def test_content_of_another_type_is_an_input_error(content):
    with pytest.raises(InputError, match="content must be a Path"):
        key(1, content=content)


def test_parameters_must_be_a_mapping():
    with pytest.raises(InputError, match="parameters must be a mapping, not Options"):
        cache_key(content=b"", parameters=Options(), version="1")
