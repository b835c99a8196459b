"""What a network takes and gives, and whether an array fits."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from salticid.core.types import Array
from salticid.errors import InputError


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a network.

    Attributes
    ----------
    name
        The name that the model file gives it.
    dtype
        Name of the numpy type, such as "float32"; None where the engine does not say.
    shape
        Length of every axis, None where it is free; None as a whole where the engine does not say.
    """

    name: str
    dtype: str | None
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        """Write the spec as one reads it: `x: float32 (1, 3, ?, ?)`."""
        return f"{self.name}: {_type_and_shape(self.dtype, self.shape)}"

    def problem(self, array: Any) -> str | None:
        """Return what is wrong with `array` as a value of this tensor, or None."""
        if not isinstance(array, np.ndarray):
            return f"must be a numpy array, not {type(array).__name__}"
        if not array.dtype.isnative:
            return "must be in this machine's byte order: array.astype(array.dtype.newbyteorder('='))"
        wanted, given = _type_and_shape(self.dtype, self.shape), _type_and_shape(array.dtype.name, array.shape)
        if self.dtype is not None and array.dtype.name != self.dtype:
            return f"must be {wanted}, not {given}: convert it with array.astype({self.dtype!r})"
        if self.shape is not None and not _fits(array.shape, self.shape):
            return f"must be {wanted}, not {given}"
        return None


def check_feeds(feeds: Mapping[str, Array], specs: Sequence[TensorSpec], model: str) -> None:
    """Raise `InputError` unless `feeds` holds exactly the arrays that `specs` ask for."""
    names = [spec.name for spec in specs]
    for name in feeds:
        if name not in names:
            raise InputError(f"{model} has no input {name!r}: {_hint(name, names)}")
    for spec in specs:
        if spec.name not in feeds:
            raise InputError(f"{model}: input {spec.name!r} is missing; it takes {', '.join(map(str, specs))}")
        problem = spec.problem(feeds[spec.name])
        if problem:
            raise InputError(f"{model}: input {spec.name!r} {problem}")


def choose(specs: Sequence[TensorSpec], names: Iterable[str] | None, model: str) -> tuple[TensorSpec, ...]:
    """Return the outputs called `names`, in that order; all of them for None."""
    if names is None:
        return tuple(specs)
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise InputError(f"{model} has no output {name!r}: {_hint(name, list(known))}")
    return tuple(known[name] for name in names)


def describe(feeds: Mapping[str, Array]) -> str:
    """Return names, types and shapes of `feeds` in one line, for messages."""
    return ", ".join(f"{name}: {_type_and_shape(array.dtype.name, array.shape)}" for name, array in feeds.items())


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, known))}"


def _type_and_shape(dtype: str | None, shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return f"{dtype or 'any type'}, any shape"
    axes = ", ".join("?" if length is None else str(length) for length in shape)
    return f"{dtype or 'any type'} ({axes}{',' if len(shape) == 1 else ''})"


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(
        want is None or length == want for length, want in zip(shape, wanted, strict=True)
    )
