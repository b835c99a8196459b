"""PNM pictures (PBM, PGM, PPM; P1 to P6), decoded and encoded.

The Netpbm formats: a short header, then samples as text (P1-P3) or bytes (P4-P6) between 0 and a maximum. OpenCV
reads no text that ends without a line feed, and does not scale a maximum other than 255 or 65535.
"""

from __future__ import annotations

import re

import numpy as np

from salticid.core.image_header import Header, pnm_fields
from salticid.core.types import Array
from salticid.errors import InputError

_COMMENT = re.compile(rb"#[^\r\n]*")
_SPACE = b" \t\r\n\v\f"
_TEXT_KINDS = b"123"
_LOOK_UP_STEP = 1 << 20  # numpy looks up with 64-bit indices: in pieces they need little memory


def pnm_peak_bytes(data: bytes, header: Header) -> int:
    """Return about how much memory `decode_pnm` takes; text is parsed into 32-bit numbers."""
    text = 4 * len(data) if data[1] in _TEXT_KINDS else 0
    return text + header.pixels * header.channels * {1: 3, 8: 1, 16: 2}[header.bits]


def decode_pnm(data: bytes, header: Header) -> Array:
    """Decode a PNM file to (H, W) or (H, W, 3) RGB, uint8, or uint16 when its maximum is above 255.

    Raises
    ------
    InputError
        The file is truncated, or a sample lies above the maximum.
    """
    fields, start = pnm_fields(data)
    count = header.pixels * header.channels
    kind = data[1:2]
    if kind in b"14":
        read = _text_bits if kind == b"1" else _packed_bits
        return (1 - read(data, start, header)) * np.uint8(255)  # 1 is black
    maximum = fields[2]
    samples = _numbers(data, start, count) if data[1] in _TEXT_KINDS else _bytes(data, start, count, maximum)
    if samples.max() > maximum:
        raise InputError(f"it has a sample of {samples.max()}, above its maximum of {maximum}: it is damaged")
    shape = (header.height, header.width, 3) if header.channels == 3 else (header.height, header.width)
    return _stretch(samples, maximum).reshape(shape)


def encode_pnm(pixels: Array) -> bytes:
    """Return `pixels` (H, W) or (H, W, 3) RGB, uint8 or uint16, as P5 or P6."""
    kind = "P6" if pixels.ndim == 3 else "P5"
    header = f"{kind}\n{pixels.shape[1]} {pixels.shape[0]}\n{np.iinfo(pixels.dtype).max}\n"
    return header.encode() + pixels.astype(pixels.dtype.newbyteorder(">"), copy=False).tobytes()


def _packed_bits(data: bytes, start: int, header: Header) -> Array:
    stride = (header.width + 7) // 8
    rows = _bytes(data, start, stride * header.height, 255).reshape(header.height, stride)
    return np.unpackbits(rows, axis=1, count=header.width)


def _text_bits(data: bytes, start: int, header: Header) -> Array:
    """Return the digits 0 and 1, which need no space between them."""
    digits = _COMMENT.sub(b"", data[start:]).translate(None, _SPACE)[: header.pixels]
    if len(digits) < header.pixels:
        raise InputError(f"it is truncated: it has {len(digits)} of {header.pixels} pixels")
    bits = np.frombuffer(digits, np.uint8) - np.uint8(ord("0"))
    if bits.max() > 1:
        raise InputError("it has a digit other than 0 and 1: it is damaged")
    return bits.reshape(header.height, header.width)


def _numbers(data: bytes, start: int, count: int) -> Array:
    text = _COMMENT.sub(b"", data[start:])
    if text.translate(None, b"0123456789" + _SPACE):
        raise InputError("it has other text than numbers in its samples: it is damaged")
    # Without a count: asked for more numbers than there are, numpy returns memory that nobody wrote.
    numbers = np.fromstring(text.decode("ascii"), np.uint32, sep=" ") if text.strip() else np.empty(0, np.uint32)
    if len(numbers) < count:
        raise InputError(f"it is truncated: it has {len(numbers)} of {count} samples")
    return numbers[:count]


def _bytes(data: bytes, start: int, count: int, maximum: int) -> Array:
    kind = np.dtype(np.uint8) if maximum < 256 else np.dtype(">u2")
    if start + count * kind.itemsize > len(data):
        raise InputError(f"it is truncated: {count * kind.itemsize:,} bytes of pixels are announced")
    return np.frombuffer(data, kind, count, start)


def _stretch(samples: Array, maximum: int) -> Array:
    """Scale 0..maximum to 0..255, or to 0..65535 when the maximum is above 255."""
    kind, top = (np.uint8, 255) if maximum < 256 else (np.uint16, 65535)
    if maximum == top:
        return samples.astype(kind)
    table = np.rint(np.arange(maximum + 1) * (top / maximum)).astype(kind)
    result = np.empty(samples.shape, kind)
    for start in range(0, len(samples), _LOOK_UP_STEP):
        piece = slice(start, start + _LOOK_UP_STEP)
        result[piece] = table[samples[piece]]
    return result
