"""Where results of several inputs go: no two to the same place, and none over an input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from salticid.errors import InputError


class Claim(Protocol):
    """One input, and the files that are made of it."""

    @property
    def name(self) -> str:
        """Of the input, as messages call it."""

    @property
    def path(self) -> Path | None:
        """Of the input, where it is a file."""

    @property
    def targets(self) -> list[Path]:
        """What is written."""


def check_distinct(claims: Sequence[Claim]) -> None:
    """Raise `InputError` where a target is an input, or that of two inputs."""
    sources = {claim.path.resolve() for claim in claims if claim.path is not None}
    owners: dict[Path, Claim] = {}
    for claim in claims:
        for target in claim.targets:
            place = target.resolve()
            if place in sources:
                raise InputError(f"{target} is an input: choose another place for the output")
            other = owners.setdefault(place, claim)
            if other is not claim:
                raise InputError(f"{other.name} and {claim.name} would both become {target}: run them one by one")
