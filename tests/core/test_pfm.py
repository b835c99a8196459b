"""PFM maps: exact values, unknown as nan here and inf in the file, both byte orders, lying headers."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from salticid.core.pfm import read_pfm, write_pfm
from salticid.errors import InputError


def pfm(values: list[float], width: int, height: int, scale: str = "-1.0", kind: str = "Pf") -> bytes:
    order = "<" if scale.startswith("-") else ">"
    return f"{kind}\n{width} {height}\n{scale}\n".encode() + struct.pack(f"{order}{len(values)}f", *values)


@pytest.mark.parametrize("scale", ["-1.0", "1.0", "-0.003922", "1e0", "-2"])
def test_rows_are_stored_from_the_bottom_up_in_either_byte_order(scale):
    found = read_pfm(pfm([1, 2, 3, 4, 5, 6], 3, 2, scale))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[4, 5, 6], [1, 2, 3]])


def test_unknown_is_inf_in_the_file_and_nan_in_the_array():
    found = read_pfm(pfm([np.inf, 1.5, -np.inf, np.nan], 2, 2))
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [np.nan, 1.5]])


def test_a_written_map_has_inf_where_the_array_has_nan(tmp_path):
    write_pfm(tmp_path / "a.pfm", np.array([[np.nan, 2.0]], np.float32))
    assert (tmp_path / "a.pfm").read_bytes() == pfm([np.inf, 2.0], 2, 1)


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)))
@settings(max_examples=40)
def test_what_was_written_is_read_again_bit_for_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("pfm") / "a.pfm"
    write_pfm(path, values)
    np.testing.assert_array_equal(read_pfm(path), np.where(np.isfinite(values), values, np.nan))


def test_the_callers_array_is_left_alone(tmp_path):
    values = np.array([[np.nan, 1.0]], np.float32)
    write_pfm(tmp_path / "a.pfm", values)
    np.testing.assert_array_equal(values, [[np.nan, 1.0]])


@pytest.mark.parametrize("values", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3), np.float32), np.zeros((0, 3))])
def test_only_float_maps_are_written(tmp_path, values):
    with pytest.raises(InputError, match="must be"):
        write_pfm(tmp_path / "a.pfm", values)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_when_overwriting_is_off(tmp_path):
    write_pfm(tmp_path / "a.pfm", np.ones((1, 1)))
    with pytest.raises(InputError, match="exists"):
        write_pfm(tmp_path / "a.pfm", np.zeros((1, 1)), overwrite=False)
    assert read_pfm(tmp_path / "a.pfm")[0, 0] == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pfm([1, 2], 2, 1)[:-1], "truncated"),
        (pfm([1, 2], 2, 1) + b"x", "truncated or damaged"),
        (pfm([1, 2, 3], 1, 1, kind="PF"), "color PFM"),
        (pfm([1], 1, 1, scale="0"), "scale"),
        (pfm([1], 1, 1, scale="-0.0"), "scale"),
        (pfm([1], 1, 1, scale="1e999"), "scale"),
        (pfm([1], 1, 1, scale="-1-2"), "scale"),
        (pfm([], 0, 5), "0 x 5"),
        (b"Pf\n9999999 9999999\n-1\n", "9999999 x 9999999"),
        (b"Pf\n99999999999 1\n-1\n", "damaged PFM"),
        (b"Pf\n-1 -1\n-1\n", "damaged PFM"),
        (b"Pf\n", "damaged PFM"),
        (b"%PDF-1.7", "looks like a PDF document"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_a_hostile_file_is_an_input_error(data, says):
    with pytest.raises(InputError, match=says):
        read_pfm(data)


@given(st.binary(max_size=80), st.integers(0, 30))
@settings(max_examples=100)
def test_no_bytes_do_worse_than_an_input_error(data, cut):
    for start in (b"", pfm([1, 2, 3, 4], 2, 2)[:cut]):
        with contextlib.suppress(InputError):
            assert read_pfm(start + data).ndim == 2


def test_more_pixels_than_allowed_are_refused_by_the_header():
    with pytest.raises(InputError, match="max_pixels=3"):
        read_pfm(pfm([1, 2, 3, 4], 2, 2)[:20], max_pixels=3)
