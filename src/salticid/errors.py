"""Every error that salticid raises on purpose.

    SalticidError
    ├── InputError                a file, array or option that was given is wrong
    │   ├── BrokenStreamError     a video that breaks off; the frames before the break are good
    │   └── RefusedBaselineError  clips of which no baseline can be made; each has its answer
    ├── MissingError              something that is needed is not on this machine: an extra, a model, a device
    ├── IntegrityError            bytes are not the bytes that were promised (sha256, journal, calibration)
    └── ResourceError             memory, disk or time ran out

A message says what happened, to what, and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SalticidError(Exception):
    """Root of the tree: `except SalticidError` catches all that salticid raises on purpose."""


class InputError(SalticidError, ValueError):
    """A file, array or option that was given is wrong."""


class BrokenStreamError(InputError):
    """A video breaks off before its end; the frames yielded before the break are good."""

    def __init__(self, message: str, frames_read: int) -> None:
        super().__init__(message)
        self.frames_read = frames_read


class RefusedBaselineError(InputError):
    """No baseline can be made of the clips that were given.

    `clips` says what became of each, so that only some must be replaced: a tuple of `ClipReport`
    (salticid.motion.compare.clip_report), in the order in which they were given.
    """

    def __init__(self, message: str, clips: Sequence[Any]) -> None:
        told = [f"{clip.name}: {clip.reason}" for clip in clips if clip.reason]
        super().__init__(f"{message} ({'; '.join(told)})" if told else message)
        self.clips = tuple(clips)


class MissingError(SalticidError):
    """Something that is needed is not on this machine: an optional package, a model, a device."""


class IntegrityError(SalticidError):
    """Bytes are not the bytes that were promised."""


class ResourceError(SalticidError):
    """Memory, disk or time ran out."""
