"""Named arrays as the bytes of an `.npz` file, which hold no code; what is read is checked."""

from __future__ import annotations

import io
import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from salticid.core.types import Array
from salticid.errors import IntegrityError

# What reading a damaged file raises: RuntimeError where its packing is one that zipfile does not know, TypeError where
# it is a single array and no archive, TokenError where the head of an array is no Python.
DAMAGED = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, TypeError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError),
)


def to_npz(arrays: Mapping[str, Array]) -> bytes:
    """Return arrays of numbers and text as the bytes of a compressed file; they come back exactly."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's own stub takes no mapping
    return file.getvalue()


def from_npz(data: bytes, label: str) -> dict[str, Array]:
    """Return the arrays in `data`; `IntegrityError`, which calls it `label`, when it is damaged."""
    try:
        with np.load(io.BytesIO(data)) as file:
            return {name: file[name] for name in file.files}
    except DAMAGED as problem:
        raise IntegrityError(f"{label} is damaged ({problem}): write it again") from problem
