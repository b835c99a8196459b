"""Fields of a protobuf message: found where they are, and never beyond the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salticid.engine.protobuf import fields, length_delimited
from salticid.errors import InputError


@given(st.lists(st.tuples(st.integers(1, 1 << 20), st.binary(max_size=300)), max_size=8))
def test_fields_are_read_as_they_were_written(content):
    data = b"".join(length_delimited(number, text) for number, text in content)
    found = list(fields(data, 0, len(data), "net"))
    assert [(field.number, data[field.start : field.end]) for field in found] == content
    assert [data[field.tag : field.end] for field in found] == [length_delimited(*item) for item in content]


def test_numbers_are_skipped():
    data = b"\x08\x96\x01" + b"\x11" + bytes(8) + length_delimited(3, b"abc") + b"\x25" + bytes(4)
    [field] = fields(data, 0, len(data), "net")
    assert (field.number, data[field.start : field.end]) == (3, b"abc")


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05abc", b"\x0a\xff", b"\x00\x01", b"\x0b", b"\x08" + b"\xff" * 11])
def test_a_field_that_goes_beyond_the_end_is_an_input_error(data):
    with pytest.raises(InputError, match="the net is cut off"):
        list(fields(data, 0, len(data), "the net"))
