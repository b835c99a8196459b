"""The directory of tagged values (IFD) that a TIFF file and an EXIF block have in common, read and written.

TIFF 6.0, section 2. Only the first directory is read; every count and offset is checked against the data
before it is followed, so a lying directory is an `InputError` and never a large allocation.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError

ORIENTATION, STRIP_OFFSETS, STRIP_BYTES = 274, 273, 279

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4}  # bytes per value, by type
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_ENTRY_BYTES = 12
_ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIPS = {2: 1, 4: 0}


@dataclass(frozen=True, slots=True)
class Ifd:
    """The first directory of a TIFF structure."""

    data: bytes
    order: Literal["<", ">"]
    entries: dict[int, tuple[int, int, int]]  # tag: (type, count, offset of the values in data)

    def numbers(self, tag: int) -> Array:
        """Return the whole numbers of `tag`, (N,) of the type that the file stores; none when it is absent."""
        if tag not in self.entries:
            return np.empty(0, np.uint8)
        kind, count, offset = self.entries[tag]
        if kind not in _CODES:
            raise InputError(f"tag {tag} of its TIFF directory holds no whole numbers (type {kind})")
        return np.frombuffer(self.data, f"{self.order}{_CODES[kind]}", count, offset)

    def number(self, tag: int, default: int | None = None) -> int:
        """Return the first number of `tag`, or `default`; without either it is an `InputError`."""
        values = self.numbers(tag)
        if values.size:
            return int(values[0])
        if default is None:
            raise InputError(f"its TIFF directory lacks tag {tag}")
        return default

    def raw(self, tag: int) -> bytes | None:
        """Return the bytes of `tag`, or None."""
        if tag not in self.entries:
            return None
        kind, count, offset = self.entries[tag]
        return self.data[offset : offset + count * _SIZES[kind]]


def read_ifd(data: bytes) -> Ifd:
    """Read the first directory of `data`, which starts with `II*` or `MM*`."""
    order: Literal["<", ">"] = "<" if data.startswith(b"II*\0") else ">"
    if order == ">" and not data.startswith(b"MM\0*"):
        raise InputError("it does not start as a TIFF structure does")
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        rows = [struct.unpack_from(f"{order}HHI", data, start + 2 + _ENTRY_BYTES * row) for row in range(count)]
        places = [_values_at(data, order, start + 2 + _ENTRY_BYTES * row, rows[row]) for row in range(count)]
    except struct.error as error:
        raise InputError("its TIFF directory lies outside the data: the file is truncated or damaged") from error
    entries = {tag: (kind, n, at) for (tag, kind, n), at in zip(rows, places, strict=True) if at is not None}
    return Ifd(data, order, entries)


def read_orientation(exif: bytes) -> int:
    """Return the EXIF orientation 1..8; 1 where the block does not tell or is damaged."""
    try:
        orientation = read_ifd(exif).number(ORIENTATION, 1)
    except InputError:
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def reset_orientation(exif: bytes) -> bytes:
    """Return the EXIF block with its orientation tag set to 1, as fits pixels that are upright."""
    if read_orientation(exif) == 1:
        return exif
    ifd = read_ifd(exif)
    kind, _, offset = ifd.entries[ORIENTATION]
    upright = struct.pack(ifd.order + _CODES[kind], 1)
    return exif[:offset] + upright + exif[offset + len(upright) :]


def upright(pixels: Array, orientation: int) -> Array:
    """Turn or mirror `pixels` (H, W[, C]) as the EXIF `orientation` 1..8 asks; one copy at most is made."""
    if orientation in _ROTATIONS:
        return cv2.rotate(pixels, _ROTATIONS[orientation])
    if orientation in _FLIPS:
        return cv2.flip(pixels, _FLIPS[orientation])
    if orientation == 5:
        return cv2.transpose(pixels)
    if orientation == 7:
        across = cv2.transpose(pixels)
        return cv2.flip(across, -1, dst=across)
    return pixels


def tiff_file(strips: Sequence[bytes], tags: dict[int, tuple[int, ...] | bytes]) -> bytes:
    """Return a little-endian TIFF file of one image.

    Parameters
    ----------
    strips
        The strips as they are stored; the tags that say where they lie are added.
    tags
        Whole numbers (stored as 32 bits) or bytes by tag.
    """
    lengths = [len(strip) for strip in strips]
    offsets = [8 + before for before in itertools.accumulate([0, *lengths[:-1]])]
    tags = tags | {STRIP_OFFSETS: tuple(offsets), STRIP_BYTES: tuple(lengths)}
    start = 8 + sum(lengths)
    extra_at = start + 2 + _ENTRY_BYTES * len(tags) + 4
    directory, extra = struct.pack("<H", len(tags)), b""
    for tag, values in sorted(tags.items()):
        raw = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}I", *values)
        place = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<I", extra_at + len(extra))
        directory += struct.pack("<HHI", tag, 7 if isinstance(values, bytes) else 4, len(values)) + place
        extra += raw if len(raw) > 4 else b""
    return b"".join([b"II*\0", struct.pack("<I", start), *strips, directory, bytes(4), extra])


def _values_at(data: bytes, order: str, entry: int, row: tuple[int, int, int]) -> int | None:
    """Return where the values of an entry lie; None for kinds that no reader here needs (fractions, floats)."""
    _, kind, count = row
    if kind not in _SIZES:
        return None
    size = count * _SIZES[kind]
    offset: int = entry + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
    if offset + size > len(data):
        raise InputError(f"tag {row[0]} of its TIFF directory lies outside the data: the file is truncated or damaged")
    return offset
