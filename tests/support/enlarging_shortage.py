"""A network whose memory runs out in the middle of a video."""

from __future__ import annotations

from salticid.upscale.unchanged import ChangesOnly


def run_out_of_memory(monkeypatch, frames):
    """Let memory hold for so many frames of one piece each, and for no more."""
    plain, calls = ChangesOnly.__call__, []

    def short(engine, rgb):
        calls.append(1)
        if len(calls) > frames:
            raise MemoryError("no memory")
        return plain(engine, rgb)

    monkeypatch.setattr(ChangesOnly, "__call__", short)
