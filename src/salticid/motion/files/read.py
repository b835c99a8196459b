"""Files of keypoints: whatever found the joints, its file takes the place of a video."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

from salticid.core.files import looks_like, read_bytes
from salticid.errors import InputError
from salticid.motion.files.csv_file import read_csv, write_csv
from salticid.motion.files.npz_file import read_npz, write_npz
from salticid.motion.files.number_rows import at_rate
from salticid.motion.files.openpose import is_openpose_folder, read_openpose
from salticid.motion.files.plausible import check_times
from salticid.motion.files.trc_reader import read_trc
from salticid.motion.keypoints import Keypoints

__all__ = ["SUFFIXES", "is_keypoint_file", "read_keypoints", "write_csv", "write_npz"]

SUFFIXES = (".npz", ".csv", ".tsv", ".trc")
MAX_BYTES = 1 << 29  # of one file

_ZIP = b"PK\x03\x04"
_TRC = b"PathFileType"


def is_keypoint_file(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is, by its name, keypoints and not a video: a file, or a folder of OpenPose's."""
    return Path(path).suffix.lower() in SUFFIXES or is_openpose_folder(path)


def read_keypoints(path: str | os.PathLike[str], fps: float | None = None) -> Keypoints:
    """Read the joints of one body from a file.

    The content decides, not the name: an archive of `write_npz`, a TRC file of OpenSim, Pose2Sim or Sports2D, a table
    as in `csv_file` (also DeepLabCut's), or a folder of OpenPose's JSON files. Joints that another convention names
    differently get the names of `keypoints.JOINTS`.

    Parameters
    ----------
    fps
        Frames that were filmed per second. Needed where the file has no times; where it has, they are stretched so that
        this is their median rate, as slow motion is undone in a video.

    Raises
    ------
    InputError
        The file is missing, empty, damaged, or holds something else; the message says what, where possible with line
        and column.
    """
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise InputError(f"fps must be above 0, not {fps}")
    found = read_openpose(path, fps) if Path(path).is_dir() else _read_file(path, fps)
    check_times(found.times_s, os.fspath(path))
    return found


def _read_file(path: str | os.PathLike[str], fps: float | None) -> Keypoints:
    data, name = read_bytes(path, max_bytes=MAX_BYTES)
    if data.startswith(_ZIP):
        return _at_rate(read_npz(data, name), fps)
    if data.removeprefix(b"\xef\xbb\xbf").startswith(_TRC):
        return _at_rate(read_trc(data, name), fps)
    if looks_like(data) not in ("text", "data of an unknown kind"):
        raise InputError(f"{name} is {looks_like(data)}, not a file of keypoints: give {', '.join(SUFFIXES)}")
    return read_csv(data, name, fps)


def _at_rate(keypoints: Keypoints, fps: float | None) -> Keypoints:
    return replace(keypoints, times_s=at_rate(keypoints.times_s, fps))
