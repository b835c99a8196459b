"""Arrays on disk, named by what they were made from: make a thing once, find it again after a crash or a restart.

    with ArrayCache(default_root(), max_bytes=DEFAULT_MAX_BYTES) as cache:
        key = cache.key(content=[left, right], parameters={"disparities": 128}, version="sgm 3")
        arrays = cache.fetch(key, lambda: {"disparity_px": match(left, right)})

A cache never breaks the work: when the disk is full, broken or not writable it says so in the log, finds nothing and
keeps nothing. It may be shared by threads and by processes, which may be killed at any point.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from salticid.core.types import Array
from salticid.errors import InputError, IntegrityError, MissingError
from salticid.runtime import cache_format
from salticid.runtime.cache_key import Content, cache_key, file_digest
from salticid.runtime.cache_store import ByteStore

__all__ = ["DEFAULT_MAX_BYTES", "ArrayCache", "CacheStats", "cache_key", "default_root", "file_digest"]

DEFAULT_MAX_BYTES = 2 << 30
MIN_BYTES = 1 << 20

_KEY = re.compile(r"[0-9a-f]{64}")
_SETTLED_NS = 2_000_000_000  # a file may change again within the coarsest tick of a file system's clock
_TROUBLE = (OSError, sqlite3.Error, IntegrityError)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds, and how often this object found what it was asked for."""

    entries: int
    bytes: int
    max_bytes: int
    hits: int
    misses: int


class ArrayCache:
    """Dictionaries of arrays under keys, in files below `root` that take `max_bytes` at most."""

    def __init__(self, root: str | os.PathLike[str], *, max_bytes: int) -> None:
        """Open the cache and remove what processes that died have left in it.

        Parameters
        ----------
        root
            Folder of its own; it is made when it does not exist.
        max_bytes
            Bound on all files below `root`, half a MiB of which is kept free for the index. What
            was not used for longest makes room when something is put.

        Raises
        ------
        InputError
            `max_bytes` is less than 1 MiB.
        """
        if max_bytes < MIN_BYTES:
            raise InputError(f"max_bytes must be at least {MIN_BYTES} (1 MiB), not {max_bytes}: give the cache room")
        self.root = Path(root)
        self.max_bytes = max_bytes
        self._store = ByteStore(self.root, max_bytes)
        self._hits = self._misses = 0
        self._try("be opened", self._store.open, None)

    def __enter__(self) -> Self:
        """Return the cache itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the cache."""
        self.close()

    def __reduce__(self) -> tuple[Callable[[Path, int], ArrayCache], tuple[Path, int]]:
        """Travel to a worker process as a root and a bound: each process opens its own index."""
        return _reopen, (self.root, self.max_bytes)

    def close(self) -> None:
        """Close the index; using the cache again opens it again."""
        self._try("be closed", self._store.close, None)

    def get(self, key: str) -> dict[str, Array] | None:
        """Return the arrays under `key`, or None; they are the caller's own and share one block of memory.

        An entry whose bytes are not those that were written is removed and counts as absent.
        """
        _check_key(key)
        found = self._try("be read", lambda: self._load(key), None)
        if found is None:
            self._misses += 1
        else:
            self._hits += 1
        return found

    def put(self, key: str, arrays: Mapping[str, Array]) -> bool:
        """Keep `arrays` under `key`; all of them become visible in one step, to every process.

        Parameters
        ----------
        key
            From `cache_key`.
        arrays
            Of bool, integers, or float16, 32 and 64, of any shape, order and strides. They come back
            in C order and in this machine's byte order.

        Returns
        -------
        bool
            False, with a warning in the log, when the disk is full or not writable, or when the
            arrays are larger than the bound.

        Raises
        ------
        InputError
            The key is not a key, or something in `arrays` is not an array of numbers.
        """
        _check_key(key)
        pieces = cache_format.encode(arrays)
        return self._try("be written", lambda: self._keep(key, pieces), False)

    def fetch(self, key: str, compute: Callable[[], Mapping[str, Array]]) -> dict[str, Array]:
        """Return the arrays under `key`, or those that `compute` makes, which are then kept."""
        found = self.get(key)
        if found is None:
            found = dict(compute())
            self.put(key, found)
        return found

    def key(self, *, content: Content, parameters: Mapping[str, Any], version: str) -> str:
        """Return `cache_key` of the same arguments; files that did not change are not read again."""
        return cache_key(content=content, parameters=parameters, version=version, digest_file=self.file_digest)

    def file_digest(self, path: Path) -> bytes:
        """Return `file_digest(path)`, remembered for as long as the file's size, times and inode stay the same."""
        name, state = os.fsencode(path.absolute()), _settled_state(path)
        if state is None:
            return file_digest(path)
        digest = self._try("be read", lambda: self._store.recall_digest(name, state), None)
        if digest is not None:
            return digest
        digest = file_digest(path)
        if state == _settled_state(path):
            self._try("be written", lambda: self._store.remember_digest(name, state, digest), None)
        return digest

    def stats(self) -> CacheStats:
        """Return how much there is; nothing when the cache cannot be read."""
        entries, size = self._try("be read", self._store.totals, (0, 0))
        return CacheStats(entries, size, self.max_bytes, self._hits, self._misses)

    def clear(self) -> None:
        """Remove all entries."""
        self._try("be cleared", self._store.clear, None)

    def _load(self, key: str) -> dict[str, Array] | None:
        data = self._store.read(key)
        return None if data is None else cache_format.decode(data)

    def _keep(self, key: str, pieces: list[bytes | memoryview]) -> bool:
        kept = self._store.write(key, pieces)
        if not kept:
            size = sum(map(len, pieces))
            _log.warning("cache %s: %d bytes do not fit into its bound of %d", self.root, size, self.max_bytes)
        return kept

    def _try(self, what: str, work: Callable[[], _T], otherwise: _T) -> _T:
        """Return what `work` returns; trouble with the disk is logged and the work goes on without the cache."""
        try:
            return work()
        except _TROUBLE as error:
            _log.warning("cache %s cannot %s (%s): going on without it", self.root, what, error)
            return otherwise


def default_root() -> Path:
    """Return the folder for cached arrays: $SALTICID_CACHE, $XDG_CACHE_HOME/salticid or ~/.cache/salticid.

    Raises
    ------
    MissingError
        There is no home folder, and no variable names another one.
    """
    chosen, base = os.environ.get("SALTICID_CACHE"), Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if chosen:
            return Path(chosen).expanduser()
        # The XDG specification: a path that is not absolute is ignored.
        return (base if base.is_absolute() else Path.home() / ".cache") / "salticid"
    except RuntimeError as error:
        raise MissingError(f"no home folder for the cache ({error}): set SALTICID_CACHE to a folder") from error


def _reopen(root: Path, max_bytes: int) -> ArrayCache:
    return ArrayCache(root, max_bytes=max_bytes)


def _check_key(key: str) -> None:
    """Refuse what could form a path."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InputError(f"a cache key has 64 hexadecimal digits, not {key!r}: make it with cache_key")


def _settled_state(path: Path) -> str | None:
    """Return what changes when a file does, or None when it is too young to tell one change from the next.

    The time of the last change of the inode is part of it, because the time of modification can be set back.
    """
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    if time.time_ns() - state.st_ctime_ns < _SETTLED_NS:
        return None
    return f"{state.st_dev} {state.st_ino} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
