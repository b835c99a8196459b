"""What a caller wants of an engine, whichever it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from salticid.errors import InputError

Precision = Literal["fp32", "bf16", "fp16"]

MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Device, threads, precision and outputs of a session, as `salticid.engine.session.Session` explains them."""

    device: str
    threads: int
    precision: Precision
    outputs: tuple[str, ...] | None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", self.device):
            raise InputError(f"device must be auto, cpu, cuda or cuda:N, not {self.device!r}")
        whole = isinstance(self.threads, int) and not isinstance(self.threads, bool)
        if not whole or not 1 <= self.threads <= MOST_THREADS:
            raise InputError(f"threads must be a whole number from 1 to {MOST_THREADS}, not {self.threads!r}")
        if self.precision not in get_args(Precision):
            raise InputError(f"precision must be one of {', '.join(get_args(Precision))}, not {self.precision!r}")
        if self.outputs == ():
            raise InputError("outputs must name at least one output, or be None for all of them")

    @property
    def cuda(self) -> str | None:
        """Return the number of the GPU that was named, "0" for plain "cuda", or None."""
        kind, _, number = self.device.partition(":")
        return (number or "0") if kind == "cuda" else None
