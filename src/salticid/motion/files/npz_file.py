"""Salticid's own file of keypoints: a numpy archive that keeps every bit, with a version and without pickle."""

from __future__ import annotations

import io
import math
import os
import zipfile

import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.types import Array
from salticid.errors import InputError
from salticid.motion.files.array_file import DAMAGED, to_npz
from salticid.motion.files.plausible import picture_size
from salticid.motion.keypoints import Keypoints

VERSION = 1
MAX_NUMBERS_BYTES = 1 << 31  # unpacked: about six hours of 33 joints at 60 frames a second

_VERSION_KEY = "salticid_keypoints"
_NEEDED = (_VERSION_KEY, "times_s", "positions", "scores", "names")
_OPTIONAL = ("size_px", "world_m")


def write_npz(path: str | os.PathLike[str], keypoints: Keypoints, *, overwrite: bool = True) -> None:
    """Write keypoints so that `read_keypoints` gives back the very same.

    Members: `salticid_keypoints` (the version), `times_s`, `positions`, `scores`, `names` and, where known, `size_px`
    and `world_m`; shapes and units as in `Keypoints`.
    """
    members: dict[str, Array] = {
        _VERSION_KEY: np.array(VERSION, np.int64),
        "times_s": np.asarray(keypoints.times_s, np.float64),
        "positions": np.asarray(keypoints.positions, np.float32),
        "scores": np.asarray(keypoints.scores, np.float32),
        "names": np.array(keypoints.names, np.str_),
    }
    if keypoints.size_px is not None:
        members["size_px"] = np.array(keypoints.size_px, np.int64)
    if keypoints.world_m is not None:
        members["world_m"] = np.asarray(keypoints.world_m, np.float32)
    write_bytes(path, to_npz(members), overwrite=overwrite)


def read_npz(data: bytes, name: str) -> Keypoints:
    """Return the keypoints in the bytes of such a file.

    Raises
    ------
    InputError
        It is damaged, no file of keypoints, of a later version, or unpacks to more than `MAX_NUMBERS_BYTES`.
    """
    members = _unpack(data, name)
    missing = [key for key in _NEEDED if key not in members]
    if missing:
        raise InputError(f"{name} holds no keypoints of salticid ({missing[0]} is missing): give CSV or TRC instead")
    version = members[_VERSION_KEY].reshape(-1)
    if version.tolist() != [VERSION]:
        raise InputError(f"{name} is of version {version.tolist()}, this salticid reads version {VERSION}: update it")
    if members["times_s"].ndim != 1:
        raise InputError(f"{name}: times_s must be one time per frame, not of shape {members['times_s'].shape}")
    keypoints = _keypoints(members, name)
    if np.isinf(keypoints.positions).any():
        raise InputError(f"{name}: a position is infinite; write nan where a joint was not found")
    return keypoints


def _keypoints(members: dict[str, Array], name: str) -> Keypoints:
    size_px = _size(members["size_px"], name) if "size_px" in members else None
    try:
        return Keypoints(
            times_s=np.asarray(members["times_s"], np.float64),
            positions=np.asarray(members["positions"], np.float32),
            scores=np.asarray(members["scores"], np.float32),
            names=tuple(str(joint) for joint in members["names"].reshape(-1)),
            size_px=size_px,
            world_m=np.asarray(members["world_m"], np.float32) if "world_m" in members else None,
        )
    except (ValueError, TypeError) as problem:
        raise InputError(f"{name}: {problem}") from problem


def _unpack(data: bytes, name: str) -> dict[str, Array]:
    """Return the archive's members that a file of keypoints has."""
    wanted = {f"{key}.npy": key for key in (*_NEEDED, *_OPTIONAL)}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if info.filename in wanted]
            if sum(info.file_size for info in infos) > MAX_NUMBERS_BYTES:
                raise InputError(f"{name} unpacks to more than {MAX_NUMBERS_BYTES:,} bytes: cut it into clips")
            return {wanted[info.filename]: _array(archive.read(info), name) for info in infos}
    except InputError:
        raise
    except DAMAGED as problem:
        raise InputError(f"{name} is damaged: {problem}; was its copy or download cut short?") from None


def _array(member: bytes, name: str) -> Array:
    """Return an .npy member; its size is compared with what its head promises before memory is asked for."""
    file = io.BytesIO(member)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(member) - file.tell():
            raise ValueError("an array's head does not fit its bytes")
        flat = np.frombuffer(member, dtype, offset=file.tell()).copy()
        return flat.reshape(shape, order="F" if fortran else "C")
    except DAMAGED as problem:
        raise InputError(f"{name} is damaged: {problem}; write it again") from None


def _size(size: Array, name: str) -> tuple[int, int]:
    if size.shape != (2,) or size.dtype.kind not in "iu":
        raise InputError(f"{name}: size_px must be a width and a height, not {size.dtype} of shape {size.shape}")
    return picture_size(int(size[0]), int(size[1]), name)
