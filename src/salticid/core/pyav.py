"""PyAV, where it is installed. It brings FFmpeg and loads tens of megabytes: it is imported when a video is opened."""

from __future__ import annotations

from types import ModuleType

from salticid.errors import MissingError


def import_av() -> ModuleType:
    """Return the module `av`, or raise `MissingError` with the command that installs it."""
    try:
        import av
        import av.video.reformatter
    except ImportError as error:
        raise MissingError(f"video needs PyAV ({error}): pip install 'salticid[video]'") from error
    return av
