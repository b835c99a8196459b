"""Write beside, then rename: a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from salticid.errors import InputError, ResourceError, SalticidError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path`, on any error it is removed.

    The temporary name keeps the suffix of `path`, because encoders choose the format by it.

    Raises
    ------
    InputError
        The folder does not exist or is not writable, `path` is a folder, or `path` exists and `overwrite` is false.
    ResourceError
        The disk is full.
    """
    target = Path(path)
    check_target(target, overwrite=overwrite)
    part: Path | None = None
    try:
        before, after = _part_name(target)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=before, suffix=after)
        os.close(handle)
        part = Path(name)
        yield part
        _flush_to_disk(part)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    except OSError as problem:
        raise write_error(problem, target) from problem
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def check_target(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Raise `InputError` now when `path` could not be written later, before long work starts."""
    target = Path(path)
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder; give the name of a file in it")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: the folder {target.parent} does not exist; make it first")
    if os.path.lexists(target) and not overwrite:
        raise InputError(f"{target} exists: choose another name, or say --overwrite (overwrite=True)")
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"cannot write {target}: the folder {target.parent} is not writable; choose another")


def remove_parts(path: str | os.PathLike[str]) -> None:
    """Remove what killed processes left of writing `path`. For a file that one process alone writes."""
    target = Path(path)
    before, after = _part_name(target)
    for part in target.parent.iterdir():
        if part.name.startswith(before) and part.name.endswith(after):
            part.unlink(missing_ok=True)


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder `path` and those above it; `InputError` when something else is in the way."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise write_error(problem, folder) from problem
    return folder


def write_bytes(path: str | os.PathLike[str], data: bytes, *, overwrite: bool = True) -> None:
    """Write `data` to `path` in one step."""
    with replacing(path, overwrite=overwrite) as part:
        part.write_bytes(data)


def write_error(problem: OSError, target: Path) -> SalticidError:
    """Return what an operating system's error means to the user: `ResourceError` when it is full, else `InputError`."""
    if _says_full(problem):
        return ResourceError(f"cannot write {target}: the disk is full; free some space or choose another place")
    return InputError(f"cannot write {target}: {problem.strerror or problem}; choose another place")


def is_disk_full(problem: BaseException) -> bool:
    """Return whether an error of this package means that the disk is full, as it is for whatever is tried next."""
    cause = problem.__cause__
    return isinstance(cause, OSError) and _says_full(cause)


def _says_full(problem: OSError) -> bool:
    return problem.errno in DISK_FULL or "requested and" in str(problem)  # the latter: numpy's word for a short write


def _part_name(target: Path) -> tuple[str, str]:
    """Return how the name of a file that will become `target` begins and ends."""
    return f".{target.stem}.", f".part{target.suffix}"


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    """Read this process's umask, which only `os.umask` tells and only by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
