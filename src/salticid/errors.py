"""Every error that salticid raises on purpose.

    SalticidError
    ├── InputError             a file, array or option that was given is wrong
    │   └── BrokenStreamError  a video that breaks off; the frames before the break are good
    ├── MissingError           something that is needed is not on this machine: an extra, a model, a device
    ├── IntegrityError         bytes are not the bytes that were promised (sha256, journal, calibration)
    └── ResourceError          memory, disk or time ran out

A message says what happened, to what, and what to do next.
"""

from __future__ import annotations


class SalticidError(Exception):
    """Root of the tree: `except SalticidError` catches all that salticid raises on purpose."""


class InputError(SalticidError, ValueError):
    """A file, array or option that was given is wrong."""


class BrokenStreamError(InputError):
    """A video breaks off before its end; the frames yielded before the break are good."""

    def __init__(self, message: str, frames_read: int) -> None:
        super().__init__(message)
        self.frames_read = frames_read


class MissingError(SalticidError):
    """Something that is needed is not on this machine: an optional package, a model, a device."""


class IntegrityError(SalticidError):
    """Bytes are not the bytes that were promised."""


class ResourceError(SalticidError):
    """Memory, disk or time ran out."""
