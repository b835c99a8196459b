"""Kernels in C++; `salticid.core.native` says which of them this machine runs."""

import numpy as np
from numpy.typing import NDArray

def instruction_sets() -> tuple[str, ...]:
    """Return the instruction sets usable on this machine, best first; the last is "scalar"."""

def census(gray: NDArray[np.uint8], codes: NDArray[np.uint64], window: str, threads: int, instruction_set: str) -> None:
    """Write the census codes of `gray` (H, W), of contiguous columns, to `codes` (H, W), contiguous.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or the window or the instruction set is unknown here.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

def census_compare_only(count: int, instruction_set: str) -> None:
    """Make `count` comparisons of bytes and nothing else, to time the least that a census of them could take."""
