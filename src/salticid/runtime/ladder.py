"""Try the best way first, and step down to the next when memory or a device is short.

    landing = descend([
        Step("cuda", lambda: upscale(image, device="cuda")),
        Step("cuda, tiles", lambda: upscale(image, device="cuda", tile=512)),
        Step("cpu, tiles", lambda: upscale(image, device="cpu", tile=512)),
    ])
    landing.value, landing.step, landing.skipped

Only a shortage leads down: a wrong input would be just as wrong one step below. A device that the user named is a
ladder of one step.
"""

from __future__ import annotations

import errno
import gc
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from salticid.core.atomic import is_disk_full
from salticid.errors import InputError, MissingError, ResourceError, SalticidError

T = TypeVar("T")

# What libraries say whose exceptions have no type of their own for it.
_SAYS_OUT_OF_MEMORY = re.compile(
    r"out of (device |gpu |host )?memory"
    r"|insufficient memory"
    r"|(failed to|can ?not|can't|could not|unable to) allocate"
    r"|not enough memory"
    r"|bad[_ ]alloc"
    r"|alloc_failed"  # cuBLAS, cuDNN
    r"|cl_out_of_(resources|host_memory)"
    r"|available memory of \d+ is smaller than requested",  # onnxruntime's arena
    re.IGNORECASE,
)
_NATIVE = ("torch", "onnxruntime", "cv2", "openvino", "tensorrt")
_OPENCV_NO_MEMORY = -4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """One way of doing the work."""

    name: str
    run: Callable[[], T]


@dataclass(frozen=True, slots=True)
class Skip:
    """A step that could not be taken, and why."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Landing(Generic[T]):
    """What came out, which step made it, and which steps were too much for this machine."""

    value: T
    step: str
    skipped: tuple[Skip, ...]


def descend(steps: Sequence[Step[T]], *, advice: str = "free memory, or give a smaller input") -> Landing[T]:
    """Return the result of the first step for which there is enough memory and a device.

    The memory of a step that failed is free before the next one starts.

    Parameters
    ----------
    steps
        The best one first.
    advice
        What to do where none can be taken.

    Raises
    ------
    ResourceError
        No step could be taken; the message lists each with its reason.
    MissingError
        The same, where all that each step lacked was not on this machine.
    InputError
        There are no steps.
    Exception
        Whatever a step raises that is no shortage.
    """
    if not steps:
        raise InputError("a ladder needs one step at least")
    skipped: list[Skip] = []
    missing = True
    for step in steps:
        try:
            return Landing(step.run(), step.name, tuple(skipped))
        except Exception as error:
            if not _is_shortage(error):
                raise
            skipped.append(Skip(step.name, _reason(error)))
            missing &= isinstance(error, MissingError)
            _release(error)
        _collect()
        _log.warning("%s was not possible (%s): stepping down", step.name, skipped[-1].reason)
    if missing:
        raise MissingError(f"no way is left ({reasons(skipped)})")
    raise ResourceError(f"no way is left ({reasons(skipped)}): {advice}")


def reasons(skipped: Iterable[Skip]) -> str:
    """Return the reasons one after the other, each once.

    >>> reasons([Skip("cuda", "no memory"), Skip("cpu", "no memory"), Skip("disk", "full")])
    'cuda, cpu: no memory; disk: full'
    """
    steps: dict[str, list[str]] = {}
    for skip in skipped:
        steps.setdefault(skip.reason, []).append(skip.step)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in steps.items())


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether `error` means that memory ran out, on the host or on a device.

    Knows Python's and numpy's MemoryError, ENOMEM, and what OpenCV, torch, onnxruntime and OpenVINO
    raise; imports none of them.
    """
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    kinds = type(error).__mro__
    if any(kind.__name__ == "OutOfMemoryError" for kind in kinds):
        return True
    package = kinds[0].__module__.partition(".")[0]
    if package == "cv2" and getattr(error, "code", None) == _OPENCV_NO_MEMORY:
        return True
    speaks = package in _NATIVE or isinstance(error, RuntimeError)
    return speaks and _SAYS_OUT_OF_MEMORY.search(str(error)) is not None


def _is_shortage(error: BaseException) -> bool:
    if isinstance(error, SalticidError):
        return isinstance(error, MissingError | ResourceError) and not is_disk_full(error)
    return is_out_of_memory(error)


def _reason(error: BaseException) -> str:
    """Return the first line of the message; the rest is a native stack trace."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _release(error: BaseException) -> None:
    """Drop the local variables of the calls that failed: among them are the arrays that filled the memory."""
    for one in _chain(error):
        traceback.clear_frames(one.__traceback__)
        one.__traceback__ = None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and those that led to it, each of which holds frames of its own."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            waiting += [before for before in (one.__cause__, one.__context__) if before is not None]
            yield one


def _collect() -> None:
    """Collect cycles, and give back what torch keeps for itself on a GPU; torch is not imported for it."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
