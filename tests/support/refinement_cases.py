"""What the refinement of disparity maps is tested on: random maps, views and networks, hard ones among them."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from salticid.engine.integer import FloatLayer, activation_ranges
from salticid.engine.patches import MIDDLE
from salticid.stereo.refine_network import INPUT_SCALE, WIDTHS, UltraLightweightRefinementNet
from salticid.stereo.refine_samples import TruePair
from salticid.stereo.simulate import simulate_pair

NAN = np.nan
FARTHEST_PX = 2047
THREADS = (1, 2, 3, 1000)

STRIDED = [
    lambda array: array[::-1],
    lambda array: array[:, ::-1],
    lambda array: array[::3, ::2],
    lambda array: array.swapaxes(0, 1),
    lambda array: np.asfortranarray(array),
    lambda array: array[:, 7:8],
    lambda array: array[7:8],
]


def random_map(height, width, seed=0, reach_px=30, unknown=0.1):
    """Return a map of slanted surfaces with steps between them, noise on some, and holes of several kinds."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    disparity_px = np.zeros((height, width))
    for _ in range(random.integers(1, 5)):
        top, left = random.integers(0, height), random.integers(0, width)
        surface = random.uniform(-reach_px, reach_px) + random.choice([0, 0.3, -0.05]) * x + random.choice([0, 0.1]) * y
        disparity_px[top:, left:] = surface[top:, left:]
    disparity_px += random.choice([0, 0.05, reach_px]) * random.normal(size=(height, width))
    halves = random.random((height, width)) < 0.1
    disparity_px[halves] = np.rint(32 * disparity_px[halves]) / 32  # every second one between two sixteenths
    disparity_px = disparity_px.clip(-FARTHEST_PX, FARTHEST_PX).astype(np.float32)
    disparity_px[random.random((height, width)) < unknown] = NAN
    disparity_px[random.random((height, width)) < unknown / 8] = random.choice([np.inf, -np.inf])
    if random.random() < 0.5:
        disparity_px[:, : random.integers(0, width + 1) // 3] = NAN
        disparity_px[:, width - random.integers(0, width + 1) // 3 :] = NAN
    disparity_px[random.random(height) < unknown / 2] = NAN
    return disparity_px


def random_confidence(height, width, seed=0, wild=True):
    """Return a confidence with steps of 1/127 and what is amid two of them; if `wild`, also what is no confidence."""
    random = np.random.default_rng(seed + 1)
    confidence = random.random((height, width)).astype(np.float32)
    amid = random.random((height, width)) < 0.5
    confidence[amid] = (random.integers(0, 254, int(amid.sum())) / 2).astype(np.float32) / np.float32(127)
    for value in (NAN, np.inf, -np.inf, -0.3, 1.5, -0.0) if wild else ():
        confidence[random.random((height, width)) < 0.03] = value
    return confidence


def random_view(height, width, channels=(3,), seed=0):
    """Return patches of few colors, so that some pixels look alike, or a smooth view with noise."""
    random = np.random.default_rng(seed + 2)
    if random.random() < 0.5:
        return random.choice(np.uint8([0, 3, 9, 200, 255]), (height, width, *channels))
    ramp = np.linspace(0, 255, width)[:, *[None] * len(channels)] + random.normal(0, 8, (height, width, *channels))
    return ramp.clip(0, 255).astype(np.uint8)


cases = st.fixed_dictionaries(
    {
        "size": st.tuples(st.integers(1, 70), st.integers(1, 150)),
        "seed": st.integers(0, 9999),
        "reach_px": st.sampled_from([0.5, 8, 40, 300, FARTHEST_PX]),  # 8 px: votes just fit a byte of sixteenths
        "unknown": st.sampled_from([0, 0.02, 0.3, 0.9, 0.999, 1]),
        "channels": st.sampled_from([(), (3,)]),
    }
)


def make_case(size, seed, reach_px, unknown, channels):
    """Return disparity, confidence and view."""
    disparity_px = random_map(*size, seed, reach_px, unknown)
    return disparity_px, random_confidence(*size, seed), random_view(*size, channels, seed)


def random_net(seed=0):
    """Return a network with random weights, in float16, whose units reach as far as on random inputs."""
    random = np.random.default_rng(seed)
    weights, biases = [], []
    for before, after in itertools.pairwise(WIDTHS):
        weights.append(_halved(random.normal(size=(after, before)) / before**0.5))
        biases.append(_halved(random.normal(size=after) / 5))
    inputs = (random.integers(0, 128, (400, WIDTHS[0])) - MIDDLE) * INPUT_SCALE
    layers = [FloatLayer(*pair, relu=True) for pair in zip(weights, biases, strict=True)]
    ranges = tuple(_halved(reach) for reach in activation_ranges(layers, inputs))
    return UltraLightweightRefinementNet(tuple(weights), tuple(biases), ranges)


def _halved(array):
    return array.astype(np.float16).astype(np.float32)


def small_pair(seed=0):
    """Return a simulated pair with truth, small enough to be matched in no time."""
    made = simulate_pair(160, 120, seed=seed, noise=3)
    search = int(np.ceil(made.disparity_left_px.max() / 16)) * 16
    return TruePair(f"small{seed}", "small", made.left, made.right, made.disparity_left_px, made.visible, search)
