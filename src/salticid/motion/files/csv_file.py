"""Keypoints as a table for spreadsheets, one row per frame; and such tables of other programs.

Written here: `time_s`, then for every joint `<joint>_x`, `<joint>_y`, in three dimensions `<joint>_z`, and
`<joint>_score`. Pixels with y down in two dimensions, meters with y up in three. Where they are known, there follow
`<joint>_world_x`, `_world_y`, `_world_z` in meters, and `width_px` and `height_px` of the picture. A cell is empty
where nothing is known.

Read as well: other names of the joints, of the score (`likelihood`, `confidence`, `visibility`) and of the time, a
frame number in place of the time, separation by semicolons or tabs, decimal commas, columns that mean nothing here, and
the three heading rows of DeepLabCut.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.files.marker_names import joint_names
from salticid.motion.files.number_rows import at_rate, decode_text, read_rows, rising_times
from salticid.motion.files.plausible import picture_size
from salticid.motion.keypoints import Keypoints

_AXES = ("x", "y", "z")
_WORLD = tuple(f"world_{axis}" for axis in _AXES)
_SCORE = ("score", "likelihood", "confidence", "conf", "visibility", "presence", "c", "p")
_FIELDS = "|".join((*_WORLD, *_AXES, *_SCORE))
_COLUMN = re.compile(rf"(?P<joint>.+?)[ _.:/-](?P<field>{_FIELDS})", re.IGNORECASE)
_SECONDS = {"times": 1.0, "time": 1.0, "t": 1.0, "timestamp": 1.0, "timestamps": 1.0, "seconds": 1.0}
_MILLISECONDS = {"timems": 1e-3, "timestampms": 1e-3, "milliseconds": 1e-3}
_TIME = _SECONDS | _MILLISECONDS
_FRAME = (
    "frame",
    "frames",
    "frameno",
    "frameid",
    "frameidx",
    "frameindex",
    "framenumber",
    "bodyparts",
    "bodypartscoords",
)
_SIZE = ("width_px", "height_px")


@dataclass(frozen=True, slots=True)
class _Table:
    """A text table, taken apart."""

    columns: list[str]  # C names; those of a joint end with their field
    lines: list[int]  # (N,) numbers of the rows' lines, counted from 1
    numbers: Array  # (N, C) float64
    file: str


def write_csv(path: str | os.PathLike[str], keypoints: Keypoints, *, overwrite: bool = True) -> None:
    """Write keypoints as a table; every number is exact when it is read again.

    Raises
    ------
    InputError
        A joint's name cannot begin a column's, or the place cannot be written.
    """
    _check_names(keypoints.names)
    columns: dict[str, list[str]] = {"time_s": [repr(float(time)) for time in keypoints.times_s]}
    for joint, name in enumerate(keypoints.names):
        for axis in range(keypoints.dimensions):
            columns[f"{name}_{_AXES[axis]}"] = _exact(keypoints.positions[:, joint, axis])
        columns[f"{name}_score"] = _exact(keypoints.scores[:, joint])
        if keypoints.world_m is not None:
            for axis, field in enumerate(_WORLD):
                columns[f"{name}_{field}"] = _exact(keypoints.world_m[:, joint, axis])
    if keypoints.size_px is not None:
        columns |= {name: [str(size)] * len(keypoints) for name, size in zip(_SIZE, keypoints.size_px, strict=True)}
    rows = [_heading_of(columns), *(",".join(cells) for cells in zip(*columns.values(), strict=True))]
    write_bytes(path, ("\n".join(rows) + "\n").encode(), overwrite=overwrite)


def read_csv(data: bytes, name: str, fps: float | None = None) -> Keypoints:
    """Return the keypoints in the bytes of a table as described above.

    Parameters
    ----------
    fps
        Frames that were filmed per second; see `read.read_keypoints`.

    Raises
    ------
    InputError
        The table is no such table, cut short, holds something else than numbers, or has neither times nor `fps`.
    """
    table = _parse(data, name)
    joints = _joint_columns(table)
    markers = list(dict.fromkeys(joint for joint, _ in joints))
    names = joint_names(markers, name)
    fields = {field for _, field in joints}
    axes = _AXES if "z" in fields else _AXES[:2]
    positions = _gather(table, joints, markers, axes)
    positions[~np.isfinite(positions).all(axis=2)] = np.nan  # half a place is none
    found = np.isfinite(positions[..., 0])
    scores = _gather(table, joints, markers, ("score",))[..., 0] if "score" in fields else found.astype(np.float32)
    return Keypoints(
        times_s=_times(table, fps),
        positions=positions,
        scores=np.where(np.isfinite(scores), scores, found).astype(np.float32),
        names=names,
        size_px=_size(table),
        world_m=_gather(table, joints, markers, _WORLD) if set(_WORLD) <= fields else None,
    )


def _check_names(names: Sequence[str]) -> None:
    """Raise `InputError` for a name that would be read as something else."""
    for name in names:
        match = _COLUMN.fullmatch(f"{name}_x")
        if match is None or match["joint"] != name or name != name.strip() or not name.isprintable():
            raise InputError(f"the joint {name!r} cannot be written as columns of a table: rename it, or write .npz")


def _heading_of(columns: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(columns)
    return text.getvalue()


def _exact(values: Array) -> list[str]:
    """Return text from which the same float32 is read; empty for nan."""
    return ["" if value != value else f"{value:.9g}" for value in np.asarray(values, np.float32).tolist()]


def _parse(data: bytes, name: str) -> _Table:
    """Take the text apart: heading and rows of numbers."""
    lines = decode_text(data, name)
    delimiter = max(";\t,", key=(lines[0] if lines else "").count)
    try:
        rows = [(number, cells) for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1) if any(cells)]
    except csv.Error as problem:
        raise InputError(f"{name} is not a table: {problem}; export it as CSV") from None
    columns, body = _heading(rows, name)
    if not body:
        raise InputError(f"{name} has a heading but no row below it: was its copy or download cut short?")
    numbers = read_rows(*_numeric(body, columns), name, decimal_comma=delimiter == ";")
    return _Table(_meaningful(columns), [number for number, _ in body], numbers, name)


def _heading(rows: list[tuple[int, list[str]]], name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return one name per column, and the rows below the heading."""
    heads = [cells[0].strip().lower() for _, cells in rows[:4]]
    if "bodyparts" not in heads or "coords" not in heads:
        return ([cell.strip() for cell in rows[0][1]], rows[1:]) if rows else ([], [])
    parts, fields = rows[heads.index("bodyparts")][1], rows[heads.index("coords")][1]
    if len(parts) != len(fields):
        raise InputError(f"{name}: its heading rows have {len(parts)} and {len(fields)} cells: was it edited?")
    if "individuals" in heads:
        _check_one_animal(rows[heads.index("individuals")][1][1:], name)
    named = [f"{part}_{field}" for part, field in zip(parts[1:], fields[1:], strict=True)]
    return ["frame", *named], rows[heads.index("coords") + 1 :]


def _check_one_animal(individuals: Sequence[str], name: str) -> None:
    different = sorted(set(individuals))
    if len(different) > 1:
        raise InputError(f"{name} holds several bodies ({', '.join(different)}): keep the columns of one")


def _meaningful(columns: Sequence[str]) -> list[str]:
    """Return the names of the columns that mean something here."""
    return [column for column in columns if _has_meaning(column)]


def _numeric(
    body: list[tuple[int, list[str]]], columns: Sequence[str]
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Return the rows with those cells alone that mean something; others may hold any text."""
    kept = [index for index, column in enumerate(columns) if _has_meaning(column)]
    width = len(columns)
    rows = [(line, [cells[index].strip() for index in kept] if len(cells) == width else cells) for line, cells in body]
    return rows, [columns[index] for index in kept]


def _has_meaning(column: str) -> bool:
    return bool(_COLUMN.fullmatch(column)) or column in _SIZE or _key(column) in _TIME or _key(column) in _FRAME


def _key(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _joint_columns(table: _Table) -> dict[tuple[str, str], int]:
    """Return where the fields of the joints are: (joint, field) to the column's number."""
    found: dict[tuple[str, str], int] = {}
    for index, column in enumerate(table.columns):
        match = _COLUMN.fullmatch(column)
        if match is None or column in _SIZE:
            continue
        field = match["field"].lower()
        key = match["joint"], "score" if field in _SCORE else field
        if key in found:
            raise InputError(f"{table.file} names the column {column!r} twice; rename one of them")
        found[key] = index
    placed = {joint for joint, field in found if field == "x"} & {joint for joint, field in found if field == "y"}
    if not placed:
        raise InputError(
            f"{table.file} has no columns as left_hip_x and left_hip_y: name them <joint>_x, <joint>_y, "
            f"<joint>_score, and time_s"
        )
    return {key: index for key, index in found.items() if key[0] in placed}


def _gather(table: _Table, joints: dict[tuple[str, str], int], markers: Sequence[str], fields: Sequence[str]) -> Array:
    """Return (N, K, F) float32: fields of all markers; nan where a marker has no such column."""
    gathered = np.full((len(table.numbers), len(markers), len(fields)), np.nan, np.float32)
    for place, marker in enumerate(markers):
        for number, field in enumerate(fields):
            if (marker, field) in joints:
                gathered[:, place, number] = table.numbers[:, joints[marker, field]]
    return gathered


def _times(table: _Table, fps: float | None) -> Array:
    """Return (N,) float64 seconds, from a column of times, or from the frames' numbers and `fps`."""
    keys = [_key(column) for column in table.columns]
    for index, key in enumerate(keys):
        if key in _TIME:
            return at_rate(rising_times(table.numbers[:, index] * _TIME[key], table.lines, table.file), fps)
    if fps is None:
        raise InputError(f"{table.file} has no column time_s: give its frames per second (--fps, fps=)")
    frames = next((table.numbers[:, index] for index, key in enumerate(keys) if key in _FRAME), None)
    counted = np.arange(len(table.numbers), dtype=np.float64) if frames is None else frames
    return rising_times(counted / fps, table.lines, table.file)


def _size(table: _Table) -> tuple[int, int] | None:
    if not set(_SIZE) <= set(table.columns):
        return None
    width, height = (float(table.numbers[0, table.columns.index(name)]) for name in _SIZE)
    return picture_size(width, height, table.file)
