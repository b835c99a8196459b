"""Images in and out: RGB uint8 for every step of the toolkit, or a `Picture` that keeps all that the file holds.

    image = read_image("left.png")                    # (H, W, 3) RGB uint8, upright
    picture = open_picture("scan.tif")                # gray stays gray, 16 bits stay 16; alpha, ICC, EXIF
    write_image("scan.png", picture)

The header is read and limited before anything is decoded, a truncated file is an error and never half a picture,
and writing never reduces in silence. Formats: PNG, JPEG, BMP, GIF, TIFF, WebP, PNM.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.files import Source, read_bytes
from salticid.core.image_bmp import decode_bmp
from salticid.core.image_body import Body, open_body
from salticid.core.image_encode import check_holds, encode
from salticid.core.image_header import SUFFIXES, Format, Header, read_header
from salticid.core.image_ifd import ORIENTATION, read_ifd, read_orientation, reset_orientation, upright
from salticid.core.image_pnm import decode_pnm, pnm_peak_bytes
from salticid.core.image_tiff import ICC, decode_tiff, tiff_peak_bytes
from salticid.core.types import Array, Image
from salticid.errors import InputError

MAX_PIXELS = 100_000_000

# Of max_pixels: larger files are not read, pictures that need more memory are not decoded.
_FILE_BYTES_PER_PIXEL, _PEAK_BYTES_PER_PIXEL = 4, 8
_LEAST_BYTES = 64_000_000  # that are allowed when max_pixels is small
_PNM_CHANNELS = {".pbm": 0, ".pgm": 1, ".ppm": 3}  # .pnm takes gray and RGB; one bit per pixel is not written
_SWAP_ROWS = 256  # at a time, so that reordering the channels of a large picture needs no copy of it


@dataclass(frozen=True, slots=True)
class Picture:
    """All that an image file holds, upright."""

    pixels: Array  # (H, W) gray or (H, W, 3) RGB; uint8 or uint16
    alpha: Array | None = None  # (H, W), same dtype; straight, not premultiplied
    icc: bytes | None = None  # color profile
    exif: bytes | None = None  # TIFF structure without the "Exif" mark; its orientation is applied and reset to 1
    format: str = ""  # of the file it came from; empty when it came from none


def read_image(source: Source, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read an image as (H, W, 3) RGB uint8, upright.

    Gray is repeated, 16 bits are rounded to 8, alpha is left out (`open_picture` keeps it).

    Parameters
    ----------
    source
        A path, or the bytes of a file.
    max_pixels
        Most pixels that the header may declare; it bounds memory too, at 8 bytes per pixel of it.

    Raises
    ------
    InputError
        The file cannot be read, is not an image that salticid reads, is truncated, mislabeled or too large.
    """
    pixels = to_uint8(open_picture(source, max_pixels=max_pixels).pixels)
    return pixels if pixels.ndim == 3 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)


def read_gray(source: Source, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read an image as (H, W) gray uint8, upright; color is weighted as in ITU-R BT.601.

    Parameters and errors are those of `read_image`.
    """
    pixels = to_uint8(open_picture(source, max_pixels=max_pixels).pixels)
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def open_picture(source: Source, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read an image and keep its gray, its 16 bits, its alpha, its color profile and its EXIF.

    Fewer than 8 bits become 8, a palette becomes RGB, CMYK JPEG becomes RGB without its profile, an animation gives
    its first frame, a TIFF its first image (and no EXIF). Parameters and errors are those of `read_image`.
    """
    data, name = read_bytes(source, max_bytes=max(max_pixels * _FILE_BYTES_PER_PIXEL, _LEAST_BYTES))
    header = read_header(data, name)
    if header.pixels > max_pixels:
        raise InputError(
            f"{name} declares {header.width} x {header.height} pixels, more than max_pixels={max_pixels:,}: "
            "make it smaller or raise max_pixels"
        )
    try:
        return _open(data, header, max(max_pixels * _PEAK_BYTES_PER_PIXEL, _LEAST_BYTES))
    except InputError as error:
        raise InputError(f"cannot read {name} ({header.format}): {error}") from error


def write_image(
    path: str | os.PathLike[str],
    picture: Picture | Array,
    *,
    overwrite: bool = True,
    png_level: int = 1,
    jpeg_quality: int = 95,
) -> None:
    """Write an image in the format of the suffix, in one step: a reader sees the whole file or none.

    Parameters
    ----------
    path
        Ends in .png, .jpg, .webp (lossless), .tif, .bmp, .ppm, .pgm, or another suffix of these formats.
    picture
        A `Picture`, or its pixels: (H, W) or (H, W, 3) RGB, uint8 or uint16.
    png_level
        0 (fast, large) to 9 (slow, small).
    jpeg_quality
        1 to 100.

    Raises
    ------
    InputError
        The pixels are no image, the suffix names no format that is written, the format cannot hold all of the
        picture, or the file exists and `overwrite` is false.
    """
    picture = picture if isinstance(picture, Picture) else Picture(picture)
    samples = _samples(picture)
    if not (0 <= png_level <= 9 and 1 <= jpeg_quality <= 100):
        raise InputError(f"png_level must be 0..9 and jpeg_quality 1..100, not {png_level} and {jpeg_quality}")
    kind = _checked_format(path, picture, samples)
    file = encode(kind, samples, icc=picture.icc, exif=picture.exif, png_level=png_level, jpeg_quality=jpeg_quality)
    write_bytes(path, file, overwrite=overwrite)


def check_writable(path: str | os.PathLike[str], picture: Picture | Array, size: tuple[int, int] | None = None) -> None:
    """Raise `InputError` now when `write_image` could not write pixels like these, before long work starts.

    Parameters
    ----------
    size
        Height and width of what will be written; those of the picture by default.
    """
    picture = picture if isinstance(picture, Picture) else Picture(picture)
    _checked_format(path, picture, _samples(picture), size)


def to_uint8(pixels: Array) -> Image:
    """Return uint8 pixels as they are, and uint16 rounded so that 65535 becomes 255."""
    return np.asarray(pixels if pixels.dtype == np.uint8 else cv2.convertScaleAbs(pixels, alpha=1 / 257), np.uint8)


def resize(image: Array, width: int, height: int) -> Array:
    """Resize (H, W) or (H, W, C) to `height` x `width`: area averages where it shrinks, cubic where it grows.

    Parameters
    ----------
    image
        uint8, uint16 or float32. A float map must be finite: unknown (nan) pixels would eat their neighbors.

    Raises
    ------
    InputError
        The image is of another kind, empty or not finite, or the size is not positive.
    """
    if image.ndim not in (2, 3) or not image.size or image.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(f"can resize (H, W[, C]) uint8, uint16 or float32, not {image.shape} {image.dtype}")
    if width < 1 or height < 1:
        raise InputError(f"cannot resize to {width} x {height}: both sides must be at least 1")
    if image.dtype == np.float32 and not np.isfinite(image).all():
        raise InputError("cannot resize a map with nan or inf: fill the unknown pixels first, or resize the image")
    rows, columns = image.shape[:2]
    shrunk = _resize(image, min(width, columns), min(height, rows), cv2.INTER_AREA)
    return _resize(shrunk, width, height, cv2.INTER_CUBIC)


def _open(data: bytes, header: Header, max_bytes: int) -> Picture:
    if header.format == "TIFF":
        _refuse_large(tiff_peak_bytes(data, header) + len(data), max_bytes)
        ifd = read_ifd(data)
        pixels, alpha = decode_tiff(data, header)
        return _upright(Picture(pixels, alpha, ifd.raw(ICC), None, "TIFF"), ifd.number(ORIENTATION, 1))
    if header.format == "BMP":
        _refuse_large((4 if header.bits > 8 else 7) * header.pixels + len(data), max_bytes)
        return Picture(*decode_bmp(data, header), format="BMP")
    if header.format == "PNM":
        _refuse_large(pnm_peak_bytes(data, header) + len(data), max_bytes)
        return Picture(decode_pnm(data, header), format="PNM")
    _refuse_large(2 * len(data), max_bytes)  # the file and the part of it for the decoder
    body = open_body(data, header)
    _refuse_large(_decoder_bytes(header, body) + len(data) + len(body.stream), max_bytes)
    pixels, alpha = _decode(header, body)
    exif = reset_orientation(body.exif) if body.exif else None
    orientation = read_orientation(body.exif) if body.exif else 1
    return _upright(Picture(pixels, alpha, body.icc, exif, header.format), orientation)


def _refuse_large(need: int, limit: int) -> None:
    if need > limit:
        raise InputError(
            f"it needs about {need / 1e6:,.0f} MB to decode, more than the {limit / 1e6:,.0f} MB of max_pixels: "
            "make it smaller or raise max_pixels"
        )


def _decoder_bytes(header: Header, body: Body) -> int:
    """Return what OpenCV takes to decode (measured): the picture twice, a GIF canvas, JPEG coefficients."""
    if header.format == "GIF":
        return 16 * header.pixels
    picture = header.pixels * body.channels * (2 if header.bits == 16 else 1)
    coefficients = 2 * header.pixels * header.channels if body.scans > 1 else 0
    return picture + max(picture, coefficients)


def _decode(header: Header, body: Body) -> tuple[Array, Array | None]:
    """Decode the stream of a PNG, JPEG, GIF or WebP file."""
    try:
        decoded = cv2.imdecode(np.frombuffer(body.stream, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InputError(f"it cannot be decoded: {error.err}") from error
    if decoded is None:
        raise InputError("it cannot be decoded: it is damaged")
    if decoded.dtype not in (np.uint8, np.uint16):
        raise InputError(f"its samples of {decoded.dtype} are not supported")
    pixels, alpha = _split(decoded, gray=header.channels < 3)
    if body.clear_gray is not None:
        alpha = _alpha_of(pixels, body.clear_gray, header.bits)
    return _on_canvas(pixels, alpha, header, body.corner)


def _split(decoded: Array, *, gray: bool) -> tuple[Array, Array | None]:
    """Split what OpenCV decodes, (H, W), BGR or BGRA, into gray or RGB, and alpha; the argument is used up."""
    if decoded.ndim == 2:
        return decoded, None
    alpha = np.ascontiguousarray(decoded[..., 3]) if decoded.shape[2] == 4 else None
    if gray:
        return np.ascontiguousarray(decoded[..., 0]), alpha
    pixels = decoded if alpha is None else np.empty((*decoded.shape[:2], 3), decoded.dtype)
    code = cv2.COLOR_BGR2RGB if alpha is None else cv2.COLOR_BGRA2RGB
    for top in range(0, len(decoded), _SWAP_ROWS):
        pixels[top : top + _SWAP_ROWS] = cv2.cvtColor(decoded[top : top + _SWAP_ROWS], code)
    return pixels, alpha


def _alpha_of(pixels: Array, clear: int, bits: int) -> Array:
    """Return alpha that is 0 where a gray picture has the stored value `clear`."""
    top = np.iinfo(pixels.dtype).max
    value = (clear & ((1 << bits) - 1)) * (top // ((1 << bits) - 1))
    alpha = np.full_like(pixels, top)
    alpha[pixels == value] = 0
    return alpha


def _on_canvas(
    pixels: Array, alpha: Array | None, header: Header, corner: tuple[int, int]
) -> tuple[Array, Array | None]:
    """Lay a first frame on its canvas, clear around it."""
    size = (header.height, header.width)
    if pixels.shape[:2] == size:
        return pixels, alpha
    (x, y), (rows, columns) = corner, pixels.shape[:2]
    if y + rows > size[0] or x + columns > size[1] or header.format not in ("GIF", "WebP"):
        raise InputError(f"it decodes to {columns} x {rows} pixels, not {size[1]} x {size[0]}: it is damaged")
    place = (slice(y, y + rows), slice(x, x + columns))
    canvas, cover = np.zeros((*size, 3), pixels.dtype), np.zeros(size, pixels.dtype)
    canvas[place] = pixels
    cover[place] = np.iinfo(pixels.dtype).max if alpha is None else alpha
    return canvas, cover


def _upright(picture: Picture, orientation: int) -> Picture:
    alpha = picture.alpha if picture.alpha is None else upright(picture.alpha, orientation)
    return dataclasses.replace(picture, pixels=upright(picture.pixels, orientation), alpha=alpha)


def _checked_format(
    path: str | os.PathLike[str], picture: Picture, samples: Array, size: tuple[int, int] | None = None
) -> Format:
    kind = _format_to_write(Path(path), samples.shape[2])
    try:
        check_holds(kind, samples, picture.icc, picture.exif, size)
    except InputError as error:
        raise InputError(f"cannot write {os.fspath(path)}: {error}") from error
    return kind


def _format_to_write(path: Path, channels: int) -> Format:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"cannot write {path}: {suffix or 'no suffix'} names no image format; use .png, .jpg or .tif")
    if suffix in _PNM_CHANNELS and _PNM_CHANNELS[suffix] != channels:
        raise InputError(
            f"cannot write {path}: {suffix} is not for {channels} channels; use .pgm for gray, .ppm for RGB"
        )
    return SUFFIXES[suffix]


def _samples(picture: Picture) -> Array:
    """Return pixels and alpha as one (H, W, C) array, or say what is wrong with them."""
    pixels, alpha = picture.pixels, picture.alpha
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(f"pixels must be uint8 or uint16, not {pixels.dtype}: scale and round them first")
    if not pixels.size or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise InputError(f"pixels must be (H, W) or (H, W, 3), not {pixels.shape}; alpha goes into Picture.alpha")
    if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype):
        raise InputError(f"alpha {alpha.shape} {alpha.dtype} does not go with pixels {pixels.shape} {pixels.dtype}")
    return np.ascontiguousarray(np.dstack([pixels] if alpha is None else [pixels, alpha]))


def _resize(image: Array, width: int, height: int, how: int) -> Array:
    if image.shape[:2] == (height, width):
        return image.copy()
    return cv2.resize(image, (width, height), interpolation=how).reshape(height, width, *image.shape[2:])
