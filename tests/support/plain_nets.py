"""Networks of plain convolutions in 8 bits with random weights that keep the rules, at the limits of these too."""

from __future__ import annotations

import itertools

import numpy as np

from salticid.upscale.integer_net import IntegerLayer, IntegerNet

COLORS, REPEATS = 3, 4


def random_net(random, *, layers=2, channels=8, scale=2, repeats=REPEATS):
    """Return a network of `layers` layers between the first and the last, whose activations differ from each other."""
    widths = [COLORS, *[channels] * (layers + 1)]
    body = [random_layer(random, outputs, inputs) for inputs, outputs in itertools.pairwise(widths)]
    last = random_layer(random, COLORS * scale**2, channels + repeats * COLORS)
    return IntegerNet((*body, last), scale, repeats)


def random_layer(random, outputs, inputs):
    """Return a layer with weights of all magnitudes, some of which reach what the rules allow."""
    weights = random.integers(-128, 128, (outputs, inputs, 3, 3)) * random.choice([0, 0.02, 0.3, 1], (outputs, 1, 1, 1))
    weights = shrunk(np.trunc(weights).astype(np.int64))
    spread = 100 * np.sqrt((weights**2).sum(axis=(1, 2, 3)) + 1)
    bias = random.normal(size=outputs) * spread - 128 * weights.sum(axis=(1, 2, 3)) / 2
    multiplier = random.choice([0, 60, 127, 400], outputs, p=[0.05, 0.45, 0.4, 0.1]) / spread
    return IntegerLayer(weights.astype(np.int8), bias.astype(np.int32), multiplier.astype(np.float32))


def shrunk(weights):
    """Return weights (O, I, 3, 3) that keep the rules: halved, again and again, where they do not."""
    outputs, inputs = weights.shape[:2]
    ordered = np.pad(weights.transpose(0, 2, 3, 1), ((0, 0), (0, 0), (0, 0), (0, -inputs % 4))).reshape(outputs, -1)
    padded_inputs = inputs + -inputs % 4
    places = np.arange(ordered.shape[1])
    step, place = places // 4, places % 4
    fours = (step // 2) * 2 + place // 2
    real = np.flatnonzero(places % padded_inputs < inputs)
    twos = np.full(len(places), -1)
    twos[real] = np.arange(len(real)) // 2
    for groups in (fours, twos):
        ordered = halved_where_too_large(ordered, groups)
    return ordered[:, real].reshape(outputs, 3, 3, inputs).transpose(0, 3, 1, 2)


def halved_where_too_large(ordered, groups):
    while True:
        too_large = np.zeros(ordered.shape, bool)
        for signed in (np.maximum(ordered, 0), np.maximum(-ordered, 0)):
            sums = np.zeros((len(ordered), groups.max() + 1), np.int64)
            np.add.at(sums.T, groups[groups >= 0], signed[:, groups >= 0].T)
            too_large |= (sums[:, groups] > 128) & (signed > 0) & (groups >= 0)
        if not too_large.any():
            return ordered
        ordered = np.where(too_large, np.trunc(ordered / 2).astype(np.int64), ordered)
