"""A journal of finished items: one JSON line each, on disk before anybody is told that the item is done.

A program that was killed reads its journal when it starts again and does only what is left. A line that was cut off by
the kill is dropped; damage anywhere else is an error, because it cannot come from a kill.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import blake3

from salticid.core.plain import to_json
from salticid.errors import InputError, IntegrityError

FORMAT = 1

_log = logging.getLogger(__name__)


def item_keys(items: Sequence[Any]) -> list[str]:
    """Return a stable key per item: a digest of its plain value, and which of its equals it is."""
    seen: dict[str, int] = {}
    keys = []
    for item in items:
        digest = blake3.blake3(to_json(item).encode()).hexdigest()[:32]
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

    def record(self, key: str, value: Any) -> Any:
        """Put a finished item on disk and return its value as a later run will find it.

        A full disk is logged, and the item counts as not journalled.

        Raises
        ------
        InputError
            JSON cannot say the value.
        """
        text = to_json(value)
        kept = json.loads(text)
        with self._lock:
            if self._append(f'{{"key":{json.dumps(key)},"value":{text}}}'):
                self._values[key] = kept
        return kept

    def close(self) -> None:
        """Close the file, which also gives up the lock."""
        self._closing()

    def _load(self, work: str) -> tuple[dict[str, Any], int]:
        data = self._path.read_bytes()
        start = to_json({"journal": FORMAT, "work": work})
        if not data or (b"\n" not in data and start.startswith(data.decode(errors="replace"))):
            self._start_over(start)
            return {}, self._length
        good = data[: data.rfind(b"\n") + 1]
        lines = good.splitlines() or [data]
        self._check_head(lines[0], work)
        entries = [self._parse(number, line) for number, line in enumerate(lines[1:], 2)]
        os.ftruncate(self._file, len(good))
        return {entry["key"]: entry["value"] for entry in entries}, len(good)

    def _start_over(self, head: str) -> None:
        self._length = 0
        os.ftruncate(self._file, 0)
        if not self._append(head):
            raise InputError(f"cannot write the journal {self._path}: free some disk space or choose another place")

    def _check_head(self, line: bytes, work: str) -> None:
        try:
            head = json.loads(line)
        except ValueError:
            head = None
        if not isinstance(head, dict) or head.get("journal") != FORMAT:
            raise InputError(f"{self._path} is not a journal: choose another file; nothing was changed in it")
        if head.get("work") != work:
            raise InputError(
                f"{self._path} is the journal of {head.get('work')!r}, not of {work!r}: "
                "choose another file, or delete it to start over"
            )

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not {"key", "value"} <= entry.keys() or not isinstance(entry["key"], str):
            raise IntegrityError(f"{self._path}, line {number} is damaged: delete the file to start over")
        return entry

    def _append(self, text: str) -> bool:
        line = text.encode() + b"\n"
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
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o666)
    except OSError as problem:
        raise InputError(f"cannot open the journal {path}: {problem.strerror}") from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise InputError(f"the journal {path} is not a file: choose another place")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise InputError(f"the journal {path} is in use: wait for the other run, or choose another file") from None
    return file
