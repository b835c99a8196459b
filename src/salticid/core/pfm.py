"""Portable float maps (PFM): how Middlebury and ETH3D publish disparity.

A header of three lines (`Pf`, width and height, scale), then rows of 32-bit floats from the bottom up;
a negative scale means little-endian. Unknown is inf in the file and nan here.
Described at netpbm.sourceforge.net/doc/pfm.html and vision.middlebury.edu/stereo/code.
"""

from __future__ import annotations

import math
import os
import re

import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.files import Source, looks_like, read_bytes
from salticid.core.types import Array, FloatMap
from salticid.errors import InputError

MAX_PIXELS = 100_000_000

_SAMPLE_BYTES = 4
_MAX_HEADER_BYTES = 256
_HEADER = re.compile(rb"P(f|F)\s+(\d{1,7})\s+(\d{1,7})\s+([-+]?[0-9.eE+-]{1,32})\s")


def read_pfm(source: Source, *, max_pixels: int = MAX_PIXELS) -> FloatMap:
    """Read a PFM file as (H, W) float32, nan where the file has inf or nan.

    The size of the scale is left alone, as Middlebury's own reader does; its sign is the byte order.

    Raises
    ------
    InputError
        The file cannot be read, is no gray PFM, has more than `max_pixels`, or is not as long as its header says.
    """
    data, name = read_bytes(source, max_bytes=max_pixels * _SAMPLE_BYTES + _MAX_HEADER_BYTES)
    header = _HEADER.match(data[:_MAX_HEADER_BYTES])
    if not header and data.startswith((b"Pf", b"PF")):
        raise InputError(f"{name} is a damaged PFM map: its header is not width, height and scale")
    if not header:
        raise InputError(f"{name} is not a PFM map: it looks like {looks_like(data)}")
    if header[1] == b"F":
        raise InputError(f"{name} is a color PFM: salticid reads maps of one channel")
    width, height = int(header[2]), int(header[3])
    if not 1 <= width * height <= max_pixels:
        raise InputError(f"{name} declares {width} x {height} values; 1 to max_pixels={max_pixels:,} are read")
    found, announced = len(data) - header.end(), width * height * _SAMPLE_BYTES
    if found != announced:
        raise InputError(f"{name} is truncated or damaged: it has {found:,} bytes of values where {announced:,} belong")
    kind = "<f4" if _scale(header[4], name) < 0 else ">f4"
    values = np.frombuffer(data, kind, width * height, header.end()).reshape(height, width)[::-1].astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values


def write_pfm(path: str | os.PathLike[str], values: Array, *, overwrite: bool = True) -> None:
    """Write a float map (H, W) as little-endian PFM in one step; nan becomes inf, as Middlebury marks unknown.

    Raises
    ------
    InputError
        `values` is not a map of floats, or `path` cannot be written.
    """
    if values.ndim != 2 or not values.size or not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"a PFM map must be (H, W) floats, not {values.shape} {values.dtype}")
    header = f"Pf\n{values.shape[1]} {values.shape[0]}\n-1.0\n".encode()
    rows = np.where(np.isnan(values), np.inf, values)[::-1].astype("<f4")
    write_bytes(path, header + rows.tobytes(), overwrite=overwrite)


def _scale(text: bytes, name: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not scale or not math.isfinite(scale):
        raise InputError(f"{name} has the scale {text.decode('ascii')!r}: it must be a number other than 0")
    return scale
