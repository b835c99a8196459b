"""From what was seen to smooth, evenly spaced courses: leaps taken out, short gaps filled, noise filtered in Hz.

A course is (T, ...) over time, nan where unknown. Nothing here works across a long gap: every stretch between two of
them is treated by itself, so that what is unknown stays unknown and does not spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages

LONGEST_GAP_S = 0.1  # longer ones hide a turn of the movement
LEAST_STRETCH = 4  # samples below which there is nothing to filter
TWO_PASSES = (2**0.5 - 1) ** 0.25  # by this a second pass lowers the cutoff of order 2; Winter 2009, eq. 3.8 ff.


def without_leaps(values: Array, least: float, window: int = 5) -> Array:
    """Return the course with nan where a sample leaps away from its neighbors and returns.

    A sample goes that lies further from the median of `window` samples than `least` and than six robust standard
    deviations of that distance (Hampel 1974). `values` is (T, D); a leap in one dimension takes all of the point.
    """
    if len(values) < window:
        return values.copy()
    distance = np.linalg.norm(values - _running_median(values, window), axis=1)
    known = np.isfinite(distance)
    usual = 1.4826 * float(np.median(distance[known])) if known.any() else 0.0
    cleaned = values.copy()
    cleaned[known & (np.nan_to_num(distance) > max(least, 6 * usual))] = np.nan
    return cleaned


def _running_median(values: Array, window: int) -> Array:
    """Return the median around every sample; samples that are not known do not count."""
    half = window // 2
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
    ordered = np.sort(around, axis=2)  # nan last
    count = np.isfinite(around).sum(axis=2)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[..., None], axis=2)
    high = np.take_along_axis(ordered, np.minimum(count // 2, window - 1)[..., None], axis=2)
    return np.asarray((low + high)[..., 0] / 2)


def evenly(times_s: Array, values: Array, wanted_s: Array, longest_gap_s: float = LONGEST_GAP_S) -> Array:
    """Return the course (T, D) at other times, by a cubic through its neighbors; nan in gaps that are too long.

    Where a wanted time is a known sample, that sample comes back as it is. Akima's cubic does not swing beyond a leap.
    """
    found = np.full((len(wanted_s), values.shape[1]), np.nan)
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    for first, end in _between(times_s[known], longest_gap_s):
        stretch = known[first:end]
        begin_s, last_s = times_s[stretch[0]], times_s[stretch[-1]]
        inside = (wanted_s >= begin_s - 1e-9) & (wanted_s <= last_s + 1e-9)
        found[inside] = _course(times_s[stretch], values[stretch])(np.clip(wanted_s[inside], begin_s, last_s))
    return found


def _course(times_s: Array, values: Array) -> Callable[[Array], Array]:
    """Return a function of time through these samples."""
    if len(times_s) == 1:
        return lambda wanted_s: np.repeat(values, len(wanted_s), axis=0)
    interpolate = packages.require("scipy").interpolate
    return lambda wanted_s: np.asarray(interpolate.Akima1DInterpolator(times_s, values, method="makima")(wanted_s))


def _between(times_s: Array, longest_gap_s: float) -> Iterator[tuple[int, int]]:
    """Yield where stretches begin and end between which time leaps by more than the longest gap."""
    if not len(times_s):
        return
    cuts = np.flatnonzero(np.diff(times_s) > longest_gap_s + 1e-6) + 1
    edges = [0, *cuts.tolist(), len(times_s)]
    yield from pairwise(edges)


def low_pass(values: Array, rate_hz: float, cutoff_hz: float) -> Array:
    """Return an evenly spaced course (T, ...) after a Butterworth filter of order 2 that ran there and back.

    The cutoff is that of both passes together (3 dB down), so each one gets a higher one (Winter 2009, ch. 3.4.4).
    Each stretch between gaps is filtered by itself. A cutoff that the rate cannot carry filters nothing.
    """
    cutoff_hz = _of_one_pass(cutoff_hz, rate_hz)
    if not cutoff_hz < 0.49 * rate_hz:
        return values.copy()
    signal = packages.require("scipy").signal
    numerator, denominator = signal.butter(2, cutoff_hz, fs=rate_hz)
    run_in = int(np.ceil(1.5 * rate_hz / cutoff_hz))
    columns = values.reshape(len(values), -1)
    filtered = np.full(columns.shape, np.nan)
    for first, end, alike in _stretches(columns):
        padding = min(run_in, end - first - 1)
        stretch = columns[first:end, alike]
        filtered[first:end, alike] = signal.filtfilt(numerator, denominator, stretch, axis=0, padlen=padding)
    return np.asarray(filtered.reshape(values.shape))


def low_pass_each(joints: Mapping[str, Array], rate_hz: float, cutoff_hz: float) -> dict[str, Array]:
    """Return the courses (T, D) of many joints after the same filter."""
    filtered = low_pass(np.stack(list(joints.values()), axis=1), rate_hz, cutoff_hz)
    return {name: filtered[:, index] for index, name in enumerate(joints)}


def _of_one_pass(cutoff_hz: float, rate_hz: float) -> float:
    """Return the cutoff of each of two passes that together have `cutoff_hz`; inf where the rate is too low."""
    if cutoff_hz >= rate_hz / 2:
        return float("inf")
    return float(rate_hz / np.pi * np.arctan(np.tan(np.pi * cutoff_hz / rate_hz) / TWO_PASSES))


def _stretches(columns: Array) -> Iterator[tuple[int, int, Array]]:
    """Yield where known stretches begin and end, and the columns that have them alike; too short ones are left out."""
    known = np.isfinite(columns)
    alike: dict[bytes, list[int]] = {}
    for column in range(columns.shape[1]):
        alike.setdefault(known[:, column].tobytes(), []).append(column)
    for same in alike.values():
        for first, end in _runs(known[:, same[0]]):
            yield first, end, np.array(same)


def _runs(known: Array) -> Iterator[tuple[int, int]]:
    """Yield where runs of at least `LEAST_STRETCH` known samples begin and end."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for first, end in zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True):
        if end - first >= LEAST_STRETCH:
            yield first, end
