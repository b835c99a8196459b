"""What a network that enlarges looks like: how many layers and channels, and how much larger the image becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from salticid.errors import InputError

Size = Literal["nano", "fast", "quality"]
Scale = Literal[2, 4]
Weights = Literal["clean", "real"]  # learned from images that were reduced well, or from degraded ones

BODIES: dict[str, tuple[int, int]] = {"nano": (4, 16), "fast": (10, 32), "quality": (8, 48)}  # layers, channels
COLORS = 3
REPEATS = 4  # of the image beside the features


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network looks like."""

    layers: int  # of the body, between the first and the last
    channels: int
    scale: Scale

    def __post_init__(self) -> None:
        if self.layers < 0 or self.channels < 1 or self.scale not in get_args(Scale):
            raise InputError(
                f"a network has at least 0 layers, 1 channel and a scale of 2 or 4, "
                f"not {self.layers}, {self.channels} and {self.scale}"
            )

    @classmethod
    def of(cls, size: str, scale: Scale) -> Shape:
        """Return the shape of that name."""
        if size not in BODIES:
            raise InputError(f"there is no network {size!r}: choose {', '.join(BODIES)}")
        return cls(*BODIES[size], scale)

    def widths(self) -> list[tuple[int, int]]:
        """Return the channels that each layer takes and makes."""
        body = [(COLORS, self.channels), *[(self.channels, self.channels)] * self.layers]
        return [*body, (self.channels + REPEATS * COLORS, COLORS * self.scale**2)]

    @property
    def halo(self) -> int:
        """How many pixels of the small image a pixel depends on to each side."""
        return self.layers + 2
