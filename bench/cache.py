"""Time the cache: an entry of 6 MB written and read, beside .npy files, and the digest of a file of 256 MB.

usage: python bench/cache.py [--output FILE.json] [--repeats N]

A .npy file that is written in place has no checksum, no bound and no index: it is the floor, not a rival.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from salticid.core import atomic
from salticid.engine import bench
from salticid.runtime.cache import ArrayCache, cache_key, file_digest

ENTRY = (1500, 1000)  # float32: 6 MB
FILE_BYTES = 256 << 20
BOUND = 256 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="write JSON there instead of to stdout")
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ArrayCache(Path(folder) / "cache", max_bytes=BOUND) as cache:
        rows = [
            row("6 MB entry", timing)
            for timing in bench.compare(entry_candidates(cache, Path(folder)), repeats=arguments.repeats)
        ]
        rows += [
            row("256 MB file", timing)
            for timing in bench.compare(digest_candidates(cache, Path(folder)), warmup=1, repeats=arguments.repeats)
        ]
    bench.write_report("cache", rows, arguments.output)


def entry_candidates(cache: ArrayCache, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what writes and reads one entry; each write has a key of its own, as new results have."""
    array = np.random.default_rng(0).random(ENTRY, np.float32)
    numbers = itertools.count()
    known = cache_key(content=b"", parameters={}, version="read")
    cache.put(known, {"array": array})
    np.save(folder / "read.npy", array)
    return {
        "write cache": lambda: cache.put(
            cache_key(content=b"", parameters={"n": next(numbers)}, version="1"), {"a": array}
        ),
        "write .npy": lambda: np.save(folder / "write.npy", array),
        "write .npy, atomic": lambda: save_atomic(folder / "atomic.npy", array),
        "read cache": lambda: cache.get(known),
        "read .npy": lambda: np.load(folder / "read.npy"),
    }


def digest_candidates(cache: ArrayCache, folder: Path) -> dict[str, Callable[[], object]]:
    """Return what digests one large file; the cache remembers it once it has been left alone for two seconds."""
    path = folder / "large"
    path.write_bytes(np.random.default_rng(0).bytes(FILE_BYTES))
    time.sleep(2.1)
    return {
        "blake3": lambda: file_digest(path),
        "blake3, remembered": lambda: cache.file_digest(path),
        "sha256": lambda: sha256(path),
    }


def sha256(path: Path) -> bytes:
    """Return the digest that most tools use."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def save_atomic(path: Path, array: np.ndarray) -> None:
    """Write beside and rename, which waits for the disk."""
    with atomic.replacing(path) as part:
        np.save(part, array)


def row(what: str, timing: bench.Timing) -> dict[str, Any]:
    """Return one line of the table."""
    return {
        "what": what,
        "how": timing.name,
        "median_ms": round(timing.median_ms, 3),
        "spread_ms": round(timing.spread_ms, 3),
        "runs": timing.runs,
    }


if __name__ == "__main__":
    main()
