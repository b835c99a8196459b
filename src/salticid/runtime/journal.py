"""A journal of finished items: one JSON line each, on disk before anybody is told that the item is done.

A program that was killed reads its journal when it starts again and does only what is left. A line that was cut off by
the kill is dropped; damage anywhere else is an error, because it cannot come from a kill.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import blake3

from salticid.core.plain import canonical, plain
from salticid.errors import InputError, IntegrityError

FORMAT = 1

_log = logging.getLogger(__name__)


def item_keys(items: Sequence[Any]) -> list[str]:
    """Return a stable key per item: a digest of its plain value, and which of its equals it is."""
    seen: dict[str, int] = {}
    keys = []
    for item in items:
        digest = blake3.blake3(canonical(item).encode()).hexdigest()[:32]
        seen[digest] = seen.get(digest, 0) + 1
        keys.append(f"{digest}-{seen[digest]}")
    return keys


class Journal:
    """The finished items of one piece of work, kept in one file that a single program holds open."""

    def __init__(self, path: str | os.PathLike[str], work: str) -> None:
        """Open or start the journal at `path` for `work`, a name that tells one piece of work from another.

        Raises
        ------
        InputError
            The file cannot be opened, belongs to other work, or is held by another running program.
        IntegrityError
            A line before the last is damaged.
        """
        self._path = Path(path)
        self._lock = threading.Lock()
        self._file = _open_locked(self._path)
        self._closing = weakref.finalize(self, os.close, self._file)
        try:
            self._values, self._length = self._load(work)
        except BaseException:
            self.close()
            raise

    def __contains__(self, key: str) -> bool:
        """Return whether the item was finished."""
        return key in self._values

    def value(self, key: str) -> Any:
        """Return the value that was recorded for `key`."""
        return self._values[key]

    def record(self, key: str, value: Any) -> None:
        """Put a finished item on disk; a full disk is logged and the item counts as not journalled."""
        with self._lock:
            if self._append({"key": key, "value": plain(value)}):
                self._values[key] = value

    def close(self) -> None:
        """Close the file, which also gives up the lock."""
        self._closing()

    def _load(self, work: str) -> tuple[dict[str, Any], int]:
        data = self._path.read_bytes()
        good = data[: data.rfind(b"\n") + 1]
        self._length = len(good)
        os.ftruncate(self._file, len(good))
        if not good:
            if not self._append({"journal": FORMAT, "work": work}):
                raise InputError(f"cannot write the journal {self._path}: free some disk space or choose another place")
            return {}, self._length
        head, *lines = (self._parse(number, line) for number, line in enumerate(good.splitlines(), 1))
        if head.get("journal") != FORMAT or head.get("work") != work:
            raise InputError(
                f"{self._path} is the journal of {head.get('work')!r}, not of {work!r}: "
                "choose another file, or delete it to start over"
            )
        return {line["key"]: line["value"] for line in lines}, len(good)

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or (number > 1 and not {"key", "value"} <= entry.keys()):
            raise IntegrityError(f"{self._path}, line {number} is damaged: delete the file to start over")
        return entry

    def _append(self, entry: dict[str, Any]) -> bool:
        line = json.dumps(entry).encode() + b"\n"
        try:
            written = os.pwrite(self._file, line, self._length)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes written")
            os.fsync(self._file)
        except OSError as problem:
            _log.warning("%s: a finished item was not journalled: %s", self._path, problem)
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length)
            return False
        self._length += len(line)
        return True


def _open_locked(path: Path) -> int:
    import fcntl

    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        raise InputError(f"cannot open the journal {path}: {problem.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise InputError(f"the journal {path} is in use: wait for the other run, or choose another file") from None
    return file
