"""Memory for results that come again and again, frame after frame.

The system clears every page of new memory before a program may write to it, which for the maps of a megapixel takes as
long as some of the steps that fill them. So arrays that nobody holds any longer are handed out again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MOST_KEPT = 4  # arrays that wait: enough for a loop that holds a result until the next one is there


class Recycler:
    """Hands out arrays of unknown content; their memory comes back when the last reference to them is gone."""

    def __init__(self) -> None:
        self._kept: list[NDArray[Any]] = []

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return what `np.empty` returns, except that the array does not own its memory."""
        return np.asarray(_Lease(self._taken(shape, np.dtype(dtype)), self._kept))

    def _taken(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        while self._kept:
            try:
                memory = self._kept.pop()
            except IndexError:  # another thread was faster
                break
            if memory.shape == shape and memory.dtype == dtype:
                return memory
        return np.empty(shape, dtype)  # others are of a size that is no longer asked for, and were dropped


class _Lease:
    """Holds the memory of one array as long as that array or a view of it lives."""

    def __init__(self, memory: NDArray[Any], home: list[NDArray[Any]]) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory
        self._home = home

    def __del__(self) -> None:
        if len(self._home) < MOST_KEPT:
            self._home.append(self._memory)
