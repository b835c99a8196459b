"""The fields of a protobuf message, found by hand: enough to look into an ONNX model without the onnx package.

Only length-delimited fields are told (texts, bytes, messages); numbers are skipped. Nothing is decoded that is not
asked for, so the weights of a mapped file are never touched.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass

from salticid.errors import InputError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types
FIXED_BYTES = {FIXED64: 8, FIXED32: 4}

Buffer = bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class Field:
    """Where a length-delimited field lies in its buffer."""

    number: int
    tag: int  # where it begins, with its number and its length
    start: int  # of what it holds
    end: int


def fields(data: Buffer, start: int, end: int, model: str) -> Iterator[Field]:
    """Yield the length-delimited fields between `start` and `end`; `InputError` where `model` is broken."""
    while start < end:
        at = start
        tag, start = _varint(data, start, end, model)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise broken(model)
        if wire == LENGTH:
            length, start = _varint(data, start, end, model)
            if length > end - start:
                raise broken(model)
            yield Field(number, at, start, start + length)
            start += length
        elif wire == VARINT:
            _, start = _varint(data, start, end, model)
        elif wire in FIXED_BYTES:
            start += FIXED_BYTES[wire]
        else:
            raise broken(model)


def length_delimited(number: int, content: bytes) -> bytes:
    """Return the field `number` that holds `content`.

    >>> length_delimited(1, b"ab")
    b'\\n\\x02ab'
    """
    return _as_varint(number << 3 | LENGTH) + _as_varint(len(content)) + content


def broken(model: str) -> InputError:
    """Return the error for a model that cannot be read to its end."""
    return InputError(f"{model} is cut off or no ONNX model")


def _varint(data: Buffer, start: int, end: int, model: str) -> tuple[int, int]:
    """Return the number at `start` and the position after it: 7 bits a byte, lowest first, at most 10 bytes."""
    value = 0
    for shift, at in enumerate(range(start, min(start + 10, end))):
        value |= (data[at] & 0x7F) << (7 * shift)
        if data[at] < 0x80:
            return value, at + 1
    raise broken(model)


def _as_varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
