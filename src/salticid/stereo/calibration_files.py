"""The files that a stereo calibration comes in, read into one set of names.

Middlebury `calib.txt`    cam0, cam1, doffs, baseline, width, height, ndisp
JSON                      left/right_camera_matrix, left/right_dist_coeffs, R, T, R1 ... P2, image_size
OpenCV FileStorage        the same as camera_matrix_left ..., or M1, D1, M2, D2, R, T; YAML or XML
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from salticid.errors import InputError

Entries = dict[str, NDArray[np.float64]]

SIZE_LIMIT_BYTES = 1 << 20

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


def read(path: Path) -> Entries:
    """Return the entries of the calibration file at `path` under our names, lengths in the file's unit.

    Raises
    ------
    InputError
        The file cannot be read, or is none of the formats above.
    """
    text = _text(path)
    entries = _reader(text)(text, path)
    return _consistent_unit({ALIASES.get(name, name): value for name, value in entries.items()})


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise InputError(f"{path} is too large for a calibration: {path.stat().st_size:,} bytes")
        return path.read_text()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text, so not a calibration file") from None
    except OSError as problem:
        raise InputError(f"cannot read the calibration {path}: {problem.strerror}") from None


def _reader(text: str) -> Callable[[str, Path], Entries]:
    head = text.lstrip()[:64]
    if head.startswith("{"):
        return _read_json
    if head.startswith(("%YAML", "<?xml", "<opencv_storage")):
        return _read_opencv
    return _read_middlebury


def _read_json(text: str, path: Path) -> Entries:
    try:
        table = json.loads(text)
    except ValueError as problem:
        raise InputError(f"{path} is broken JSON: {problem}") from None
    return {name: _numbers(value, name, path) for name, value in table.items() if _known(name) and value is not None}


def _read_opencv(text: str, path: Path) -> Entries:
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        nodes = {name: storage.getNode(name) for name in storage.root().keys() if _known(name)}  # noqa: SIM118 - a node
        values = {name: _node_value(node) for name, node in nodes.items()}
    except (cv2.error, SystemError) as problem:
        reason = getattr(problem, "err", problem)
        raise InputError(f"{path} is broken OpenCV YAML or XML: {reason}") from None
    return {name: _numbers(value, name, path) for name, value in values.items()}


def _node_value(node: cv2.FileNode) -> object:
    if node.isMap():
        return node.mat()
    if node.isSeq():
        return [node.at(index).real() for index in range(node.size())]
    return node.real()


def _read_middlebury(text: str, path: Path) -> Entries:
    pairs = (line.partition("=") for line in text.splitlines())
    table = {name.strip(): _numbers(re.findall(r"[-+.\deE]+", value), name, path) for name, _, value in pairs if value}
    missing = [name for name in ("cam0", "cam1", "baseline", "width", "height") if name not in table]
    if missing:
        raise InputError(
            f"{path} is not a calibration that salticid reads: as a Middlebury calib.txt it has no {missing[0]}"
        )
    known = {
        "left_camera_matrix": table["cam0"],
        "right_camera_matrix": table["cam1"],
        "T": np.array([-table["baseline"].ravel()[0], 0, 0]),
        "image_size": np.array([table["width"].ravel()[0], table["height"].ravel()[0]]),
    }
    return known | ({"num_disparities": table["ndisp"]} if "ndisp" in table else {})


def _known(name: str) -> bool:
    return ALIASES.get(name, name) in NAMES


def _numbers(value: object, name: str, path: Path) -> NDArray[np.float64]:
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{path}: {name} must be numbers") from None


def _consistent_unit(entries: Entries) -> Entries:
    """Bring T to mm where the file says its baseline in mm: some write T in meters beside it."""
    baseline = entries.pop("baseline_mm", None)
    length = float(np.linalg.norm(entries["T"])) if "T" in entries else 0.0
    if baseline is None or length == 0:
        return entries
    ratio = float(baseline.ravel()[0]) / length
    unit = min((1.0, 10.0, 1000.0), key=lambda candidate: abs(np.log(max(ratio, 1e-9) / candidate)))
    scaled = {"T": entries["T"] * unit}
    if "P2" in entries and entries["P2"].size == 12:
        P2 = entries["P2"].reshape(3, 4).copy()
        P2[:, 3] *= unit
        scaled["P2"] = P2
    return entries | scaled
