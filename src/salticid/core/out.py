"""An array of the caller's that a result is to be written into."""

from __future__ import annotations

from typing import Any

import numpy as np

from salticid.errors import InputError


def check_out(out: Any, size: tuple[int, ...], what: str) -> None:
    """Raise `InputError` unless `out` is None, or a uint8 array of the size of `what` that can be written."""
    if out is None:
        return
    if not isinstance(out, np.ndarray) or out.dtype != np.uint8 or out.shape != size:
        given = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise InputError(f"out must be a uint8 array {size}, the size of the {what}, not {given}")
    if not out.flags.writeable:
        raise InputError("out cannot be written: give an array of your own")
