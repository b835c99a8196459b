"""Take a compressed image file apart: is it all there, which colors does it promise, what is the picture itself?

A walk over the blocks of the file finds its end (a decoder fills a truncated picture with gray and says
nothing), checks the checksums, and keeps only the blocks that make the pixels of the first picture. The decoder
never sees texts, thumbnails, profiles or animations, where most of its complexity lies.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable, Iterator
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
_MAX_JPEG_SCANS = 64  # encoders write up to about 20, and each one passes over the whole picture again

_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, 0x3B
_GIF_CONTROL = b"\x21\xf9\x04"
_GIF_HAS_TABLE = 0x80

_WEBP_ALPHA = 0x10
_WEBP_LEAST_BYTES = 32  # below this OpenCV refuses the file unseen


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a complete image file."""

    stream: bytes  # the first picture and nothing else, for the decoder
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
    kept: list[bytes | memoryview] = [_PNG_SIGNATURE]
    found: dict[bytes, memoryview] = {}
    for kind, content, chunk in _png_chunks(data):
        if kind in _PNG_KEPT:
            kept.append(chunk)
        elif not kind[0] & 0x20:
            raise InputError(f"its critical chunk {kind!r} is not known")
        if kind in _PNG_ONCE and kind in found:
            raise InputError(f"it has two {kind.decode()} chunks")
        found.setdefault(kind, content)
    clear = None
    if header.channels == 1 and b"tRNS" in found:
        (clear,) = struct.unpack_from(">H", found[b"tRNS"])
    exif = bytes(found[b"eXIf"]) if b"eXIf" in found else None
    channels = 4 if b"tRNS" in found and header.channels == 3 else _PNG_DECODED[header.channels]
    return Body(b"".join(kept), channels, _png_profile(bytes(found.get(b"iCCP", b""))), exif, clear_gray=clear)


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
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    found: dict[int, list[bytes]] = {_JPEG_EXIF: [], _JPEG_ICC: [], _JPEG_ADOBE: []}
    seen = []
    for marker, content, whole in jpeg_segments(data):
        seen.append(marker)
        if marker in found:
            found[marker].append(bytes(content))
        if marker in _JPEG_KEPT:
            kept.append(whole)
    scans = seen.count(JPEG_SCAN)
    if scans == 0:
        raise InputError("it ends before any picture data")
    if scans > _MAX_JPEG_SCANS:
        raise InputError(f"it has {scans} scans, more than the {_MAX_JPEG_SCANS} that are read")
    if sum(marker in JPEG_FRAMES for marker in seen) != 1:
        raise InputError("it has more than one frame header")
    if header.channels == 4 and not any(part.startswith(b"Adobe") for part in found[_JPEG_ADOBE]):
        raise InputError("its four inks are not marked as Adobe's: convert it to RGB first")
    exif = next((part[6:] for part in found[_JPEG_EXIF] if part.startswith(_EXIF_MARK)), None)
    # A profile of inks says nothing about the RGB pixels that are made of them.
    icc = _jpeg_profile(found[_JPEG_ICC]) if header.channels != 4 else None
    return Body(b"".join([*kept, b"\xff\xd9"]), min(header.channels, 3), icc, exif, scans)


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
    tables = _gif_table(data, 10, 13)
    control, frame = b"", b""
    position, corner = 13 + len(tables), (0, 0)
    while data[position] != _GIF_END:
        start = position
        if data[position] == _GIF_EXTENSION:
            position = _gif_blocks_end(data, position + 2)
            if not frame and data.startswith(_GIF_CONTROL, start) and position == start + 8:
                control = data[start:position]
        elif data[position] == _GIF_IMAGE:
            table = _gif_table(data, start + 9, start + 10)
            position = _gif_blocks_end(data, start + 11 + len(table))
            if not frame:
                _check_gif_colors(tables, table)
                corner, frame = _gif_frame(data[start:position], header)
        else:
            raise InputError(f"byte {position} begins no block: it is damaged")
    if not frame:
        raise InputError("it holds no picture")
    screen = data[:6] + frame[5:9] + data[10:13]  # as large as the frame
    return Body(screen + tables + control + frame + bytes([_GIF_END]), 4, corner=corner)


def _gif_table(data: bytes, flags_at: int, start: int) -> bytes:
    """Return the color table that the flags announce, or nothing."""
    flags = data[flags_at]
    return data[start : start + (6 << (flags & 7))] if flags & _GIF_HAS_TABLE else b""


def _check_gif_colors(shared: bytes, own: bytes) -> None:
    if not shared and not own:
        raise InputError("its first frame has no colors")


def _gif_blocks_end(data: bytes, position: int) -> int:
    """Step over sub-blocks, each with its length in front, to behind the empty one."""
    while data[position]:
        position += 1 + data[position]
    return position + 1


def _gif_frame(frame: bytes, header: Header) -> tuple[tuple[int, int], bytes]:
    """Return the corner of a frame, and the frame moved to the corner (0, 0)."""
    x, y, width, height = struct.unpack_from("<HHHH", frame, 1)
    _check_frame(x, y, width, height, header)
    return (x, y), frame[:1] + bytes(4) + frame[5:]


def _check_frame(x: int, y: int, width: int, height: int, header: Header) -> None:
    if not (width and height and x + width <= header.width and y + height <= header.height):
        canvas = f"{header.width} x {header.height}"
        raise InputError(f"its first frame, {width} x {height} at ({x}, {y}), does not fit the canvas of {canvas}")


def _open_webp(data: bytes, header: Header) -> Body:
    (size,) = struct.unpack_from("<I", data, 4)
    if 8 + size > len(data):
        raise InputError(_TRUNCATED)
    chunks = webp_chunks(data[12 : 8 + size])
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
    stream = _webp_still(kind, chunks, width, height)
    channels = 4 if b"ALPH" in chunks else channels
    return Body(stream, channels, icc, exif.removeprefix(_EXIF_MARK) if exif else None, corner=corner)


def webp_chunks(data: bytes) -> dict[bytes, bytes]:
    """Return the first chunk of each kind; a chunk is padded to even length."""
    chunks: dict[bytes, bytes] = {}
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > len(data):
            raise InputError(_TRUNCATED)
        chunks.setdefault(kind, data[position + 8 : position + 8 + length])
        position += 8 + length + (length & 1)
    return chunks


def _webp_still(kind: bytes, chunks: dict[bytes, bytes], width: int, height: int) -> bytes:
    """Return a WebP file of one picture without anything beside it."""
    parts = [(kind, chunks[kind])]
    if kind == b"VP8 " and b"ALPH" in chunks:
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        parts = [(b"VP8X", struct.pack("<I", _WEBP_ALPHA) + sides), (b"ALPH", chunks[b"ALPH"]), *parts]
    return webp_file(parts).ljust(_WEBP_LEAST_BYTES, b"\0")


def webp_file(parts: list[tuple[bytes, bytes]]) -> bytes:
    """Put a WebP file together from (kind, content)."""
    chunks = b"".join(
        struct.pack("<4sI", kind, len(content)) + content + bytes(len(content) & 1) for kind, content in parts
    )
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WEBP") + chunks


_OPENERS: dict[Format, Callable[[bytes, Header], Body]] = {
    "PNG": _open_png,
    "JPEG": _open_jpeg,
    "GIF": _open_gif,
    "WebP": _open_webp,
}
