"""Arrays as the bytes of a .safetensors file and back, without a copy of the data.

The format is a length, a JSON header and the arrays one behind the other, so any reader of safetensors reads these
files. To copy an array costs as much as to write or to check it, and the package's own functions copy each of them
once or twice; hence these.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError, IntegrityError

_DTYPES = {"BOOL": "|b1", "I8": "|i1", "U8": "|u1"}
_DTYPES |= {"I16": "<i2", "I32": "<i4", "I64": "<i8", "U16": "<u2", "U32": "<u4", "U64": "<u8"}
_DTYPES |= {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_ALIGNMENT = 8


def encode(arrays: Mapping[str, Array]) -> list[bytes | memoryview]:
    """Return the pieces of the file, the arrays among them as views.

    Raises
    ------
    InputError
        A name or an array has no place in the format.
    """
    plain = {_checked_name(name): _plain(name, array) for name, array in arrays.items()}
    ordered = dict(sorted(plain.items(), key=lambda item: -item[1].itemsize))  # so that all are aligned
    header, stop = {}, 0
    for name, array in ordered.items():
        start, stop = stop, stop + array.nbytes
        header[name] = {"dtype": _NAMES[array.dtype.str], "shape": array.shape, "data_offsets": (start, stop)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return [struct.pack("<Q", len(text)) + text, *(array.reshape(-1).view(np.uint8).data for array in ordered.values())]


def decode(data: Array) -> dict[str, Array]:
    """Return the arrays in the bytes `data` (N,) uint8, as views of it.

    Raises
    ------
    IntegrityError
        The bytes are not what `encode` makes.
    """
    try:
        (length,) = struct.unpack_from("<Q", data.data)
        start = 8 + length
        if start > len(data):
            raise ValueError(f"its header of {length} bytes is cut off")
        header = json.loads(data[8:start].tobytes())
        return {name: _view(data[start:], **entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise IntegrityError(f"a cache entry is no safetensors file: {error}") from error


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not name.isprintable() or name == "__metadata__":
        raise InputError(f"arrays must have printable names other than __metadata__, not {name!r}: rename it")
    return name


def _plain(name: str, value: Array) -> Array:
    """Return `value` in C order and little-endian."""
    array = np.asarray(value, order="C")
    dtype = array.dtype.newbyteorder("<")
    if dtype.str not in _NAMES or hasattr(value, "mask"):  # a mask would be lost
        raise InputError(
            f"{name} is a {type(value).__name__} of {array.dtype}, which is not stored: "
            f"give an array of bool, integers, or float16, 32 or 64"
        )
    return array.astype(dtype, copy=False)


def _view(data: Array, dtype: str, shape: list[int], data_offsets: list[int]) -> Array:
    start, stop = data_offsets
    array: Array = data[start:stop].view(_DTYPES[dtype]).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="), copy=False)
