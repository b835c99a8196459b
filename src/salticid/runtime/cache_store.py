"""Bytes under keys on disk, within a bound that holds at every moment and for all processes together.

    root/index.sqlite                 what there is, how big it is, when it was used last
    root/entries/KEY-DIGEST.safetensors
    root/partial/NAME.part            being written; locked by its writer, so that a dead one is recognised

To write is to reserve the bytes in the index (which evicts what was not used for longest), to write the partial
file, and to rename it. Each of these may be the last thing that a process does: whatever it leaves behind is
found and removed by the next one that opens the store. The digest in the name is checked on every read.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from blake3 import blake3

from salticid.core.types import Array
from salticid.runtime.cache_index import CacheIndex

INDEX_SHARE_BYTES = 1 << 19  # of the bound, kept free for the index and its log

_ENTRY_NAME = re.compile(r"([0-9a-f]{64})-([0-9a-f]{64})\.safetensors")
_PARTIAL_NAME = re.compile(r"[0-9a-f]{32}\.part")
_DIGESTS_KEPT = 1024

_log = logging.getLogger(__name__)


class ByteStore:
    """Bytes under keys; every method may raise `OSError` or `sqlite3.Error`, and then nothing is half done."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._entries = root / "entries"
        self._partial = root / "partial"
        self._max_bytes = max_bytes
        self._index = CacheIndex(root / "index.sqlite", self._recover)

    def open(self) -> None:
        """Open the index now rather than at the first use, and remove what dead processes left."""
        with self._index.transaction():
            pass

    def close(self) -> None:
        """Close the index; the next use opens it again."""
        self._index.close()

    def read(self, key: str) -> Array | None:
        """Return the bytes under `key`, (N,) uint8; a damaged file is removed and counts as absent."""
        with self._index.transaction() as db:
            rows = db.execute(
                "UPDATE entries SET used = (SELECT MAX(used) + 1 FROM entries) WHERE key = ? RETURNING digest, size",
                (key,),
            ).fetchall()
        if not rows:
            return None
        [(digest, size)] = rows
        data = _read(self._entry(key, digest), size)
        if data is not None and blake3(data.data).hexdigest() != digest:
            self._forget(key, digest)
            return None
        return data

    def write(self, key: str, pieces: Sequence[bytes | memoryview]) -> bool:
        """Put the bytes of `pieces` under `key` in one step; return False when they do not fit into the bound."""
        size = sum(map(len, pieces))
        file = self._reserve(size)
        if file is None:
            return False
        digest = _digest(pieces)
        try:
            with file:
                _fill(file, pieces)
                self._publish(Path(file.name), key, digest, size)
        except BaseException:
            self._abandon(Path(file.name), self._entry(key, digest))
            raise
        return True

    def clear(self) -> None:
        """Remove all entries and all remembered digests of files."""
        with self._index.transaction() as db:
            for key, digest in db.execute("SELECT key, digest FROM entries"):
                self._entry(key, digest).unlink(missing_ok=True)
            db.execute("DELETE FROM entries")
            db.execute("DELETE FROM digests")

    def totals(self) -> tuple[int, int]:
        """Return the number of entries and their bytes."""
        with self._index.transaction() as db:
            [(count, size)] = db.execute("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM entries")
        return count, size

    def recall_digest(self, path: bytes, state: str) -> bytes | None:
        """Return the digest that was remembered for the file `path` in this `state`."""
        with self._index.transaction() as db:
            row = db.execute("SELECT digest FROM digests WHERE path = ? AND state = ?", (path, state)).fetchone()
        return row[0] if row else None

    def remember_digest(self, path: bytes, state: str, digest: bytes) -> None:
        """Remember the digest of a file, and forget the one that was remembered longest ago when there are many."""
        with self._index.transaction() as db:
            db.execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", (path, state, digest))
            db.execute("DELETE FROM digests WHERE rowid <= (SELECT MAX(rowid) FROM digests) - ?", (_DIGESTS_KEPT,))

    def _entry(self, key: str, digest: str) -> Path:
        name = _entry_name(key, digest)
        if not _ENTRY_NAME.fullmatch(name):
            raise sqlite3.DatabaseError(f"the index names an entry {name!r}")
        return self._entries / name

    def _forget(self, key: str, digest: str) -> None:
        path = self._entry(key, digest)
        _log.warning("cache entry %s is damaged: it is removed and will be made again", path)
        with self._index.transaction() as db:
            db.execute("DELETE FROM entries WHERE key = ? AND digest = ?", (key, digest))
            path.unlink(missing_ok=True)

    def _reserve(self, size: int) -> BinaryIO | None:
        """Return a new partial file, locked, whose bytes are already counted; None when they do not fit."""
        path = self._partial / f"{secrets.token_hex(16)}.part"
        with contextlib.ExitStack() as undo:
            with self._index.transaction() as db:
                if not self._make_room(db, size):
                    return None
                db.execute("INSERT INTO partial VALUES (?, ?)", (path.name, size))
                file = undo.enter_context(path.open("xb"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            undo.pop_all()
        return file

    def _publish(self, partial: Path, key: str, digest: str, size: int) -> None:
        with self._index.transaction() as db:
            old = db.execute("SELECT digest FROM entries WHERE key = ?", (key,)).fetchone()
            db.execute(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, (SELECT COALESCE(MAX(used), 0) + 1 FROM entries))",
                (key, digest, size),
            )
            db.execute("DELETE FROM partial WHERE name = ?", (partial.name,))
            partial.replace(self._entry(key, digest))
            if old and old[0] != digest:
                self._entry(key, old[0]).unlink(missing_ok=True)

    def _abandon(self, partial: Path, final: Path) -> None:
        """Remove what a failed write left; an entry whose file goes with it reads as absent."""
        partial.unlink(missing_ok=True)
        final.unlink(missing_ok=True)
        with contextlib.suppress(OSError, sqlite3.Error), self._index.transaction() as db:
            db.execute("DELETE FROM partial WHERE name = ?", (partial.name,))

    def _make_room(self, db: sqlite3.Connection, size: int) -> bool:
        """Evict what was not used for longest until `size` bytes fit; evict nothing when they never will."""
        room = self._max_bytes - max(INDEX_SHARE_BYTES, self._index.bytes_on_disk()) - size
        entries, reserved = _bytes_in(db, "entries"), _bytes_in(db, "partial")
        if entries + reserved <= room:
            return True
        self._drop_dead_partials(db)
        reserved = _bytes_in(db, "partial")
        if reserved > room:
            return False
        victims = []
        for key, digest, freed in db.execute("SELECT key, digest, size FROM entries ORDER BY used").fetchall():
            if entries + reserved <= room:
                break
            self._entry(key, digest).unlink(missing_ok=True)
            victims.append((key,))
            entries -= freed
        db.executemany("DELETE FROM entries WHERE key = ?", victims)
        return True

    def _recover(self, db: sqlite3.Connection) -> None:
        """Bring files and index together after whatever happened to the processes before this one."""
        self._entries.mkdir(exist_ok=True)
        self._partial.mkdir(exist_ok=True)
        self._drop_dead_partials(db)
        rows = db.execute("SELECT key, digest, size FROM entries")
        missing = {_entry_name(key, digest): (key, size) for key, digest, size in rows}
        for path in self._entries.iterdir():
            if missing.get(path.name, ("", -1))[1] == _size(path):
                del missing[path.name]
            elif _ENTRY_NAME.fullmatch(path.name):
                path.unlink(missing_ok=True)
        db.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key, _ in missing.values()])

    def _drop_dead_partials(self, db: sqlite3.Connection) -> None:
        """Remove partial files that no living process holds, and reservations that have no file."""
        held = set()
        for path in self._partial.iterdir():
            if not _PARTIAL_NAME.fullmatch(path.name):
                continue
            if _is_held(path):
                held.add(path.name)
            else:
                path.unlink(missing_ok=True)
        reserved = [name for (name,) in db.execute("SELECT name FROM partial")]
        db.executemany("DELETE FROM partial WHERE name = ?", [(name,) for name in reserved if name not in held])


def _entry_name(key: str, digest: str) -> str:
    return f"{key}-{digest}.safetensors"


def _bytes_in(db: sqlite3.Connection, table: str) -> int:
    [(size,)] = db.execute(f"SELECT COALESCE(SUM(size), 0) FROM {table}")
    return int(size)


def _digest(pieces: Sequence[bytes | memoryview]) -> str:
    hasher = blake3()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()


def _fill(file: BinaryIO, pieces: Sequence[bytes | memoryview]) -> None:
    file.writelines(pieces)
    file.flush()


def _read(path: Path, size: int) -> Array | None:
    """Return the bytes of `path`, none when its size is wrong; None when another process has evicted it."""
    try:
        with path.open("rb") as file:
            data = np.empty(size if os.fstat(file.fileno()).st_size == size else 0, np.uint8)
            file.readinto(data.data)
            return data
    except FileNotFoundError:
        return None


def _size(path: Path) -> int | None:
    """Return the size of `path`, or None when another process has just removed it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _is_held(path: Path) -> bool:
    """Tell whether a process that lives has locked this file; the kernel unlocks the files of a dead one."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError) as error:
        return isinstance(error, BlockingIOError)
    return False
