"""TRC files of OpenSim, Pose2Sim, Sports2D and motion capture, read: see `trc` for the layout."""

from __future__ import annotations

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.files.marker_names import joint_names
from salticid.motion.files.number_rows import decode_text, read_rows, rising_times
from salticid.motion.keypoints import Keypoints

PIXELS_PER_METER = 1000.0  # a plane is read as a picture, of which a pixel is a millimeter
_METERS = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_DATA_LINE = 6  # the first line, counted from 1, that may hold data
_LIMIT_MARKERS = 10_000


def read_trc(data: bytes, name: str) -> Keypoints:
    """Return the keypoints in the bytes of a TRC file, in meters.

    Where Z is 0 everywhere, or unknown, the file holds a view from the side, and where X is, one from behind: then the
    keypoints have two dimensions, as in a picture of which a pixel is a millimeter, y down. So no step takes the
    missing axis for a measurement.

    Raises
    ------
    InputError
        The file is cut short, its heading does not fit its rows, or something is not a number.
    """
    lines = decode_text(data, name)
    properties = _properties(lines, name)
    markers = _markers(lines, properties, name)
    rows = _table(lines, len(markers), name)
    columns = ["Frame#", "Time", *(f"{marker} {axis}" for marker in markers for axis in "XYZ")]
    numbers = read_rows(rows, columns, name)
    times = rising_times(numbers[:, 1], [line for line, _ in rows], name)
    _check_count(properties, len(rows), name)
    positions = numbers[:, 2:].reshape(len(rows), len(markers), 3)
    names = joint_names(markers, name)
    return _as_keypoints(times, positions, names, properties["Units"], name)


def _properties(lines: list[str], name: str) -> dict[str, str]:
    """Return what the second and third line say."""
    if len(lines) < _DATA_LINE or not lines[0].startswith("PathFileType"):
        raise InputError(f"{name} is no TRC file, or is cut short: it must begin with PathFileType and five lines")
    keys, values = lines[1].split(), lines[2].split()
    properties = dict(zip(keys, values, strict=False))
    for needed in ("NumFrames", "NumMarkers", "Units"):
        if needed not in properties:
            raise InputError(f"{name}, lines 2 and 3: {needed} is missing from the heading")
    return properties


def _markers(lines: list[str], properties: dict[str, str], name: str) -> list[str]:
    """Return the markers' names; the heading's count decides where names are left out."""
    markers = [cell.strip() for cell in lines[3].split("\t") if cell.strip()][2:]
    if not properties["NumMarkers"].isdecimal() or int(properties["NumMarkers"]) > _LIMIT_MARKERS:
        raise InputError(f"{name}, line 3: NumMarkers is {properties['NumMarkers'][:20]!r}, no sensible count")
    if len(markers) != int(properties["NumMarkers"]) or not markers:
        raise InputError(
            f"{name}, line 4 names {len(markers)} markers, but line 3 counts {properties['NumMarkers']}: "
            f"correct the heading"
        )
    return markers


def _table(lines: list[str], markers: int, name: str) -> list[tuple[int, list[str]]]:
    """Return the rows below the heading; empty cells at a row's end stand for markers that were not seen."""
    rows = []
    for number, line in enumerate(lines[5:], _DATA_LINE):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        width = 2 + 3 * markers
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        rows.append((number, cells))
    if not rows:
        raise InputError(f"{name} has a heading but no row below it: was its copy or download cut short?")
    return rows


def _check_count(properties: dict[str, str], found: int, name: str) -> None:
    if properties["NumFrames"] != str(found):
        raise InputError(
            f"{name} holds {found} frames, but line 3 promises {properties['NumFrames']}: was it cut short? "
            f"Copy it again, or correct NumFrames"
        )


def _as_keypoints(times_s: Array, positions: Array, names: tuple[str, ...], units: str, name: str) -> Keypoints:
    """Return keypoints in three dimensions, or in two where there is no third."""
    if units not in (*_METERS, "px"):
        raise InputError(f"{name}, line 3: the unit {units!r} is unknown; use m, cm or mm")
    across = _across(positions, units)
    scale = _METERS.get(units, 1 / PIXELS_PER_METER)
    if across is None:
        places = positions * scale
    else:
        places = positions[..., [across, 1]] * [scale * PIXELS_PER_METER, -scale * PIXELS_PER_METER]
    places = np.where(np.isfinite(places).all(axis=2, keepdims=True), places, np.nan)
    found = np.isfinite(places[..., 0])
    return Keypoints(times_s, places.astype(np.float32), found.astype(np.float32), names)


def _across(positions: Array, units: str) -> int | None:
    """Return which axis runs across the picture when the file holds one plane; None when it holds a room."""
    empty = [not np.any(np.nan_to_num(positions[..., axis])) for axis in range(3)]
    if units == "px" or empty[2]:
        return 0
    return 2 if empty[0] else None
