"""The kernels in C++: whether they are on this machine, and which instruction sets it runs them with.

A wheel built without a compiler has no kernels; a step that has one then computes the same values with numpy.
This file reads no arrays, so that asking costs no import of numpy.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from salticid.errors import InputError, MissingError

INSTRUCTION_SETS = ("avx512", "avx2", "neon", "scalar")  # all that kernels are written for, best first

_HOW_TO_BUILD = "install a C++ compiler, then salticid again with 'pip install --force-reinstall --no-cache-dir'"


def load() -> ModuleType | None:
    """Return the module `salticid._native`, or None where it is missing; `reason` then says why."""
    return _attempt()[0]


def reason() -> str:
    """Return why there are no kernels and what to do, or an empty string when they are here."""
    return _attempt()[1]


def instruction_sets() -> tuple[str, ...]:
    """Return the instruction sets that kernels run with on this machine, best first; none without kernels."""
    module = load()
    usable: tuple[str, ...] = module.instruction_sets() if module else ()
    return usable


def choose(name: str | None = None) -> str | None:
    """Return the instruction set to run with: `name`, or the best one here; None when there are no kernels.

    Raises
    ------
    InputError
        No kernel is written for an instruction set called `name`.
    MissingError
        `name` was asked for, and this machine does not run it.
    """
    usable = instruction_sets()
    if name is None:
        return usable[0] if usable else None
    if name not in INSTRUCTION_SETS:
        raise InputError(f"instruction_set must be one of {', '.join(INSTRUCTION_SETS)} or None, not {name!r}")
    if name not in usable:
        why = reason() or f"this CPU runs {', '.join(usable)}; name one of these, or None for the best"
        raise MissingError(f"instruction set {name!r} cannot be used: {why}")
    return name


@functools.cache
def _attempt() -> tuple[ModuleType | None, str]:
    try:
        return importlib.import_module("salticid._native"), ""
    except ModuleNotFoundError:
        return None, f"the kernels were not built: {_HOW_TO_BUILD}"
    except ImportError as error:
        return None, f"the kernels were built but do not load ({error}): {_HOW_TO_BUILD}"
