"""What goes wrong between a body and its keypoints: noise, joints that are not found, frames that come unevenly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from salticid.core.types import Array
from salticid.motion.keypoints import Keypoints
from salticid.motion.simulate.path import smooth
from salticid.motion.simulate.style import check_range

MOST = {"noise_m": 1, "noise_memory_s": 10, "missing": 0.9, "missing_s": 60, "time_jitter": 0.45, "dropped": 0.9}


@dataclass(frozen=True, kw_only=True)
class Flaws:
    """How keypoints differ from the truth.

    Raises
    ------
    InputError
        A value is out of its range.
    """

    noise_m: float = 0.01  # standard deviation of each coordinate at the body
    noise_memory_s: float = 0.0  # after which noise has forgotten itself to 1/e; 0 is white
    missing: float = 0.0  # share of the positions that are nan
    missing_s: float = 0.1  # mean length of the runs of frames in which a joint is missing; more where the share asks
    time_jitter: float = 0.0  # share of a frame's time by which frames come too early or too late
    dropped: float = 0.0  # share of the frames that do not come at all

    def __post_init__(self) -> None:
        for name, most in MOST.items():
            check_range(name, getattr(self, name), 0, most)

    def noise(self, shape: tuple[int, ...], times_s: Array, rng: np.random.Generator) -> Array:
        """Return noise of a shape (T, ...) in meters; with a memory each frame keeps a part of the one before."""
        noise = rng.standard_normal(shape)
        if self.noise_memory_s:
            kept = np.exp(-np.diff(times_s) / self.noise_memory_s)
            for frame, part in enumerate(kept, start=1):
                noise[frame] = part * noise[frame - 1] + np.sqrt(1 - part**2) * noise[frame]
        return np.asarray(self.noise_m * noise)

    def lost(self, shape: tuple[int, int], fps: float, rng: np.random.Generator) -> Array:
        """Return which (T, K) are missing: each joint is lost and found again by chance, so that the share is met."""
        if not self.missing:
            return np.zeros(shape, bool)
        found_again = min(1.0, 1 / max(self.missing_s * fps, 1e-9), 1 / self.missing - 1)
        lose = found_again * self.missing / (1 - self.missing)
        chance = rng.random(shape)
        lost = chance < self.missing
        for frame in range(1, shape[0]):
            lost[frame] = chance[frame] < np.where(lost[frame - 1], 1 - found_again, lose)
        return lost

    def retimed(self, keypoints: Keypoints, rng: np.random.Generator) -> Keypoints:
        """Return the keypoints at the times at which frames come, between the given ones by splines."""
        if self.time_jitter:
            keypoints = _jittered(keypoints, self.time_jitter, rng)
        kept = np.flatnonzero(rng.random(len(keypoints)) >= self.dropped)
        return Keypoints(keypoints.times_s[kept], keypoints.positions[kept], keypoints.scores[kept], keypoints.names)


def _jittered(keypoints: Keypoints, share: float, rng: np.random.Generator) -> Keypoints:
    """Return the keypoints at times that are off by up to a share of a frame."""
    times = keypoints.times_s
    off = share / keypoints.fps * rng.uniform(-1, 1, len(times))
    uneven = np.clip(times + off, times[0], times[-1])
    uneven[[0, -1]] = times[[0, -1]]
    columns = keypoints.positions.reshape(len(times), -1).T.astype(float)
    moved = smooth(np.broadcast_to(times, columns.shape), columns).together(uneven)
    return replace(keypoints, times_s=uneven, positions=moved.T.reshape(keypoints.positions.shape).astype(np.float32))
