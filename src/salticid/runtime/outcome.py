"""What became of one item of a pool: a value, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from salticid.runtime.attempt import Status

Ran = Literal["worker", "alone", "parent", "journal"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item."""

    index: int
    item: Any
    status: Status
    value: Any  # what the function returned; None unless ok
    error: str | None  # why there is no value; None when ok
    attempts: int  # 0 when it came from the journal
    seconds: float  # of the last attempt
    peak_bytes: int | None  # highest resident memory of its process so far; None where unknown
    ran: Ran  # beside others, alone at the end, in the calling process, or in an earlier run

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.status == "ok"
