"""Where torch trains: what a device is called, and whether it is on this machine."""

from __future__ import annotations

import torch

from salticid.errors import InputError, MissingError


def best_device() -> str:
    """Return "cuda" where there is one, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device: str) -> None:
    """Raise where torch cannot train on a device: one that was asked for is never replaced.

    Raises
    ------
    InputError
        It is none of "cpu", "cuda", "cuda:1".
    MissingError
        It is not on this machine, or this build of torch does not see it.
    """
    try:
        kind, number = torch.device(device).type, torch.device(device).index or 0
    except RuntimeError as problem:
        raise InputError(f"device must be cpu, cuda or cuda:1, not {device!r}") from problem
    if kind not in ("cpu", "cuda"):
        raise InputError(f"device must be cpu, cuda or cuda:1, not {device!r}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise MissingError("torch sees no CUDA device here: say --device cpu, or install a build of torch with CUDA")
    if kind == "cuda" and number >= torch.cuda.device_count():
        raise MissingError(f"there is no {device} here: torch sees {torch.cuda.device_count()}, and counts from cuda:0")
