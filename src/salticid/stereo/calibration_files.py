"""The files that a stereo calibration comes in, read into one set of names.

Middlebury `calib.txt`    cam0, cam1, doffs, baseline, width, height, ndisp
JSON                      left/right_camera_matrix, left/right_dist_coeffs, R, T, R1 ... P2, image_size
OpenCV FileStorage        the same as camera_matrix_left ..., or M1, D1, M2, D2, R, T; YAML or XML

OpenCV's sample program writes two: intrinsics.yml with the cameras and, beside it, extrinsics.yml with how they stand.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.errors import InputError

Entries = dict[str, NDArray[np.float64]]

SIZE_LIMIT_BYTES = 1 << 20
NUMBER_LIMIT = 1e12  # larger ones describe no camera, and overflow in products
DEPTH_LIMIT = 100  # of nested brackets or tags: OpenCV's parser recurses until the stack ends
ENTRY_LIMIT = 64  # numbers in one entry of OpenCV's files
EXTRINSICS = "extrinsics.yml"

# Other people's names for ours.
ALIASES = {
    "camera_matrix_left": "left_camera_matrix",
    "camera_matrix_right": "right_camera_matrix",
    "dist_coeffs_left": "left_dist_coeffs",
    "dist_coeffs_right": "right_dist_coeffs",
    "M1": "left_camera_matrix",
    "M2": "right_camera_matrix",
    "D1": "left_dist_coeffs",
    "D2": "right_dist_coeffs",
    "rms_error": "calibration_error",
}
NAMES = (
    *("left_camera_matrix", "right_camera_matrix", "left_dist_coeffs", "right_dist_coeffs", "R", "T"),
    *("R1", "R2", "P1", "P2", "image_size", "calibration_error", "num_disparities", "baseline_mm"),
)
MIDDLEBURY_NEEDS = ("cam0", "cam1", "baseline", "width", "height")


def read(path: Path) -> Entries:
    """Return the entries of the calibration file at `path` under our names, lengths in the file's unit.

    Where the file has the cameras alone and OpenCV's `extrinsics.yml` lies beside it, that one's entries are joined.

    Raises
    ------
    InputError
        The file cannot be read, or is none of the formats above.
    """
    entries = _read_one(path)
    cameras_alone = {"left_camera_matrix", "right_camera_matrix"} <= entries.keys() and not {"R", "T"} & entries.keys()
    beside = path.with_name(EXTRINSICS)
    return _read_one(beside) | entries if cameras_alone and beside.is_file() else entries


def shaped(entries: Entries, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the entry `name` in `shape`.

    Raises
    ------
    KeyError
        There is no such entry.
    ValueError
        It has another size, or a number that no camera pair has.
    """
    array = entries[name]
    if array.size != math.prod(shape):
        wanted = f"have {' x '.join(map(str, shape))} numbers" if shape else "be one number"
        raise ValueError(f"{name} must {wanted}, not {array.size}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds a number that is not finite")
    if (np.abs(array) > NUMBER_LIMIT).any():
        raise ValueError(f"{name} holds a number beyond {NUMBER_LIMIT:g}")
    return array.reshape(shape)


def scalar(entries: Entries, name: str) -> float | None:
    """Return the number `name`, None where there is no such entry; `ValueError` as for `shaped`."""
    return float(shaped(entries, name, ())) if name in entries else None


def _read_one(path: Path) -> Entries:
    text = _text(path)
    return {ALIASES.get(name, name): value for name, value in _reader(text)(text, path).items()}


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise InputError(f"{path} is too large for a calibration: {path.stat().st_size:,} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text, so not a calibration file") from None
    except OSError as problem:
        raise InputError(f"cannot read the calibration {path}: {problem.strerror}") from None


def _reader(text: str) -> Callable[[str, Path], Entries]:
    head = text.lstrip()[:64]
    if head.startswith(("{", "[")):
        return _read_json
    if head.startswith(("%YAML", "<?xml", "<opencv_storage")):
        return _read_opencv
    return _read_middlebury


def _read_json(text: str, path: Path) -> Entries:
    try:
        table = json.loads(text)
    except ValueError as problem:
        raise InputError(f"{path} is broken JSON: {problem}") from None
    except RecursionError:
        raise InputError(f"{path} is broken JSON: it is nested too deeply") from None
    if not isinstance(table, dict):
        raise InputError(
            f"{path} is not a calibration that salticid reads: its JSON must be one object of named entries"
        )
    return {name: _numbers(value, name, path) for name, value in table.items() if _known(name) and value is not None}


def _read_opencv(text: str, path: Path) -> Entries:
    if _depth(text) > DEPTH_LIMIT:
        raise InputError(f"{path} is broken OpenCV YAML or XML: it is nested too deeply")
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        nodes = {name: storage.getNode(name) for name in storage.root().keys() if _known(name)}  # noqa: SIM118 - a node
        values = {name: _node_value(node) for name, node in nodes.items()}
    except (cv2.error, SystemError, UnicodeError) as problem:
        reason = getattr(problem.__cause__ or problem, "err", problem)
        raise InputError(f"{path} is broken OpenCV YAML or XML: {reason}") from None
    return {name: _numbers(value, name, path) for name, value in values.items()}


def _depth(text: str) -> int:
    """Return the most brackets, tags and list dashes that are open at once, at least."""
    steps = [-1 if mark[0] in "]}" or mark == "</" else 1 for mark in re.findall(r"[\[\]{}]|</|<\w", text)]
    dashes = max((len(run) for run in re.findall(r"(?:-\s+){2,}", text)), default=0) // 2
    return max(itertools.accumulate(steps), default=0) + dashes


def _node_value(node: cv2.FileNode) -> object:
    """Return the numbers of a node, None for what is none: `real` reads text as 1.8e308, `mat` trusts a wrong size."""
    if not node.isMap():
        return _node_numbers(node)
    sides = [side for name in ("rows", "cols", "sizes") for side in _node_numbers(node.getNode(name))]
    numbers = _node_numbers(node.getNode("data"))
    if None in sides or math.prod(side or 0 for side in sides) != len(numbers):
        return None
    return numbers


def _node_numbers(node: cv2.FileNode) -> list[float | None]:
    """Return a sequence or a single number as a list, [None] when it is longer than any entry: `at` takes time."""
    if node.isSeq():
        short = node.size() <= ENTRY_LIMIT
        return [_node_number(node.at(index)) for index in range(node.size())] if short else [None]
    return [] if node.empty() or node.isNone() else [_node_number(node)]


def _node_number(node: cv2.FileNode) -> float | None:
    return node.real() if node.isReal() or node.isInt() else None


def _read_middlebury(text: str, path: Path) -> Entries:
    lines = (line.partition("=") for line in text.splitlines())
    texts = {name.strip(): value for name, _, value in lines}
    missing = [name for name in MIDDLEBURY_NEEDS if name not in texts]
    if missing:
        raise InputError(
            f"{path} is not a calibration that salticid reads: as a Middlebury calib.txt it has no {missing[0]}"
        )
    wanted = (name for name in (*MIDDLEBURY_NEEDS, "ndisp") if name in texts)
    values = {name: _numbers(_words(texts[name]), name, path) for name in wanted}
    known = {
        "left_camera_matrix": values["cam0"],
        "right_camera_matrix": values["cam1"],
        "R": np.eye(3),  # these pairs are rectified
        "T": np.append(-values["baseline"], [0, 0]),
        "image_size": np.append(values["width"], values["height"]),
    }
    return known | ({"num_disparities": values["ndisp"]} if "ndisp" in values else {})


def _words(text: str) -> list[float] | None:
    """Return the numbers of `[1 0 2; 0 1 3]` or `5`, None where one is none."""
    try:
        return [float(word) for word in re.split(r"[\[\];,\s]+", text) if word]
    except ValueError:
        return None


def _known(name: str) -> bool:
    return ALIASES.get(name, name) in NAMES


def _numbers(value: object, name: str, path: Path) -> NDArray[np.float64]:
    try:
        array = np.array(value)
    except (ValueError, RecursionError):  # lists of unequal lengths, or nested too deeply
        raise InputError(f"{path}: {name} must be numbers, in rows of one length") from None
    if array.dtype.kind not in "iuf":
        raise InputError(f"{path}: {name} must be numbers")
    return array.astype(np.float64)
