"""Plain values survive JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salticid.core.plain import plain, strict, to_json
from salticid.errors import InputError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@dataclass(frozen=True, slots=True)
class Place:
    path: Path
    size: tuple[int, int]


@given(JSON)
def test_json_values_are_plain_already_and_come_back_equal(value):
    assert plain(value) == value
    assert json.loads(to_json(value)) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_text_does_not_depend_on_the_order_of_keys(table):
    assert to_json(table) == to_json(dict(reversed(table.items())))


def test_paths_dataclasses_and_numpy_scalars_become_plain():
    value = plain(
        {"place": Place(Path("a/b"), (1, 2)), "score": np.float32(0.5), "count": np.int64(3), "zero": np.array(7)}
    )
    assert value == {"place": {"path": "a/b", "size": [1, 2]}, "score": 0.5, "count": 3, "zero": 7}
    assert type(value["count"]) is int


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", np.zeros(2), np.complex64(1j), lambda: None])
def test_anything_else_is_refused(value):
    with pytest.raises(InputError, match="cannot be written as JSON"):
        plain(value)


def test_strict_has_no_nan_because_json_has_none():
    assert strict({"a": [float("nan"), 1.5], "b": float("inf")}) == {"a": [None, 1.5], "b": None}


def test_two_keys_that_are_the_same_text_are_refused():
    with pytest.raises(InputError, match="JSON would lose one"):
        plain({1: "a", "1": "b"})


@pytest.mark.parametrize("name", ["a number that is too long", "a list that holds itself"])
def test_what_json_cannot_write_is_an_input_error(name):
    value = [10**5000]
    if "itself" in name:
        value.append(value)
    with pytest.raises(InputError, match="JSON"):
        to_json(value)
