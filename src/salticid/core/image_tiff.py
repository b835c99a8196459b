"""Decode TIFF pictures: the first image, 1 to 16 bits, gray, RGB or palette, in strips or tiles.

TIFF 6.0. As OpenCV calls libtiff, alpha comes premultiplied, 16-bit white-is-zero inverted, and gray loses its
alpha; so the samples are put together here, and OpenCV only unpacks LZW and PackBits, one strip at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from salticid.core.image_header import Header
from salticid.core.image_ifd import STRIP_BYTES, STRIP_OFFSETS, Ifd, read_ifd, tiff_file
from salticid.core.types import Array
from salticid.errors import InputError

NO_COMPRESSION, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
ICC = 34675
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = range(4)
PREMULTIPLIED, STRAIGHT = 1, 2

_COLOR_SAMPLES = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1}
# Bytes of memory per byte of a block that unpacking takes: what zlib returns; for OpenCV 4 (measured) and copies.
_BLOCK_COSTS = {NO_COMPRESSION: 0, DEFLATE: 1, OLD_DEFLATE: 1, LZW: 6, PACKBITS: 6}
_MAX_ROW_BYTES = 1 << 20  # that OpenCV unpacks
_TILE_STEP = 16  # sides of tiles are multiples of it


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the samples of a TIFF lie in its file."""

    ifd: Ifd
    width: int
    height: int
    samples: int
    bits: int
    photometric: int
    compression: int
    planar: bool  # each sample has strips of its own
    predictor: int
    tiled: bool
    block_height: int  # of a strip or tile
    block_width: int

    @property
    def together(self) -> int:
        """Samples of one pixel that lie together."""
        return 1 if self.planar else self.samples

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of a block; each row starts on a byte."""
        return (self.block_width * self.together * self.bits + 7) // 8

    @property
    def blocks(self) -> int:
        """How many strips or tiles there must be."""
        grid = -(-self.height // self.block_height) * -(-self.width // self.block_width)
        return grid * self.samples // self.together


def tiff_peak_bytes(data: bytes, header: Header) -> int:
    """Return about how much memory `decode_tiff` takes, without decoding.

    Raises
    ------
    InputError
        The file is a kind of TIFF that salticid does not read.
    """
    layout = _layout(data, header)
    picture = 2 * layout.samples * max(1, layout.bits // 8) + (6 if layout.photometric == PALETTE else 0)
    block = layout.block_height * layout.row_bytes * (_BLOCK_COSTS[layout.compression] + layout.predictor - 1)
    spread = 2 * layout.block_height * layout.block_width if layout.bits < 8 else 0
    return header.pixels * picture + block + spread


def decode_tiff(data: bytes, header: Header) -> tuple[Array, Array | None]:
    """Decode the first image of a TIFF file.

    Returns
    -------
    pixels, alpha
        (H, W) or (H, W, 3) RGB, and (H, W) or None; uint8 or uint16. Orientation is not applied.

    Raises
    ------
    InputError
        The file is truncated, damaged, or a kind of TIFF that salticid does not read.
    """
    layout = _layout(data, header)
    stored = np.empty((layout.height, layout.width, layout.samples), np.uint16 if layout.bits == 16 else np.uint8)
    for (plane, top, left), raw in zip(_places(layout), _raw_blocks(layout), strict=True):
        block = _samples(raw, layout)
        part = stored[top : top + len(block), left : left + layout.block_width, plane : plane + layout.together]
        part[...] = block[: part.shape[0], : part.shape[1]]
    return _interpret(stored, layout)


def _layout(data: bytes, header: Header) -> _Layout:
    ifd = read_ifd(data)
    tiled = 322 in ifd.entries
    layout = _Layout(
        ifd,
        header.width,
        header.height,
        samples=ifd.number(277, 1),
        bits=header.bits,
        photometric=ifd.number(262, BLACK_IS_ZERO),
        compression=ifd.number(259, NO_COMPRESSION),
        planar=ifd.number(284, 1) == 2,
        predictor=ifd.number(317, 1),
        tiled=tiled,
        block_height=ifd.number(323) if tiled else min(ifd.number(278, header.height), header.height),
        block_width=ifd.number(322) if tiled else header.width,
    )
    for problem in (*_unread_samples(layout), *_unread_storage(layout)):
        raise InputError(f"{problem}; save it as gray or RGB of 8 or 16 bits, or as PNG")
    return layout


def _unread_samples(layout: _Layout) -> Iterator[str]:
    """Yield what a sample may mean that salticid does not read."""
    if (layout.ifd.numbers(339) != 1).any():
        yield "its samples are floats or signed numbers: it is a map, not a picture"
    if layout.photometric not in _COLOR_SAMPLES:
        yield f"its color model {layout.photometric} is not supported (gray, RGB and palette are)"
    if layout.samples - _COLOR_SAMPLES.get(layout.photometric, 1) not in (0, 1):
        yield f"{layout.samples} samples per pixel do not go with its color model {layout.photometric}"
    if layout.bits not in (1, 2, 4, 8, 16) or (layout.bits < 8 and layout.samples > 1):
        yield f"{layout.samples} samples of {layout.bits} bits are not supported"
    if (layout.ifd.numbers(338) == 0).any():
        yield "it does not say what its extra sample means"


def _unread_storage(layout: _Layout) -> Iterator[str]:
    """Yield how samples may be stored that salticid does not read; what passes bounds all later sizes."""
    if layout.compression not in _BLOCK_COSTS:
        yield f"its compression {layout.compression} is not supported (none, LZW, Deflate and PackBits are)"
    if layout.predictor not in (1, 2) or (layout.predictor == 2 and layout.bits < 8):
        yield f"its predictor {layout.predictor} for {layout.bits} bits is not supported"
    if layout.ifd.number(266, 1) != 1:
        yield "its bits are stored from the right"
    if not _is_possible_block(layout):
        yield f"its strips or tiles of {layout.block_width} x {layout.block_height} are not possible"


def _is_possible_block(layout: _Layout) -> bool:
    if layout.compression in (LZW, PACKBITS) and layout.row_bytes > _MAX_ROW_BYTES:
        return False
    step = _TILE_STEP if layout.tiled else 1
    return all(side > 0 and side % step == 0 for side in (layout.block_height, layout.block_width))


def _places(layout: _Layout) -> Iterator[tuple[int, int, int]]:
    """Yield the first sample, row and column of every block."""
    for plane in range(0, layout.samples, layout.together):
        for top in range(0, layout.height, layout.block_height):
            for left in range(0, layout.width, layout.block_width):
                yield plane, top, left


def _raw_blocks(layout: _Layout) -> Iterator[bytes | memoryview]:
    """Yield the unpacked bytes of every block."""
    data = memoryview(layout.ifd.data)
    offsets, counts = (
        layout.ifd.numbers(tag) for tag in ((324, 325) if layout.tiled else (STRIP_OFFSETS, STRIP_BYTES))
    )
    if min(offsets.size, counts.size) < layout.blocks:
        raise InputError(f"it lists {min(offsets.size, counts.size)} strips or tiles where {layout.blocks} are needed")
    for (_, top, _), offset, count in zip(_places(layout), offsets, counts, strict=False):
        if int(offset) + int(count) > len(data):
            raise InputError("it is truncated: a strip or tile lies behind its end")
        rows = layout.block_height if layout.tiled else min(layout.block_height, layout.height - top)
        yield _unpack(data[int(offset) : int(offset) + int(count)], rows, layout)


def _unpack(packed: memoryview, rows: int, layout: _Layout) -> bytes | memoryview:
    size = rows * layout.row_bytes
    raw: bytes | memoryview = packed
    if layout.compression in (DEFLATE, OLD_DEFLATE):
        try:
            raw = zlib.decompressobj().decompress(packed, size)
        except zlib.error as error:
            raise InputError(f"a strip or tile is damaged: {error}") from error
    if layout.compression in (LZW, PACKBITS):
        raw = _unpack_by_opencv(packed, rows, layout)
    if len(raw) < size:
        raise InputError("it is truncated: a strip or tile is shorter than its rows")
    return raw[:size]


def _unpack_by_opencv(packed: memoryview, rows: int, layout: _Layout) -> bytes:
    """Have libtiff unpack a block that is presented as gray rows."""
    width, bits = layout.row_bytes, 8
    # Only for 16 bits does OpenCV say that a block was too short; what they mean does not matter here.
    if width % 2 == 0:
        width, bits = width // 2, 16
    elif rows % 2 == 0:
        rows, bits = rows // 2, 16
    names = {256: width, 257: rows, 258: bits, 259: layout.compression, 262: BLACK_IS_ZERO, 277: 1, 278: rows}
    file = tiff_file([bytes(packed)], {tag: (value,) for tag, value in names.items()})
    try:
        block = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        block = None
    if block is None:
        raise InputError("a strip or tile is damaged")
    return block.astype(block.dtype.newbyteorder("<"), copy=False).tobytes()


def _samples(raw: bytes | memoryview, layout: _Layout) -> Array:
    """Return the bytes of a block as (rows, columns, samples together), the predictor undone."""
    packed = np.frombuffer(raw, np.uint8).reshape(-1, layout.row_bytes)
    if layout.bits < 8:
        return _bits(packed, layout.bits)[:, : layout.block_width, None]
    kind = np.dtype(f"{layout.ifd.order}u{layout.bits // 8}")
    block = packed.view(kind).reshape(len(packed), layout.block_width, layout.together)
    return np.cumsum(block, axis=1, dtype=kind.newbyteorder("=")) if layout.predictor == 2 else block


def _bits(packed: Array, bits: int) -> Array:
    """Return samples of 1, 2 or 4 bits, the first in the highest bits, as (rows, columns) uint8."""
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    mask = np.uint8((1 << bits) - 1)
    return (packed[:, :, None] >> shifts & mask).reshape(len(packed), -1)


def _interpret(stored: Array, layout: _Layout) -> tuple[Array, Array | None]:
    """Turn stored samples into gray or RGB from black to white, and straight alpha."""
    colors = _COLOR_SAMPLES[layout.photometric]
    alpha = np.ascontiguousarray(stored[..., colors]) if layout.samples > colors else None
    pixels = np.ascontiguousarray(stored[..., :colors] if colors == 3 else stored[..., 0])
    if layout.photometric == PALETTE:
        return _look_up(pixels, layout), alpha
    if layout.bits < 8:
        pixels *= np.uint8(255 // ((1 << layout.bits) - 1))
    if layout.photometric == WHITE_IS_ZERO:
        np.invert(pixels, out=pixels)
    if alpha is not None and (layout.ifd.numbers(338) == PREMULTIPLIED).any():
        _straighten(pixels, alpha)
    return pixels, alpha


def _look_up(indices: Array, layout: _Layout) -> Array:
    """Return the colors of a palette, which holds all reds, then greens, then blues, of 16 bits."""
    palette = layout.ifd.numbers(320)
    if layout.bits > 8 or palette.size != 3 << layout.bits:
        raise InputError(f"its palette has {palette.size} values, which do not go with {layout.bits} bits")
    table = np.zeros((3, 256), np.uint8)
    # Writers make 16 bits by times 257 or by a shift of 8: the high byte is right for both.
    table[:, : 1 << layout.bits] = palette.reshape(3, -1) >> 8
    return cv2.merge([cv2.LUT(indices, row) for row in table])


def _straighten(pixels: Array, alpha: Array) -> None:
    """Divide colors by the alpha that they were multiplied with, in place; where nothing shows they stay."""
    top = float(np.iinfo(alpha.dtype).max)
    for row, cover in zip(pixels, alpha, strict=True):
        cover = np.maximum(cover, 1).reshape(-1, *[1] * (row.ndim - 1))
        row[...] = np.minimum(np.rint(row * top / cover), top)
