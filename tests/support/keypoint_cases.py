"""Keypoints for tests of what reads and writes them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from salticid.motion.keypoints import JOINTS, Keypoints


def walking(frames: int = 12, dimensions: int = 2, joints: int = len(JOINTS), seed: int = 0) -> Keypoints:
    """Return a body somewhere, with one joint not found in one frame."""
    rng = np.random.default_rng(seed)
    scale = 100 if dimensions == 2 else 1
    positions = (rng.normal(size=(frames, joints, dimensions)) * scale).astype(np.float32)
    positions[frames // 2, joints // 2] = np.nan
    scores = np.where(np.isfinite(positions[..., 0]), rng.random((frames, joints)), 0).astype(np.float32)
    return Keypoints(np.arange(frames) / 60, positions, scores, JOINTS[:joints])


@st.composite
def any_keypoints(draw, dimensions=(2, 3)):
    """Draw keypoints of any size, with holes, in any irregular time, with and without all that is optional."""
    frames = draw(st.integers(1, 6))
    names = draw(st.lists(st.sampled_from(JOINTS), min_size=1, max_size=4, unique=True))
    shape = (frames, len(names))
    steps = draw(st.lists(st.floats(1e-3, 10), min_size=frames, max_size=frames))
    numbers = st.floats(-1e6, 1e6, width=32)
    positions = draw(arrays.arrays(np.float32, (*shape, draw(st.sampled_from(dimensions))), elements=numbers))
    positions[draw(arrays.arrays(bool, shape))] = np.nan
    return Keypoints(
        times_s=np.cumsum(steps),
        positions=positions,
        scores=draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32))),
        names=tuple(names),
        size_px=draw(st.none() | st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))),
        world_m=draw(st.none() | arrays.arrays(np.float32, (*shape, 3), elements=st.floats(-2, 2, width=32))),
    )


def assert_same(found: Keypoints, expected: Keypoints) -> None:
    """Check that every bit is the same."""
    for field in ("times_s", "positions", "scores", "world_m"):
        one, other = getattr(found, field), getattr(expected, field)
        assert (one is None) == (other is None), field
        if one is not None:
            np.testing.assert_array_equal(one, other, err_msg=field)
            assert one.dtype == other.dtype, field
    assert (found.names, found.size_px) == (expected.names, expected.size_px)
