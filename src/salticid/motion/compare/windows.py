"""Stretches of a second of the signals: what models that know no strides look at.

Windows never reach across clips, and they are at the same rate for every camera, so that a window of 30 frames is one
second at 25 and at 240 frames per second alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.motion.measured import Signals

RATE_HZ = 30.0
FRAMES = 30
STEP = 5
LEAST_KNOWN = 0.8  # share of the frames of every clip in which a signal must be known to be one of the person's


def clip_windows(signals: Signals, names: Sequence[str], *, step: int = STEP) -> Array:
    """Return (N, 30, F) float32 of the signals `names`, at 30 Hz; nan where a signal is not known, or not there."""
    if len(signals.times_s) < 2:
        return np.zeros((0, FRAMES, len(names)), np.float32)
    start_s, end_s = float(signals.times_s[0]), float(signals.times_s[-1])
    times_s = start_s + np.arange(int((end_s - start_s) * RATE_HZ + 1e-6) + 1) / RATE_HZ
    columns = [_resampled(signals, name, times_s) for name in names]
    rows = np.stack(columns, axis=1) if columns else np.zeros((len(times_s), 0), np.float32)
    if len(rows) < FRAMES:
        return np.zeros((0, FRAMES, len(names)), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(rows, FRAMES, axis=0)[::step]
    return np.ascontiguousarray(np.moveaxis(windows, 2, 1))


def common_signals(clips: Sequence[Signals]) -> tuple[str, ...]:
    """Return the names of the signals that each clip knows in 80 % of its frames or more."""
    known = [_known(signals) for signals in clips]
    return tuple(name for name in known[0] if all(name in other for other in known[1:])) if known else ()


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Mean and spread of each signal, to bring all of them to one size."""

    mean: Array  # (F,) float64
    sd: Array  # (F,) float64, above 0

    def __call__(self, windows: Array) -> Array:
        """Return windows, (N, frames, F), around 0 with a spread of 1; float32."""
        return np.asarray(((windows - self.mean) / self.sd).astype(np.float32))


def fit_scale(windows: Sequence[Array]) -> Scale:
    """Return the scale of some clips' windows, (N, frames, F) each; a signal that is known nowhere gets 0 and 1."""
    rows = np.concatenate([clip.reshape(-1, clip.shape[2]) for clip in windows]).astype(np.float64)
    known = np.isfinite(rows)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rows, 0).sum(axis=0) / count
    variance = (np.where(known, rows - mean, 0) ** 2).sum(axis=0) / count
    return Scale(mean, np.where(variance > 0, np.sqrt(variance), 1.0))


def _resampled(signals: Signals, name: str, times_s: Array) -> Array:
    """Return one signal at other times, (T,) float32; nan beside what is not known."""
    if name not in signals.names:
        return np.full(len(times_s), np.nan, np.float32)
    values = signals.values[:, signals.names.index(name)].astype(np.float64)
    return np.interp(times_s, signals.times_s, values).astype(np.float32)


def _known(signals: Signals) -> tuple[str, ...]:
    share = np.isfinite(signals.values).mean(axis=0) if len(signals.values) else np.zeros(len(signals.names))
    return tuple(name for name, known in zip(signals.names, share, strict=True) if known >= LEAST_KNOWN)
