"""The index of a cache: one SQLite file that several processes share, and that may be killed, forked or rot.

Each process opens its own connection, when it needs one. A file that is broken is set aside and an empty one takes
its place: what it knew can be made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

_FORMAT = 1  # PRAGMA user_version; an index of another format counts as broken
_BUSY_TIMEOUT_S = 20.0
_WAL_PAGES = 32  # the log is folded back into the index at this length, so that it stays small
_KEEP_BROKEN_BYTES = 1 << 18

_SCHEMA = """
CREATE TABLE entries (key TEXT PRIMARY KEY, digest TEXT NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL);
CREATE INDEX entries_by_use ON entries (used, size);
CREATE TABLE partial (name TEXT PRIMARY KEY, size INTEGER NOT NULL);
CREATE TABLE digests (path BLOB PRIMARY KEY, state TEXT NOT NULL, digest BLOB NOT NULL);
"""

_log = logging.getLogger(__name__)

# One lock for all threads and indexes of this process; a fork waits for it, see `_close_before_forks`.
_lock = threading.RLock()
_indexes: weakref.WeakSet[CacheIndex] = weakref.WeakSet()


class CacheIndex:
    """A connection to the index that opens itself where and when it is needed."""

    def __init__(self, path: Path, on_open: Callable[[sqlite3.Connection], None]) -> None:
        """Keep `path`; `on_open` runs inside a transaction each time that this process opens the file."""
        self._path = path
        self._on_open = on_open
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        _close_before_forks()
        _indexes.add(self)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the only right to write, among all threads and processes, and commit at the end.

        Raises
        ------
        OSError, sqlite3.Error
            The file cannot be opened, locked or written. A broken file is replaced by the next transaction.
        """
        with _lock:
            connection = self._ready()
            try:
                with _immediate(connection):
                    yield connection
            except sqlite3.DatabaseError:
                self.close()
                raise

    def close(self) -> None:
        """Close the connection; the next transaction opens another."""
        with _lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def bytes_on_disk(self) -> int:
        """Return the size of the index with its log, and of a broken one that was set aside."""
        return sum(path.stat().st_size for path in self._path.parent.glob(f"{self._path.name}*"))

    def _ready(self) -> sqlite3.Connection:
        if self._connection is not None and self._opened == _identity(self._path):
            return self._connection
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _file_lock(self._path.with_suffix(".lock")):
            self._connection = connection = self._open_sound()
            self._opened = _identity(self._path)
            try:
                with _immediate(connection):
                    self._on_open(connection)
            except BaseException:
                self.close()
                raise
        return connection

    def _open_sound(self) -> sqlite3.Connection:
        try:
            return _open(self._path)
        except sqlite3.OperationalError:
            raise  # locked, full or not permitted: the file itself may be sound
        except sqlite3.DatabaseError as error:
            _log.warning("cache index %s is broken (%s): starting an empty one", self._path, error)
            _set_aside(self._path)
            return _open(self._path)


@functools.cache
def _close_before_forks() -> None:
    """See to it that no connection is open in a fork: SQLite's locks do not survive being copied."""

    def close_all() -> None:
        _lock.acquire()
        for index in _indexes:
            index.close()

    os.register_at_fork(before=close_all, after_in_parent=_lock.release, after_in_child=_lock.release)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # Without fsync a power cut may break the index or an entry; both are checked when they are read.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_PAGES * 4096}")
        _check_or_create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_or_create(connection: sqlite3.Connection) -> None:
    [(verdict,)] = connection.execute("PRAGMA quick_check(1)")
    [(version,)] = connection.execute("PRAGMA user_version")
    [(tables,)] = connection.execute("SELECT COUNT(*) FROM sqlite_master")
    if verdict != "ok" or (tables and version != _FORMAT):
        raise sqlite3.DatabaseError(f"check says {verdict}, format {version}")
    if not tables:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_FORMAT}; COMMIT")


def _set_aside(path: Path) -> None:
    """Keep a small broken file for whoever asks why; its log must not be replayed into the new one."""
    if path.stat().st_size > _KEEP_BROKEN_BYTES:
        path.unlink()
    else:
        path.replace(path.with_name(f"{path.name}.broken"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _immediate(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """Hold a lock that the kernel gives up for a process that dies."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file `path` is now: another process may have replaced or removed it."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino
