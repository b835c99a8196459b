"""Label images: the number of a class per pixel, in a PNG that people can look at too.

    write_labels("street.png", labels, class_palette(11))
    labels = read_labels("street.png")                      # the numbers, not the colors

The palette of an indexed PNG is for viewers alone: what is stored is the number, and that is what comes back. OpenCV
knows neither; so an indexed PNG is turned into a gray one with the same samples for it, and the other way round.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.files import Source, read_bytes
from salticid.core.image import MAX_PIXELS, open_picture
from salticid.core.image_encode import encode
from salticid.core.image_header import Header, read_header
from salticid.core.types import Array, Image
from salticid.errors import InputError

_SIGNATURE_BYTES = 8
_COLOR_TYPE = 9  # offset in IHDR
_GRAY, _INDEXED = 0, 3
_FILE_BYTES_PER_PIXEL, _LEAST_BYTES = 4, 64_000_000  # of max_pixels: larger files are not read

Chunk = tuple[bytes, bytes]  # kind, content


def write_labels(path: str | os.PathLike[str], labels: Image, palette: Array, *, overwrite: bool = True) -> None:
    """Write labels as an indexed PNG, in one step.

    Parameters
    ----------
    path
        Ends in .png.
    labels
        (H, W) uint8.
    palette
        (N, 3) uint8 RGB, N at most 256; labels beyond it are shown black.

    Raises
    ------
    InputError
        Another suffix, other arrays, or the file exists and `overwrite` is false.
    """
    if os.fspath(path)[-4:].lower() != ".png":
        raise InputError(f"cannot write {os.fspath(path)}: label images are PNG files, name it .png")
    if labels.dtype != np.uint8 or labels.ndim != 2 or not labels.size:
        raise InputError(f"labels must be (H, W) uint8 and not empty, not {labels.shape} {labels.dtype}")
    if palette.dtype != np.uint8 or palette.ndim != 2 or palette.shape[1] != 3 or not 1 <= len(palette) <= 256:
        raise InputError(f"palette must be (1 to 256, 3) uint8, not {palette.shape} {palette.dtype}")
    shown = np.zeros((max(len(palette), int(labels.max()) + 1), 3), np.uint8)  # a file with others is not valid
    shown[: len(palette)] = palette
    samples = np.ascontiguousarray(labels)[..., None]
    gray = encode("PNG", samples, icc=None, exif=None, png_level=1, jpeg_quality=95)
    head, *rest = _chunks(gray)
    write_bytes(path, _png([_with_color_type(head, _INDEXED), (b"PLTE", shown.tobytes()), *rest]), overwrite=overwrite)


def read_labels(source: Source, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read the number of the class of every pixel, (H, W) uint8.

    An indexed PNG gives its indices, whatever colors it shows them in; a gray image the values that are stored.

    Parameters
    ----------
    source
        A path, or the bytes of a file.
    max_pixels
        Most pixels that the header may declare.

    Raises
    ------
    InputError
        The file cannot be read, is truncated, a JPEG, or holds colors or values above 255, which are no class numbers.
    """
    data, name = read_bytes(source, max_bytes=max(max_pixels * _FILE_BYTES_PER_PIXEL, _LEAST_BYTES))
    header = read_header(data, name)
    if header.format == "JPEG":
        raise InputError(f"{name} is a JPEG, which changes numbers: labels need a format without loss, such as PNG")
    indexed = header.format == "PNG" and _color_type(data) == _INDEXED
    whole = open_picture(source, max_pixels=max_pixels)  # refuses what is damaged, by its name
    pixels = open_picture(_as_gray(data), max_pixels=max_pixels).pixels if indexed else whole.pixels
    if pixels.ndim != 2:
        raise InputError(f"{name} holds colors, and labels are one number per pixel: save it as gray or indexed PNG")
    if pixels.max() > np.iinfo(np.uint8).max:
        raise InputError(f"{name} holds values up to {pixels.max()}; labels go from 0 to 255")
    return _stored(pixels, header).astype(np.uint8, copy=False)


def resize_labels(labels: Image, width: int, height: int) -> Image:
    """Return labels (H, W) uint8 at another size, each that of the pixel nearest to its middle."""
    if labels.shape == (height, width):
        return labels
    return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _stored(pixels: Array, header: Header) -> Array:
    """Undo that fewer than 8 bits are spread over 0 to 255 when they are decoded."""
    if header.format != "PNG" or header.bits >= 8:
        return pixels
    return pixels // (255 // ((1 << header.bits) - 1))


def _color_type(data: bytes) -> int:
    _, head = next(_chunks(data))
    return head[_COLOR_TYPE]


def _as_gray(data: bytes) -> bytes:
    """Return an indexed PNG as a gray one of the same samples."""
    head, *rest = _chunks(data)
    pixels = [chunk for chunk in rest if chunk[0] in (b"IDAT", b"IEND")]
    return _png([_with_color_type(head, _GRAY), *pixels])


def _with_color_type(head: Chunk, color_type: int) -> Chunk:
    kind, content = head
    return kind, content[:_COLOR_TYPE] + bytes([color_type]) + content[_COLOR_TYPE + 1 :]


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG that is known to be whole."""
    at = _SIGNATURE_BYTES
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _png(chunks: list[Chunk]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in chunks:
        parts.append(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return b"".join(parts)
