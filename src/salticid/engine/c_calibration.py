"""Typical inputs of a network as the whole numbers 0..127 that microcontrollers take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import Array
from salticid.engine.integer import MOST_ACTIVATION
from salticid.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class WholeInputs:
    """A real input is `(u7 - zero) * scale`."""

    u7: NDArray[np.uint8]  # (N, *input_shape), 0..127
    scale: float
    zero: int


def whole_inputs(values: Array) -> WholeInputs:
    """Return (N, *input_shape) real inputs as whole numbers whose range is that of the inputs and 0.

    Whole numbers of 0..127 stay what they are.

    Raises
    ------
    InputError
        There is none, all are 0, or one is not finite.
    """
    if values.dtype.kind not in "iuf" or values.ndim < 2 or values.size == 0:
        raise InputError(f"calibration inputs must be (N, *input_shape) numbers, not {values.shape} {values.dtype}")
    if not np.isfinite(values).all():
        raise InputError("calibration inputs must be finite")
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    if values.dtype.kind in "iu" and low == 0 and high <= MOST_ACTIVATION:
        return WholeInputs(values.astype(np.uint8), 1.0, 0)
    if low == high:
        raise InputError("calibration inputs must not all be 0")
    scale = (high - low) / MOST_ACTIVATION
    zero = round(-low / scale)
    u7 = (np.rint(values / scale) + zero).clip(0, MOST_ACTIVATION).astype(np.uint8)
    return WholeInputs(u7, scale, zero)


def read_inputs(path: str | os.PathLike[str], input_shape: tuple[int, ...]) -> Array:
    """Return the inputs in an npy file, (N, *input_shape).

    Raises
    ------
    InputError
        There is no such file, or it holds something else.
    """
    if not Path(path).is_file():
        raise InputError(f"there is no file {os.fspath(path)}")
    try:
        values = np.load(path)
    except (ValueError, OSError, EOFError) as problem:
        raise InputError(f"{os.fspath(path)} is no npy file of numbers: {problem}") from problem
    if not isinstance(values, np.ndarray) or values.shape[1:] != input_shape:
        shape = values.shape if isinstance(values, np.ndarray) else "several arrays"
        raise InputError(f"{os.fspath(path)} must hold (N, {', '.join(map(str, input_shape))}) inputs, not {shape}")
    return values
