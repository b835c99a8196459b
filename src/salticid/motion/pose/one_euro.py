"""The 1 € filter: steady when a point rests, quick when it moves (Casiez et al. 2012)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from salticid.core.types import Array


@dataclass(slots=True, eq=False)
class OneEuroFilter:
    """Filters points that come one set per frame; looks back only, so what moves lags."""

    least_cutoff_hz: float
    beta: float  # Hz of cutoff per unit of speed
    speed_cutoff_hz: float = 1.0
    step_s: float = 1 / 30  # between two frames
    _raw: Array | None = field(default=None, init=False)
    _filtered: Array | None = field(default=None, init=False)
    _speed: Array | None = field(default=None, init=False)

    def __call__(self, points: Array, size: float) -> Array:
        """Return the points filtered; `size` is that of the object, in units of which its speed counts."""
        if self._raw is None or self._filtered is None or self._speed is None:
            self._raw = self._filtered = np.asarray(points, np.float64)
            self._speed = np.zeros_like(self._raw)
            return self._filtered
        speed = (points - self._raw) / (size * self.step_s)
        self._speed = self._speed + self._share(self.speed_cutoff_hz) * (speed - self._speed)
        shares = self._share(self.least_cutoff_hz + self.beta * np.abs(self._speed))
        self._raw = np.asarray(points, np.float64)
        self._filtered = self._filtered + shares * (self._raw - self._filtered)
        return self._filtered

    def _share(self, cutoff_hz: Array | float) -> Array:
        """Return how much a new value counts in a low-pass filter of first order, 0..1."""
        return np.asarray(1 / (1 + 1 / (2 * math.pi * np.asarray(cutoff_hz) * self.step_s)))
