"""What an image file says about itself, read before anything is decoded.

A few bytes can ask for gigabytes: 122 KB of PNG can declare 32000 x 32000 pixels. Each format has a small
parser of its own on the bytes, so the size is known, and limited, before a decoder sees the file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, get_args

from salticid.core.files import looks_like
from salticid.core.image_ifd import read_ifd
from salticid.errors import InputError

Format = Literal["PNG", "JPEG", "BMP", "GIF", "TIFF", "WebP", "PNM"]

SUFFIXES: dict[str, Format] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".ppm": "PNM",
    ".pgm": "PNM",
    ".pbm": "PNM",
    ".pnm": "PNM",
}

_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # color type: channels; a palette holds RGB
_PNG_BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive; all Huffman
JPEG_SCAN, JPEG_END = 0xDA, 0xD9
_JPEG_OTHER_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC0, 0xC1, 0xC2, 0xC4, 0xC8, 0xCC})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_JPEG_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # 00 is a stuffed byte, D0-D7 are restarts
_BMP_CORE, _BMP_INFO = 12, 40  # bytes of the OS/2 and of the Windows header
_PNM_TOKEN = re.compile(rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+(\d{1,9})(?=\s)")
_MAX_SIDE = 1 << 20  # no decoder goes further


@dataclass(frozen=True, slots=True)
class Header:
    """What the file declares: the stored size, before any EXIF orientation is applied."""

    format: Format
    width: int
    height: int
    channels: int  # 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha (JPEG: CMYK); a palette counts as RGB
    bits: int  # per sample as stored

    def __post_init__(self) -> None:
        if not (1 <= self.width <= _MAX_SIDE and 1 <= self.height <= _MAX_SIDE):
            raise InputError(f"it declares {self.width} x {self.height} pixels; each side must be 1..{_MAX_SIDE}")

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def read_header(data: bytes, name: str = "the data given") -> Header:
    """Read what an image file declares, without decoding it.

    Parameters
    ----------
    data
        The whole file.
    name
        What messages call it, usually its path; when it ends in the suffix of another format, that is an error.

    Raises
    ------
    InputError
        It is not an image that salticid reads, it is mislabeled, or its header is truncated or impossible.
    """
    kind = _format_of(data)
    if kind is None:
        raise InputError(
            f"{name} is not an image that salticid reads: it looks like {looks_like(data)}; "
            f"give {', '.join(get_args(Format)[:-1])} or {get_args(Format)[-1]}"
        )
    _refuse_wrong_suffix(name, kind)
    try:
        return _PARSERS[kind](data)
    except struct.error as error:
        raise InputError(f"{name} is truncated: its {kind} header is not complete") from error
    except InputError as error:
        raise InputError(f"{name} is not a {kind} image that salticid reads: {error}") from error


def jpeg_segments(data: bytes) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Walk a JPEG up to its end-of-image marker.

    Yields
    ------
    marker, content, whole
        `whole` starts with the marker; that of a scan goes on through its compressed data.
    """
    view, position = memoryview(data), 2
    while True:
        start = position
        marker, position = _jpeg_marker(data, position)
        if marker == JPEG_END:
            return
        if marker in _JPEG_BARE:
            continue
        content_end = end = position + struct.unpack_from(">H", data, position)[0]
        if marker == JPEG_SCAN:
            after = _JPEG_AFTER_SCAN.search(data, content_end)
            end = after.start() if after else len(data) + 1
        if end > len(data):
            raise InputError("it is truncated: there is no end-of-image marker")
        yield marker, view[position + 2 : content_end], view[start:end]
        position = end


def pnm_fields(data: bytes) -> tuple[list[int], int]:
    """Return the numbers of a PNM header (width, height[, maximum]) and where the samples start."""
    fields: list[int] = []
    position = 2
    while len(fields) < (2 if data[1:2] in b"14" else 3):
        found = _PNM_TOKEN.match(data, position)
        if not found:
            raise InputError("its header lacks the width, height or maximum")
        fields.append(int(found[1]))
        position = found.end()
    return fields, position + 1


def _format_of(data: bytes) -> Format | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    if re.match(rb"P[1-6][ \t\r\n#]", data):
        return "PNM"
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    return None


def _refuse_wrong_suffix(name: str, kind: Format) -> None:
    path = PurePath(name)
    if SUFFIXES.get(path.suffix.lower(), kind) != kind:
        right = next(suffix for suffix, its in SUFFIXES.items() if its == kind)
        raise InputError(f"{name} holds a {kind} image, not {path.suffix}: rename it to {path.with_suffix(right).name}")


def _png(data: bytes) -> Header:
    length, kind, width, height, bits, color = struct.unpack_from(">I4sIIBB", data, 8)
    if (length, kind) != (13, b"IHDR"):
        raise InputError("it does not begin with an IHDR chunk")
    if bits not in _PNG_BITS.get(color, ()):
        raise InputError(f"color type {color} with {bits} bits does not exist")
    return Header("PNG", width, height, _PNG_CHANNELS[color], bits)


def _jpeg(data: bytes) -> Header:
    for marker, content, _ in jpeg_segments(data):
        if marker in _JPEG_OTHER_FRAMES:
            raise InputError(f"lossless, hierarchical and arithmetic JPEG (SOF{marker - 0xC0}) are not supported")
        if marker in JPEG_FRAMES:
            bits, height, width, components = struct.unpack_from(">BHHB", content)
            if bits != 8 or components not in (1, 3, 4):
                raise InputError(f"{components} components of {bits} bits are not supported; 1, 3 or 4 of 8 bits are")
            return Header("JPEG", width, height, components, bits)
    raise InputError("it has no frame header")


def _jpeg_marker(data: bytes, position: int) -> tuple[int, int]:
    """Return the marker at `position` and where its content starts; 0xFF may be repeated as filling."""
    if data[position : position + 1] not in (b"\xff", b""):
        raise InputError(f"no marker at byte {position}")
    while data[position : position + 1] == b"\xff":
        position += 1
    (marker,) = struct.unpack_from("B", data, position)
    return marker, position + 1


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == _BMP_CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        return Header("BMP", width, height, 3, bits)
    if not _BMP_INFO <= size <= 124:
        raise InputError(f"its header has {size} bytes; 12 and 40 to 124 are known")
    width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    return Header("BMP", width, abs(height), 4 if bits == 32 else 3, bits)


def _gif(data: bytes) -> Header:
    width, height = struct.unpack_from("<HH", data, 6)
    return Header("GIF", width, height, 3, 8)


def _tiff(data: bytes) -> Header:
    ifd = read_ifd(data)
    bits = ifd.numbers(258)
    if bits.size and (bits != bits[0]).any():
        raise InputError("its samples differ in bits")
    palette = ifd.number(262, 1) == 3
    channels = 3 if palette else ifd.number(277, 1)
    if not 1 <= channels <= 4:
        raise InputError(f"it has {channels} samples per pixel; 1 to 4 are supported")
    return Header("TIFF", ifd.number(256), ifd.number(257), channels, int(bits[0]) if bits.size else 1)


def _webp(data: bytes) -> Header:
    (kind,) = struct.unpack_from("4s", data, 12)
    if kind == b"VP8X":
        flags, width, height = struct.unpack_from("<I3s3s", data, 20)
        sides = [int.from_bytes(side, "little") + 1 for side in (width, height)]
        return Header("WebP", sides[0], sides[1], 4 if flags & 0x10 else 3, 8)
    frame_width, frame_height, channels = webp_frame_size(kind, data[20:30])
    return Header("WebP", frame_width, frame_height, channels, 8)


def webp_frame_size(kind: bytes, content: bytes | memoryview) -> tuple[int, int, int]:
    """Return width, height and channels that a `VP8 ` or `VP8L` chunk declares in its first 10 bytes."""
    if kind == b"VP8 ":
        tag, width, height = struct.unpack_from("<3x3sHH", content)
        if tag != b"\x9d\x01\x2a":
            raise InputError("its VP8 frame has no start code")
        return width & 0x3FFF, height & 0x3FFF, 3
    if kind == b"VP8L":
        mark, packed = struct.unpack_from("<BI", content)
        if mark != 0x2F:
            raise InputError("its VP8L frame has no start code")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, 4 if packed >> 28 & 1 else 3
    raise InputError(f"chunk {kind!r} stands where the picture should begin")


def _pnm(data: bytes) -> Header:
    fields, _ = pnm_fields(data)
    width, height, maximum = (*fields, 1)[:3]
    if not 1 <= maximum <= 65535:
        raise InputError(f"its maximum is {maximum}; 1 to 65535 are allowed")
    bits = 1 if data[1:2] in b"14" else 8 if maximum < 256 else 16
    return Header("PNM", width, height, 3 if data[1:2] in b"36" else 1, bits)


_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
)
_PARSERS: dict[Format, Callable[[bytes], Header]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "BMP": _bmp,
    "GIF": _gif,
    "TIFF": _tiff,
    "WebP": _webp,
    "PNM": _pnm,
}
