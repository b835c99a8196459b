"""Windows of a second at one rate, within one clip."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.motion.compare.windows import FRAMES, clip_windows, common_signals, fit_scale
from salticid.motion.measured import Signals


def signals(rate_hz=30.0, seconds=4.0, **courses):
    times_s = np.arange(round(rate_hz * seconds) + 1) / rate_hz
    made = {name: np.broadcast_to(course(times_s), times_s.shape) for name, course in courses.items()}
    values = np.stack(list(made.values()), axis=1).astype(np.float32)
    return Signals(times_s, values, tuple(made), ("deg",) * len(made))


@pytest.mark.parametrize("rate_hz", [25, 30, 60, 240])
def test_a_window_is_a_second_at_every_frame_rate(rate_hz):
    windows = clip_windows(signals(rate_hz, ramp=lambda t: t), ("ramp",))
    assert windows.shape[1:] == (FRAMES, 1)
    np.testing.assert_allclose(windows[0, :, 0], np.arange(FRAMES) / 30, atol=1e-6)
    np.testing.assert_allclose(windows[1, :, 0], np.arange(5, 5 + FRAMES) / 30, atol=1e-6)


def test_a_gap_stays_a_gap_and_an_absent_signal_is_unknown():
    gap = signals(a=lambda t: np.where((t > 1) & (t < 1.2), np.nan, 1.0))
    windows = clip_windows(gap, ("a", "b"))
    assert np.isnan(windows[:, :, 1]).all()
    assert np.isnan(windows[:, :, 0]).any()
    assert (windows[0, :20, 0] == 1).all()


def test_a_clip_shorter_than_a_window_has_none():
    assert clip_windows(signals(seconds=0.9, a=lambda t: t), ("a",)).shape == (0, FRAMES, 1)


def test_common_signals_are_those_that_every_clip_knows():
    first = signals(a=lambda t: t, b=lambda t: t)
    second = signals(a=lambda t: t, b=lambda t: np.where(t < 2, np.nan, t))
    assert common_signals([first, second]) == ("a",)
    assert common_signals([]) == ()


def test_scaled_windows_have_mean_0_and_spread_1_and_a_constant_stays_finite():
    rng = np.random.default_rng(0)
    windows = [np.stack([rng.normal(7, 3, (40, FRAMES)), np.full((40, FRAMES), 2.0)], axis=2) for _ in range(3)]
    scaled = fit_scale(windows)(np.concatenate(windows))
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), [0, 0], atol=1e-3)
    np.testing.assert_allclose(scaled.std(axis=(0, 1)), [1, 0], atol=1e-3)
