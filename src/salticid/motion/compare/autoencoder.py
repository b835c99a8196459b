"""What a recurrent autoencoder cannot rebuild of a clip: a model beside the statistics, without words for what it sees.

A network that has seen many people's strides (`autoencoder_train.py`) is tuned to one person in a few seconds. It looks
at windows of a second, each signal around the person's own mean and in the person's own spread; what it rebuilds badly
is unusual. Scoring runs the ONNX file on the engine's session: no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from salticid.core.types import Array
from salticid.engine.session import Session
from salticid.motion.compare.description import LEAST_SD_OF_UNIT
from salticid.motion.compare.windows import Scale, clip_windows, common_signals, fit_scale
from salticid.motion.measured import Signals

# What it looks at. Some are sums of others, which would only count the same thing twice; those are left out.
SIGNALS = (
    *(
        f"{name}.{side}"
        for name in ("knee_flexion", "hip_flexion", "ankle_dorsiflexion", "elbow_flexion", "arm_swing")
        for side in ("left", "right")
    ),
    "trunk_lean",
    "pelvis_speed_up",
    "trunk_sway",
    "step_width",
    "pelvic_drop.left",
)
SIGNAL_UNITS = (*("deg",) * 11, "% height/s", "deg", "% height", "deg")
LEAST_SD = np.array([LEAST_SD_OF_UNIT[unit] for unit in SIGNAL_UNITS])
INPUT, OUTPUT = "windows", "rebuilt"  # names in the ONNX file
LARGEST = 10.0  # spreads: what lies further away is no more unusual to the network


@dataclass(frozen=True, slots=True, eq=False)
class Autoencoder:
    """A network that was tuned to one person."""

    known: Array  # (F,) bool: which of `SIGNALS` the person's clips tell
    scale: Scale  # of this person
    model: bytes  # ONNX

    def errors(self, signals: Signals) -> Array:
        """Return the mean squared error of each of `SIGNALS` over the windows, (F,), in spreads; nan where unknown."""
        inputs = network_inputs(clip_windows(signals, SIGNALS), self.scale, self.known)
        if not len(inputs):
            return np.full(len(SIGNALS), np.nan)
        rebuilt = Session(self.model, device="cpu", threads=1).run({INPUT: inputs})[OUTPUT]
        return signal_errors(rebuilt, inputs)

    def score(self, signals: Signals) -> float:
        """Return how badly a clip is rebuilt, in spreads; nan where it is too short or tells nothing."""
        return clip_score(self.errors(signals))


def person_scale(clips: Sequence[Signals]) -> tuple[Scale, Array]:
    """Return mean and spread of each signal in a person's clips, and which of them all clips know, (F,) bool."""
    usable = common_signals(clips)
    known = np.array([name in usable for name in SIGNALS])
    scale = fit_scale([clip_windows(signals, SIGNALS) for signals in clips])
    return Scale(scale.mean, np.maximum(scale.sd, LEAST_SD)), known


def network_inputs(windows: Array, scale: Scale, known: Array) -> Array:
    """Return the windows as the network takes them, (N, 30, 2 F) float32: values, 0 where unknown, and the mask.

    Windows of which nothing is known are left out.
    """
    mask = np.isfinite(windows) & known
    values = np.where(mask, np.clip(scale(windows), -LARGEST, LARGEST), 0)
    some = mask.any(axis=(1, 2))
    return np.concatenate([values, mask], axis=2).astype(np.float32)[some]


def signal_errors(rebuilt: Array, inputs: Array) -> Array:
    """Return the mean squared error of each signal over windows and frames, (F,) float64; nan where unknown."""
    signals = rebuilt.shape[2]
    known = inputs[:, :, signals:] > 0
    squared = np.where(known, (rebuilt.astype(np.float64) - inputs[:, :, :signals]) ** 2, 0)
    count = known.sum(axis=(0, 1))
    found = np.full(signals, np.nan)
    return np.asarray(np.divide(squared.sum(axis=(0, 1)), count, out=found, where=count > 0))


def clip_score(errors: Array) -> float:
    """Return one number of the errors of all signals; nan where none is known."""
    known = errors[np.isfinite(errors)]
    return float(np.sqrt(known.mean())) if len(known) else float("nan")
