"""The recurrent autoencoder: a second of movement through 32 numbers and back, in 54 thousand parameters.

    network = GaitAutoencoder(15)
    again = network(inputs)                  # (N, 30, 30) -> (N, 30, 15)

    signals and what is known of them --GRU 64--> --GRU 32--> the last state: 32 numbers
    these at every frame --GRU 32--> --GRU 64--> --linear--> signals

What it has never seen it cannot rebuild; the error is how unusual a window is (Malhotra et al. 2016, LSTM-based
encoder-decoder for multi-sensor anomaly detection; gated units as Cho et al. 2014). The second half of the inputs says
which signals are known, frame by frame: one network serves every view.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from salticid.motion.compare.windows import FRAMES

WIDE, NARROW = 64, 32


class GaitAutoencoder(nn.Module):
    """Windows of `signals` signals and their masks to the same signals."""

    def __init__(self, signals: int) -> None:
        super().__init__()
        self.encoder = nn.ModuleList([_gru(2 * signals, WIDE), _gru(WIDE, NARROW)])
        self.decoder = nn.ModuleList([_gru(NARROW, NARROW), _gru(NARROW, WIDE)])
        self.output = nn.Linear(WIDE, signals)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the signals as rebuilt, (N, 30, F), of (N, 30, 2 F)."""
        return self.decode(self.encode(inputs))

    def encode(self, inputs: Tensor) -> Tensor:
        """Return what is kept of each window, (N, 32)."""
        states = inputs
        for layer in self.encoder:
            states, last = layer(states)
        return cast(Tensor, last[0])

    def decode(self, codes: Tensor) -> Tensor:
        """Return the signals that (N, 32) stand for, (N, 30, F)."""
        states = codes[:, None].expand(-1, FRAMES, -1)
        for layer in self.decoder:
            states, _ = layer(states)
        return cast(Tensor, self.output(states))


def squared_error(rebuilt: Tensor, inputs: Tensor) -> Tensor:
    """Return the mean squared error over what is known."""
    signals = rebuilt.shape[2]
    values, known = inputs[:, :, :signals], inputs[:, :, signals:]
    return (((rebuilt - values) ** 2) * known).sum() / torch.clamp(known.sum(), min=1)


def _gru(inputs: int, states: int) -> nn.GRU:
    return nn.GRU(inputs, states, batch_first=True)
