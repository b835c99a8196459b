"""Write a PNG strip by strip, so that a picture that is never whole in memory becomes a file.

    with PngWriter("large.png", (8192, 8192, 3)) as png:
        for strip in strips:
            png.write(strip)

The rows are compressed in blocks of fixed size, each without a look at the ones before it (PNG 3rd edition, 10 and 11;
RFC 1950; RFC 1951: a deflate stream may be cut where a block ends on a whole byte). So threads can compress, and the
file has the same bytes however the rows come.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from salticid.core.atomic import check_target, replacing
from salticid.core.image_encode import check_holds, png_beside, png_chunk
from salticid.core.image_header import SUFFIXES
from salticid.core.types import Array
from salticid.errors import InputError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPES = {1: 0, 3: 2, 2: 4, 4: 6}  # of gray, RGB, gray + alpha, RGB + alpha, by their channels
_BLOCK_BYTES = 1 << 20  # of rows that are compressed at once: 32 KB of history are lost at each start
_UP = 2  # the filter: each byte less the one above
_ZLIB_HEAD = b"\x78\x01"  # deflate with a window of 32 KB
_ADLER_BASE = 65521


class PngWriter:
    """Write a PNG in one step: the file appears when all rows were written, and after an exception nothing does.

    Parameters
    ----------
    path
        Ends in .png.
    shape
        Of the whole picture: (H, W) or (H, W, C), where C is 1 for gray, 3 for RGB, and one more with alpha.
    dtype
        uint8 or uint16.
    level
        0 (fast, large) to 9 (slow, small).
    icc, exif
        A color profile, and EXIF as a TIFF structure without the "Exif" mark.
    threads
        That compress, beside the one that calls.

    Raises
    ------
    InputError
        An argument is out of range, or the file cannot be written there.
        While writing: a strip of another width, depth or dtype, or too many rows. At the end: too few.
    ResourceError
        The disk is full.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        shape: tuple[int, ...],
        dtype: DTypeLike = np.uint8,
        *,
        level: int = 1,
        icc: bytes | None = None,
        exif: bytes | None = None,
        overwrite: bool = True,
        threads: int = 1,
    ) -> None:
        self._path, self._shape, self._dtype = Path(path), shape, np.dtype(dtype)
        _check_picture(self._path, shape, self._dtype, icc, exif)
        if not (0 <= level <= 9 and threads >= 1):
            raise InputError(f"level must be 0..9 and threads at least 1, not {level} and {threads}")
        check_target(self._path, overwrite=overwrite)
        self._level, self._threads, self._overwrite = level, threads, overwrite
        self._pixel_bytes = self._dtype.itemsize * (shape[2] if len(shape) == 3 else 1)
        self._block_rows = max(1, _BLOCK_BYTES // (self._pixel_bytes * shape[1]))
        self._beside = png_beside(icc, exif)
        self._files: ExitStack | None = None

    def __enter__(self) -> Self:
        self._rows_left, self._adler = self._shape[0], 1
        self._pending: deque[Future[_Compressed]] = deque()
        self._block, self._filled = self._new_block(), 0
        with ExitStack() as files:
            part = files.enter_context(replacing(self._path, overwrite=self._overwrite))
            self._file = files.enter_context(part.open("wb"))
            self._file.write(_SIGNATURE + self._header() + self._beside + png_chunk(b"IDAT", _ZLIB_HEAD))
            self._workers = files.enter_context(ThreadPoolExecutor(self._threads, "salticid-png"))
            files.push(self._finish)
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        files, self._files = self._files, None
        if files is not None:
            files.__exit__(kind, error, trace)

    def write(self, strip: Array) -> None:
        """Write the next rows.

        Parameters
        ----------
        strip
            (h, W) or (h, W, C) as `shape` says; h may be anything from 0 to the rows that are left.
        """
        self._check(strip)
        rows = _stored(strip).reshape(len(strip), self._block.shape[1])
        while len(rows):
            taken = rows[: self._block_rows - self._filled]
            self._block[1 + self._filled : 1 + self._filled + len(taken)] = taken
            self._filled += len(taken)
            self._rows_left -= len(taken)
            rows = rows[len(taken) :]
            if self._filled == self._block_rows or not self._rows_left:
                self._submit()

    def _check(self, strip: Array) -> None:
        if self._files is None:
            raise InputError("a PngWriter writes only inside its 'with' block")
        if strip.ndim != len(self._shape) or strip.shape[1:] != self._shape[1:] or strip.dtype != self._dtype:
            wanted = f"(rows, {', '.join(map(str, self._shape[1:]))}) {self._dtype}"
            raise InputError(f"a strip of {self._path} must be {wanted}, not {strip.shape} {strip.dtype}")
        if len(strip) > self._rows_left:
            left = f"{self._rows_left} of the {self._shape[0]} rows of {self._path}"
            raise InputError(f"{left} are left, so a strip cannot have {len(strip)}")

    def _header(self) -> bytes:
        channels = self._pixel_bytes // self._dtype.itemsize
        height, width = self._shape[:2]
        bits = 8 * self._dtype.itemsize
        return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, _COLOR_TYPES[channels], 0, 0, 0))

    def _new_block(self) -> Array:
        """Return room for the row above a block and its rows."""
        return np.zeros((1 + self._block_rows, self._pixel_bytes * self._shape[1]), np.uint8)

    def _submit(self) -> None:
        """Let a worker compress the rows that are there; while others are in work, write what they have finished."""
        rows = self._block[: 1 + self._filled]
        self._pending.append(self._workers.submit(_compressed, rows, self._level, last=not self._rows_left))
        self._block, self._filled = self._new_block(), 0
        self._block[0] = rows[-1]
        self._write_pending(self._threads)

    def _write_pending(self, most: int) -> None:
        """Wait until at most so many blocks are in work."""
        while len(self._pending) > most:
            block = self._pending.popleft().result()
            self._file.write(block.chunk)
            self._adler = _joined_adler(self._adler, block.adler, block.size)

    def _finish(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        """Write what is left; runs before the file is closed and renamed."""
        if kind is not None:
            return
        if self._rows_left:
            height = self._shape[0]
            raise InputError(f"{height - self._rows_left} of {height} rows were written to {self._path}: write all")
        self._write_pending(0)
        self._file.write(png_chunk(b"IDAT", struct.pack(">I", self._adler)) + png_chunk(b"IEND", b""))


def _check_picture(
    path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], icc: bytes | None, exif: bytes | None
) -> None:
    if SUFFIXES.get(path.suffix.lower()) != "PNG":
        raise InputError(f"cannot write {path}: the file becomes a PNG, so its name must end in .png")
    if dtype not in (np.uint8, np.uint16):
        raise InputError(f"pixels must be uint8 or uint16, not {dtype}: scale and round them first")
    if not (2 <= len(shape) <= 3 and min(shape) >= 1 and (len(shape) == 2 or shape[2] in _COLOR_TYPES)):
        raise InputError(f"a PNG must be (H, W) or (H, W, 1..4) with pixels, not {shape}")
    try:
        check_holds("PNG", np.broadcast_to(np.zeros((), dtype), (*shape, 1)[:3]), icc, exif)
    except InputError as error:
        raise InputError(f"cannot write {path}: {error}") from error


def _stored(strip: Array) -> Array:
    """Return the bytes of rows as a PNG holds them: 16 bits begin with the high byte."""
    return np.ascontiguousarray(strip, strip.dtype.newbyteorder(">")).view(np.uint8)


@dataclass(frozen=True, slots=True)
class _Compressed:
    """A block of rows as it stands in the file."""

    chunk: bytes
    adler: int
    size: int  # in bytes, before it was compressed


def _compressed(rows: Array, level: int, *, last: bool) -> _Compressed:
    """Filter and compress the rows after the first one, which is above them."""
    filtered = np.empty((len(rows) - 1, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = _UP
    np.subtract(rows[1:], rows[:-1], out=filtered[:, 1:])
    deflater = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    data = deflater.compress(filtered.data) + deflater.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)
    return _Compressed(png_chunk(b"IDAT", data), zlib.adler32(filtered.data), filtered.nbytes)


def _joined_adler(before: int, after: int, size: int) -> int:
    """Return the Adler-32 sum of data before which other data stands, of the sums of both (RFC 1950, 9)."""
    low, high = before & 0xFFFF, before >> 16
    joined_low = (low + (after & 0xFFFF) - 1) % _ADLER_BASE
    joined_high = (high + (after >> 16) + size * (low - 1)) % _ADLER_BASE
    return joined_high << 16 | joined_low
