"""Take a compressed image file apart: is it all there, which colors does it promise, what is the picture itself?

A walk over the blocks of the file finds its end (a decoder fills a truncated picture with gray and says
nothing), checks the checksums, and keeps only the blocks that make the pixels of the first picture. The decoder
never sees texts, thumbnails, profiles or animations, where most of its complexity lies.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from salticid.core.image_header import JPEG_FRAMES, JPEG_SCAN, Format, Header, jpeg_segments, webp_frame_size
from salticid.errors import InputError

_log = logging.getLogger(__name__)

_TRUNCATED = "it is truncated: its copy or download did not finish"
_MAX_PROFILE_BYTES = 1 << 24
_EXIF_MARK, _ICC_MARK = b"Exif\0\0", b"ICC_PROFILE\0"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG_DECODED = {1: 1, 2: 4, 3: 3, 4: 4}  # OpenCV makes BGRA of gray with alpha
_PNG_ONCE = (b"IHDR", b"PLTE", b"tRNS", b"IEND")

_JPEG_KEPT = JPEG_FRAMES | {JPEG_SCAN, 0xC4, 0xDB, 0xDD, 0xE0, 0xEE}  # tables, restart interval, JFIF, Adobe
_JPEG_EXIF, _JPEG_ICC, _JPEG_ADOBE = 0xE1, 0xE2, 0xEE
_MAX_JPEG_APPS = 255  # of one kind that are looked at: as many pieces as a profile may have
_MAX_JPEG_SCANS = 64  # encoders write up to about 20, and each one passes over the whole picture again

_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, 0x3B
_GIF_CONTROL = b"\x21\xf9\x04"
_GIF_HAS_TABLE = 0x80

_WEBP_ALPHA = 0x10
_WEBP_LEAST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a complete image file."""

    stream: bytes | bytearray  # the first picture and nothing else, for the decoder
    channels: int  # 1, 3 or 4, that OpenCV decodes it to
    icc: bytes | None = None
    exif: bytes | None = None
    scans: int = 1  # JPEG: with more than one the decoder holds all coefficients in memory
    corner: tuple[int, int] = (0, 0)  # GIF, WebP: x, y of the first frame on the canvas
    clear_gray: int | None = None  # PNG: the stored gray value that stands for transparent


def open_body(data: bytes, header: Header) -> Body:
    """Take apart a PNG, JPEG, GIF or WebP file.

    Raises
    ------
    InputError
        The file is truncated or damaged, or holds what the decoder must not see.
    """
    try:
        return _OPENERS[header.format](data, header)
    except (struct.error, IndexError) as error:
        raise InputError(_TRUNCATED) from error


def _open_png(data: bytes, header: Header) -> Body:
    stream = bytearray(_PNG_SIGNATURE)
    found: dict[bytes, memoryview] = {}
    for kind, content, chunk in _png_chunks(data):
        if kind in found and kind in _PNG_ONCE:
            raise InputError(f"it has two {kind.decode()} chunks")
        if kind not in _PNG_KEPT and not kind[0] & 0x20:
            raise InputError(f"its critical chunk {kind!r} is not known")
        if kind in _PNG_KEPT:
            stream += chunk
        found.setdefault(kind, content)
    clear = found.get(b"tRNS")
    return Body(
        stream,
        channels=4 if clear and header.channels == 3 else _PNG_DECODED[header.channels],
        icc=_png_profile(bytes(found.get(b"iCCP", b""))),
        exif=bytes(found[b"eXIf"]) if b"eXIf" in found else None,
        clear_gray=struct.unpack_from(">H", clear)[0] if clear and header.channels == 1 else None,
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Yield (kind, content, whole chunk) up to IEND."""
    view, position, kind = memoryview(data), len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            raise InputError(f"its chunk {kind!r} does not match its checksum: it is damaged")
        yield kind, view[position + 8 : end - 4], view[position:end]
        position = end


def _png_profile(chunk: bytes) -> bytes | None:
    """Return the profile of an iCCP chunk, which holds a name, 0, the method and zlib data."""
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(chunk[chunk.find(b"\0") + 2 :], _MAX_PROFILE_BYTES) if chunk else None
    except zlib.error:
        profile = None
    if chunk and not inflater.eof:
        _log.warning("the ICC profile of a PNG is damaged and was left out")
        return None
    return profile


def _open_jpeg(data: bytes, header: Header) -> Body:
    stream = bytearray(b"\xff\xd8")
    seen: Counter[int] = Counter()
    apps: dict[int, list[bytes]] = {_JPEG_EXIF: [], _JPEG_ICC: [], _JPEG_ADOBE: []}
    for marker, content, whole in jpeg_segments(data):
        seen[marker] += 1
        if marker in apps and len(apps[marker]) < _MAX_JPEG_APPS:
            apps[marker].append(bytes(content))
        if marker in _JPEG_KEPT:
            stream += whole
    stream += b"\xff\xd9"
    _check_jpeg(seen, len(data), header)
    inks = header.channels == 4
    if inks and not any(content.startswith(b"Adobe") for content in apps[_JPEG_ADOBE]):
        raise InputError("its four inks are not marked as Adobe's: convert it to RGB first")
    exif = next((content[6:] for content in apps[_JPEG_EXIF] if content.startswith(_EXIF_MARK)), None)
    # A profile of inks says nothing about the RGB pixels that are made of them.
    icc = None if inks else _jpeg_profile(apps[_JPEG_ICC])
    return Body(stream, min(header.channels, 3), icc, exif, scans=seen[JPEG_SCAN])


def _check_jpeg(seen: Counter[int], size: int, header: Header) -> None:
    """Refuse what would cost the decoder much, or give gray in place of a picture."""
    if seen[JPEG_SCAN] == 0:
        raise InputError("it ends before any picture data")
    if seen[JPEG_SCAN] > _MAX_JPEG_SCANS:
        raise InputError(f"it has {seen[JPEG_SCAN]} scans, more than the {_MAX_JPEG_SCANS} that are read")
    if sum(seen[marker] for marker in JPEG_FRAMES) != 1:
        raise InputError("it has more than one frame header")
    # Every block of 8 x 8 pixels takes at least one bit, of its mean.
    if size * 8 * 64 < header.pixels:
        raise InputError(f"{_TRUNCATED} ({size:,} bytes cannot hold {header.width} x {header.height} pixels)")


def _jpeg_profile(parts: list[bytes]) -> bytes | None:
    """Join an ICC profile from its APP2 segments: mark, number from 1, how many (ICC.1:2022, annex B.4)."""
    parts = [part for part in parts if part.startswith(_ICC_MARK) and len(part) > 14]
    pieces = {part[12]: part[14:] for part in parts}
    if not pieces:
        return None
    if sorted(pieces) != list(range(1, parts[0][13] + 1)):
        _log.warning("the ICC profile of a JPEG is not complete and was left out")
        return None
    return b"".join(pieces[number] for number in sorted(pieces))


def _open_gif(data: bytes, header: Header) -> Body:
    shared = _gif_table(data, 10, 13)
    control = b""
    frame: tuple[int, int] | None = None
    position = 13 + len(shared)
    while data[position] != _GIF_END:
        start, position = position, _gif_block_end(data, position)
        if frame is None and data.startswith(_GIF_CONTROL, start) and position == start + 8:
            control = data[start:position]
        if frame is None and data[start] == _GIF_IMAGE:
            frame = (start, position)
    if frame is None:
        raise InputError("it holds no picture")
    return _gif_still(data, header, shared, control, frame)


def _gif_block_end(data: bytes, position: int) -> int:
    """Return where a block ends: after its head come pieces with their length in front, the last one empty."""
    if data[position] not in (_GIF_EXTENSION, _GIF_IMAGE):
        raise InputError(f"byte {position} begins no block: it is damaged")
    is_image = data[position] == _GIF_IMAGE
    position += 11 + len(_gif_table(data, position + 9, position + 10)) if is_image else 2
    while data[position]:
        position += 1 + data[position]
    return position + 1


def _gif_table(data: bytes, flags_at: int, start: int) -> bytes:
    """Return the color table that the flags announce, or nothing."""
    flags = data[flags_at]
    return data[start : start + (6 << (flags & 7))] if flags & _GIF_HAS_TABLE else b""


def _gif_still(data: bytes, header: Header, shared: bytes, control: bytes, frame: tuple[int, int]) -> Body:
    """Return a GIF of the one frame, on a screen as large as it."""
    start, end = frame
    if not shared and not data[start + 9] & _GIF_HAS_TABLE:
        raise InputError("its first frame has no colors")
    x, y, width, height = struct.unpack_from("<HHHH", data, start + 1)
    _check_frame(x, y, width, height, header)
    view = memoryview(data)
    size = view[start + 5 : start + 9]
    moved = (view[start : start + 1], bytes(4), view[start + 5 : end])
    stream = b"".join([data[:6], size, data[10:13], shared, control, *moved, bytes([_GIF_END])])
    return Body(stream, channels=4, corner=(x, y))


def _check_frame(x: int, y: int, width: int, height: int, header: Header) -> None:
    if not (width and height and x + width <= header.width and y + height <= header.height):
        canvas = f"{header.width} x {header.height}"
        raise InputError(f"its first frame, {width} x {height} at ({x}, {y}), does not fit the canvas of {canvas}")


def _open_webp(data: bytes, header: Header) -> Body:
    (size,) = struct.unpack_from("<I", data, 4)
    if 8 + size > len(data):
        raise InputError(_TRUNCATED)
    chunks = webp_chunks(memoryview(data)[12 : 8 + size])
    icc, exif, corner = chunks.get(b"ICCP"), chunks.get(b"EXIF"), (0, 0)
    if b"ANMF" in chunks:
        frame = chunks[b"ANMF"]
        corner = (2 * int.from_bytes(frame[0:3], "little"), 2 * int.from_bytes(frame[3:6], "little"))
        chunks = webp_chunks(frame[16:])
    kind = b"VP8L" if b"VP8L" in chunks else b"VP8 "
    if kind not in chunks:
        raise InputError("it holds no picture")
    width, height, channels = webp_frame_size(kind, chunks[kind][:10])
    _check_frame(*corner, width, height, header)
    return Body(
        _webp_still(kind, chunks, width, height),
        channels=4 if b"ALPH" in chunks else channels,
        icc=bytes(icc) if icc else None,
        exif=bytes(exif).removeprefix(_EXIF_MARK) if exif else None,
        corner=corner,
    )


def webp_chunks(data: memoryview) -> dict[bytes, memoryview]:
    """Return the first chunk of each kind; a chunk is padded to even length."""
    chunks: dict[bytes, memoryview] = {}
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > len(data):
            raise InputError(_TRUNCATED)
        chunks.setdefault(kind, data[position + 8 : position + 8 + length])
        position += 8 + length + (length & 1)
    return chunks


def webp_file(parts: Sequence[tuple[bytes, bytes | memoryview]]) -> bytes:
    """Put a WebP file together from (kind, content)."""
    pieces: list[bytes | memoryview] = []
    for kind, content in parts:
        pieces += [struct.pack("<4sI", kind, len(content)), content, bytes(len(content) & 1)]
    size = 4 + sum(len(piece) for piece in pieces)
    # Below a certain size OpenCV refuses a file unseen; what follows the end does not matter.
    filling = bytes(max(0, _WEBP_LEAST_BYTES - 8 - size))
    return b"".join([struct.pack("<4sI4s", b"RIFF", size, b"WEBP"), *pieces, filling])


def _webp_still(kind: bytes, chunks: dict[bytes, memoryview], width: int, height: int) -> bytes:
    """Return a WebP file of one picture without anything beside it."""
    parts: list[tuple[bytes, bytes | memoryview]] = [(kind, chunks[kind])]
    if kind == b"VP8 " and b"ALPH" in chunks:
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        parts = [(b"VP8X", struct.pack("<I", _WEBP_ALPHA) + sides), (b"ALPH", chunks[b"ALPH"]), *parts]
    return webp_file(parts)


_OPENERS: dict[Format, Callable[[bytes, Header], Body]] = {
    "PNG": _open_png,
    "JPEG": _open_jpeg,
    "GIF": _open_gif,
    "WebP": _open_webp,
}
