"""How one try at one item of a pool went: what a worker sends back.

A named tuple and not a dataclass: every worker imports this at its start, and `dataclasses` would take a tenth of it.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Status = Literal["ok", "error", "timeout", "crash", "oom"]


class Attempt(NamedTuple):
    """How one try at one item went."""

    status: Status
    value: Any
    error: str | None
    seconds: float
    peak_bytes: int | None = None  # highest resident memory of the process so far; None where unknown
