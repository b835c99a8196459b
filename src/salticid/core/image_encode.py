"""Encode pictures so that nothing is silently reduced: what a format cannot hold is an error with a way out.

OpenCV encodes the pixels; the color profile and EXIF are put beside them here (PNG 3rd edition, 11.3; EXIF 2.32;
ICC.1:2022, annex B; the WebP container specification). TIFF and PNM are written here as a whole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from salticid.core.image_body import webp_chunks, webp_file
from salticid.core.image_header import Format, webp_frame_size
from salticid.core.image_ifd import tiff_file
from salticid.core.image_pnm import encode_pnm
from salticid.core.image_tiff import BLACK_IS_ZERO, DEFLATE, ICC, RGB, STRAIGHT
from salticid.core.types import Array
from salticid.errors import InputError

_PNG_HEAD_BYTES = 33  # the signature and IHDR
_JPEG_CONTENT = 65533  # bytes that a segment holds beside its length
_ICC_HEAD = b"ICC_PROFILE\0"
_EXIF_HEAD = b"Exif\0\0"
_WEBP_EXIF, _WEBP_ALPHA, _WEBP_ICC = 0x08, 0x10, 0x20
_TIFF_STRIP_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class _Holds:
    """What a format can hold."""

    max_side: int
    deep: bool = False  # 16 bits
    alpha: bool = False
    icc: bool = False
    exif: bool = False


_FORMATS: dict[Format, _Holds] = {
    "PNG": _Holds(1_000_000, deep=True, alpha=True, icc=True, exif=True),
    "TIFF": _Holds(1_000_000, deep=True, alpha=True, icc=True),
    "WebP": _Holds(16_383, alpha=True, icc=True, exif=True),
    "JPEG": _Holds(65_500, icc=True, exif=True),
    "PNM": _Holds(1_000_000, deep=True),
    "BMP": _Holds(32_767),
}
_LOSSES = {
    "deep": "holds 8 bits, not 16: write {others}, or convert with to_uint8() first",
    "alpha": "holds no transparency: write {others}, or leave it out (alpha=None)",
    "icc": "holds no color profile: write {others}, or leave it out (icc=None)",
    "exif": "holds no EXIF: write {others}, or leave it out (exif=None)",
}


def holds_exif(kind: Format) -> bool:
    """Return whether a `kind` file can be written with EXIF."""
    return kind in _FORMATS and _FORMATS[kind].exif


def check_holds(
    kind: Format, samples: Array, icc: bytes | None, exif: bytes | None, size: tuple[int, int] | None = None
) -> None:
    """Raise `InputError` when a `kind` file would lose something of the picture.

    Parameters
    ----------
    samples
        (H, W, C) uint8 or uint16; 2 or 4 channels mean that the last one is alpha.
    size
        Height and width of what will be written; those of the samples by default.
    """
    if kind not in _FORMATS:
        raise InputError(f"salticid does not write {kind}: choose {', '.join(_FORMATS)}")
    holds = _FORMATS[kind]
    longest = max(size or samples.shape[:2])
    if longest > holds.max_side:
        raise InputError(f"{kind} holds at most {holds.max_side} pixels a side, not {longest}: write PNG")
    given = {"deep": samples.dtype == np.uint16, "alpha": samples.shape[2] in (2, 4), "icc": icc, "exif": exif}
    for what, problem in _LOSSES.items():
        if given[what] and not getattr(holds, what):
            others = " or ".join(other for other, its in _FORMATS.items() if getattr(its, what))
            raise InputError(f"{kind} {problem.format(others=others)}")
    if exif and kind == "JPEG" and len(exif) > _JPEG_CONTENT - len(_EXIF_HEAD):
        raise InputError(f"JPEG holds at most 65,527 bytes of EXIF, not {len(exif):,}: write PNG or WebP")


def encode(
    kind: Format, samples: Array, *, icc: bytes | None, exif: bytes | None, png_level: int, jpeg_quality: int
) -> bytes:
    """Return the file of a picture for which `check_holds` passed; WebP is lossless."""
    if kind == "TIFF":
        return _tiff(samples, icc)
    if kind == "PNM":
        return encode_pnm(samples[..., 0] if samples.shape[2] == 1 else samples)
    flags = {
        "PNG": [cv2.IMWRITE_PNG_COMPRESSION, png_level],
        "JPEG": [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality],
        "WebP": [cv2.IMWRITE_WEBP_LOSSLESS_MODE, cv2.IMWRITE_WEBP_LOSSLESS_PRESERVE_COLOR],
    }
    file = _by_opencv(kind, samples, flags.get(kind, []))
    if kind == "PNG":
        return file[:_PNG_HEAD_BYTES] + png_beside(icc, exif) + file[_PNG_HEAD_BYTES:]
    if kind == "JPEG":
        return file[:2] + b"".join(_jpeg_segments(icc, exif)) + file[2:]
    return _webp(file, icc, exif) if kind == "WebP" else file


def _by_opencv(kind: Format, samples: Array, flags: list[int]) -> bytes:
    code = {1: None, 2: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[samples.shape[2]]
    if samples.shape[2] == 2:  # OpenCV writes no gray with alpha
        samples = np.ascontiguousarray(samples[..., [0, 0, 0, 1]])
    bgr = samples if code is None else cv2.cvtColor(samples, code)
    try:
        written, file = cv2.imencode(f".{kind.lower()}", bgr, flags)
    except cv2.error as error:
        raise InputError(f"OpenCV could not encode the picture as {kind}: {error.err}") from error
    if not written:
        raise InputError(f"OpenCV could not encode the picture as {kind}")
    return file.tobytes()


def png_beside(icc: bytes | None, exif: bytes | None) -> bytes:
    """Return the chunks of a color profile and of EXIF, which stand between IHDR and the pixels of a PNG."""
    profile = png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc)) if icc else b""
    return profile + (png_chunk(b"eXIf", exif) if exif else b"")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG: its length, kind, content and checksum."""
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(content)), kind, content, struct.pack(">I", checksum)])


def _jpeg_segments(icc: bytes | None, exif: bytes | None) -> Iterator[bytes]:
    if exif:
        yield _jpeg_segment(0xE1, _EXIF_HEAD + exif)
    step = _JPEG_CONTENT - len(_ICC_HEAD) - 2
    pieces = [icc[start : start + step] for start in range(0, len(icc), step)] if icc else []
    if len(pieces) > 255:
        raise InputError(f"JPEG holds at most {255 * step:,} bytes of color profile: write PNG")
    for number, piece in enumerate(pieces, 1):
        yield _jpeg_segment(0xE2, _ICC_HEAD + bytes([number, len(pieces)]) + piece)


def _jpeg_segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def _webp(file: bytes, icc: bytes | None, exif: bytes | None) -> bytes:
    """Put a profile and EXIF into the file of a still picture, which then needs a VP8X head."""
    if not (icc or exif):
        return file
    frame = webp_chunks(memoryview(file)[12:])[b"VP8L"]
    width, height, channels = webp_frame_size(b"VP8L", frame[:10])
    flags = bool(icc) * _WEBP_ICC + bool(exif) * _WEBP_EXIF + (channels == 4) * _WEBP_ALPHA
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    parts = [(b"VP8X", struct.pack("<I", flags) + sides), (b"ICCP", icc), (b"VP8L", frame), (b"EXIF", exif)]
    return webp_file([(kind, content) for kind, content in parts if content])


def _tiff(samples: Array, icc: bytes | None) -> bytes:
    """Return a TIFF file: strips, Deflate, each sample less the one to its left."""
    height, width, count = samples.shape
    rows = max(1, _TIFF_STRIP_BYTES // samples[0].nbytes)
    steps = samples.astype(samples.dtype.newbyteorder("<"))
    steps[:, 1:] -= samples[:, :-1]
    strips = [zlib.compress(steps[top : top + rows].tobytes(), 1) for top in range(0, height, rows)]
    tags: dict[int, tuple[int, ...] | bytes] = {
        256: (width,),
        257: (height,),
        258: (8 * samples.itemsize,) * count,
        259: (DEFLATE,),
        262: (RGB if count >= 3 else BLACK_IS_ZERO,),
        277: (count,),
        278: (rows,),
        317: (2,),
    }
    if count in (2, 4):
        tags[338] = (STRAIGHT,)
    if icc:
        tags[ICC] = icc
    return tiff_file(strips, tags)
