"""Decode BMP pictures without run-length coding: palettes, 16 to 32 bits, color masks.

The samples lie bare in the file, so numpy reads them; OpenCV ignores color masks and maps 31 of 5 bits to 248.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np

from salticid.core.image_header import Header
from salticid.core.types import Array
from salticid.errors import InputError

_CORE_HEADER_BYTES = 12  # OS/2: 16-bit sides, palette entries of 3 bytes
_PLAIN, _MASKS, _MASKS_WITH_ALPHA = 0, 3, 6
_MASKS_AT, _HEADER_WITH_ALPHA = 54, 56  # where masks lie in the file; from this header size on there are four
_USUAL_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


def decode_bmp(data: bytes, header: Header) -> tuple[Array, Array | None]:
    """Decode a BMP file.

    Returns
    -------
    pixels, alpha
        (H, W) where the palette is gray, else (H, W, 3) RGB; (H, W) where there is a mask for alpha, else None.

    Raises
    ------
    InputError
        The file is truncated, or run-length coded.
    """
    offset, header_bytes = struct.unpack_from("<II", data, 10)
    top_down = header_bytes != _CORE_HEADER_BYTES and struct.unpack_from("<i", data, 22)[0] < 0
    rows = _rows(data, offset, header)
    if not top_down:
        rows = rows[::-1]
    coding = struct.unpack_from("<I", data, 30)[0] if header_bytes != _CORE_HEADER_BYTES else _PLAIN
    if coding not in (_PLAIN, _MASKS, _MASKS_WITH_ALPHA):
        raise InputError(f"its run-length or embedded coding {coding} is not supported; save it uncompressed or as PNG")
    if header.bits in (1, 4, 8):
        return _look_up(_indices(rows, header), _palette(data, header_bytes, offset)), None
    if header.bits == 24:
        return np.ascontiguousarray(rows[:, : 3 * header.width].reshape(header.height, -1, 3)[..., ::-1]), None
    if header.bits in (16, 32):
        return _masked(rows, header, _masks(data, header_bytes, coding, header.bits))
    raise InputError(f"{header.bits} bits per pixel do not exist")


def _rows(data: bytes, offset: int, header: Header) -> Array:
    """Return the stored rows as bytes; each is padded to a multiple of four."""
    stride = (header.width * header.bits + 31) // 32 * 4
    if offset + stride * header.height > len(data):
        raise InputError(f"it is truncated: {stride * header.height:,} bytes of pixels are announced")
    return np.frombuffer(data, np.uint8, stride * header.height, offset).reshape(header.height, stride)


def _indices(rows: Array, header: Header) -> Array:
    if header.bits == 8:
        return rows[:, : header.width]
    if header.bits == 4:
        return np.stack([rows >> 4, rows & 15], axis=-1).reshape(header.height, -1)[:, : header.width]
    return np.unpackbits(rows, axis=1, count=header.width)


def _palette(data: bytes, header_bytes: int, offset: int) -> Array:
    """Return the palette as (256, 3) RGB; entries that the file lacks are black."""
    entry = 3 if header_bytes == _CORE_HEADER_BYTES else 4
    stored = data[14 + header_bytes : min(offset, 14 + header_bytes + 256 * entry)]
    count = len(stored) // entry
    table = np.zeros((256, 3), np.uint8)
    table[:count] = np.frombuffer(stored, np.uint8, count * entry).reshape(count, entry)[:, 2::-1]
    return table


def _look_up(indices: Array, table: Array) -> Array:
    red, green, blue = np.ascontiguousarray(table.T)
    indices = np.ascontiguousarray(indices)
    if (red == green).all() and (green == blue).all():
        return cv2.LUT(indices, red)
    return cv2.merge([cv2.LUT(indices, column) for column in (red, green, blue)])


def _masks(data: bytes, header_bytes: int, coding: int, bits: int) -> tuple[int, ...]:
    """Return the masks of red, green, blue and alpha."""
    if coding == _PLAIN:
        return _USUAL_MASKS[bits]
    count = 4 if header_bytes >= _HEADER_WITH_ALPHA or coding == _MASKS_WITH_ALPHA else 3
    if len(data) < _MASKS_AT + 4 * count:
        raise InputError("it is truncated: its color masks are missing")
    return (*struct.unpack_from(f"<{count}I", data, _MASKS_AT), 0)[:4]


def _masked(rows: Array, header: Header, masks: tuple[int, ...]) -> tuple[Array, Array | None]:
    words = rows[:, : header.width * header.bits // 8].view(f"<u{header.bits // 8}")
    pixels = np.empty((*words.shape, 3), np.uint8)
    alpha = np.empty(words.shape, np.uint8) if masks[3] else None
    for channel, mask in enumerate(masks[:3]):
        _pick(words, mask, pixels[..., channel])
    if alpha is not None:
        _pick(words, masks[3], alpha)
    return pixels, alpha


def _pick(words: Array, mask: int, out: Array) -> None:
    """Write the bits of `mask`, stretched to 0..255, to `out`; row by row, so that little memory is needed."""
    shift = max(mask & -mask, 1).bit_length() - 1
    top = mask >> shift
    if top & (top + 1) or top > 0xFFFF or mask >> 8 * words.itemsize:
        raise InputError(f"its color mask {mask:#x} is not supported")
    for row, target in zip(words, out, strict=True):
        target[...] = np.rint(((row & mask) >> shift) * (255 / max(top, 1)))
